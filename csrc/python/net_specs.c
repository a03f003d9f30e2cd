/* net_specs.c: reads the steps that a network is to be made of. See net_object.h. */
#include "net_object.h"

#include "../runtime/memory.h"

enum { KIND, LAYER, JOINED, UNITS, CONSTANTS, CUSTOM, SHAPES, COLUMNS };

static const mlp_function step_function = {
    .name = "step",
    .positional = 8,
    .parameters = {[KIND] = {.name = "kind"},
                   [LAYER] = {.name = "layer"},
                   [JOINED] = {.name = "joined"},
                   [UNITS] = {.name = "units"},
                   [CONSTANTS] = {.name = "constants"},
                   [CUSTOM] = {.name = "custom"},
                   [SHAPES] = {.name = "shapes"},
                   [COLUMNS] = {.name = "columns"}},
};

/* The shapes of the parameters of a custom step or an embedding, a tuple of pairs. */
static int parse_shapes(const mlp_call *call, mlp_step_spec *spec) {
    PyObject *shapes = call->given[SHAPES];
    if (!PyTuple_Check(shapes)) {
        return mlp_argument_error(call, SHAPES, PyExc_TypeError, "is %R, expected a tuple of pairs", shapes);
    }
    spec->segments = PyTuple_GET_SIZE(shapes);
    ptrdiff_t (*sizes)[2] = mlp_alloc(spec->segments, sizeof *sizes);
    if (!sizes) {
        PyErr_NoMemory();
        return -1;
    }
    spec->shapes = (const ptrdiff_t (*)[2])sizes;
    for (Py_ssize_t i = 0; i < spec->segments; i++) {
        Py_ssize_t rows, columns;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(shapes, i), "nn:shape", &rows, &columns)) {
            return -1;
        }
        if (rows < 1 || columns < 1) {
            return mlp_argument_error(call, SHAPES, PyExc_ValueError, "has (%zd, %zd), expected sizes >= 1", rows,
                                      columns);
        }
        sizes[i][0] = rows;
        sizes[i][1] = columns;
    }
    return 0;
}

