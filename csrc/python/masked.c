/* masked.c: finds masked elements (numpy.ma), whose values would silently be used, in arrays and in lists of arrays. */
#include "arrays.h"

static int any_masked(PyObject *ma, PyObject *value, int axes) {
    if (PyArray_CheckExact(value)) {
        return 0;
    }
    if (PyArray_Check(value)) {
        PyObject *answer = PyObject_CallMethod(ma, "is_masked", "O", value);
        const int masked = answer ? PyObject_IsTrue(answer) : -1;
        Py_XDECREF(answer);
        return masked;
    }
    if (axes == 0 || (!PyList_Check(value) && !PyTuple_Check(value))) {
        return 0;
    }
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(value); i++) { /* is_masked may run code that changes a list */
        PyObject *element = Py_NewRef(PySequence_Fast_GET_ITEM(value, i));
        const int masked = any_masked(ma, element, axes - 1);
        Py_DECREF(element);
        if (masked) {
            return masked;
        }
    }
    return 0;
}

int mlp_holds_masked(PyObject *value, int axes) {
    if (PyArray_CheckExact(value)) {
        return 0;
    }
    PyObject *name = PyUnicode_FromString("numpy.ma");
    PyObject *ma = name ? PyImport_GetModule(name) : NULL; /* where it was never imported, there is no masked array */
    Py_XDECREF(name);
    if (!ma) {
        return PyErr_Occurred() ? -1 : 0;
    }
    const int masked = any_masked(ma, value, axes);
    Py_DECREF(ma);
    return masked;
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
