"""Checks analytic gradients against numerical differentiation, component by component, in float64.

`report`         what a check returns
`differentiate`  the slope of a function in one component, and how far it can be trusted
`compare`        which components are compared, and when two slopes agree
`checkers`       the functions, kernels and layers that can be checked
`sides`          activations and losses, of the catalogue or written in Python
`layers`         a layer of any kind by itself
`models`         the models that can be checked

``docs/gradcheck.md`` explains how to read a report.
"""

from mlpcore.gradcheck.checkers import ACTIVATIONS as ACTIVATIONS
from mlpcore.gradcheck.checkers import LOSSES as LOSSES
from mlpcore.gradcheck.checkers import check_function, check_kernel, check_layer
from mlpcore.gradcheck.models import check_model
from mlpcore.gradcheck.report import ArrayReport, Component, Kink, Report

__all__ = [
    "ArrayReport",
    "Component",
    "Kink",
    "Report",
    "check_function",
    "check_kernel",
    "check_layer",
    "check_model",
]
