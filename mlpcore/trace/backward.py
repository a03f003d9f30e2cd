"""The steps of the backward pass: equations 1 to 4, and what other layers than dense ones pass down."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from mlpcore import catalogue, targets
from mlpcore.trace.chain import Link
from mlpcore.trace.forward import sigma_formulas
from mlpcore.trace.layer import Array
from mlpcore.trace.step import Step
from mlpcore.trace.writer import Writer, formulas
from mlpcore.typeset import (
    Call,
    Difference,
    Equation,
    Hadamard,
    Node,
    Numbers,
    Product,
    Sum,
    Symbol,
    Transposed,
    Words,
)


def backward_steps(writer: Writer, links: list[Link], outer: Link | None = None) -> Iterator[Step]:
    """Yield the steps of these layers, from the last to the first; `outer` is the layer whose branch they are."""
    for link in reversed(links):
        layer = link.layer
        is_output = outer is None and link.above is None
        if layer.grad_a is None and layer.phi is None:
            continue  # below the lowest layer with parameters
        if is_output and layer.grad_a is not None:
            yield _grad_of_loss(writer, link)
        if layer.z is not None:
            yield from _phi(writer, link, is_output, outer)
            if layer.kind == "dense":
                yield _grad_w(writer, link)
                if layer.grad_b is not None:
                    yield _grad_b(writer, link)
            continue
        if not is_output and layer.grad_a is not None:
            yield from _grad_a(writer, link)
        if link.branch:
            yield from backward_steps(writer, link.branch, link)
        yield from _other(writer, link)


def _grad_name(link: Link) -> Symbol:
    return Symbol("grad_a", link.label)


# ----------------------------------------------------------------------------------------------------------- the output


def _grad_of_loss(writer: Writer, link: Link) -> Step:
    trace, layer = writer.trace, link.layer
    assert layer.grad_a is not None
    loss = trace.loss_choice
    row = catalogue.entry("losses", loss) if isinstance(loss, str | tuple) else None
    formula: tuple[Node, ...] = () if row is None or row.derivative is None else (Words(row.derivative, True),)
    return writer.step(
        "grad_a",
        link,
        "backward",
        f"how the loss changes with the outputs{_share(writer)}",
        {f"{link.path}.a": layer.a, "t.y": trace.y},
        (f"{link.path}.grad_a", layer.grad_a),
        Equation(_grad_name(link), *formula, writer.samples(layer.grad_a)),
        f"The gradient of {trace.loss_name} with respect to the outputs y_hat = a." + _scale(writer),
    )


def _share(writer: Writer) -> str:
    """Return by what the formula of one sample is multiplied in a batch."""
    trace = writer.trace
    if trace.sample_weight is not None:
        return ", times each sample's share of the weights"
    return "" if trace.n == 1 else f", times 1/{trace.n} for the mean"


def _scale(writer: Writer) -> str:
    trace = writer.trace
    if trace.sample_weight is not None:
        return (
            " The formula is that of one sample; each is multiplied by its weight, divided by the sum of all weights."
        )
    return "" if trace.n == 1 else f" The formula is that of one sample; each is multiplied by 1/n = 1/{trace.n}."


def _phi(writer: Writer, link: Link, is_output: bool, outer: Link | None) -> Iterator[Step]:
    """Yield equation 1 and its short form, or equation 2."""
    layer = link.layer
    if layer.phi is None:
        return
    if is_output:
        if layer.grad_a is not None:
            by_factors = writer.trace.phi_by_factors
            yield _through_sigma(writer, link, 1, layer.phi if by_factors is None else by_factors)
        yield from _short(writer, link)
    elif layer.grad_a is not None:
        yield _through_sigma(writer, link, 2, layer.phi)


def _through_sigma(writer: Writer, link: Link, equation: int, phi: Array) -> Step:
    """Return phi = grad_a o sigma'(z), or, where sigma' is the Jacobian, the product with it."""
    layer, above = link.layer, link.above
    assert layer.grad_a is not None
    assert layer.dsigma is not None
    inputs: dict[str, Array] = {}
    slope: Node = Call("dsigma", Symbol("z", link.label))
    symbols: Node = _grad_name(link)
    numbers: list[Node] = [writer.samples(layer.grad_a)]
    if equation == 2 and above is not None and above.layer.kind == "dense" and above.layer.phi is not None:
        symbols, passed = _passed_down(writer, above)
        numbers.insert(0, passed)
        inputs |= {f"{above.path}.w": above.layer.w, f"{above.path}.phi": above.layer.phi}
    else:
        inputs[f"{link.path}.grad_a"] = layer.grad_a
    inputs[f"{link.path}.dsigma"] = layer.dsigma
    if layer.is_jacobian:
        sides = _through_jacobian(writer, link, symbols, slope, numbers)
        how = "Each a depends on all z of its sample: sigma' is a matrix, the Jacobian, and all a are summed over."
    else:
        sides = [Hadamard(symbols, slope), *(Hadamard(each, writer.samples(layer.dsigma)) for each in numbers)]
        how = "sigma'(z) tells how much each a changes with its own z."
    why = (
        "By the chain rule: how the loss changes with a, times how a changes with z."
        if equation == 1
        else "Each unit feeds all units of the layer above, along its column of their w: their phi come back along it."
        if len(numbers) > 1
        else "What the layer above passes down, times how a changes with z."
    )
    shown = phi[0] if layer.is_jacobian and not writer.single else phi
    result = Numbers(shown) if layer.is_jacobian and not writer.single else writer.samples(phi)
    output = f"{link.path}.phi" if phi is layer.phi else "t.phi_by_factors"
    return writer.step(
        equation,
        link,
        "backward",
        f"equation {equation}: phi of layer {link.label}",
        inputs,
        (output, phi),
        Equation(Symbol("phi", link.label), *sides, result),
        why,
        how,
        "Shown for the first sample." if layer.is_jacobian and not writer.single else writer.each,
        above=sigma_formulas(link, derivative=True),
    )


def _passed_down(writer: Writer, above: Link) -> tuple[Node, Node]:
    """Return (w)^T phi of the layer above, in symbols and in numbers."""
    layer = above.layer
    assert layer.phi is not None
    weight, phi = Symbol("w", above.label), Symbol("phi", above.label)
    if writer.rows:
        return Product(phi, weight), Product(writer.samples(layer.phi), Numbers(layer.w))
    return Product(Transposed(weight), phi), Product(Numbers(layer.w.T), writer.samples(layer.phi))


def _through_jacobian(writer: Writer, link: Link, symbols: Node, slope: Node, numbers: list[Node]) -> list[Node]:
    """Return the sides of phi = J^T grad_a, of the first sample if there are several."""
    layer = link.layer
    assert layer.grad_a is not None
    assert layer.dsigma is not None
    jacobian, grad_a = (layer.dsigma, layer.grad_a) if writer.single else (layer.dsigma[0], layer.grad_a[0])
    if writer.rows:
        return [Product(symbols, slope), Product(Numbers(grad_a), Numbers(jacobian))]
    several = isinstance(symbols, Product)
    of = Product(*symbols.factors) if isinstance(symbols, Product) and several else symbols
    return [Product(Transposed(slope), of), Product(Numbers(jacobian.T), Numbers(grad_a))]


def _short(writer: Writer, link: Link) -> Iterator[Step]:
    """Yield phi^J in the short form of a pair of loss and activation, if it has one."""
    trace, layer = writer.trace, link.layer
    sigma, loss = layer.activation, trace.loss_choice
    if not isinstance(sigma, str | tuple) or not targets.is_from_z(loss, sigma) or not isinstance(loss, str | tuple):
        return
    assert layer.phi is not None
    loss_row, sigma_row = catalogue.entry("losses", loss), catalogue.entry("activations", sigma)
    derivative = catalogue.FAMILIES["pairs"][f"{sigma_row.name}_{loss_row.name}"].derivative or ""
    sides: list[Node] = []
    a, y = Symbol("a", link.label), Symbol("y")
    share_in_words = ""
    if _is_a_minus_y(writer, derivative):
        values = Difference(writer.samples(layer.a), writer.samples(trace.y))
        if trace.n == 1:
            sides = [Difference(a, y), values]
        else:
            share = Numbers(Fraction(1, trace.n))
            sides = [Product(share, Difference(a, y)), Product(share, values)]
    else:
        sides = [Words(derivative, True)]
        share_in_words = _share(writer)
    yield writer.step(
        "short",
        link,
        "backward",
        f"equation 1 in short: phi of layer {link.label}{share_in_words}",
        {f"{link.path}.a": layer.a, "t.y": trace.y},
        (f"{link.path}.phi", layer.phi),
        Equation(Symbol("phi", link.label), *sides, writer.samples(layer.phi)),
        f"For {sigma_row.name} with {loss_row.name} the two factors of equation 1 put together are {derivative}.",
        "The engine computes phi so: no digits are lost on the way through a." + _scale(writer),
    )


def _is_a_minus_y(writer: Writer, derivative: str) -> bool:
    """Tell whether phi is (a - y) / n with the y that is shown."""
    trace = writer.trace
    if trace.sample_weight is not None or (isinstance(trace.loss_choice, tuple) and any(trace.loss_choice[1:])):
        return False
    sums_to_1 = bool((np.atleast_2d(trace.y).sum(axis=1) == 1).all())
    return derivative == "a - y" or (derivative == "a sum(y) - y" and sums_to_1)


# ---------------------------------------------------------------------------------------------------------- the weights


def _grad_w(writer: Writer, link: Link) -> Step:
    layer = link.layer
    assert layer.phi is not None
    phi, x = Symbol("phi", link.label), writer.source(link)
    columns, samples = np.atleast_2d(layer.phi).T, np.atleast_2d(layer.x)
    symbols = Product(Transposed(phi), x) if writer.rows else Product(phi, Transposed(x))
    return writer.step(
        3,
        link,
        "backward",
        f"equation 3: the gradient of w of layer {link.label}",
        {f"{link.path}.phi": layer.phi, f"{link.path}.x": layer.x},
        (f"{link.path}.grad_w", layer.grad_w),
        Equation(
            Symbol("grad_w", link.label), symbols, Product(Numbers(columns), Numbers(samples)), Numbers(layer.grad_w)
        ),
        "Each phi meets each input of the layer once: an outer product, with a row for each unit.",
        "" if writer.single else f"The product adds up the {writer.trace.n} samples; 1/n is in phi.",
    )


def _grad_b(writer: Writer, link: Link) -> Step:
    layer = link.layer
    assert layer.phi is not None
    assert layer.grad_b is not None
    phi = Symbol("phi", link.label)
    if writer.single:
        sides: list[Node] = [phi]
    else:
        ones = Symbol("ones")
        many = np.ones(writer.trace.n, int)
        sides = (
            [Product(Transposed(ones), phi), Product(Numbers(many), writer.samples(layer.phi))]
            if writer.rows
            else [Product(phi, ones), Product(writer.samples(layer.phi), Numbers(many))]
        )
    return writer.step(
        4,
        link,
        "backward",
        f"equation 4: the gradient of b of layer {link.label}",
        {f"{link.path}.phi": layer.phi},
        (f"{link.path}.grad_b", layer.grad_b),
        Equation(Symbol("grad_b", link.label), *sides, Numbers(layer.grad_b)),
        "b is added to z as it is, so its derivative is 1 and the gradient is phi.",
        "" if writer.single else "The samples are added up: a product with ones.",
    )


# --------------------------------------------------------------------------------------------------------- other layers


def _grad_a(writer: Writer, link: Link) -> Iterator[Step]:
    """Yield what a dense layer passes down to one that has no z."""
    layer, above = link.layer, link.above
    if above is None or above.layer.kind != "dense" or above.layer.phi is None:
        return
    assert layer.grad_a is not None
    symbols, values = _passed_down(writer, above)
    yield writer.step(
        "grad_a",
        link,
        "backward",
        f"how the loss changes with the output of layer {link.label}",
        {f"{above.path}.w": above.layer.w, f"{above.path}.phi": above.layer.phi},
        (f"{link.path}.grad_a", layer.grad_a),
        Equation(_grad_name(link), symbols, values, writer.samples(layer.grad_a)),
        "Equation 2 without sigma': each unit feeds all units of the layer above, along its column of their w.",
    )


def _other(writer: Writer, link: Link) -> Iterator[Step]:
    """Yield what a layer that is neither dense nor an activation passes down, and the gradients of its parameters."""
    layer = link.layer
    assert layer.grad_a is not None
    inputs = {f"{link.path}.grad_a": layer.grad_a, f"{link.path}.x": layer.x}
    above = (
        *formulas(layer.derivative),
        Equation(Words("grad_y", True), _grad_name(link), writer.samples(layer.grad_a)),
    )
    if layer.grad_x is not None:
        below = Symbol("grad_a", link.below)
        sides: tuple[Node, ...] = ()
        first = link.branch[0] if link.branch else None
        if first is not None and first.layer.grad_x is not None:
            through = first.layer.grad_x
            sides = (Sum(writer.samples(layer.grad_a), writer.samples(through)),)
            inputs[f"{first.path}.grad_x"] = through
        yield writer.step(
            "backward",
            link,
            "backward",
            f"what layer {link.label}, {layer.name}, passes down",
            inputs,
            (f"{link.path}.grad_x", layer.grad_x),
            Equation(below, *sides, writer.samples(layer.grad_x)),
            _what_is_passed(layer.derivative, bool(link.branch)),
            above=above,
        )
    for name, gradient in layer.grads.items():
        yield writer.step(
            f"grad_{name}",
            link,
            "backward",
            f"the gradient of {name} of layer {link.label}",
            inputs,
            (f"{link.path}.grads[{name!r}]", gradient),
            Equation(Symbol(f"grad_{name}", link.label), Numbers(gradient)),
            f"How the loss changes with {name}: {layer.derivative}.",
        )


def _what_is_passed(derivative: str, is_branch: bool) -> str:
    if is_branch:
        return (
            "The gradient to the input is the sum of the one that skips the branch and the one that comes through it."
        )
    return f"How the loss changes with the input of the layer: {derivative}." if derivative else "Written in Python."
