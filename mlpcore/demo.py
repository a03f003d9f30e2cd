"""The demo: train on scikit-learn's handwritten digits, check the gradients, plot the misread digits.

The split, the seed and the settings are fixed. The 360 test digits have no part in the training; the settings are
common ones, tried by five-fold cross-validation on the other digits. Needs the packages of the extra ``demo``.
"""

from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from mlpcore import Adam, Dense, History, Sequential, gradcheck

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from sklearn.datasets import load_digits

    from mlpcore.plot import HistoryDisplay
except ImportError as error:
    raise ImportError(f"the demo needs scikit-learn and matplotlib ({error}): pip install 'mlpcore[demo]'") from error

TRAINING_DIGITS = 1437  # the other 360 are for the test
SEED = 0
EPOCHS = 30
SHOWN = 8  # misread digits in the picture, the surest mistakes first
CHECKED = 8  # digits in the gradient check

RIGHT, WRONG = "#2a7f4f", "#b2182b"


class Digits(NamedTuple):
    """Images (n, 64) with values from 0 to 1, eight rows of eight after another, and their labels (n,) from 0 to 9."""

    x: NDArray[np.float32]
    y: NDArray[np.intp]


def load() -> tuple[Digits, Digits]:
    """Load the 1,797 digits, split by a permutation that is the same on every machine.

    Returns
    -------
    training, test : Digits
        1,437 and 360 digits.
    """
    x, y = load_digits(return_X_y=True)
    # NumPy has frozen the stream of RandomState, so that the split is the same with each of its versions.
    order = np.random.RandomState(SEED).permutation(len(x))
    x, y = (x[order] / 16).astype(np.float32), y[order]
    return Digits(x[:TRAINING_DIGITS], y[:TRAINING_DIGITS]), Digits(x[TRAINING_DIGITS:], y[TRAINING_DIGITS:])


def run(output: Path) -> float:
    """Train, check, save and draw.

    Parameters
    ----------
    output : Path
        Folder for ``digits.safetensors`` and ``digits.png``; made if it is missing.

    Returns
    -------
    float
        The accuracy on the 360 test digits.
    """
    output.mkdir(parents=True, exist_ok=True)
    training, test = load()
    model = Sequential([Dense(64, "relu"), Dense(64, "relu"), Dense(10, "softmax")], input_size=64, seed=SEED)
    print(model.summary(), end="\n\n")

    start = perf_counter()
    history = model.fit(
        training.x,
        training.y,
        loss="cce",
        optimizer=Adam(),
        epochs=EPOCHS,
        batch_size=32,
        validation_split=0.1,
        callbacks=[print_epoch],
    )
    seconds = perf_counter() - start

    accuracy = model.evaluate(test.x, test.y, loss="cce")["accuracy"]
    read = model.predict(test.x)
    wrong = np.count_nonzero(read.argmax(axis=1) != test.y)
    print(f"\n{EPOCHS} epochs in {seconds:.2f} s")
    print(f"test accuracy {accuracy:.4f}: {wrong} of {len(test.y)} digits misread, none of which it had seen before\n")

    print(gradcheck.check_model(model, test.x[:CHECKED], test.y[:CHECKED], "cce"))

    saved, drawn = output / "digits.safetensors", output / "digits.png"
    model.save(saved)
    draw(history, test, read).savefig(drawn, dpi=150)
    print(f"\nmodel    {saved}\npicture  {drawn}")
    return accuracy


def print_epoch(model: Sequential, epoch: int, logs: dict[str, float]) -> None:
    """Print a line for the epoch that just ended, above the progress bar."""
    tqdm.write(
        f"epoch {epoch + 1:2}   loss {logs['loss']:.4f}   accuracy {logs['accuracy']:.4f}   "
        f"validation: loss {logs['val_loss']:.4f}   accuracy {logs['val_accuracy']:.4f}"
    )


def draw(history: History, test: Digits, read: NDArray[Any]) -> Figure:
    """Draw the losses, the confusion matrix and the misread digits.

    Parameters
    ----------
    history : History
        Of the training.
    test : Digits
        The digits.
    read : ndarray of shape (n, 10)
        The network's probabilities for them.

    Returns
    -------
    Figure
    """
    figure = Figure(figsize=(12, 8), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    (upper,), (lower,) = figure.subfigures(2, 1, height_ratios=[2.6, 1], squeeze=False)
    losses, confusion = upper.subplots(1, 2)
    label = read.argmax(axis=1)
    HistoryDisplay.from_history(history, ["loss", "val_loss"], log=True, ax=losses)
    losses.set(title="Loss", ylabel="categorical cross-entropy")
    draw_confusion(confusion, test.y, label)

    wrong = np.flatnonzero(label != test.y)
    surest = wrong[np.argsort(-read[wrong, label[wrong]], kind="stable")][:SHOWN]
    which = f"{SHOWN} surest of {len(wrong)}" if len(wrong) > SHOWN else f"{len(wrong)}"
    lower.suptitle(f"The {which} misread test digits: what the network took them for, how sure it was, what they are")
    places = lower.subplots(1, SHOWN)
    for axes, i in zip(places, surest, strict=False):
        axes.imshow(test.x[i].reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        axes.set_title(f"{label[i]} ({read[i, label[i]]:.0%})", color=WRONG, loc="left")
        axes.set_title(f"is {test.y[i]}", color=RIGHT, loc="right")
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_color("lightgray")
    for axes in places[len(surest) :]:
        axes.set_axis_off()
    return figure


def draw_confusion(axes: Axes, truth: NDArray[np.intp], label: NDArray[np.intp]) -> None:
    """Draw how often each digit was read as each."""
    counts = np.zeros((10, 10), dtype=int)
    np.add.at(counts, (truth, label), 1)
    right = np.eye(10, dtype=bool)
    axes.imshow(np.where(right, counts, np.nan), cmap="Greens", vmin=0, vmax=1.6 * counts.max())
    axes.imshow(np.where(~right & (counts > 0), counts, np.nan), cmap="Reds", vmin=-1, vmax=5)
    for (i, k), count in np.ndenumerate(counts):
        if count:
            axes.text(k, i, str(count), ha="center", va="center")
    axes.set(
        title=f"{len(truth)} test digits, {np.trace(counts) / len(truth):.2%} read right",
        xlabel="read as",
        ylabel="digit",
        xticks=range(10),
        yticks=range(10),
    )
    axes.set_xticks(np.arange(11) - 0.5, minor=True)
    axes.set_yticks(np.arange(11) - 0.5, minor=True)
    axes.grid(which="minor", color="whitesmoke")
    axes.spines[:].set_visible(False)
    axes.tick_params(which="both", length=0)
