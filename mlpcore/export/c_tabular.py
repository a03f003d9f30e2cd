"""A tabular estimator in C: its columns for one raw row, its networks, and the mean of what they say."""

import math
import textwrap
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from mlpcore.export.c_network import forward
from mlpcore.export.c_program import Parts, Program, digits, function, quoted

if TYPE_CHECKING:
    from mlpcore.sklearn.preprocessing import Category, Column, Date, Numeric
    from mlpcore.sklearn.tabular import Tabular


def dtype_of(estimator: "Tabular") -> str:
    """Return what the networks of an estimator compute in; NotFittedError if it has none."""
    from sklearn.utils.validation import check_is_fitted  # it is there: the estimator is its own

    check_is_fitted(estimator, "models_")
    return estimator.models_[0].dtype


def parts(program: Program, estimator: "Tabular", quantize: bool) -> Parts:
    """Return what an estimator is in C; ValueError if a label holds what no text of C can."""
    columns, models, learned = estimator.columns_, estimator.models_, estimator._learned()
    name, real, outputs = program.name, program.real, estimator._units
    writer = _Columns(program)
    for j, column in enumerate(columns.columns):
        writer.write(j, column)
    functions = [function(f"static int {name}_inputs(const double *x, {real} *inputs)", [*writer.lines, "return 0;"])]
    most = 0
    for i, model in enumerate(models):
        written = forward(program, model, quantize, f"networks.{i}.")
        functions.append(written.function(program, f"static int {name}_network_{i}(const {real} *x, {real} *y)"))
        most = max(most, sum(written.buffers.values()))
    y = real if "classes" in learned else "double"
    signature = f"int {name}_predict(const double *x, {y} *y)"
    functions.append(function(signature, _predict(program, columns.width, outputs, len(models), learned)))
    public = [signature]
    if "classes" in learned:
        choose = f"int {name}_class(const {real} *y)"
        functions.append(function(choose, [f"return {program.call('largest')}({outputs}, y);"]))
        names = program.strings("class_names", list(map(str, learned["classes"])), "")
        public += [choose, f"extern const char *const {names}[{outputs}]"]
    if writer.labels:
        find = f"double {name}_label(int column, const char *label)"
        functions.append(function(find, ["switch (column) {", *writer.labels, "default:", "    return -1;", "}"]))
        public.append(find)
    sizes = {"COLUMNS": len(columns.columns), "OUTPUTS": outputs}
    of = f"{type(estimator).__name__}.{'predict_proba' if 'classes' in learned else 'predict'}"
    stack = program.itemsize * (columns.width + 2 * outputs + most)
    return Parts(sizes, public, "\n\n".join(functions), _told(estimator, writer, program, learned), of, stack)


def _told(estimator: "Tabular", writer: "_Columns", program: Program, learned: dict[str, Any]) -> list[str]:
    """Return what the comment tells of x, of y, and of the networks."""
    name, models = program.name, estimator.models_
    told = [
        f"{name}_predict takes a raw row, x, and writes {estimator._units} to y. It returns 0; or c + 1, with y as it "
        "was, if x[c] is infinite or no label's number. In x there are",
        textwrap.indent("\n".join(writer.told), "    "),
    ]
    if writer.labels:
        told.append(
            f"A label's number is what {name}_label gives for the column's number c and the text. NULL, or NAN in x, "
            "stands for a missing value, and -1 for a label that training had not."
        )
    if "classes" in learned:
        told.append(f"{name}_class gives the place of the largest y in {name}_class_names.")
    if any(getattr(column, "periods", ()) for column in estimator.columns_.columns):
        told.append("Sine and cosine of a date are the C library's, whose last digits can differ from those of Python.")
    many = f"The mean of {len(models)} networks, the first of which is" if len(models) > 1 else "The network is"
    return [*told, many, textwrap.indent(str(models[0].summary()), "    ")]


def _predict(program: Program, width: int, outputs: int, networks: int, learned: dict[str, Any]) -> list[str]:
    """Return the statements that compute the mean of the networks, of a regressor in the units of its targets."""
    name, array = program.name, f"{program.macro('MEMORY')} {program.real}"
    each = f"for (int i = 0; i < {outputs}; i++) {{"
    lines = [
        f"{array} inputs[{width}];",
        f"{array} one[{outputs}] = {{0}};",
        f"{array} mean[{outputs}];",
        f"const int code = {name}_inputs(x, inputs);",
        "if (code != 0) {",
        "    return code;",
        "}",
        each,
        "    mean[i] = 0;",
        "}",
    ]
    for i in range(networks):
        lines += [f"{name}_network_{i}(inputs, one);", each, "    mean[i] += one[i];", "}"]
    if "classes" in learned:
        return [*lines, each, f"    y[i] = mean[i] / {networks};", "}", "return 0;"]
    scales = {of: program.array(f"target_{of}", np.array(learned[of], np.float64)) for of in ("spread", "mean")}
    target = f"(double)(mean[i] / {networks}) * {scales['spread']}[i] + {scales['mean']}[i]"
    return [*lines, each, f"    y[i] = {target};", "}", "return 0;"]


