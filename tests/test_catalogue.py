"""The catalogue: every row has its words, and no list of names stands a second time anywhere."""

import math
import re
from pathlib import Path

import numpy as np
import pytest
from docs_scripts import docs_script

import mlpcore
from mlpcore import Activation, Dense, Sequential, catalogue, checks, gradcheck, kernels, optimizers
from mlpcore.engine import Step

ROOT = Path(__file__).parent.parent
ROWS = [
    pytest.param(family, row, id=f"{family}-{row.name}")
    for family, rows in catalogue.FAMILIES.items()
    for row in rows.values()
]
DIFFERENTIATED = {"activations", "losses", "pairs", "layers"}
NAMED = {family: catalogue.names(family) for family in ("activations", "losses", "optimizers", "initializers")}


def test_every_family_has_rows():
    assert {"activations", "losses", "optimizers", "initializers", "metrics", "layers"} <= catalogue.FAMILIES.keys()
    assert all(catalogue.FAMILIES.values())


@pytest.mark.parametrize(("family", "row"), ROWS)
def test_every_row_has_its_words(family, row):
    assert row.name == row.name.lower()
    assert row.name.isidentifier()
    assert row.formula
    if family in DIFFERENTIATED:
        assert row.derivative
    if family not in ("metrics", "elementaries"):
        assert row.source is not None
    assert catalogue.entry(family, row.name) is row


@pytest.mark.parametrize("family", catalogue.FAMILIES)
def test_names_and_aliases_are_unique(family):
    rows = catalogue.FAMILIES[family].values()
    names = [row.name for row in rows] + [row.alias for row in rows if row.alias]
    assert len(names) == len(set(names))
    for row in rows:
        for name in filter(None, (row.name, row.alias)):
            assert catalogue.resolve(family, "argument", name) is row


@pytest.mark.parametrize(("family", "row"), ROWS)
def test_defaults_lie_in_their_range(family, row):
    for hyper in row.hypers:
        assert hyper.least <= hyper.default < hyper.below, hyper
        assert checks.hyper_value(hyper, bool(hyper.default) if hyper.is_flag else hyper.default) == hyper.default
        if not hyper.is_flag:
            assert math.isinf(hyper.below) or np.float32(hyper.below) >= np.float32(hyper.default)
            for outside in (np.nextafter(hyper.least, -np.inf), hyper.below):
                with pytest.raises(ValueError, match=f"{hyper.name} is "):
                    checks.hyper_value(hyper, float(outside))
    assert len(row.states) == len(row.states_if)
    assert {only_if for only_if in row.states_if if only_if} <= {hyper.name for hyper in row.hypers}


@pytest.mark.parametrize("name", NAMED["optimizers"])
def test_every_optimizer_has_its_class(name):
    row, kind = catalogue.entry("optimizers", name), optimizers.NAMES[name]
    assert tuple(optimizers.NAMES) == NAMED["optimizers"]
    assert getattr(mlpcore, str(row.class_name)) is kind
    for hyper in row.hypers:
        assert getattr(kind(), hyper.name) == hyper.default


def listed(family):
    return ", ".join(map(repr, NAMED[family]))


@pytest.mark.parametrize(
    ("family", "argument", "call"),
    [
        ("activations", "activation", lambda: Dense(1, "nothing")),
        ("activations", "activation", lambda: Dense(1, ("nothing", 1.0))),
        ("activations", "activation", lambda: Activation("nothing")),
        ("activations", "name", lambda: kernels.activation_forward("nothing", [[0.0]])),
        ("activations", "activation", lambda: kernels.output_loss("mse", "nothing", [[0.0]], [[0.0]])),
        ("losses", "name", lambda: kernels.loss_value("nothing", [[0.0]], [[0.0]])),
        ("losses", "loss", lambda: Sequential([Dense(1)]).fit([[0.0]], [[0.0]], loss="nothing", progress=False)),
        ("optimizers", "optimizer",
         lambda: Sequential([Dense(1)]).fit([[0.0]], [[0.0]], "mse", optimizer="nothing", progress=False)),
        ("initializers", "kernel_initializer", lambda: Dense(1, kernel_initializer="nothing")),
    ],
)  # fmt: skip
def test_errors_list_the_names(family, argument, call):
    with pytest.raises(ValueError, match=re.escape(f"{argument} is ") + ".*nothing.*" + re.escape(listed(family))):
        call()


