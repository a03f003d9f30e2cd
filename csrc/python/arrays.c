/* arrays.c: takes the arrays of a call: type, layout, overlap; outputs; weights. See arrays.h for the order of a call. */
#include "arrays.h"

#include <float.h>

#include "../runtime/memory.h"
#include "shapes.h"

/* Adds the argument's name to an error that NumPy raised. Other exceptions (KeyboardInterrupt, or raised by __array__)
 * pass unchanged. */
static void name_the_argument(const mlp_call *call, const char *name) {
    PyObject *kinds[] = {PyExc_TypeError, PyExc_ValueError, PyExc_MemoryError};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (PyErr_ExceptionMatches(kinds[i])) {
            PyObject *type, *value, *traceback;
            PyErr_Fetch(&type, &value, &traceback);
            PyErr_NormalizeException(&type, &value, &traceback);
            PyErr_Format(kinds[i], "%s: %s: %S", call->function->name, name, value);
            Py_XDECREF(type);
            Py_XDECREF(value);
            Py_XDECREF(traceback);
            return;
        }
    }
}

/* ---- phase 1: conversion to ndarrays, which may run any Python code --------------------------------------------- */

/* `axes`: how many the array has that was made of it. */
static int refuse_masked(const mlp_call *call, int p, int axes) {
    const int masked = mlp_holds_masked(call->given[p], axes);
    return masked > 0 ? mlp_argument_error(call, p, PyExc_ValueError, "has masked elements, expected none") : masked;
}

static PyArrayObject *take_array(const mlp_call *call, int p) {
    PyObject *given = call->given[p];
    if (PyArray_CheckExact(given)) {
        return (PyArrayObject *)Py_NewRef(given);
    }
    const bool is_array = PyArray_Check(given);
    if (is_array && refuse_masked(call, p, 0) < 0) {
        return NULL;
    }
    if (call->function->parameters[p].role != MLP_INPUT) {
        if (!is_array) {
            mlp_argument_error(call, p, PyExc_TypeError, "is of type %s, expected a NumPy array to write into",
                               Py_TYPE(given)->tp_name);
            return NULL;
        }
        return (PyArrayObject *)Py_NewRef(given);
    }
    PyArrayObject *array = (PyArrayObject *)PyArray_FromAny(given, NULL, 0, 0, NPY_ARRAY_ENSUREARRAY, NULL);
    if (!array) {
        name_the_argument(call, call->function->parameters[p].name);
    } else if (!is_array && PyArray_NDIM(array) == 0 && PyArray_TYPE(array) == NPY_OBJECT) {
        Py_CLEAR(array); /* NumPy cannot convert it and wraps it as an object: None, a sparse matrix, ... */
        mlp_argument_error(call, p, PyExc_TypeError, "is of type %s, expected an array of real numbers",
                           Py_TYPE(given)->tp_name);
    } else if (refuse_masked(call, p, PyArray_NDIM(array)) < 0) {
        Py_CLEAR(array);
    }
    return array;
}

/* ---- phase 2: decide -------------------------------------------------------------------------------------------- */

static bool is_real(int type) {
    return PyTypeNum_ISBOOL(type) || PyTypeNum_ISINTEGER(type) || type == NPY_HALF || type == NPY_FLOAT ||
           type == NPY_DOUBLE;
}

static int refuse_dtype(const mlp_call *call, int p, const char *expected) {
    return mlp_argument_error(call, p, PyExc_TypeError, "has dtype %S, expected %s", PyArray_DESCR(call->array[p]),
                              expected);
}

/* `cause` is the argument that decided the type; -1: the network did. */
static int refuse_other_dtype(const mlp_call *call, int p, const char *expected, int cause) {
    if (cause < 0) {
        return refuse_dtype(call, p, expected);
    }
    return mlp_argument_error(call, p, PyExc_TypeError, "has dtype %S, expected %s as %s has",
                              PyArray_DESCR(call->array[p]), expected, call->function->parameters[cause].name);
}

