"""The table of a model's layers, built or not."""

import pytest

from mlpcore import Activation, CustomLayer, Dense, Dropout, Residual, Sequential


class Scale(CustomLayer):
    def build(self, input_size):
        return input_size, {"s": (input_size,)}

    def forward(self, x, training):
        return x * self.params["s"]

    def backward(self, grad_y, x):
        self.grads["s"][...] = (grad_y * x).sum(axis=0)
        return grad_y * self.params["s"]


def layers():
    branch = [Dense(16, "relu"), Dropout(0.5), Dense(32)]
    return [Dense(32, "tanh"), Residual(branch), Activation("relu"), Scale(), Dense(10, "softmax")]


def test_a_built_model_in_full():
    assert (
        Sequential(layers(), input_size=64, dtype="float64").summary()
        == """\
layer         activation  w (out, in)  parameters
-------------------------------------------------
1 Dense       tanh        (32, 64)          2,080
2 Residual                                  1,072
2.1 Dense     relu        (16, 32)            528
2.2 Dropout                                     0
2.3 Dense     linear      (32, 16)            544
3 Activation  relu                              0
4 Scale                                        32
5 Dense       softmax     (10, 32)            330
-------------------------------------------------
total         float64                       3,514"""
    )


@pytest.mark.parametrize(
    ("make", "counts"),
    [
        (lambda: [Dense(8), Dense(3)], ["?", "27", "?"]),
        (lambda: [Dropout(0.1), Dense(3)], ["0", "?", "?"]),
        (lambda: [Scale(), Dense(3)], ["?", "?", "?"]),
        (lambda: [Dropout(0.1), Activation("relu")], ["0", "0", "0"]),
    ],
)
def test_what_is_not_known_yet_is_a_question_mark(make, counts):
    lines = Sequential(make()).summary().splitlines()
    assert [line.split()[-1] for line in lines if line[:1].isdigit() or line.startswith("total")] == counts


def test_the_total_is_what_the_engine_has():
    model = Sequential(layers(), input_size=7)
    assert int(model.summary().split()[-1].replace(",", "")) == model._built().params.size