@pytest.mark.parametrize(("family", "function"), [
    ("activations", "activation_forward"), ("activations", "activation_backward"), ("activations", "output_phi"),
    ("losses", "loss_value"), ("losses", "loss_gradient"), ("losses", "output_loss"),
])  # fmt: skip
def test_docstrings_list_the_names(family, function):
    text = " ".join(getattr(kernels, function).__doc__.split())  # lines that are too long are broken
    assert f"{{{listed(family)}}}" in text
    assert (
        family != "losses"
        or ", ".join(repr(row.alias) for row in catalogue.FAMILIES["losses"].values() if row.alias) in text
    )


def test_a_tuple_stands_where_a_name_can():
    layer = Dense(1, ("tanh",))
    assert layer.activation == "tanh"
    assert layer._steps(0, 1)[1:] == [Step("activation", 0, joined=True, constants="tanh")]
    assert Activation(["relu"]).activation == "relu"
    X, y = [[0.0], [1.0]], [[0.0], [1.0]]
    model = Sequential([layer], seed=0)
    model.fit(X, y, loss=("mean_squared_error",), optimizer="sgd", progress=False)
    assert model.evaluate(X, y, ("mse",)) == model.evaluate(X, y, "mse")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: Dense(1, ("tanh", 0.5)),
            r"activation is \('tanh', 0.5\), expected at most 0 after 'tanh'",
        ),
        (lambda: checks.given_loss(("mse", 1, 2)), r"loss is \('mse', 1, 2\), expected at most 0 after 'mse'"),
        (lambda: Dense(1, ()), r"activation is \(\), expected one of 'linear'"),
    ],
)
def test_constants_that_no_row_has_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# --------------------------------------------------------------------------------------------- names that stand twice

