"""The exercises themselves, each beside its solution, its data and its right answers.

`units`                 section 1.2: a neuron, a layer, forward
`activation_functions`  section 3: activations with their derivatives, softmax with its Jacobian
`loss_functions`        section 3: losses with their gradients
`outputs`               equation 1 for pairs of a loss and an activation
`equations`             equations 1 to 4
`passes`                backward through a network, gradient checking, a whole step
`steps_of_descent`      optimizers
`regularization`        dropout and batch norm
"""

from mlpcore.exercises.exercise import Exercise
from mlpcore.exercises.tasks import (
    activation_functions,
    equations,
    loss_functions,
    outputs,
    passes,
    regularization,
    steps_of_descent,
    units,
)

IN_ORDER: tuple[Exercise, ...] = (
    units.NEURON,
    units.PRE_ACTIVATION,
    activation_functions.RELU,
    activation_functions.LEAKY_RELU,
    activation_functions.SIGMOID,
    activation_functions.TANH,
    activation_functions.SOFTMAX,
    units.FORWARD_PASS,
    loss_functions.MSE,
    loss_functions.BCE,
    loss_functions.CCE,
    equations.EQ1,
    outputs.BCE_SIGMOID,
    outputs.MSE_SIGMOID,
    equations.EQ2,
    equations.EQ3,
    equations.EQ4,
    passes.BACKWARD_PASS,
    passes.GRADIENT_CHECK,
    steps_of_descent.SGD,
    passes.TRAINING_STEP,
    steps_of_descent.MOMENTUM,
    steps_of_descent.ADAM,
    activation_functions.SOFTMAX_JACOBIAN,
    outputs.EQ1_SOFTMAX,
    outputs.CCE_SOFTMAX,
    regularization.DROPOUT,
    regularization.BATCH_NORM,
    regularization.BATCH_NORM_BACKWARD,
)
"""As a course takes them: each needs only what stands before it."""
