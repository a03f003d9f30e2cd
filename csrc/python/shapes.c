/* shapes.c: checks the shapes of a call's arrays against its function's axes, and words the errors. */
#include "shapes.h"

#include <string.h>

/* The shape as Python writes it: "(5, 3)". */
static PyObject *shape_text(PyArrayObject *array) {
    PyObject *shape = PyArray_IntTupleFromIntp(PyArray_NDIM(array), PyArray_DIMS(array));
    PyObject *text = shape ? PyObject_Repr(shape) : NULL;
    Py_XDECREF(shape);
    return text;
}

static const char *const NAMES[MLP_AXES] = {"n", "in", "out", "parameters", "epochs", "1", "2"};

int mlp_axis(char letter) {
    static const char places[128] = {['n'] = 0, ['i'] = 1, ['o'] = 2, ['p'] = 3, ['e'] = 4, ['1'] = 5, ['2'] = 6};
    return places[(unsigned char)letter];
}

/* "(out, 3)": sizes that are known by now as numbers, others by name. */
static PyObject *expected_shape(mlp_call *call, const char *axes) {
    PyObject *text = PyUnicode_FromString("(");
    for (const char *axis = axes; text && *axis; axis++) {
        const char *separator = axis == axes ? "" : ", ";
        npy_intp size = call->size.of[mlp_axis(*axis)];
        PyObject *longer = size < 0 ? PyUnicode_FromFormat("%U%s%s", text, separator, NAMES[mlp_axis(*axis)])
                                    : PyUnicode_FromFormat("%U%s%zd", text, separator, size);
        Py_DECREF(text);
        text = longer;
    }
    PyObject *closed = text ? PyUnicode_FromFormat("%U%s", text, strlen(axes) == 1 ? ",)" : ")") : NULL;
    Py_XDECREF(text);
    return closed;
}

/* "w has shape (3, 4), expected (out, 3) for x of shape (5, 3)"; `cause` is the argument that set the size, or -1. */
static int refuse_shape(mlp_call *call, int p, int cause) {
    const char *axes = call->function->parameters[p].axes;
    PyObject *own = shape_text(call->array[p]);
    PyObject *other = cause >= 0 ? shape_text(call->array[cause]) : PyUnicode_FromString("");
    PyObject *expected = axes ? expected_shape(call, axes) : Py_XNewRef(other);
    if (own && other && expected) {
        if (cause >= 0) {
            mlp_argument_error(call, p, PyExc_ValueError, "has shape %U, expected %U for %s of shape %U", own, expected,
                               call->function->parameters[cause].name, other);
        } else {
            mlp_argument_error(call, p, PyExc_ValueError, "has shape %U, expected %U", own, expected);
        }
    }
    Py_XDECREF(own);
    Py_XDECREF(other);
    Py_XDECREF(expected);
    return -1;
}

static int refuse_size(const mlp_call *call, int p, const char *reason) {
    PyObject *own = shape_text(call->array[p]);
    if (own) {
        mlp_argument_error(call, p, PyExc_ValueError, "has shape %U, %s", own, reason);
        Py_DECREF(own);
    }
    return -1;
}

static int refuse_empty(const mlp_call *call, int p, char axis) {
    return refuse_size(call, p,
                       axis == 'n'   ? "expected at least one sample"
                       : axis == 'i' ? "expected at least one input"
                                     : "expected at least one output");
}

/* Holds one array to the sizes that are known by now, and learns the others from it. `set_by` keeps which argument set the
 * size of an axis; -1 where that was the network. */
static int bind_shape(mlp_call *call, int p, int set_by[MLP_AXES]) {
    const char *axes = call->function->parameters[p].axes;
    const npy_intp *shape = PyArray_DIMS(call->array[p]);
    int rank = PyArray_NDIM(call->array[p]), axis_count = 0, cause = -1;
    const bool has_labels = call->labels & 1u << p && rank == 1;
    for (; axes[axis_count] && !(has_labels && axis_count == 1); axis_count++) {
        int axis = mlp_axis(axes[axis_count]);
        if (call->size.of[axis] >= 0) {
            if (axis_count >= rank || shape[axis_count] != call->size.of[axis]) {
                return refuse_shape(call, p, set_by[axis]);
            }
            cause = set_by[axis];
        }
    }
    if (rank != axis_count) {
        return refuse_shape(call, p, cause);
    }
    for (int d = 0; d < rank; d++) {
        int axis = mlp_axis(axes[d]);
        if (call->size.of[axis] < 0) {
            call->size.of[axis] = shape[d];
            set_by[axis] = p;
        }
        if (shape[d] == 0 && (axes[d] != 'n' || call->function->needs_samples)) {
            return refuse_empty(call, p, axes[d]);
        }
    }
    return 0;
}

static npy_intp required_or_unknown(npy_intp size) { return size > 0 ? size : -1; }

int mlp_bind_shapes(mlp_call *call) {
    const mlp_sizes *required = &call->required;
    call->size = (mlp_sizes){.n = required_or_unknown(required->n),
                             .in = required_or_unknown(required->in),
                             .out = required_or_unknown(required->out),
                             .parameters = required_or_unknown(required->parameters),
                             .epochs = required_or_unknown(required->epochs),
                             .one = 1,
                             .two = 2};
    int set_by[MLP_AXES] = {-1, -1, -1, -1, -1, -1, -1}, first = -1;
    for (int p = 0; call->function->parameters[p].name; p++) {
        PyArrayObject *array = call->array[p];
        if (!array) {
            continue;
        }
        npy_intp count = PyArray_SIZE(array);
        if (first < 0) {
            first = p;
            call->count = count;
        }
        if (count > PTRDIFF_MAX / (ptrdiff_t)sizeof(double)) {
            return refuse_size(call, p, "which is too large");
        }
        if (call->function->parameters[p].axes) {
            if (bind_shape(call, p, set_by) < 0) {
                return -1;
            }
        } else if (!PyArray_SAMESHAPE(array, call->array[first])) {
            return refuse_shape(call, p, first);
        }
    }
    return 0;
}