NAMES = {name for names in NAMED.values() for name in names}
NAMES |= {row.alias for row in catalogue.FAMILIES["losses"].values() if row.alias}
WITH_CONSTANTS = {
    family: [name for name, row in rows.items() if row.hypers] for family, rows in catalogue.FAMILIES.items()
}
STRING = re.compile(r"""["']({})["']""".format("|".join(sorted(NAMES))))
IDENTIFIERS = {name.upper() for name in NAMES - set(NAMED["initializers"])}
IDENTIFIERS |= {f"INITIALIZER_{name.upper()}" for name in NAMED["initializers"]}
IDENTIFIER = re.compile(r"\b(?:MLP_({}))\b".format("|".join(sorted(IDENTIFIERS))))
DOCSTRING = re.compile(r'"""(?:.|\n)*?"""')
# Where a name stands in Python for a reason of its own, how often at most, and why.
PYTHON = {
    "model.py": (1, "fit's default optimizer"),
    "checks.py": (8, "advice on which loss to take"),
    "targets.py": (3, "advice on which loss to take"),
    "data.py": (1, "advice on which loss to take"),
    "training.py": (7, "advice on which output to take"),
    "cli/report.py": (1, "scikit-learn's name of bins with equally many rows"),
    "demo.py": (6, "the demo's own network"),
    "activations.py": (len(WITH_CONSTANTS["activations"]), "each class names its row"),
    "losses.py": (len(WITH_CONSTANTS["losses"]), "each class names its row"),
    "initializers.py": (
        len(WITH_CONSTANTS["initializers"]) + 13,
        "each class names its row; the defaults of activations",
    ),
    "schedules/schedule.py": (1, "what a function of the epoch is within an epoch"),
    "schedules/decays.py": (1, "the schedule of that name"),
    "schedules/warmup.py": (1, "a warm-up without a schedule after it"),
    "engine.py": (1, "a step without an activation"),
    "layers/dense.py": (4, "no activation; b begins as 0"),
    "layers/embedding.py": (2, "what tables begin as"),
    "widget/state.py": (14, "the outputs that a playground offers, and what it begins with"),
    "widget/session.py": (2, "a net that learns nothing tells the order of an epoch"),
    "diagnosis/diagnose.py": (4, "what hidden networks have if nothing is said"),
    "diagnosis/passes.py": (1, "its derivative as students write it"),
    "diagnosis/whole.py": (1, "the step if nothing is said"),
    "diagnosis/references.py": (3, "the other layers of hidden networks"),
    "diagnosis/of_derivatives.py": (18, "mistakes that are made with these functions only"),
    "diagnosis/of_factors.py": (7, "mistakes that are made with these losses only"),
    "diagnosis/of_arrays.py": (1, "a mistake in the step of gradient descent"),
    "diagnosis/of_steps.py": (1, "a mistake with its velocity"),
    "diagnosis/stepping.py": (3, "whose steps they are"),
    "mutation.py": (4, "the optimizer and the losses if nothing is said"),
    "diagnosis/others.py": (2, "the layer that gradient checking is tried on"),
    "exercises/naming.py": (2, "the pair whose gradient has a factor"),
    "exercises/tasks/activation_functions.py": (11, "exercises on these functions"),
    "exercises/tasks/equations.py": (4, "the layers that the equations are tried on"),
    "exercises/tasks/loss_functions.py": (13, "exercises on these losses"),
    "exercises/tasks/outputs.py": (9, "exercises on these outputs"),
    "exercises/tasks/passes.py": (14, "the network that a pass goes through"),
    "exercises/tasks/regularization.py": (4, "the loss above the layer"),
    "exercises/tasks/steps_of_descent.py": (3, "exercises on these steps"),
    "exercises/tasks/units.py": (7, "the units that the exercises have"),
    "plot/signals.py": (6, "what is compared if nothing is said"),
    "sklearn/base.py": (2, "scikit-learn's name of a solver"),
    "sklearn/networks.py": (5, "scikit-learn's weights; the output for some classes"),
    "sklearn/parameters.py": (5, "scikit-learn's names"),
    "sklearn/classifier.py": (4, "scikit-learn's defaults; the output for some classes"),
    "sklearn/regressor.py": (7, "scikit-learn's defaults; the output for a loss"),
    "sklearn/tabular_classifier.py": (3, "the recipe of the paper"),
    "sklearn/tabular_regressor.py": (4, "the recipe of the paper"),
    "sklearn/tabular_training.py": (2, "the recipe of the paper"),
    "sklearn/solvers.py": (1, "scikit-learn's name of a solver"),
    "imports.py": (12, "names of other libraries, and settings that a row has not"),
    "keras_layers.py": (9, "what a layer without an activation has; names of Keras, and what its layers are here"),
    "imports_keras.py": (1, "a layer without an activation"),
    "export/sklearn.py": (7, "scikit-learn's names of activations"),
    "export/torch.py": (3, "an output without a module; a module with two formulas"),
    "trace/backward.py": (1, "NumPy's ones"),
    "trace/record.py": (2, "an output without a gradient of its own; no activation"),
    "typeset/formula.py": (1, "a function that LaTeX knows"),
    "typeset/notation.py": (1, "the matrix of ones"),
    "worksheets/draw.py": (11, "what has exact values is drawn in its own way"),
    "worksheets/exact.py": (17, "the functions that have exact values"),
    "worksheets/sheet.py": (10, "the output that goes with a loss"),
    "worksheets/tasks.py": (1, "its Jacobian is asked for"),
}
for kind in optimizers.NAMES.values():  # each class names its row
    file = kind.__module__.removeprefix("mlpcore.").replace(".", "/") + ".py"
    PYTHON[file] = (PYTHON.get(file, (0, ""))[0] + 1, "each class names its row")
# Where C names a row outside the code of its own family: reference/ and kernels/ of the same stem.
C = {
    "python/arguments.c": (1, "no activation is the linear one"),
    "net/engine/measure.c": (2, "log_loss is one of two losses"),
    "wasm/playground.c": (1, "no activation is the linear one"),
}


@pytest.mark.parametrize("path", sorted((ROOT / "mlpcore").rglob("*.py")), ids=lambda path: path.name)
def test_python_lists_no_names(path):
    text = DOCSTRING.sub("", path.read_text(encoding="utf-8"))
    found = STRING.findall(text)
    most, _ = PYTHON.get(path.relative_to(ROOT / "mlpcore").as_posix(), (0, ""))
    assert len(found) <= most, found


