"""CSVLogger and TensorBoardLogger: what they write can be read while the training goes on."""

import csv
import sys
from typing import Any
from unittest import mock

import pytest

from mlpcore import CSVLogger, Dense, Sequential, TensorBoardLogger

X, Y = [[0.0], [1.0], [2.0]], [[1.0], [2.0], [3.0]]
OPTIONS: dict[str, Any] = {"loss": "mse", "validation_data": (X, Y), "progress": False}


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_a_line_for_each_epoch_at_once(tmp_path):
    path, lines = tmp_path / "log.csv", []
    watch = lambda *_: lines.append(len(read(path)))  # noqa: E731
    history = Sequential([Dense(1)], seed=1).fit(X, Y, epochs=3, callbacks=[CSVLogger(path), watch], **OPTIONS)
    head, *rows = read(path)
    assert lines == [2, 3, 4]
    assert head == ["epoch", "loss", "val_loss"]
    assert [[int(row[0]), *map(float, row[1:])] for row in rows] == [
        [epoch, history["loss"][epoch], history["val_loss"][epoch]] for epoch in range(3)
    ]


def test_append_goes_on_and_refuses_other_columns(tmp_path):
    path, model = tmp_path / "log.csv", Sequential([Dense(1)], seed=1)
    model.fit(X, Y, epochs=2, callbacks=[CSVLogger(path)], **OPTIONS)
    model.fit(X, Y, epochs=1, callbacks=[CSVLogger(path, append=True)], **OPTIONS)
    assert [row[0] for row in read(path)] == ["epoch", "0", "1", "0"]
    with pytest.raises(
        ValueError,
        match="has the columns epoch, loss, val_loss, and this training measures epoch, loss, "
        "mae, .*write to another file",
    ):
        model.fit(X, Y, epochs=1, metrics=["mae"], callbacks=[CSVLogger(path, append=True)], **OPTIONS)
    model.fit(X, Y, epochs=1, metrics=["mae"], callbacks=[CSVLogger(path)], **OPTIONS)
    assert len(read(path)) == 2


def test_a_file_that_cannot_be_written_stops_the_fit_before_its_first_step(tmp_path):
    model = Sequential([Dense(1)], seed=1, input_size=1)
    before = model.layers[0].w.copy()
    with pytest.raises(OSError, match="No such file"):
        model.fit(X, Y, callbacks=[CSVLogger(tmp_path / "no" / "log.csv")], **OPTIONS)
    assert (model.layers[0].w == before).all()
    assert model.history is None
    with pytest.raises(TypeError):
        CSVLogger(3)


def test_tensorboard_names_the_extra_if_it_is_not_installed(tmp_path):
    with (
        mock.patch.dict(sys.modules, {"tensorboard.summary.writer.event_file_writer": None}),
        pytest.raises(ImportError, match=r"pip install 'mlpcore\[tensorboard\]'"),
    ):
        TensorBoardLogger(tmp_path)


def test_tensorboard_reads_the_numbers(tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    history = Sequential([Dense(1)], seed=1).fit(X, Y, epochs=3, callbacks=[TensorBoardLogger(tmp_path)], **OPTIONS)
    for run, name in (("train", "loss"), ("validation", "val_loss")):
        events = accumulator.EventAccumulator(str(tmp_path / run)).Reload().Scalars("loss")
        assert [event.step for event in events] == [0, 1, 2]
        assert [event.value for event in events] == pytest.approx(history[name], rel=1e-6)