static int choose_dtype(mlp_call *call) {
    const mlp_parameter *parameters = call->function->parameters;
    int type = call->required_bits == 32 ? NPY_FLOAT : call->required_bits == 64 ? NPY_DOUBLE : NPY_NOTYPE;
    int cause = -1;
    for (int p = 0; parameters[p].name; p++) {
        PyArrayObject *array = call->array[p];
        if (array && parameters[p].role == MLP_COUNTER &&
            (!PyArray_EquivTypenums(PyArray_TYPE(array), NPY_INT64) || !PyArray_ISNOTSWAPPED(array))) {
            return refuse_dtype(call, p, "int64 in native byte order");
        }
        if (!array || (parameters[p].role != MLP_OUTPUT && parameters[p].role != MLP_RESULT)) {
            continue;
        }
        int own = PyArray_TYPE(array);
        if ((own != NPY_FLOAT && own != NPY_DOUBLE) || !PyArray_ISNOTSWAPPED(array)) {
            return refuse_dtype(call, p, "float32 or float64 in native byte order");
        }
        if (type != NPY_NOTYPE && own != type) {
            return refuse_other_dtype(call, p, type == NPY_FLOAT ? "float32" : "float64", cause);
        }
        if (type == NPY_NOTYPE) {
            type = own;
            cause = p;
        }
    }
    bool decided = type != NPY_NOTYPE;
    call->is_double = type == NPY_DOUBLE;
    for (int p = 0; parameters[p].name; p++) {
        PyArrayObject *array = call->array[p];
        if (!array || parameters[p].role != MLP_INPUT) {
            continue;
        }
        int own = PyArray_TYPE(array);
        if (!is_real(own)) {
            return refuse_dtype(call, p, "real numbers (float32, float64, or what casts to them)");
        }
        if (!decided && own != NPY_FLOAT && !PyArray_CanCastSafely(own, NPY_FLOAT)) {
            call->is_double = true;
        }
    }
    return 0;
}

/* Whether the kernel's layout asks for Fortran order of this argument. */
static bool wants_f_order(const mlp_call *call, int p) {
    switch (call->function->parameters[p].order) {
    case MLP_C_ORDER: return false;
    case MLP_F_ORDER: return true;
    case MLP_FIRST_ORDER: return !PyArray_IS_C_CONTIGUOUS(call->array[0]);
    }
    return false; /* not reached */
}

static bool fits_kernel(const mlp_call *call, int p) {
    PyArrayObject *array = call->array[p];
    int contiguous = wants_f_order(call, p) ? NPY_ARRAY_F_CONTIGUOUS : NPY_ARRAY_C_CONTIGUOUS;
    bool right_type = call->function->parameters[p].role == MLP_COUNTER
                          ? PyArray_EquivTypenums(PyArray_TYPE(array), NPY_INT64)
                          : PyArray_TYPE(array) == (call->is_double ? NPY_DOUBLE : NPY_FLOAT);
    return right_type && PyArray_ISNOTSWAPPED(array) && PyArray_CHKFLAGS(array, contiguous | NPY_ARRAY_ALIGNED);
}

static int check_output(const mlp_call *call, int p) {
    if (!PyArray_ISWRITEABLE(call->array[p])) {
        return mlp_argument_error(call, p, PyExc_ValueError, "is read-only");
    }
    if (!PyArray_ISALIGNED(call->array[p])) {
        return mlp_argument_error(call, p, PyExc_ValueError, "is not aligned in memory");
    }
    if (!fits_kernel(call, p)) {
        switch (call->function->parameters[p].order) {
        case MLP_C_ORDER: return mlp_argument_error(call, p, PyExc_ValueError, "is not contiguous (C order)");
        case MLP_F_ORDER: return mlp_argument_error(call, p, PyExc_ValueError, "is not contiguous (Fortran order)");
        case MLP_FIRST_ORDER:
            return mlp_argument_error(call, p, PyExc_ValueError, "is not contiguous in the memory order of %s",
                                      call->function->parameters[0].name);
        }
    }
    return 0;
}