class _Columns:
    """Writes the statements that make inputs of a row: a method for each kind of column.

    Attributes
    ----------
    lines : list of str
    labels : list of str
        Of a switch over columns: where each one's labels are looked up.
    told : list of str
        What stands in x.
    """

    def __init__(self, program: Program) -> None:
        self.lines: list[str] = []
        self.labels: list[str] = []
        self.told: list[str] = []
        self._program = program

    @cached_property
    def _limits(self) -> str:
        from mlpcore.sklearn.preprocessing import _FAR, _LARGE, CLIP, INTERVAL_SIZE

        return self._program.array("limits", np.array([_LARGE, _FAR, CLIP, INTERVAL_SIZE]))

    def write(self, j: int, column: "Column") -> None:
        getattr(self, "_" + column.kind.replace(" ", "_"))(j, column)

    def _tell(self, j: int, column: "Column", what: str) -> None:
        name = column.name.replace("\0", " ")
        self.told.append(f"x[{j}]  {quoted(name)}: {what}")

    def _refuse(self, j: int, condition: str) -> None:
        self.lines += [f"if ({condition}) {{", f"    return {j + 1};", "}"]

    def _left_out(self, j: int, column: "Column") -> None:
        self._tell(j, column, "not read")

    def _numeric(self, j: int, column: "Numeric") -> None:
        self._tell(j, column, "a number, or NAN if it is missing")
        self._number(j, column)

    def _number(self, j: int, column: "Numeric") -> None:
        self._refuse(j, f"isinf(x[{j}])")
        edges = self._program.array(f"edges_{j}", np.array(column.edges, np.float64)) if column.edges else "NULL"
        tells = "true" if column.tells_missing else "false"
        scale = f"{digits(column.median)}, {digits(column.factor)}, {self._limits}"
        call = self._program.call("numeric")
        self.lines.append(f"inputs = {call}(inputs, x[{j}], {scale}, {len(column.edges)}, {edges}, {tells});")

    def _date(self, j: int, column: "Date") -> None:
        from mlpcore.sklearn.preprocessing import PERIODS

        self._tell(j, column, "seconds since 1970 in UTC, or NAN if the date is missing")
        self._number(j, column.seconds)
        for period in column.periods:
            call = self._program.call("wave")
            self.lines.append(f"inputs = {call}(inputs, x[{j}], {digits(2 * math.pi / PERIODS[period])});")

    def _place(self, j: int, column: "Category") -> str:
        """Write what finds the place of a column's label, and return the name of the place."""
        labels = self._program.strings(f"labels_{j}", column.labels)
        count, place = len(column.labels), f"place_{j}"
        missing = column.labels.index(None) if None in column.labels else -1
        self._tell(j, column, f"{self._program.name}_label({j}, ...) of one of {_listed(column.labels)}")
        self.lines.append(f"const ptrdiff_t {place} = {self._program.call('place_of')}(x[{j}], {count}, {missing});")
        self._refuse(j, f"{place} < -1")
        find = self._program.call("find_label")
        self.labels += [f"case {j}:", f"    return {find}(label, {count}, {labels});"]
        return place

    def _category(self, j: int, column: "Category") -> None:
        place = self._place(j, column)
        if len(column.labels) == 2:
            self.lines.append(f"*inputs++ = {place} < 0 ? 0 : ({self._program.real})(2 * {place} - 1);")
        else:
            self.lines.append(f"inputs = {self._program.call('one_hot')}(inputs, {place}, {len(column.labels)});")

    def _embedded(self, j: int, column: "Category") -> None:
        self.lines.append(f"*inputs++ = ({self._program.real})({self._place(j, column)} + 1);")


def _listed(labels: tuple[str | None, ...]) -> str:
    shown = ["NULL" if label is None else quoted(label) for label in labels[:5]]
    return ", ".join(shown) + (f" ... ({len(labels)} labels)" if len(labels) > 5 else "")
