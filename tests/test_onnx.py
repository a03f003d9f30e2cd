"""to_onnx: the checker takes every file, onnxruntime predicts what the model does, what has no operator is refused."""

import io
import sys

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

from docs_scripts import docs_script  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402
from random_models import random_columns, random_layers  # noqa: E402

import mlpcore  # noqa: E402
from mlpcore import Activation, BatchNorm, Dense, Dropout, Embedding, Residual, Sequential, catalogue  # noqa: E402
from mlpcore.export import onnx as writer  # noqa: E402
from mlpcore.export import onnx_activations, onnx_layers  # noqa: E402

NAMES = catalogue.names("activations")
WITH_CONSTANTS = [mlpcore.LeakyReLU(0.2), mlpcore.ELU(0.7), mlpcore.CELU(1.3)]
DTYPES = ["float32", "float64"]


def runtime(made):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda x: session.run(None, {"x": x})[0]


def difference(model, x, predict):
    """Return the largest difference, relative to the largest output where that is above 1."""
    x = np.asarray(x, model.dtype)
    expected, got = model.predict(x), predict(x)
    assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
    return np.abs(got - expected).max() / max(1, np.abs(expected).max())


# ----------------------------------------------------------------------------------------------------- the same numbers


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sigma", [*NAMES, *WITH_CONSTANTS], ids=str)
def test_every_activation(sigma, dtype):
    model = Sequential([Activation(sigma)], input_size=7, dtype=dtype)
    x = np.concatenate([np.linspace(-9, 9, 700), [-1e4, -88, -20, 0, -0.0, 30, 1e4]]).reshape(-1, 7)
    x = np.minimum(x, 30) if sigma == "exponential" else x  # which is infinite at 1e4
    made = mlpcore.to_onnx(model)
    exact = 3e-7 if dtype == "float32" or sigma == "gelu" else 1e-14
    assert difference(model, x, runtime(made)) <= exact
    evaluate = ReferenceEvaluator(made).run
    assert difference(model, x[:100], lambda x: evaluate(None, {"x": x})[0]) <= exact  # its own e^z overflows beyond


def random_model(seed):
    """Return a model of every kind of layer, with running means and parameters of any kind, and samples."""
    rng = np.random.default_rng(seed)
    width = int(rng.integers(1, 20))
    columns = random_columns(rng, width)
    first = [Embedding(columns)] if columns else []
    layers, out = random_layers(rng, first[0]._output_size(width) if first else width)
    last = [Dense(out, NAMES[seed % len(NAMES)])] if seed % 3 else []
    model = Sequential([*first, *layers, *last], input_size=width, dtype=DTYPES[seed % 2], seed=seed)
    net = model._built()
    net.params[...] += rng.normal(scale=0.2, size=net.params.shape)
    net.state[...] = rng.uniform(0.5, 2, net.state.shape)
    x = rng.normal(size=(int(rng.integers(1, 20)), width))
    for column, (categories, _) in columns.items():
        x[:, column] = rng.integers(0, categories, len(x))
    return model, x


@pytest.mark.parametrize("seed", range(100))
def test_random_models(seed):
    model, x = random_model(seed)
    made = mlpcore.to_onnx(model)
    onnx.checker.check_model(made, full_check=True)
    assert difference(model, x, runtime(made)) <= 1e-5


def test_they_have_every_kind_of_layer():
    kinds = {layer.kind for seed in range(100) for _, layer in mlpcore.network.all_layers(random_model(seed)[0].layers)}
    assert kinds == set(mlpcore.layers.KINDS)


def test_the_page_lists_the_operators():
    module = docs_script("make_tables")
    assert (module.DOCS / "interop.md").read_text(encoding="utf-8") == module.page("interop.md"), "run make docs-tables"
    assert set(module.LAYERS) == {kind.__name__ for kind in mlpcore.layers.KINDS.values()} - {"Activation"}


def test_every_row_has_its_nodes():
    assert set(NAMES) <= vars(onnx_activations).keys()
    assert set(catalogue.names("layers")) - {"custom"} <= vars(onnx_layers).keys()


# ------------------------------------------------------------------------------------------------------------- the file


def small():
    return Sequential([Dense(3, "tanh"), Residual([BatchNorm(), Dense(3)]), Dense(2, "softmax")], input_size=4, seed=1)


