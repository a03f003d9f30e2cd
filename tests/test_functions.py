"""The objects that give a row of the catalogue constants: LeakyReLU(0.2) and its like."""

import copy
import inspect
import pickle
import re

import numpy as np
import pytest

import mlpcore
from mlpcore import Activation, Dense, Sequential, catalogue, kernels
from mlpcore.functions import Function

CLASSES = dict(catalogue.CLASSES)


def ids(value):
    return value.__name__ if isinstance(value, type) else str(value)


def test_every_row_with_constants_has_a_class():
    for family in ("activations", "losses", "initializers"):
        rows = {name for name, row in catalogue.FAMILIES[family].items() if row.hypers}
        assert {name for of, name in CLASSES if of == family} == rows


@pytest.mark.parametrize("made", CLASSES.values(), ids=ids)
def test_a_class_says_what_its_row_says(made):
    row = catalogue.entry(made._family, made._name)
    parameters = inspect.signature(made).parameters
    assert [(name, parameter.default) for name, parameter in parameters.items()] == [
        (hyper.name, hyper.default) for hyper in row.hypers
    ]
    assert getattr(mlpcore, made.__name__) is made
    assert set(inspect.get_annotations(made)) == set(parameters)


@pytest.mark.parametrize("made", CLASSES.values(), ids=ids)
def test_a_function_is_a_tuple_that_shows_its_constants(made):
    function = made()
    row = catalogue.entry(made._family, made._name)
    assert function == (row.name, *(hyper.default for hyper in row.hypers))
    assert [getattr(function, hyper.name) for hyper in row.hypers] == list(function[1:])
    assert repr(function).startswith(f"{made.__name__}({row.hypers[0].name}=")
    assert eval(repr(function), vars(mlpcore)) == function
    with pytest.raises(AttributeError):
        setattr(function, row.hypers[0].name, 1.0)


@pytest.mark.parametrize("made", CLASSES.values(), ids=ids)
@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_is_of_the_same_class(made, duplicate):
    again = duplicate(made())
    assert type(again) is made
    assert again == made()


# The constant of a metric is an integer: tests/test_metric_arguments.py.
@pytest.mark.parametrize("made", [made for (of, _), made in CLASSES.items() if of != "metrics"], ids=ids)
def test_a_constant_out_of_range_is_refused(made):
    for hyper in catalogue.entry(made._family, made._name).hypers:
        for wrong, error in [("x", TypeError), (None, TypeError), (np.nan, ValueError), (np.inf, ValueError)]:
            with pytest.raises((error, TypeError), match=f"{hyper.name} is "):
                made(**{hyper.name: wrong})
        if not hyper.is_flag and hyper.least > -np.inf:
            with pytest.raises(
                ValueError,
                match=f"{hyper.name} is .*, expected a finite number >= {re.escape(format(hyper.least, 'g'))}",
            ):
                made(**{hyper.name: 2 * hyper.least - 1})


def test_an_activation_with_constants_is_one_wherever_a_name_is():
    sigma = mlpcore.LeakyReLU(0.25)
    z = np.array([[-2.0, 4.0]])
    assert kernels.activation_forward(sigma, z).tolist() == [[-0.5, 4.0]]
    layers = [Dense(2, sigma, kernel_initializer="zeros"), Activation(mlpcore.ELU(2.0))]
    model = Sequential(layers, input_size=1)
    assert layers[0].activation is not None
    assert isinstance(layers[0].activation, Function)
    assert layers[0].activation.negative_slope == 0.25
    assert "LeakyReLU(negative_slope=0.25)" in repr(model)
    assert "leaky_relu(0.25)" in model.summary()


def test_a_model_file_gives_the_objects_back(tmp_path):
    model = Sequential([Dense(2, mlpcore.CELU(0.5)), Activation("leaky_relu")], input_size=3, seed=1)
    model.save(tmp_path / "model.safetensors")
    loaded = Sequential.load(tmp_path / "model.safetensors")
    assert [layer.activation for layer in loaded.layers] == [mlpcore.CELU(0.5), "leaky_relu"]
    assert type(loaded.layers[0].activation) is mlpcore.CELU
    assert repr(loaded) == repr(model)


def test_a_tuple_of_a_name_and_constants_becomes_the_object():
    assert type(Dense(1, ("leaky_relu", 0.2)).activation) is mlpcore.LeakyReLU
    with pytest.raises(
        ValueError, match=r"negative_slope of activation 'leaky_relu' is -1.0, expected a finite number"
    ):
        Dense(1, ("leaky_relu", -1))
    with pytest.raises(ValueError, match="expected at most 1 after 'leaky_relu': negative_slope"):
        Dense(1, ("leaky_relu", 1, 2))


def test_a_function_of_another_family_is_refused():
    with pytest.raises(ValueError, match="loss is 'elu', expected one of"):
        Sequential([Dense(1)], input_size=1).fit([[0.0]], [[0.0]], loss=mlpcore.ELU(), progress=False)
