"""mlpcore: multi-layer perceptrons in C, by the equations a course teaches.

>>> import mlpcore
>>> model = mlpcore.Sequential([mlpcore.Dense(4, "tanh"), mlpcore.Dense(1, "sigmoid")], seed=1)
>>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
>>> history = model.fit(X, y, loss="bce", optimizer=mlpcore.Adam(0.1), epochs=200, progress=False)
>>> model.predict(X).round()
array([[0.],
       [1.],
       [1.],
       [0.]], dtype=float32)
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from mlpcore import unbuilt

try:
    _import_module("mlpcore._core")  # first of all: without it there is nothing
except ImportError as error:
    raise unbuilt.explained(error, __file__) from None

from mlpcore import catalogue, cpu, lazy
from mlpcore.activations import CELU, ELU, LeakyReLU
from mlpcore.callbacks import Callback, EarlyStopping, LambdaCallback
from mlpcore.custom_activation import CustomActivation
from mlpcore.custom_loss import CustomLoss
from mlpcore.custom_optimizer import CustomOptimizer
from mlpcore.history import History
from mlpcore.initializers import Constant, Normal, Orthogonal, TruncatedNormal, Uniform
from mlpcore.layers import (
    Activation,
    AlphaDropout,
    BatchNorm,
    CustomLayer,
    Dense,
    Dropout,
    Embedding,
    GaussianNoise,
    Layer,
    LayerNorm,
    PReLU,
    Residual,
    RMSNorm,
    Scale,
)
from mlpcore.lbfgs import LBFGS
from mlpcore.losses import BinaryCrossentropy, CategoricalCrossentropy, Focal, GaussianNLL, Huber, Quantile
from mlpcore.metrics import TopKAccuracy
from mlpcore.model import Sequential
from mlpcore.optimizers import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    AdamW,
    AMSGrad,
    Lion,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
)
from mlpcore.schedules import Schedule
from mlpcore.streams.parquet import Parquet
from mlpcore.threads import get_num_threads, set_num_threads
from mlpcore.training import TrainingWarning

if _TYPE_CHECKING:
    from mlpcore import exercises, gradcheck, kernels, plot, show_versions, trace, typeset, widget
    from mlpcore.callbacks import Checkpoint, CSVLogger, TensorBoardLogger, TimeLimit
    from mlpcore.diagnosis import Diagnoses, Diagnosis, diagnose, diagnose_all
    from mlpcore.export.c_source import to_c
    from mlpcore.export.onnx import to_onnx
    from mlpcore.export.sklearn import to_sklearn
    from mlpcore.export.torch import to_torch
    from mlpcore.imports import from_sklearn, from_torch
    from mlpcore.imports_keras import from_keras
    from mlpcore.mutation import Mutation, mutate
    from mlpcore.schedules import (
        Cosine,
        CosLog,
        Exponential,
        InverseScaling,
        OneCycle,
        Polynomial,
        ReduceOnPlateau,
        Step,
        Warmup,
    )
    from mlpcore.worksheets import worksheet

__all__ = [
    "CELU",
    "ELU",
    "LBFGS",
    "SGD",
    "AMSGrad",
    "Activation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "AlphaDropout",
    "BatchNorm",
    "BinaryCrossentropy",
    "CSVLogger",
    "Callback",
    "CategoricalCrossentropy",
    "Checkpoint",
    "Constant",
    "CosLog",
    "Cosine",
    "CustomActivation",
    "CustomLayer",
    "CustomLoss",
    "CustomOptimizer",
    "Dense",
    "Diagnoses",
    "Diagnosis",
    "Dropout",
    "EarlyStopping",
    "Embedding",
    "Exponential",
    "Focal",
    "GaussianNLL",
    "GaussianNoise",
    "History",
    "Huber",
    "InverseScaling",
    "LambdaCallback",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "Lion",
    "Mutation",
    "NAdam",
    "Normal",
    "OneCycle",
    "Optimizer",
    "Orthogonal",
    "PReLU",
    "Parquet",
    "Polynomial",
    "Quantile",
    "RAdam",
    "RMSNorm",
    "RMSprop",
    "ReduceOnPlateau",
    "Residual",
    "Rprop",
    "Scale",
    "Schedule",
    "Sequential",
    "Step",
    "TensorBoardLogger",
    "TimeLimit",
    "TopKAccuracy",
    "TrainingWarning",
    "TruncatedNormal",
    "Uniform",
    "Warmup",
    "__version__",
    "catalogue",
    "cpu",
    "diagnose",
    "diagnose_all",
    "exercises",
    "from_keras",
    "from_sklearn",
    "from_torch",
    "get_num_threads",
    "gradcheck",
    "kernels",
    "mutate",
    "plot",
    "set_num_threads",
    "show_versions",
    "to_c",
    "to_onnx",
    "to_sklearn",
    "to_torch",
    "trace",
    "typeset",
    "widget",
    "worksheet",
]


_at_first_use = lazy.attributes(
    __name__,
    "exercises",
    "gradcheck",
    "kernels",
    "plot",
    "show_versions",
    "trace",
    "typeset",
    "widget",
    callbacks=("CSVLogger", "Checkpoint", "TensorBoardLogger", "TimeLimit"),
    imports=("from_sklearn", "from_torch"),
    imports_keras=("from_keras",),
    diagnosis=("Diagnoses", "Diagnosis", "diagnose", "diagnose_all"),
    **{
        "export.c_source": ("to_c",),
        "export.onnx": ("to_onnx",),
        "export.sklearn": ("to_sklearn",),
        "export.torch": ("to_torch",),
    },
    mutation=("Mutation", "mutate"),
    schedules=(
        "Cosine",
        "CosLog",
        "Exponential",
        "InverseScaling",
        "OneCycle",
        "Polynomial",
        "ReduceOnPlateau",
        "Step",
        "Warmup",
    ),
    worksheets=("worksheet",),
)


def __getattr__(name: str) -> _Any:  # noqa: ANN401  modules, classes, and a string
    """Look up what waits for its first use; `__version__` too, which takes as long as the rest of the import."""
    if name != "__version__":
        return _at_first_use(name)
    with lazy.no_fork:
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("mlpcore")
        except PackageNotFoundError:  # used from its source folder without being installed
            return "0+unknown"
