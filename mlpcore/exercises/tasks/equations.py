"""Section 2: equations 1 to 4, for sigmoid units and a batch."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mlpcore import kernels
from mlpcore.exercises.draws import signed, sizes
from mlpcore.exercises.exercise import Case, Exercise
from mlpcore.exercises.naming import Quantities, Result
from mlpcore.exercises.tasks.outputs import output_cases, output_values

if TYPE_CHECKING:
    from numpy.random import Generator

Array = NDArray[np.float64]


def eq1(grad_a: Array, z: Array) -> Array:
    """Return phi of a last layer of sigmoid units, by equation 1.

    grad_a: (n, out), the gradient of the loss with respect to the layer's activations
    z: (n, out), the layer's pre-activations
    returns phi: (n, out)
    """
    a = 1 / (1 + np.exp(-z))
    return grad_a * a * (1 - a)


def _eq1_cases(rng: "Generator") -> list[Case]:
    return output_cases(rng, "mse", "sigmoid", ("grad_a", "z"))


EQ1 = Exercise(
    name="eq1",
    title="Equation 1: phi of the last layer",
    source="section 2.1, equation 1",
    text=r"""
$\phi^J = \nabla_{z^J} L$ tells how the loss changes with each pre-activation of the last layer. The loss depends on
$z^J$ only through $a^J = \sigma(z^J)$, so the chain rule gives

$$\phi^J = \nabla_{a^J} L \circ \sigma'(z^J) \tag{1}$$

$\circ$ multiplies element by element. $\sigma$ is the sigmoid.
""",
    hints=(
        "Two factors: the gradient with respect to a, which you are given, and σ' at z.",
        "For sigmoid $\\sigma'(z) = a (1 - a)$ with $a = \\sigma(z)$: compute a from z first.",
        "`a = 1 / (1 + np.exp(-z))`, then `grad_a * a * (1 - a)`.",
    ),
    results=(Result("phi", "phi_last", output_values),),
    cases=_eq1_cases,
    answer=eq1,
)


def eq2(phi_next: Array, w_next: Array, z: Array) -> Array:
    """Return phi of a hidden layer of sigmoid units, by equation 2.

    phi_next: (n, out_next), phi of the layer above
    w_next: (out_next, out), the weights of the layer above
    z: (n, out), the pre-activations of this layer
    returns phi: (n, out)
    """
    a = 1 / (1 + np.exp(-z))
    return (phi_next @ w_next) * a * (1 - a)


def _eq2_cases(rng: "Generator") -> list[Case]:
    n, out, out_next = sizes(rng, 3, least=3)
    shapes = (
        ("one unit below one unit", 1, 1, 1),
        ("one sample", 1, out, out_next),
        (f"a batch of {n} samples", n, out, out_next),
    )
    return [
        Case(
            title,
            {"phi_next": signed(rng, rows, above), "w_next": signed(rng, above, here), "z": signed(rng, rows, here)},
            points=1 if here == 1 else 2,
        )
        for title, rows, here, above in shapes
    ]


def _hidden_values(q: Quantities) -> dict[str, Any]:
    a = kernels.activation_forward("sigmoid", q.z)
    return {"phi_next": q.phi_next, "w_next": q.w_next, "z": q.z, "a": a, "activation": "sigmoid"}


EQ2 = Exercise(
    name="eq2",
    title="Equation 2: down to a hidden layer",
    source="section 2.2, equation 2",
    text=r"""
A unit of layer $j$ reaches the loss through every unit of layer $j + 1$; the chain rule adds them up:

$$\phi^j = (w^{j+1})^T \phi^{j+1} \circ \sigma'(z^j) \tag{2}$$

That is one sample as a column. With samples as rows it is transposed:
$\Phi^j = (\Phi^{j+1} W^{j+1}) \circ \sigma'(Z^j)$. $\sigma$ is the sigmoid.
""",
    hints=(
        "Check the shapes: (n, out_next) times (out_next, out) is (n, out). Is a transpose needed in the row form?",
        "The product with `w_next` is `phi_next @ w_next`. One factor is still missing.",
        "Multiply by $\\sigma'(z) = a (1 - a)$, where $a = \\sigma(z)$ is this layer's.",
    ),
    results=(Result("phi", "phi_hidden", _hidden_values),),
    cases=_eq2_cases,
    answer=eq2,
)


def eq3(phi: Array, x: Array) -> Array:
    """Return the gradient of the loss with respect to the weights, by equation 3.

    phi: (n, out)
    x: (n, in), the layer's input a^{j-1}
    returns grad_w: (out, in), summed over the samples
    """
    return phi.T @ x


def _eq3_cases(rng: "Generator") -> list[Case]:
    n, inputs, out = sizes(rng, 3, least=3)
    return [
        Case(title, {"phi": signed(rng, rows, out), "x": signed(rng, rows, inputs)}, points=1 if rows == 1 else 2)
        for title, rows in (("one sample", 1), (f"a batch of {n} samples", n))
    ]


EQ3 = Exercise(
    name="eq3",
    title="Equation 3: the weights",
    source="section 2.3, equation 3",
    text=r"""
$w_{i,k}^j$ occurs in $z_i^j$ only, multiplied by $a_k^{j-1}$. So its derivative is $\phi_i^j a_k^{j-1}$, and for all
weights together, for one sample as a column,

$$\nabla_{w^j} L = \phi^j (a^{j-1})^T \tag{3}$$

For a batch the matrices of all samples are added up. The $\frac{1}{n}$ of the mean is in $\phi$ already.
""",
    hints=(
        "The result has a row for each unit and a column for each input, like w: (out, in).",
        "For one sample `np.outer(phi[0], x[0])` is it. How do the matrices of all samples become one product?",
        "A matrix product adds up over the inner axis. That must be the axis of the samples: `phi.T @ x`.",
    ),
    results=(Result("grad_w", "grad_w", lambda q: {"phi": q.phi, "x": q.x, "z": np.zeros_like(q.phi)}),),
    cases=_eq3_cases,
    answer=eq3,
)


def eq4(phi: Array) -> Array:
    """Return the gradient of the loss with respect to the biases, by equation 4.

    phi: (n, out)
    returns grad_b: (out,), summed over the samples
    """
    grad_b: Array = phi.sum(axis=0)
    return grad_b


def _eq4_cases(rng: "Generator") -> list[Case]:
    n, out = sizes(rng, 2, least=3)
    return [
        Case(title, {"phi": signed(rng, rows, out)}, points=1 if rows == 1 else 2)
        for title, rows in (("one sample", 1), (f"a batch of {n} samples", n))
    ]


EQ4 = Exercise(
    name="eq4",
    title="Equation 4: the biases",
    source="section 2.4, equation 4",
    text=r"""
$b_i^j$ is added to $z_i^j$ as it is, so $\partial z_i^j / \partial b_i^j = 1$. For one sample

$$\nabla_{b^j} L = \phi^j \tag{4}$$

All samples of a batch share $b$: their gradients are added up.
""",
    hints=(
        "The result has the shape of b, (out,). Which axis of `phi` has to go?",
        "`phi.sum(axis=0)` adds up the rows. The 1/n of the mean is in phi already.",
    ),
    results=(Result("grad_b", "grad_b", lambda q: {"phi": q.phi, "z": np.zeros_like(q.phi)}),),
    cases=_eq4_cases,
    answer=eq4,
)
