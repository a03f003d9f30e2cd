"""Sends Ctrl-C (SIGINT) during training at random times.

    python interrupts.py COUNT

trains so many models and interrupts each. It has to end with KeyboardInterrupt within LIMIT seconds, be as another
training of as many whole batches leaves it, hold the history of the epochs done, and train on as if nothing had been.
Predictions and evaluations of many rows are interrupted too. Exits with 1 if something fails.
"""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import mlpcore
from mlpcore.engine import TrainSettings

LIMIT = 0.2  # seconds, on a machine that is not busy otherwise
LATEST = 0.25  # seconds from the start of a training to the key


@dataclass
class Task:
    """A network and what it learns; an epoch takes from less than a millisecond to seconds."""

    sizes: tuple[int, ...]
    rows: int
    batch: int

    def __post_init__(self) -> None:
        random = np.random.default_rng(1)
        self.x = random.normal(size=(self.rows, self.sizes[0])).astype("f4")
        self.labels = random.integers(self.sizes[-1], size=self.rows)
        self.options = {"loss": "cce", "batch_size": self.batch, "shuffle": False}

    def model(self) -> mlpcore.Sequential:
        """Return the network before training, always the same."""
        hidden = [mlpcore.Dense(units, "relu") for units in self.sizes[1:-1]]
        layers = [*hidden, mlpcore.Dense(self.sizes[-1], "softmax")]
        return mlpcore.Sequential(layers, input_size=self.sizes[0], seed=1)

    def fit(self, model: mlpcore.Sequential, optimizer: mlpcore.Adam, epochs: int) -> None:
        """Train, measuring some rows after each epoch."""
        validation = self.x[:50], self.labels[:50]
        options = self.options | {"epochs": epochs, "validation_data": validation, "progress": False}
        model.fit(self.x, self.labels, optimizer=optimizer, **options)

    def replay(self, model: mlpcore.Sequential, optimizer: mlpcore.Adam, batches: int) -> None:
        """Train for a number of batches."""
        epochs, rest = divmod(batches, -(-self.rows // self.batch))
        if epochs > 0:
            self.fit(model, optimizer, epochs)
        if rest > 0:
            rows = slice(rest * self.batch)
            model.partial_fit(self.x[rows], self.labels[rows], optimizer=optimizer, **self.options)


TASKS = [
    Task((2, 4, 2), 300, 1),
    Task((2, 4, 2), 500_000, 1),
    Task((16, 16, 3), 20_050, 100),
    Task((784, 128, 10), 2000, 32),
]


def seconds_to_end(call: Callable[[], object]) -> float:
    """Press Ctrl-C at a random moment of `call`; return how long that took to end, infinity if it was not ended."""
    delay = random.uniform(0.01, LATEST)
    pressed = 0.0

    def press() -> None:
        nonlocal pressed
        time.sleep(delay)
        pressed = time.perf_counter()
        os.kill(os.getpid(), signal.SIGINT)

    key = threading.Thread(target=press)
    ended = np.inf
    try:
        key.start()
        call()
        key.join()
    except KeyboardInterrupt:
        ended = time.perf_counter()
    key.join()
    return ended - pressed


def shuffle_waits(count: int) -> tuple[list[float], list[str]]:
    """Interrupt the shuffle before an epoch: how long each took to end, and whether weights had changed by then."""
    rows = 20_000_000
    x, y = np.zeros((rows, 1), "f4"), np.zeros((rows, 1), "f4")
    waits, faults = [], []
    for _ in range(count):
        model = mlpcore.Sequential([mlpcore.Dense(1)], input_size=1, seed=1)
        before = weights(model)
        # As fit does it after its checks of the data, which are NumPy's.
        settings = TrainSettings(
            loss="mse", metric=None, optimizer=mlpcore.SGD()._claim(model, model._built().params), batch_size=rows,
            shuffle=True, seed=1, epochs=1, mean_weight=1.0, cursor=np.zeros(2, "i8"),
            scores=np.empty((1, 2)), progress=lambda batches: None,
        )  # fmt: skip
        waits.append(seconds_to_end(lambda: model._built().train(x, y, None, settings)))  # noqa: B023
        if weights(model) != before:
            faults.append("an interrupted shuffle changed weights")
    return waits, faults


def drawing_waits(count: int) -> tuple[list[float], list[str]]:
    """Interrupt the drawing of first weights: the model has none then, and draws them all the next time."""
    waits, faults = [], []
    for _ in range(count):
        model = mlpcore.Sequential([mlpcore.Dense(8000)], seed=1)
        waits.append(seconds_to_end(lambda: model.predict(np.zeros((1, 8000), "f4"))))  # noqa: B023
        if model.input_size is not None:
            faults.append("an interrupted first call left the model built")
    return waits, faults


def weights(model: mlpcore.Sequential) -> bytes:
    """Return all parameters."""
    return b"".join(part.tobytes() for layer in model.layers for part in (layer.w, layer.b))


def faults_after_interrupt(task: Task, model: mlpcore.Sequential, optimizer: mlpcore.Adam) -> list[str]:
    """Say what is wrong with a training that was interrupted."""
    faults = []
    batches = int(optimizer._state["t"][0]) if "t" in optimizer._state else 0
    twin, own = task.model(), mlpcore.Adam()
    task.replay(twin, own, batches)
    if weights(model) != weights(twin):
        faults.append(f"not the weights after {batches} batches")
    epochs = batches // -(-task.rows // task.batch)
    if model.epochs_trained != epochs:
        faults.append(f"epochs_trained is {model.epochs_trained} after {epochs} epochs")
    # An epoch is recorded when its validation too is done.
    lengths = {len(values) for values in (model.history.epoch, *model.history.values())} if model.history else {0}
    if not lengths <= {epochs, max(epochs - 1, 0)} or len(lengths) > 1:
        faults.append(f"the history holds {lengths} of {epochs} epochs")
    for each, its in ((model, optimizer), (twin, own)):
        task.fit(each, its, 1)
    if weights(model) != weights(twin):
        faults.append("trains on differently")
    return faults


def main(count: int) -> int:
    """Interrupt, and say how long the slowest took and what failed."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what runs in the background ignore it
    waits: list[float] = []
    faults: list[str] = []
    for i in range(count):
        task = TASKS[i % len(TASKS)]
        model, optimizer = task.model(), mlpcore.Adam()
        waits.append(seconds_to_end(lambda: task.fit(model, optimizer, 10**9)))  # noqa: B023
        faults += [f"{task.sizes}: {fault}" for fault in faults_after_interrupt(task, model, optimizer)]
    print(f"fit, {count} times: at most {max(waits):.3f} s, median {np.median(waits):.3f} s")

    model = mlpcore.Sequential([mlpcore.Dense(1000, "tanh"), mlpcore.Dense(10, "softmax")], input_size=100, seed=1)
    x, labels = np.zeros((500_000, 100), "f4"), np.zeros(500_000, "i8")
    reading = [lambda: model.predict(x), lambda: model.evaluate(x, labels, loss="cce")]
    own_waits = [seconds_to_end(call) for call in reading * max(count // 20, 1)]
    print(f"predict and evaluate, {len(own_waits)} times: at most {max(own_waits):.3f} s")

    for what, measure in (("shuffle", shuffle_waits), ("first weights", drawing_waits)):
        more, wrong = measure(max(count // 20, 1))
        print(f"{what}, {len(more)} times: at most {max(more):.3f} s")
        own_waits += more
        faults += wrong

    late = sum(wait > LIMIT for wait in waits + own_waits)
    print(f"later than {LIMIT} s: {late}; faults: {faults or 'none'}")
    return int(late > 0 or bool(faults))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