/* The columns that the tables of an embedding are for, and the width of its output. */
static int parse_columns(const mlp_call *call, mlp_step_spec *spec, ptrdiff_t width) {
    PyObject *given = call->given[COLUMNS];
    if (!PyTuple_Check(given) || PyTuple_GET_SIZE(given) != spec->segments || spec->segments == 0) {
        return mlp_argument_error(call, COLUMNS, PyExc_TypeError,
                                  "is %R, expected a tuple with a column for each of %zd tables, at least one", given,
                                  spec->segments);
    }
    ptrdiff_t *columns = mlp_alloc(spec->segments, sizeof *columns);
    if (!columns) {
        PyErr_NoMemory();
        return -1;
    }
    spec->columns = columns;
    spec->units = width;
    for (Py_ssize_t i = 0; i < spec->segments; i++) {
        columns[i] = PyLong_AsSsize_t(PyTuple_GET_ITEM(given, i));
        if (columns[i] == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (columns[i] < (i > 0 ? columns[i - 1] + 1 : 0) || columns[i] >= width) {
            return mlp_argument_error(call, COLUMNS, PyExc_ValueError,
                                      "is %R, expected ascending columns of an input of %zd", given, width);
        }
        spec->units = mlp_size_sum(spec->units, spec->shapes[i][1] - 1);
    }
    if (spec->units < 0) {
        return mlp_argument_error(call, SHAPES, PyExc_ValueError, "makes more columns than can be counted");
    }
    return 0;
}

static int parse_units(const mlp_call *call, mlp_step_spec *spec) {
    long long units;
    if (mlp_get_integer(call, UNITS, 1, PTRDIFF_MAX, &units) < 0) {
        return -1;
    }
    spec->units = (ptrdiff_t)units;
    return 0;
}

/* The constants of a kind's row: a tuple of numbers, of which those left out have their standard values. */
static int parse_constants(const mlp_call *call, mlp_step_spec *spec) {
    const mlp_hyper *hypers = mlp_layers[spec->kind].hypers;
    PyObject *given = call->given[CONSTANTS];
    if (!PyTuple_Check(given)) {
        return mlp_argument_error(call, CONSTANTS, PyExc_TypeError, "is %R, expected a tuple of numbers", given);
    }
    for (Py_ssize_t i = 0; hypers[i].name; i++) {
        if (i >= PyTuple_GET_SIZE(given)) {
            spec->constants[i] = hypers[i].standard;
        } else if (mlp_check_hyper(call, CONSTANTS, &hypers[i], PyTuple_GET_ITEM(given, i), &spec->constants[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* What a step of this kind needs beyond its kind. */
static int parse_kind(const mlp_call *call, mlp_step_spec *spec, mlp_custom_layer *custom, ptrdiff_t width) {
    int id;
    switch (spec->kind) {
    case MLP_DENSE: return parse_units(call, spec) < 0 ? -1 : parse_constants(call, spec);
    case MLP_ACTIVATION:
        if (mlp_get_entry(call, CONSTANTS, mlp_activations, &id, spec->constants) < 0 ||
            mlp_get_bool(call, JOINED, &spec->joined) < 0) {
            return -1;
        }
        spec->sigma = (mlp_activation_id)id;
        return 0;
    case MLP_DROPOUT:
    case MLP_ALPHA_DROPOUT:
    case MLP_GAUSSIAN_NOISE:
    case MLP_BATCH_NORM:
    case MLP_LAYER_NORM:
    case MLP_RMS_NORM:
    case MLP_SCALE:
    case MLP_PRELU: return parse_constants(call, spec);
    case MLP_FORK:
    case MLP_JOIN: return 0;
    case MLP_EMBEDDING: return parse_shapes(call, spec) < 0 ? -1 : parse_columns(call, spec, width);
    case MLP_CUSTOM:
        if (parse_units(call, spec) < 0 || parse_shapes(call, spec) < 0) {
            return -1;
        }
        *custom = (mlp_custom_layer){.object = call->given[CUSTOM], .in = width, .out = spec->units};
        spec->custom = (mlp_custom){mlp_custom_forward, mlp_custom_backward, custom};
        return 0;
    }
    return -1; /* not reached */
}

/* Holds forks and joins together: each join closes the last fork that is open, around a branch as wide as its input.
 * `widths` has room for the widths at the forks that are open, of which there are `open`. */
static int check_branch(mlp_layer_id kind, ptrdiff_t width, ptrdiff_t *widths, ptrdiff_t *open) {
    if (kind == MLP_FORK) {
        widths[(*open)++] = width;
    } else if (kind == MLP_JOIN) {
        if (*open == 0) {
            PyErr_SetString(PyExc_ValueError, "Net: a join without a fork");
            return -1;
        }
        if (widths[--*open] != width) {
            PyErr_Format(PyExc_ValueError, "Net: a branch of %zd outputs cannot be added to its %zd inputs", width,
                         widths[*open]);
            return -1;
        }
    }
    return 0;
}

static int parse_step(PyObject *tuple, ptrdiff_t i, ptrdiff_t width, mlp_specs *specs) {
    mlp_step_spec *spec = &specs->step[i];
    mlp_call call;
    int kind;
    long long layer;
    if (mlp_parse_tuple(&call, &step_function, tuple) < 0 || mlp_get_name(&call, KIND, mlp_layers, &kind) < 0 ||
        mlp_get_integer(&call, LAYER, 0, UINT32_MAX, &layer) < 0) {
        return -1;
    }
    spec->kind = (mlp_layer_id)kind;
    spec->layer = (uint32_t)layer;
    if (parse_kind(&call, spec, &specs->custom[i], width) < 0) {
        return -1;
    }
    if (spec->joined && i == 0) {
        PyErr_SetString(PyExc_ValueError, "Net: the first step cannot belong to the layer of the one before");
        return -1;
    }
    if (spec->kind == MLP_EMBEDDING && i > 0) {
        PyErr_SetString(PyExc_ValueError,
                        "Net: an embedding reads categories of the input, expected as the first step");
        return -1;
    }
    PyTuple_SET_ITEM(specs->custom_layers, i, Py_NewRef(spec->kind == MLP_CUSTOM ? call.given[CUSTOM] : Py_None));
    return 0;
}

int mlp_parse_specs(PyObject *steps, ptrdiff_t input_size, mlp_specs *specs) {
    ptrdiff_t width = input_size, open = 0, *widths = NULL;
    int status = -1;
    *specs = (mlp_specs){0};
    PyObject *tuple = PySequence_Tuple(steps);
    if (!tuple) {
        return -1;
    }
    specs->count = PyTuple_GET_SIZE(tuple);
    if (specs->count == 0) {
        PyErr_SetString(PyExc_ValueError, "Net: no steps, expected at least one");
        goto done;
    }
    specs->step = mlp_alloc(specs->count, sizeof *specs->step);
    specs->custom = mlp_alloc(specs->count, sizeof *specs->custom);
    specs->custom_layers = PyTuple_New(specs->count);
    widths = mlp_alloc(specs->count, sizeof *widths);
    if (!specs->step || !specs->custom || !specs->custom_layers || !widths) {
        PyErr_NoMemory();
        goto done;
    }
    for (ptrdiff_t i = 0; i < specs->count; i++) {
        if (parse_step(PyTuple_GET_ITEM(tuple, i), i, width, specs) < 0) {
            goto done;
        }
        width = specs->step[i].units > 0 ? specs->step[i].units : width;
        if (check_branch(specs->step[i].kind, width, widths, &open) < 0) {
            goto done;
        }
    }
    if (open > 0) {
        PyErr_SetString(PyExc_ValueError, "Net: a fork without a join");
        goto done;
    }
    status = 0;
done:
    mlp_free(widths);
    Py_DECREF(tuple);
    return status;
}

void mlp_free_specs(mlp_specs *specs) {
    for (ptrdiff_t i = 0; specs->step && i < specs->count; i++) {
        mlp_free((void *)specs->step[i].shapes);
        mlp_free((void *)specs->step[i].columns);
    }
    mlp_free(specs->step);
    mlp_free(specs->custom);
    Py_XDECREF(specs->custom_layers);
}
