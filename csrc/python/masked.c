/* masked.c: finds masked elements (numpy.ma), whose values would silently be used, in arrays and in lists of arrays. */
#include "arrays.h"

/* What numpy.ma.is_masked says. The module itself is not asked: to look for one that another thread is importing is to wait
 * for that thread, which in a forked child is for ever. */
static int is_masked(PyObject *array) {
    PyObject *mask = PyObject_GetAttrString(array, "_mask");
    if (!mask) {
        if (!PyErr_ExceptionMatches(PyExc_AttributeError)) {
            return -1;
        }
        PyErr_Clear();
        return 0;
    }
    PyObject *answer = PyObject_CallMethod(mask, "any", NULL);
    const int masked = answer ? PyObject_IsTrue(answer) : -1;
    Py_XDECREF(answer);
    Py_DECREF(mask);
    return masked;
}

int mlp_holds_masked(PyObject *value, int axes) {
    if (PyArray_CheckExact(value)) {
        return 0;
    }
    if (PyArray_Check(value)) {
        return is_masked(value);
    }
    if (axes == 0 || (!PyList_Check(value) && !PyTuple_Check(value))) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(value); i++) { /* is_masked may run code that changes a list */
        PyObject *element = PySequence_Fast_GET_ITEM(value, i);
        if (PyFloat_CheckExact(element) || PyLong_CheckExact(element)) {
            continue; /* as most are */
        }
        Py_INCREF(element);
        const int masked = mlp_holds_masked(element, axes - 1);
        Py_DECREF(element);
        if (masked) {
            return masked;
        }
    }
    return 0;
}

PyObject *mlp_holds_masked_method(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *value;
    int axes;
    if (!PyArg_ParseTuple(args, "Oi:holds_masked", &value, &axes)) {
        return NULL;
    }
    const int masked = mlp_holds_masked(value, axes);
    return masked < 0 ? NULL : PyBool_FromLong(masked);
}