/* The bytes that an array can touch: [low, high). false if that does not fit into an address. */
static bool byte_range(PyArrayObject *array, uintptr_t *low, uintptr_t *high) {
    const bool gaps = !PyArray_ISONESEGMENT(array);
    ptrdiff_t below = 0, above = gaps && PyArray_SIZE(array) > 0 ? PyArray_ITEMSIZE(array) : PyArray_NBYTES(array);
    for (int d = 0; gaps && above > 0 && d < PyArray_NDIM(array); d++) {
        ptrdiff_t stride = PyArray_STRIDE(array, d), steps = PyArray_DIM(array, d) - 1;
        if (stride < -PTRDIFF_MAX) {
            return false;
        }
        if (stride < 0) {
            below = mlp_size_sum(below, mlp_size_product(-stride, steps));
        } else {
            above = mlp_size_sum(above, mlp_size_product(stride, steps));
        }
    }
    uintptr_t start = (uintptr_t)PyArray_BYTES(array);
    if (below < 0 || above < 0 || (uintptr_t)below > start || (uintptr_t)above > UINTPTR_MAX - start) {
        return false;
    }
    *low = start - (uintptr_t)below;
    *high = start + (uintptr_t)above;
    return true;
}

/* An output may share memory with nothing else, except that it may be exactly an input that it replaces. */
static int check_overlap(const mlp_call *call, int p) {
    uintptr_t low, high, other_low, other_high;
    if (!byte_range(call->array[p], &low, &high)) {
        return mlp_argument_error(call, p, PyExc_ValueError, "has strides that are too large");
    }
    for (int q = 0; call->function->parameters[q].name; q++) {
        if (!call->array[q] || q == p) {
            continue;
        }
        if (!byte_range(call->array[q], &other_low, &other_high)) {
            return mlp_argument_error(call, q, PyExc_ValueError, "has strides that are too large");
        }
        bool same = call->function->parameters[p].in_place >> q & 1 && low == other_low && fits_kernel(call, q);
        if (low < other_high && other_low < high && !same) {
            return mlp_argument_error(call, p, PyExc_ValueError, "overlaps %s in memory",
                                      call->function->parameters[q].name);
        }
    }
    return 0;
}

static int check_outputs(const mlp_call *call) {
    for (int p = 0; call->function->parameters[p].name; p++) {
        if (call->array[p] && call->function->parameters[p].role >= MLP_OUTPUT &&
            (check_output(call, p) < 0 || check_overlap(call, p) < 0)) {
            return -1;
        }
    }
    return 0;
}

/* Replaces the inputs that do not fit by copies that do. 1 if there was one. */
static int copy_where_needed(mlp_call *call) {
    int copied = 0;
    for (int p = 0; call->function->parameters[p].name; p++) {
        if (!call->array[p] || fits_kernel(call, p)) {
            continue;
        }
        int layout = wants_f_order(call, p) ? NPY_ARRAY_F_CONTIGUOUS : NPY_ARRAY_C_CONTIGUOUS;
        PyArray_Descr *descr = PyArray_DescrFromType(call->is_double ? NPY_DOUBLE : NPY_FLOAT);
        PyObject *copy = PyArray_FromArray(call->array[p], descr,
                                           layout | NPY_ARRAY_ALIGNED | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_FORCECAST);
        if (!copy) {
            name_the_argument(call, call->function->parameters[p].name);
            return -1;
        }
        Py_SETREF(call->array[p], (PyArrayObject *)copy);
        copied = 1;
    }
    return copied;
}

int mlp_recheck(mlp_call *call) {
    if (mlp_bind_shapes(call) < 0 || check_outputs(call) < 0) {
        return -1;
    }
    for (int p = 0; call->function->parameters[p].name; p++) {
        if (call->array[p] && !fits_kernel(call, p)) {
            return mlp_argument_error(call, p, PyExc_ValueError, "was changed while the call was being prepared");
        }
    }
    return 0;
}

