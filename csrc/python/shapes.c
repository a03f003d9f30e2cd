/* shapes.c: holds the shapes of a call's arrays to its function's axes, and says what is wrong with one. */
#include "shapes.h"

#include <string.h>

#include "../net/memory.h"

/* The shape as Python writes it: "(5, 3)". */
static PyObject *shape_text(PyArrayObject *array) {
    PyObject *shape = PyArray_IntTupleFromIntp(PyArray_NDIM(array), PyArray_DIMS(array));
    PyObject *text = shape ? PyObject_Repr(shape) : NULL;
    Py_XDECREF(shape);
    return text;
}

npy_intp *mlp_size_of_axis(mlp_sizes *size, char axis) {
    switch (axis) {
    case 'n': return &size->n;
    case 'i': return &size->in;
    case 'o': return &size->out;
    case 'p': return &size->parameters;
    default: return &size->one;
    }
}

static const char *name_of_axis(char axis) {
    switch (axis) {
    case 'n': return "n";
    case 'i': return "in";
    case 'o': return "out";
    case 'p': return "parameters";
    default: return "1";
    }
}

/* "(out, 3)": sizes that are known by now as numbers, others by name. */
static PyObject *expected_shape(mlp_call *call, const char *axes) {
    PyObject *text = PyUnicode_FromString("(");
    for (const char *axis = axes; text && *axis; axis++) {
        const char *separator = axis == axes ? "" : ", ";
        npy_intp size = *mlp_size_of_axis(&call->size, *axis);
        PyObject *longer = size < 0 ? PyUnicode_FromFormat("%U%s%s", text, separator, name_of_axis(*axis))
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

/* Holds one array to the sizes that are known by now, and learns the others from it. `set_by` keeps, by the letter of an
 * axis, which argument set its size; -1 where that was the network. */
static int bind_shape(mlp_call *call, int p, int *set_by) {
    PyArrayObject *array = call->array[p];
    const char *axes = call->function->parameters[p].axes;
    bool same_rank = PyArray_NDIM(array) == (int)strlen(axes);
    for (int d = 0; axes[d]; d++) {
        npy_intp known = *mlp_size_of_axis(&call->size, axes[d]);
        if (known >= 0 && (!same_rank || PyArray_DIM(array, d) != known)) {
            return refuse_shape(call, p, set_by[(int)axes[d]]);
        }
    }
    if (!same_rank) {
        return refuse_shape(call, p, -1);
    }
    for (int d = 0; axes[d]; d++) {
        npy_intp *size = mlp_size_of_axis(&call->size, axes[d]);
        if (*size < 0) {
            *size = PyArray_DIM(array, d);
            set_by[(int)axes[d]] = p;
        }
        if (*size == 0 && (axes[d] != 'n' || call->function->needs_samples)) {
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
                             .one = 1};
    int set_by[128];
    memset(set_by, -1, sizeof set_by);
    int first = -1;
    for (int p = 0; call->function->parameters[p].name; p++) {
        PyArrayObject *array = call->array[p];
        if (!array) {
            continue;
        }
        if (first < 0) {
            first = p;
            call->count = PyArray_SIZE(array);
        }
        if (mlp_size_product(PyArray_SIZE(array), (ptrdiff_t)sizeof(double)) < 0) {
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
