"""What the functions of mlpcore.kernels say of wrong arguments, word for word."""

from collections.abc import Callable

import numpy as np
import pytest

from mlpcore import catalogue, kernels

MESSAGES = [
    (
        lambda: kernels.dense_forward(np.ones((5, 3)), np.ones((3, 4)), np.ones(4)),
        "dense_forward: w has shape (3, 4), expected (out, 3) for x of shape (5, 3)",
    ),
    (
        lambda: kernels.dense_forward(np.ones((5, 3)), np.ones((4, 3)), np.ones(3)),
        "dense_forward: b has shape (3,), expected (4,) for w of shape (4, 3)",
    ),
    (
        lambda: kernels.dense_forward(np.ones(3), np.ones((4, 3)), np.ones(4)),
        "dense_forward: x has shape (3,), expected (n, in)",
    ),
    (
        lambda: kernels.activation_forward("rleu", np.ones((1, 1))),
        f"activation_forward: name is 'rleu', expected one of {', '.join(map(repr, catalogue.names('activations')))}",
    ),
    (
        lambda: kernels.loss_value("mse", np.ones((2, 1)), np.ones((2, 1)), sample_weight=[1.0, -1.0]),
        "loss_value: sample_weight holds -1.0 at index 1, expected finite numbers >= 0",
    ),
    (
        lambda: kernels.loss_value("mse", np.ones((0, 1)), np.ones((0, 1))),
        "loss_value: y_hat has shape (0, 1), expected at least one sample",
    ),
    (
        lambda: kernels.sgd_step(np.ones(2), np.ones(2), learning_rate=-1.0),
        "sgd_step: learning_rate is -1.0, expected a number >= 0.0 and < inf",
    ),
    (lambda: kernels.dense_forward(1, 2), "dense_forward() missing required argument: 'b'"),
    (
        lambda: kernels.dense_forward(1, 2, 3, 4),
        "dense_forward() takes at most 3 positional arguments but 4 were given",
    ),
    (lambda: kernels.dense_forward(1, 2, 3, o=4), "dense_forward() got an unexpected keyword argument 'o'"),
    (lambda: kernels.dense_forward(1, 2, 3, x=4), "dense_forward() got multiple values for argument 'x'"),
    (lambda: kernels.adam_step(1, 2, 3, 4), "adam_step() missing required keyword-only argument: 't'"),
]


@pytest.mark.parametrize(("call", "message"), MESSAGES)
def test_messages(call: Callable[[], object], message: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        call()
    assert str(raised.value) == message
