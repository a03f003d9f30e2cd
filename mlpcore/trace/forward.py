"""The steps of the forward pass: z and a of each layer, and the loss."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mlpcore import catalogue
from mlpcore.custom_loss import CustomLoss
from mlpcore.trace.chain import Link
from mlpcore.trace.layer import Array
from mlpcore.trace.step import Step
from mlpcore.trace.writer import Writer, formulas
from mlpcore.typeset import Call, Equation, Numbers, Sum, Symbol, Words


def forward_steps(writer: Writer, links: list[Link]) -> Iterator[Step]:
    """Yield the steps of these layers, from the first to the last."""
    for link in links:
        if link.layer.kind == "dense":
            yield _z(writer, link)
        if link.layer.z is not None:
            yield _a(writer, link)
        elif link.branch:
            yield from forward_steps(writer, link.branch)
            yield _join(writer, link)
        else:
            yield _other(writer, link)


def loss_step(writer: Writer, last: Link) -> Step:
    """Return the step of the loss."""
    trace = writer.trace
    weighted = "" if trace.sample_weight is None else "weighted "
    mean = "" if trace.n == 1 else f" It is the {weighted}mean over {trace.n} samples."
    return writer.step(
        "loss",
        last,
        "forward",
        f"the loss {trace.loss_name}{'' if trace.n == 1 else f', the {weighted}mean over {trace.n} samples'}",
        {f"{last.path}.a": last.layer.a, "t.y": trace.y},
        ("t.loss", np.float64(trace.loss)),
        Equation(
            Symbol("loss"),
            Words(loss_formula(trace.loss_choice), not isinstance(trace.loss_choice, CustomLoss)),
            Numbers(trace.loss),
        ),
        f"The loss tells how far the outputs y_hat = a are from the ground truth y.{mean}",
        above=(
            Equation(Symbol("y_hat"), writer.samples(last.layer.a)),
            Equation(Symbol("y"), writer.samples(trace.y)),
        ),
    )


def loss_formula(loss: object) -> str:
    """Return the formula of a loss of one sample, as the catalogue has it."""
    if not isinstance(loss, str | tuple):
        return "written in Python"
    formula = catalogue.entry("losses", loss).formula
    is_smoothed = isinstance(loss, tuple) and any(loss[1:])
    return formula if is_smoothed or "label_smoothing" not in formula else formula.partition(";")[0]


def sigma_formulas(link: Link, derivative: bool = False) -> tuple[Equation, ...]:
    """Return sigma, or sigma', of a layer as the catalogue has it; nothing for one that is written in Python."""
    sigma = link.layer.activation
    if not isinstance(sigma, str | tuple):
        return ()
    row = catalogue.entry("activations", sigma)
    constants = [
        Equation(Words(hyper.name, True), Numbers(value))
        for hyper, value in zip(row.hypers, _constants(sigma, row), strict=True)
    ]
    formula = (row.derivative or "") if derivative else row.formula
    return (Equation(Call("dsigma" if derivative else "sigma", Symbol("z")), Words(formula, True)), *constants)


def _constants(sigma: str | tuple[object, ...], row: catalogue.Entry) -> tuple[object, ...]:
    return tuple(hyper.default for hyper in row.hypers) if isinstance(sigma, str) else sigma[1:]


def _z(writer: Writer, link: Link) -> Step:
    layer = link.layer
    weight, numbers = writer.weights("w", link, layer.w)
    symbols, values = writer.product(weight, writer.source(link)), writer.product(numbers, writer.samples(layer.x))
    bias, biases = (
        (() if layer.b is None else (Symbol("b", link.label),)),
        (() if layer.b is None else (Numbers(layer.b),)),
    )
    assert layer.z is not None
    adds = "" if layer.b is None else ", and adds its bias"
    return writer.step(
        "z",
        link,
        "forward",
        f"z of layer {link.label}",
        {f"{link.path}.w": layer.w, f"{link.path}.x": layer.x, f"{link.path}.b": layer.b},
        (f"{link.path}.z", layer.z),
        Equation(Symbol("z", link.label), Sum(symbols, *bias), Sum(values, *biases), writer.samples(layer.z)),
        f"Each unit of layer {link.label} multiplies its inputs by its weights, adds the products{adds}.",
        "Row i of w holds the weights of unit i." + writer.each,
        "" if writer.single or layer.b is None else f"b is added to each {'row' if writer.rows else 'column'}.",
    )


def _a(writer: Writer, link: Link) -> Step:
    layer = link.layer
    assert layer.z is not None
    z, a = writer.samples(layer.z), writer.samples(layer.a)
    by = "all z of a sample" if layer.is_jacobian else "its z"
    above = (Equation(Symbol("z", link.label), writer.source(link)),) if layer.kind == "activation" else ()
    return writer.step(
        "a",
        link,
        "forward",
        f"a of layer {link.label}: {layer.sigma}",
        {f"{link.path}.z": layer.z},
        (f"{link.path}.a", layer.a),
        Equation(Symbol("a", link.label), Call("sigma", Symbol("z", link.label)), Call("sigma", z), a),
        f"The activation {layer.sigma} makes the output of each unit from {by}.",
        above=(*above, *sigma_formulas(link)),
    )


def _other(writer: Writer, link: Link) -> Step:
    """Return the step of a layer that is neither dense nor an activation, by the formula of the catalogue."""
    layer = link.layer
    inputs = {f"{link.path}.x": layer.x} | _paths(link)
    shown = [Equation(Symbol(name, link.label), numbers(writer, link, name)) for name in (*layer.params, *layer.extras)]
    main = Equation(Symbol("a", link.label), writer.samples(layer.a))
    return writer.step(
        "a",
        link,
        "forward",
        f"layer {link.label}: {layer.expression}",
        inputs,
        (f"{link.path}.a", layer.a),
        main,
        f"{layer.name} computes y = a from x, the output of the layer below: {layer.formula}.",
        ""
        if writer.trace.training
        else "Outside of training a layer that draws random numbers hands on what it is given.",
        above=(
            *formulas(layer.formula),
            Equation(Words("x", True), writer.source(link), writer.samples(layer.x)),
            *shown,
        ),
    )


def numbers(writer: Writer, link: Link, name: str) -> Numbers:
    """Return a parameter or an extra of a layer as it is written."""
    layer = link.layer
    if name in layer.extras and layer.extras[name].shape == layer.x.shape:
        return writer.samples(layer.extras[name])
    return Numbers({**layer.params, **layer.extras}[name])


def _join(writer: Writer, link: Link) -> Step:
    layer, last = link.layer, link.branch[-1]
    return writer.step(
        "a",
        link,
        "forward",
        f"a of layer {link.label}: its input and its branch",
        {f"{link.path}.x": layer.x, f"{last.path}.a": last.layer.a},
        (f"{link.path}.a", layer.a),
        Equation(
            Symbol("a", link.label),
            Sum(writer.source(link), Symbol("a", last.label)),
            Sum(writer.samples(layer.x), writer.samples(last.layer.a)),
            writer.samples(layer.a),
        ),
        f"The output of the branch is added to what the branch was given.{writer.each}",
    )


def _paths(link: Link) -> dict[str, Array]:
    """Return the parameters and extras of a layer by where they stand in the trace."""
    parameters = {f"{link.path}.params[{name!r}]": value for name, value in link.layer.params.items()}
    return parameters | {f"{link.path}.extras[{name!r}]": value for name, value in link.layer.extras.items()}
