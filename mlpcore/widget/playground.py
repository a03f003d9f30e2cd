"""The playground as a widget of Jupyter: carries messages between its front end and a `Session`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlpcore import extras
from mlpcore.model import Sequential
from mlpcore.widget.bundle import bundle
from mlpcore.widget.session import Session
from mlpcore.widget.state import parse

anywidget = extras.require("anywidget", "notebook")
traitlets = extras.require("traitlets", "notebook")

FRONT = Path(__file__).with_name("front")


class Playground(anywidget.AnyWidget):  # type: ignore[misc,name-defined]
    """A network that you watch and train with the mouse or the keyboard, batch by batch or equation by equation.

    It shows z, a, phi and the gradients of every unit and weight, computed by the engine. It trains a copy of the
    model: yours stays as it is, and may be used meanwhile.

    Parameters
    ----------
    model : Sequential, optional
        Of `Dense` layers with b: at most 6 hidden ones with one activation for all, 16 units a layer, and an output of
        "softmax" for loss "cce", "sigmoid" for "bce", or "sigmoid", "tanh" or "linear" for "mse". Without one the
        playground begins with a network and data of its own.
    X : array_like of shape (n, in), optional
        Samples for the model: at most 5,000, with 2 to 16 columns, of which the first two are the axes of the picture.
    y : array_like of shape (n, out) or (n,), optional
        The ground truth, as in `Sequential.fit`.
    loss : str, optional
        "cce", "bce" or "mse"; if it is not given, the usual one of the output activation.
    state : str, optional
        Where to begin: what the attribute `state` was before, here or on the page without Python.

    Attributes
    ----------
    state : str
        What the playground is doing: data, layers, activation, output, optimizer, learning rates, batch size, seed, and
        the number of batches it was trained on. It reproduces every number. Assign one to go there.
    model : Sequential
        A copy of the model as it is now.

    Raises
    ------
    ImportError
        If anywidget is not installed.
    TypeError, ValueError
        If the model or the samples cannot be shown, or the state is none.

    Examples
    --------
    >>> from mlpcore.widget import Playground
    >>> playground = Playground(state="data=xor&layers=4&seed=3&steps=500")    # the last line of a cell shows it
    >>> playground.state
    'data=xor&noise=0&layers=4&activation=tanh&output=softmax-cce&start=seed&optimizer=adam&rate=0.03&batch=10&seed=3&steps=500&equation=0'
    >>> playground.model.layers[0].w.shape
    (4, 2)
    """

    _esm = bundle(FRONT, "playground.js")
    _css = (FRONT / "playground.css").read_text(encoding="utf-8")
    state = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        model: Sequential | None = None,
        X: ArrayLike | None = None,
        y: ArrayLike | None = None,
        *,
        loss: str | None = None,
        state: str | None = None,
    ) -> None:
        self._session = Session(model, X, y, loss=loss, state=state)
        super().__init__(state=str(self._session.state))
        self.on_msg(self._answer)

    @property
    def model(self) -> Sequential:
        """A copy of the model as it is now."""
        return self._session.model

    @traitlets.validate("state")  # type: ignore[untyped-decorator]
    def _go_there(self, proposal: dict[str, Any]) -> str:
        """Go to a state that somebody assigns; what is refused changes nothing."""
        if parse(proposal["value"]) != self._session.state:
            self._session.reproduce(proposal["value"])
            self.send({"event": "changed"})
        return str(self._session.state)

    def _answer(self, _widget: object, content: object, _buffers: object) -> None:
        """Answer a message of the front end: {"id": number, "message": what the session is asked}."""
        if not isinstance(content, dict):
            return
        answer, buffers = packed(self._session.ask(content.get("message")))
        self.send({"id": content.get("id"), "answer": answer}, buffers)
        self.state = str(self._session.state)


def packed(answer: Any) -> tuple[Any, list[bytes]]:  # noqa: ANN401  plain data with arrays in it
    """Return an answer with ``{"array": i, "dtype": name}`` for each array, whose bytes are number i of a list."""
    buffers: list[bytes] = []

    def pack(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, np.ndarray):
            buffers.append(_plain(value).tobytes())
            return {"array": len(buffers) - 1, "dtype": str(_plain(value).dtype)}
        if isinstance(value, dict):
            return {name: pack(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return [pack(each) for each in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return pack(answer), buffers


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(array, array.dtype.newbyteorder("="))