int mlp_acquire(mlp_call *call) {
    const mlp_parameter *parameters = call->function->parameters;
    for (int p = 0; parameters[p].name; p++) {
        bool absent = !call->given[p] || (call->given[p] == Py_None && parameters[p].optional);
        if (parameters[p].role != MLP_SCALAR && !absent && !(call->array[p] = take_array(call, p))) {
            return -1;
        }
    }
    if (choose_dtype(call) < 0 || mlp_bind_shapes(call) < 0 || check_outputs(call) < 0) {
        return -1;
    }
    int copied = copy_where_needed(call);
    if (copied < 0) {
        return -1;
    }
    /* A cast that overflows warns, and a warning can run Python code, which can reshape an array we hold. */
    if (copied && mlp_recheck(call) < 0) {
        return -1;
    }
    for (int p = 0; parameters[p].name; p++) {
        if ((parameters[p].role == MLP_RESULT || parameters[p].role == MLP_NEW) && !call->array[p]) {
            call->array[p] = mlp_new_array(call, parameters[p].name, parameters[p].axes, parameters[p].order);
            if (!call->array[p]) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- results ---------------------------------------------------------------------------------------------------- */

/* The array whose shape those without axes have. */
static PyArrayObject *first_array(const mlp_call *call) {
    int p = 0;
    while (!call->array[p]) {
        p++;
    }
    return call->array[p];
}

PyArrayObject *mlp_new_array(mlp_call *call, const char *name, const char *axes, mlp_order order) {
    npy_intp shape[2];
    int rank = 0;
    for (; axes && axes[rank]; rank++) {
        shape[rank] = call->size.of[mlp_axis(axes[rank])];
    }
    PyArrayObject *array = axes ? (PyArrayObject *)PyArray_EMPTY(rank, shape, call->is_double ? NPY_DOUBLE : NPY_FLOAT,
                                                                 order == MLP_F_ORDER)
                                : (PyArrayObject *)PyArray_NewLikeArray(first_array(call), NPY_CORDER, NULL, 0);
    if (!array) {
        name_the_argument(call, name); /* NumPy's: too big, or no memory */
    }
    return array;
}

void *mlp_scratch(mlp_call *call, int slot, const char *axes) {
    call->scratch[slot] = mlp_new_array(call, "scratch memory", axes, MLP_C_ORDER);
    return call->scratch[slot] ? PyArray_DATA(call->scratch[slot]) : NULL;
}

PyObject *mlp_result(const mlp_call *call, int p) {
    bool given = call->given[p] && call->given[p] != Py_None;
    return Py_NewRef(given ? call->given[p] : (PyObject *)call->array[p]);
}

void mlp_end(mlp_call *call) {
    for (int p = 0; call->function->parameters[p].name; p++) {
        Py_CLEAR(call->array[p]);
    }
    Py_CLEAR(call->scratch[0]);
    Py_CLEAR(call->scratch[1]);
}

static void free_block(PyObject *capsule) { mlp_free(PyCapsule_GetPointer(capsule, NULL)); }

PyObject *mlp_block_owner(void *block) {
    PyObject *capsule = PyCapsule_New(block, NULL, free_block);
    if (!capsule) {
        mlp_free(block);
    }
    return capsule;
}

PyObject *mlp_view(PyObject *base, bool is_double, int rank, const npy_intp *shape, const npy_intp *strides,
                   void *data) {
    PyArray_Descr *descr = PyArray_DescrFromType(is_double ? NPY_DOUBLE : NPY_FLOAT);
    PyObject *view = PyArray_NewFromDescr(&PyArray_Type, descr, rank, shape, strides, data, NPY_ARRAY_WRITEABLE, NULL);
    if (view && PyArray_SetBaseObject((PyArrayObject *)view, Py_NewRef(base)) < 0) {
        Py_CLEAR(view);
    }
    return view;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

int mlp_check_weights(const mlp_call *call, int p) {
    if (!call->array[p]) {
        return 0;
    }
    const void *data = PyArray_DATA(call->array[p]);
    double sum = 0;
    for (npy_intp s = 0; s < call->size.n; s++) {
        double weight = call->is_double ? ((const double *)data)[s] : (double)((const float *)data)[s];
        if (!(weight >= 0 && weight <= DBL_MAX)) {
            PyObject *value = PyFloat_FromDouble(weight);
            if (value) {
                mlp_argument_error(call, p, PyExc_ValueError, "holds %S at index %zd, expected finite numbers >= 0",
                                   value, s);
                Py_DECREF(value);
            }
            return -1;
        }
        sum += weight;
    }
    if (!(sum > 0 && sum <= DBL_MAX)) {
        return mlp_argument_error(call, p, PyExc_ValueError, "has the sum %s, expected a finite sum > 0",
                                  sum > 0 ? "inf" : "0");
    }
    return 0;
}
