"""Copies and pickles: what users have added comes along, and nothing that was not asked for."""

import copy
import gc
import pickle

import numpy as np
import pytest

import mlpcore

PICKLES = [
    pytest.param(lambda thing, protocol=protocol: pickle.loads(pickle.dumps(thing, protocol)), id=f"pickle {protocol}")
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
]
DEEP = [copy.deepcopy, *PICKLES]
DUPLICATES = [copy.copy, *DEEP]
OPTIONS = {"loss": "cce", "batch_size": 7, "progress": False}


def data(n=20):
    i = np.arange(n)
    return np.stack([i * 3 % 7, i * 5 % 11], axis=1) / 10, i % 3


def layers():
    return [mlpcore.Dense(5, "relu"), mlpcore.Dense(3, "softmax")]


def trained_model(**options):
    model = mlpcore.Sequential(layers(), seed=5)
    model.fit(*data(), epochs=2, **OPTIONS, **options)
    return model


def parameters(model):
    return np.concatenate([array.ravel() for layer in model.layers for array in (layer.w, layer.b)])


class Course(mlpcore.Sequential):
    """A subclass with arguments of its own."""

    def __init__(self, title, *, units):
        super().__init__([Named("first", units), mlpcore.Dense(3, "softmax")], seed=1)
        self.title = title


class Named(mlpcore.Dense):
    __slots__ = ("remark",)

    def __init__(self, name, units):
        super().__init__(units, "tanh")
        self.name = name
        self.remark = f"about {name}"


class Warm(mlpcore.Adam):
    steps = 0

    def __init__(self, steps):
        super().__init__(0.01)
        self.steps = steps


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_copies_are_independent_and_go_on_alike(duplicate):
    model = trained_model()
    twin = duplicate(model)
    assert repr(twin) == repr(model)
    assert twin.epochs_trained == model.epochs_trained
    assert dict(twin.history) == dict(model.history)
    np.testing.assert_array_equal(parameters(model), parameters(twin))
    for each in (model, twin):
        each.fit(*data(), optimizer=mlpcore.SGD(0.1), epochs=2, **OPTIONS)
    np.testing.assert_array_equal(parameters(model), parameters(twin))
    twin.layers[0].w[...] = 0
    assert model.layers[0].w.any()


@pytest.mark.parametrize("duplicate", DUPLICATES)
@pytest.mark.parametrize("built", [False, True])
def test_attributes_that_a_user_has_set_come_along(duplicate, built):
    model = trained_model() if built else mlpcore.Sequential(layers())
    model.note, model.classes = "for the course", ["a", "b", "c"]
    model.layers[1].label = {"unit": "probability"}
    twin = duplicate(model)
    assert (twin.note, twin.classes, twin.layers[1].label) == (model.note, model.classes, model.layers[1].label)
    assert (twin.classes is model.classes) == (duplicate is copy.copy)


@pytest.mark.parametrize("duplicate", DUPLICATES)
@pytest.mark.parametrize("built", [False, True])
def test_subclasses_with_arguments_of_their_own(duplicate, built):
    model = Course("networks", units=4)
    if built:
        model.fit(*data(), epochs=2, **OPTIONS)
    twin = duplicate(model)
    assert type(twin) is Course
    assert twin.title == "networks"
    assert type(twin.layers[0]) is Named
    assert (twin.layers[0].name, twin.layers[0].remark) == ("first", "about first")
    for each in (model, twin):
        each.fit(*data(), epochs=2, **OPTIONS)
    np.testing.assert_array_equal(parameters(model), parameters(twin))
    assert not np.shares_memory(model.layers[0].w, twin.layers[0].w)


def test_a_subclass_is_loaded_without_its_init(tmp_path):
    model = Course("networks", units=4)
    model.fit(*data(), epochs=2, **OPTIONS)
    model.save(tmp_path / "model")
    loaded = Course.load(tmp_path / "model")
    assert type(loaded) is Course
    np.testing.assert_array_equal(parameters(loaded), parameters(model))
    assert loaded.epochs_trained == 2


