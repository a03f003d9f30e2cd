"""Of a large model a sample is compared, and only a check that takes long shows a progress bar."""

import numpy as np
import pytest

import mlpcore
from mlpcore import gradcheck

LABELS = np.array([0, 1, 2, 3, 3, 1])


def wide_model():
    return mlpcore.Sequential([mlpcore.Dense(60, "tanh"), mlpcore.Dense(4, "softmax")], input_size=100, seed=0)


def small_model():
    return mlpcore.Sequential([mlpcore.Dense(8, "tanh"), mlpcore.Dense(4, "softmax")], input_size=4, seed=0)


WIDE = np.random.default_rng(0).normal(size=(6, 100))


def test_of_a_large_model_a_sample_of_every_array_is_checked(monkeypatch):
    compared = []
    right = gradcheck.compare.differentiate

    def differentiate(f, middle, array, i, *args, **options):
        compared.append((array.shape, i))
        return right(f, middle, array, i, *args, **options)

    monkeypatch.setattr(gradcheck.compare, "differentiate", differentiate)
    report = gradcheck.check_model(wide_model(), WIDE, LABELS, "cce")
    assert report.ok, report
    assert (report.count, report.total) == (5000, 6000 + 60 + 240 + 4)
    assert "5000 of 6304 components were checked" in str(report)
    assert len(set(compared)) == 5000
    shares = {shape: sum(shape == other for other, _ in compared) for shape, _ in compared}
    assert shares == {(60, 100): 5000 - 304, (60,): 60, (4, 60): 240, (4,): 4}
    assert {i // 100 for shape, i in compared if shape == (60, 100)} == set(range(60))


def test_the_sample_is_as_large_as_asked_for_and_follows_the_seed(break_backward):
    def damage(layers):
        layers[0].grad_w[:30] *= 2

    break_backward(damage)

    def check_sample(**options):
        return gradcheck.check_model(wide_model(), WIDE, LABELS, "cce", **options)

    few = check_sample(max_components=40)
    assert (few.count, few.total) == (40, 6304)
    assert 0 < few.failed < 36 / 3 + 4
    assert check_sample(max_components=40) == few
    assert check_sample(max_components=40, seed=1) != few
    for everything in (6304, None):
        report = check_sample(max_components=everything)
        assert (report.count, report.total, report.failed) == (6304, 6304, 3000)
        assert "were checked" not in str(report)


def test_a_sample_of_less_than_one_of_each_array_is_refused():
    with pytest.raises(ValueError, match="max_components is 3, expected at least 4: one of each array"):
        gradcheck.check_model(wide_model(), WIDE, LABELS, "cce", max_components=3)
    with pytest.raises(ValueError, match="max_components is 0, expected an integer >= 1"):
        gradcheck.check_model(wide_model(), WIDE, LABELS, "cce", max_components=0)
    with pytest.raises(TypeError, match="progress is 'no', expected True or False"):
        gradcheck.check_model(wide_model(), WIDE, LABELS, "cce", progress="no")


@pytest.mark.parametrize("progress", [True, False])
@pytest.mark.parametrize("patience", [0.0, 100.0])
def test_only_a_check_that_takes_long_shows_a_bar(monkeypatch, capsys, patience, progress):
    monkeypatch.setattr(gradcheck.compare, "PATIENCE", patience)
    assert gradcheck.check_model(small_model(), WIDE[:, :4], LABELS, "cce", progress=progress).ok
    err = capsys.readouterr().err
    assert ("75/75" in err) == (progress and patience == 0)  # of 76: the first showed that it takes long
    assert err == "" or progress