def test_what_it_says_of_itself(tmp_path):
    model = small()
    made = mlpcore.to_onnx(model)
    assert (made.ir_version, [(each.domain, each.version) for each in made.opset_import]) == (8, [("", 17)])
    assert (made.producer_name, made.producer_version) == ("mlpcore", mlpcore.__version__)
    assert made.doc_string == str(model.summary())
    assert {each.key: each.value for each in made.metadata_props} == {"model": repr(model), "epochs_trained": "0"}
    assert made.graph.node[1].doc_string == catalogue.entry("activations", "tanh").formula
    ends = {each.name: each.type.tensor_type.shape.dim for each in [*made.graph.input, *made.graph.output]}
    assert {name: [each.dim_param or each.dim_value for each in dim] for name, dim in ends.items()} == {
        "x": ["N", 4],
        "a": ["N", 2],
    }
    model.save(tmp_path / "m.safetensors")
    from safetensors.numpy import load_file

    saved = load_file(tmp_path / "m.safetensors")
    constants = {each.name: onnx.numpy_helper.to_array(each) for each in made.graph.initializer}
    for name, array in saved.items():
        assert np.array_equal(constants[name], array), name


def test_it_knows_the_columns_of_a_frame():
    pandas = pytest.importorskip("pandas")
    model = Sequential([Dense(1)], seed=1)
    model.fit(pandas.DataFrame({"age": [1.0, 2.0], "rooms": [3.0, 4.0]}), [1.0, 2.0], "mse", progress=False)
    properties = {each.key: each.value for each in mlpcore.to_onnx(model).metadata_props}
    assert properties["columns"] == '["age", "rooms"]'


def test_the_batch_may_be_of_any_size():
    model = small()
    predict = runtime(mlpcore.to_onnx(model))
    for n in (1, 2, 50):
        assert difference(model, np.ones((n, 4)), predict) <= 1e-6


def test_equal_models_make_equal_files(tmp_path):
    content = io.BytesIO()
    made = mlpcore.to_onnx(small(), tmp_path / "m.onnx")
    mlpcore.to_onnx(small(), content)
    assert (tmp_path / "m.onnx").read_bytes() == content.getvalue() == made.SerializeToString(deterministic=True)
    assert difference(small(), np.ones((3, 4)), runtime(onnx.load(tmp_path / "m.onnx"))) <= 1e-6


def test_layers_of_training_leave_no_nodes():
    model = Sequential([Dropout(0.5), mlpcore.AlphaDropout(0.1), mlpcore.GaussianNoise(0.2)], input_size=3)
    made = mlpcore.to_onnx(model)
    assert [node.op_type for node in made.graph.node] == ["Identity"]
    assert difference(model, np.ones((2, 3)), runtime(made)) == 0


def test_a_trained_model_stays_as_it_was():
    model = small()
    model.fit(np.eye(4), [0, 1, 0, 1], "cce", epochs=3, progress=False)
    a = model.forward(np.eye(4)).copy()
    before = model._built().params.copy()
    predict = runtime(mlpcore.to_onnx(model))
    assert np.array_equal(model._built().params, before)
    assert np.array_equal(model.layers[-1].a, a)
    assert difference(model, np.eye(4), predict) <= 1e-6


# ------------------------------------------------------------------------------------------------------ what is refused


class Twice(mlpcore.CustomActivation):
    def forward(self, z):
        return 2 * z

    def backward(self, grad_a, z, a):
        return 2 * grad_a


class Own(mlpcore.CustomLayer):
    def build(self, input_size):
        return input_size, {}

    def forward(self, x, training):
        return x

    def backward(self, grad_y, x):
        return grad_y


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        ([Dense(1)], TypeError, "model is .*, expected a mlpcore.Sequential: of an estimator of mlpcore.sklearn its"),
        (Sequential([Dense(1)]), RuntimeError, "no weights yet"),
        (
            Sequential([Dense(3), Residual([Own()])], input_size=2),
            TypeError,
            r"layers.1.layers.0, Own\(\), is written in Python, and ONNX has no operator for it",
        ),
        (
            Sequential([Dense(3, Twice())], input_size=2),
            TypeError,
            r"the activation of layers.0, Dense\(3, Twice\(\), .*is written in Python, and ONNX has no",
        ),
    ],
)
def test_what_cannot_be_written_is_named(model, error, message, tmp_path):
    with pytest.raises(error, match=message):
        mlpcore.to_onnx(model, tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_file_has_a_largest_size(monkeypatch):
    monkeypatch.setattr(writer, "_MOST_BYTES", 100)
    with pytest.raises(ValueError, match="model has 140 bytes of parameters, expected at most 100: ONNX's limit"):
        mlpcore.to_onnx(Sequential([Dense(7)], input_size=4))


def test_what_is_no_file_is_refused():
    with pytest.raises(TypeError, match="file is 3, expected a path or a binary file object"):
        mlpcore.to_onnx(small(), 3)


def test_without_onnx_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r"this needs onnx: pip install 'mlpcore\[onnx\]'"):
        mlpcore.to_onnx(small())