@pytest.mark.parametrize("duplicate", DEEP)
def test_what_refers_to_each_other_still_does(duplicate):
    model = trained_model()
    model.layers[0].owner = model
    model.best = model.layers[1]
    layer, twin = duplicate((model.layers[0], model))  # the layer first: the model is built while it is still empty
    assert layer is twin.layers[0]
    assert layer.owner is twin
    assert twin.best is twin.layers[1]
    np.testing.assert_array_equal(parameters(model), parameters(twin))
    layer.w[...] = 0
    assert not twin.layers[0].w.any()
    assert model.layers[0].w.any()


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_a_layer_copied_by_itself_is_free(duplicate):
    layer = trained_model().layers[1]
    layer.label = "output"
    twin = duplicate(layer)
    assert repr(layer).startswith(repr(twin) + "  #")  # the comment is about arrays, which the twin has not
    assert twin.label == "output"
    with pytest.raises(RuntimeError, match="has no arrays yet"):
        twin.w  # noqa: B018
    assert mlpcore.Sequential([twin], seed=1).forward(np.ones((1, 5))).shape == (1, 3)


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_a_copied_model_keeps_its_layers(duplicate):
    twin = duplicate(mlpcore.Sequential(layers()))
    with pytest.raises(ValueError, match="already belongs to a model"):
        mlpcore.Sequential(twin.layers)


@pytest.mark.parametrize("duplicate", DEEP)
def test_an_optimizer_copied_by_itself_is_free_and_keeps_its_state(duplicate):
    optimizer = mlpcore.Adam(0.01)
    model = trained_model(optimizer=optimizer)
    model.ballast = "x" * 100_000
    assert len(pickle.dumps(optimizer)) < 10_000
    free, twin = duplicate(optimizer), duplicate(model)
    assert repr(free) == repr(optimizer)
    for each, its_optimizer in ((model, optimizer), (twin, free)):
        each.fit(*data(), optimizer=its_optimizer, epochs=2, **OPTIONS)
    np.testing.assert_array_equal(parameters(model), parameters(twin))
    with pytest.raises(ValueError, match="keeps the state of another model"):
        model.fit(*data(), optimizer=free, **OPTIONS)


@pytest.mark.parametrize("duplicate", DEEP)
def test_a_model_copied_by_itself_leaves_its_optimizer_where_it_is(duplicate):
    optimizer = mlpcore.Adam(0.01)
    twin = duplicate(trained_model(optimizer=optimizer))
    with pytest.raises(ValueError, match="keeps the state of another model"):
        twin.fit(*data(), optimizer=optimizer, **OPTIONS)


@pytest.mark.parametrize("duplicate", DEEP)
@pytest.mark.parametrize("optimizer_first", [False, True])
def test_an_optimizer_copied_with_its_model_stays_bound(duplicate, optimizer_first):
    optimizer = mlpcore.Adam(0.01)
    model = trained_model(optimizer=optimizer)
    pair = (optimizer, model) if optimizer_first else (model, optimizer)
    twins = duplicate(pair)
    its_optimizer, twin = twins if optimizer_first else twins[::-1]
    twin.fit(*data(), optimizer=its_optimizer, **OPTIONS)
    for other in (model, mlpcore.Sequential(layers())):
        with pytest.raises(ValueError, match="keeps the state of another model"):
            other.fit(*data(), optimizer=its_optimizer, **OPTIONS)


def test_an_optimizer_whose_model_is_gone_is_still_refused():
    """Else training would begin with another model's momentum, depending on when memory is collected."""
    optimizer = mlpcore.Adam()
    trained_model(optimizer=optimizer)
    gc.collect()
    with pytest.raises(ValueError, match="keeps the state of another model"):
        trained_model(optimizer=optimizer)


@pytest.mark.parametrize("duplicate", DUPLICATES)
def test_a_subclass_of_an_optimizer_is_copied_with_its_attributes(duplicate):
    optimizer = Warm(steps=3)
    trained_model(optimizer=optimizer)
    twin = duplicate(optimizer)
    assert (type(twin), twin.steps, twin.learning_rate) == (Warm, 3, 0.01)
    twin._state["m"][...] = 0
    assert optimizer._state["m"].any()


def test_an_optimizer_does_not_keep_its_model_alive():
    optimizer = mlpcore.Adam()
    before = mlpcore_models()
    trained_model(optimizer=optimizer)
    assert mlpcore_models() == before


def mlpcore_models():
    gc.collect()
    return sum(type(thing) is mlpcore.Sequential for thing in gc.get_objects())