@pytest.mark.parametrize("path", sorted((ROOT / "csrc").rglob("*.[ch]")), ids=lambda path: path.name)
def test_c_lists_no_names(path):
    text = re.sub(r"/\*(?:.|\n)*?\*/", "", path.read_text(encoding="utf-8"))
    found = STRING.findall(text) + IDENTIFIER.findall(text)
    most, _ = C.get(path.relative_to(ROOT / "csrc").as_posix(), (0, ""))
    assert len(found) <= most, found


# ------------------------------------------------------------------------------------------------------------ its page


def test_the_page_is_what_the_catalogue_says():
    module = docs_script("make_catalogue")
    assert module.PAGE.read_text(encoding="utf-8") == module.page(), "run `make docs-tables`"
    for family, rows in catalogue.FAMILIES.items():
        for row in rows.values():
            assert f"| `{row.name}`" in module.table(family)


def test_every_row_says_what_other_libraries_call_it():
    module = docs_script("make_catalogue")
    for family, names in module.ELSEWHERE.items():
        assert set(catalogue.FAMILIES[family]) <= set(names), f"docs/elsewhere.toml lacks rows of {family}"
        assert all(len(each) == len(module.LIBRARIES) for each in names.values())
    for family in ("activations", "losses", "optimizers", "schedules", "initializers"):
        assert family in module.ELSEWHERE


@pytest.mark.parametrize("page", ["README.md", "docs/paper.md"])
def test_the_page_is_linked(page):
    assert "catalogue.md" in (ROOT / page).read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------------------- nothing is half done


def c_text(*patterns):
    return "\n".join(path.read_text(encoding="utf-8") for pattern in patterns for path in (ROOT / "csrc").glob(pattern))


BITS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "bits").glob("*.[ch]"))
CLASS_OF_STEP = {
    "dense": "Dense",
    "activation": "Activation",
    "fork": "Residual",
    "join": "Residual",
    "custom": "CustomLayer",
}


def class_of(family, row):
    """Return the class in Python that stands for a row, or None."""
    if family == "layers":
        camel = "".join(part.capitalize() for part in row.name.split("_"))
        names = [CLASS_OF_STEP.get(row.name, camel), camel.replace("Rms", "RMS"), camel.replace("Prelu", "PReLU")]
        return next(getattr(mlpcore, name) for name in names if hasattr(mlpcore, name))
    return getattr(mlpcore, row.class_name) if row.class_name else catalogue.CLASSES.get((family, row.name))


@pytest.mark.parametrize(("family", "row"), ROWS)
def test_every_row_has_a_reference_and_an_example(family, row):
    text = c_text("reference/*.[ch]", "net/*.c", "net/layers/*.c")
    function = rf"^(static|bool|void|double) [^;=]*\b(real_)?{row.name}(_\w+)?\("
    case = rf"case MLP_(INITIALIZER_)?{row.name.upper()}:|^\w+\({row.name}[,)] "
    assert row.name == "through_a" or re.search(f"{function}|{case}", text, re.MULTILINE), "no text in C"
    kind = class_of(family, row)
    if kind is not None:
        assert ">>> " in kind.__doc__
    elif family in ("activations", "losses", "initializers"):
        examples = "".join(
            re.findall(r"```python\n(?:.|\n)*?```", docs_script("make_catalogue").PAGE.read_text(encoding="utf-8"))
        )
        assert re.search(rf"^{row.name} ", examples, re.MULTILINE), "docs/make_catalogue.py shows no example"


def test_every_row_is_compared_to_the_bit_and_differentiated():
    """The comparison of bits and the checks of gradients walk the catalogue; none of its kernels is left out."""
    for one in ("ACTIVATION", "LOSS", "OPTIMIZER", "ELEMENTARY"):
        assert f"MLP_{one}_COUNT" in BITS, one
    kernels_in_c = set(re.findall(r"\(\*(\w+)\)\(", c_text("operations.h"))) - {"apply"}
    assert len(kernels_in_c) > 30
    assert kernels_in_c <= set(re.findall(r"\w+", BITS)), "tests/bits does not call these"
    assert set(gradcheck.ACTIVATIONS) == set(NAMED["activations"])
    assert set(gradcheck.LOSSES) == set(NAMED["losses"])
