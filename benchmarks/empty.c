/* empty.c: a module whose only function takes arguments as mlpcore's do and does nothing: what any call costs. */
#include <Python.h>

static PyObject *nothing(PyObject *module, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    (void)module, (void)args, (void)count, (void)names;
    Py_RETURN_NONE;
}

static PyMethodDef METHODS[] = {
    {"nothing", (PyCFunction)(void (*)(void))nothing, METH_FASTCALL | METH_KEYWORDS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {PyModuleDef_HEAD_INIT, .m_name = "empty", .m_methods = METHODS};

PyMODINIT_FUNC PyInit_empty(void);
PyMODINIT_FUNC PyInit_empty(void) { return PyModuleDef_Init(&MODULE); }
