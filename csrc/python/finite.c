/* finite.c: whether all numbers of an array are finite, in one reading and without memory for the answers. */
#include "arrays.h"

#include <string.h>

/* The exponent of what is no finite number has all its bits set. The loops have no exit, so that compilers vectorise them. */
static bool all_finite_f32(npy_intp n, const char *numbers) {
    const uint32_t exponent = 0x7F800000u;
    uint32_t found = 0;
    for (npy_intp i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, numbers + i * (npy_intp)sizeof bits, sizeof bits);
        found |= (uint32_t)((bits & exponent) == exponent);
    }
    return !found;
}

static bool all_finite_f64(npy_intp n, const char *numbers) {
    const uint32_t exponent = 0x7FF00000u; /* in the upper half of the 64 bits */
    uint32_t found = 0;
    for (npy_intp i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, numbers + i * (npy_intp)sizeof bits, sizeof bits);
        found |= (uint32_t)(((uint32_t)(bits >> 32) & exponent) == exponent);
    }
    return !found;
}

PyObject *mlp_all_finite_method(PyObject *Py_UNUSED(module), PyObject *value) {
    enum { AT_ONCE = 1 << 16 }; /* numbers that are looked at without letting other threads run */
    PyArrayObject *array = (PyArrayObject *)value;
    if (!PyArray_Check(value) || !PyArray_IS_C_CONTIGUOUS(array) || PyArray_ISBYTESWAPPED(array) ||
        (PyArray_TYPE(array) != NPY_FLOAT && PyArray_TYPE(array) != NPY_DOUBLE)) {
        PyErr_SetString(PyExc_TypeError, "all_finite() expects a contiguous array of float32 or float64");
        return NULL;
    }
    const npy_intp n = PyArray_SIZE(array);
    const bool is_float = PyArray_TYPE(array) == NPY_FLOAT;
    const char *numbers = PyArray_DATA(array);
    PyThreadState *state = n > AT_ONCE ? PyEval_SaveThread() : NULL;
    const bool finite = is_float ? all_finite_f32(n, numbers) : all_finite_f64(n, numbers);
    if (state) {
        PyEval_RestoreThread(state);
    }
    return PyBool_FromLong(finite);
}
