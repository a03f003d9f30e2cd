"""Files of the tabular estimators: the same predictions from them, and nothing believed that a hostile file says."""

import contextlib
import io
import json

import numpy as np
import pytest

pytest.importorskip("sklearn")

from test_tabular import CLASSES, CLASSIFIER, FRAME, NUMBERS, QUICK, REGRESSOR

import mlpcore
from mlpcore.sklearn import TabularClassifier, TabularRegressor, load


def bytes_of(estimator):
    file = io.BytesIO()
    estimator.save(file)
    return file.getvalue()


def changed(data, change):
    """The bytes of a file whose description `change` has changed."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    description = json.loads(header["__metadata__"]["model"])
    change(description["estimator"])
    header["__metadata__"]["model"] = json.dumps(description)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + length :]


CLASSIFIER_BYTES, REGRESSOR_BYTES = bytes_of(CLASSIFIER), bytes_of(REGRESSOR)


def test_an_estimator_predicts_the_same_bits_after_it(tmp_path):
    for estimator in (CLASSIFIER, REGRESSOR):
        estimator.feature_importances_  # noqa: B018  measured, and so kept
        estimator.save(tmp_path / "it.safetensors")
        again = load(tmp_path / "it.safetensors")
        assert type(again) is type(estimator)
        assert again.get_params() == estimator.get_params()
        assert (again.predict(FRAME) == estimator.predict(FRAME)).all()
        assert again.feature_names_in_.tolist() == list(FRAME.columns)
        assert (again.feature_importances_ == estimator.feature_importances_).all()
        assert repr(again.column_report_) == repr(estimator.column_report_)
    assert (load(io.BytesIO(CLASSIFIER_BYTES)).predict_proba(FRAME) == CLASSIFIER.predict_proba(FRAME)).all()
    assert (load(io.BytesIO(REGRESSOR_BYTES)).predict_interval(FRAME) == REGRESSOR.predict_interval(FRAME)).all()


@pytest.mark.parametrize("classes", [[1, 2], [1.0, 2.0], [True, False], ["a", "b"]])
def test_classes_of_any_type(classes):
    y = np.where(CLASSES == "dear", *classes)
    fitted = TabularClassifier(**QUICK | {"max_iter": 1}).fit(FRAME, y)
    again = load(io.BytesIO(bytes_of(fitted)))
    assert again.predict(FRAME).dtype == fitted.predict(FRAME).dtype
    assert (again.predict(FRAME) == fitted.predict(FRAME)).all()


def test_parameters_with_objects():
    made = TabularClassifier(
        **QUICK | {"max_iter": 1, "random_state": np.random.RandomState(0)},
        activation=mlpcore.LeakyReLU(0.2),
        class_weight={"dear": 2.0, "cheap": np.float64(1.0)},
    ).fit(FRAME, CLASSES)
    again = load(io.BytesIO(bytes_of(made)))
    assert again.activation == mlpcore.LeakyReLU(0.2)
    assert again.class_weight == {"dear": 2.0, "cheap": 1.0}
    assert again.random_state is None
    assert again.fit(FRAME, CLASSES).score(FRAME, CLASSES) > 0.4


def test_parameters_that_no_file_can_hold():
    made = TabularClassifier(**QUICK).fit(FRAME, CLASSES)
    made.class_weight = {("a", "tuple"): 1j}
    with pytest.raises(TypeError, match=r"class_weight is 1j, expected what a file can hold"):
        made.save(io.BytesIO())


def test_importances_that_were_not_measured():
    fitted = TabularRegressor(**QUICK | {"max_iter": 1}).fit(FRAME, NUMBERS)
    with pytest.raises(AttributeError, match="the file says nothing of feature_importances_: read them"):
        load(io.BytesIO(bytes_of(fitted))).feature_importances_  # noqa: B018


def test_each_loader_names_the_other(tmp_path):
    CLASSIFIER.save(tmp_path / "estimator")
    CLASSIFIER.models_[0].save(tmp_path / "model")
    with pytest.raises(ValueError, match=r"it holds an estimator, expected a model: mlpcore.sklearn.load reads it"):
        mlpcore.Sequential.load(tmp_path / "estimator")
    with pytest.raises(ValueError, match=r"it holds no estimator; if it holds a model, Sequential.load reads it"):
        load(tmp_path / "model")


@pytest.mark.parametrize("data", [CLASSIFIER_BYTES, REGRESSOR_BYTES])
def test_every_entry_that_was_changed_is_refused_or_harmless(data):
    wrong = [None, -1, 1.5, "x", [], {}, [None], True, [1, 2, 3], {"kind": "numeric"}]
    whole = {}
    changed(data, whole.update)
    refused = 0
    for key in whole:
        for value in wrong:
            file = io.BytesIO(changed(data, lambda it, key=key, value=value: it.update({key: value})))
            again = None
            with contextlib.suppress(ValueError):
                again = load(file)
            if again is None:
                refused += 1
            else:
                assert np.isfinite((again.predict_proba if hasattr(again, "classes_") else again.predict)(FRAME)).all()
    assert refused > 8 * len(whole)


def test_parts_that_do_not_fit_each_other():
    for change, message in (
        (lambda it: it.update(networks=[]), "belongs to none of 0 networks"),
        (lambda it: it["networks"].pop(), "belongs to none of"),
        (lambda it: it["columns"].pop(), "feature_names is"),
        (lambda it: it.update(feature_names=None, columns=it["columns"][1:]), "a network has .* inputs"),
        (lambda it: it["learned"].update(classes=["a", "b", "c"]), "a network has"),
        (lambda it: it["learned"].update(classes=["b", "a"]), "expected two ascending classes or more"),
        (lambda it: it["params"].update(dropout=7), "dropout is 7"),
        (lambda it: it["params"].pop("dropout"), "expected those of TabularClassifier"),
    ):
        with pytest.raises(ValueError, match=message):
            load(io.BytesIO(changed(CLASSIFIER_BYTES, change)))


def test_numbers_that_are_not_finite():
    data = bytearray(CLASSIFIER_BYTES)
    data[-4:] = np.float32(np.nan).tobytes()
    with pytest.raises(ValueError, match="holds numbers that are not finite"):
        load(io.BytesIO(bytes(data)))


def test_a_file_that_was_cut_off():
    for end in (0, 7, 100, len(CLASSIFIER_BYTES) // 2, len(CLASSIFIER_BYTES) - 1):
        with pytest.raises(ValueError, match="cannot load"):
            load(io.BytesIO(CLASSIFIER_BYTES[:end]))
