"""The steps of an optimizer: each parameter before and after."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlpcore.optimizers import SGD, Optimizer
from mlpcore.trace.chain import Link
from mlpcore.trace.step import Step
from mlpcore.trace.writer import Writer, formulas
from mlpcore.typeset import Difference, Equation, Node, Numbers, Product, Symbol, Words


def update_steps(writer: Writer, links: list[Link]) -> Iterator[Step]:
    """Yield a step for each parameter of these layers, if there was an optimizer."""
    optimizer = writer.trace.optimizer
    if optimizer is None:
        return
    is_first = True  # of all: the formula of the optimizer stands there
    for link in _with_branches(links):
        for name in link.layer.after:
            yield _update(writer, link, name, optimizer, is_first)
            is_first = False


def _with_branches(links: list[Link]) -> Iterator[Link]:
    for link in links:
        yield link
        yield from _with_branches(link.branch)


def _update(writer: Writer, link: Link, name: str, optimizer: Optimizer, is_first: bool) -> Step:
    layer = link.layer
    before, gradient, after = layer.params[name], layer.grads[name], layer.after[name]
    symbol, grad = Symbol(name, link.label), Symbol(f"grad_{name}", link.label)
    sides: list[Node] = []
    rate = _rate_of_plain_descent(optimizer)
    formula = optimizer._entry().formula if hasattr(optimizer, "_name") else ""
    above: tuple[Equation, ...]
    beside = ""
    if rate is not None and _is_plain_step(before, gradient, after, rate):
        sides = [
            Difference(symbol, Product(Symbol("eta"), grad)),
            Difference(Numbers(before), Product(Numbers(rate), Numbers(gradient))),
        ]
        above = (Equation(Symbol("eta"), Numbers(rate)),)
    else:
        beside = "Penalties, factors and limits of the layer, and clipping, are part of the step."
        above = (
            *(formulas(formula) if is_first else ()),
            Equation(symbol, Numbers(before)),
            Equation(grad, Numbers(gradient)),
        )
    return writer.step(
        "update",
        link,
        "update",
        f"the step of {name} of layer {link.label}",
        {f"{link.path}.params[{name!r}]": before, f"{link.path}.grads[{name!r}]": gradient},
        (f"{link.path}.after[{name!r}]", after),
        Equation(Product(Words("new"), symbol), *sides, Numbers(after)),
        f"{optimizer!r} changes {name} against its gradient, so that the loss becomes smaller.",
        beside,
        above=above,
    )


def _rate_of_plain_descent(optimizer: Optimizer) -> float | None:
    """Return the learning rate of SGD without anything beside it."""
    if type(optimizer) is not SGD or optimizer.momentum or optimizer._schedule is not None:
        return None
    return float(optimizer.learning_rate)  # type: ignore[arg-type]  # without a schedule it is a number


def _is_plain_step(before: object, gradient: object, after: object, rate: float) -> bool:
    """Tell whether nothing else has changed the weights: no clipping, no penalty of the layer, no factor of its own."""
    plain = np.asarray(before) - rate * np.asarray(gradient)
    return bool(np.allclose(plain, np.asarray(after), rtol=1e-6, atol=1e-30))
