/* module.c: the module mlpcore._core: what it is made of, and how it is loaded. */
#define MLP_HOLDS_NUMPY_API
#include "net_object.h"

#include "../runtime/rng.h"
#include "../runtime/threads.h"

#include <stdlib.h>
#include <string.h>

static PyObject *philox(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_function function = {
        .name = "philox",
        .positional = 6,
        .parameters =
            {{.name = "key0"}, {.name = "key1"}, {.name = "c0"}, {.name = "c1"}, {.name = "c2"}, {.name = "c3"}},
    };
    mlp_call call;
    uint32_t words[6], block[4];
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0) {
        return NULL;
    }
    for (int p = 0; p < 6; p++) {
        long long word;
        if (mlp_get_integer(&call, p, 0, UINT32_MAX, &word) < 0) {
            return NULL;
        }
        words[p] = (uint32_t)word;
    }
    mlp_philox(block, words + 2, words);
    return Py_BuildValue("IIII", (unsigned)block[0], (unsigned)block[1], (unsigned)block[2], (unsigned)block[3]);
}

/* Gives a function of this module its docstring, which is written in Python: see mlpcore/documenting.py. The text is kept for
 * as long as the process runs. */
static PyObject *document(PyObject *Py_UNUSED(module), PyObject *args) {
    PyObject *function;
    const char *text;
    if (!PyArg_ParseTuple(args, "O!s:document", &PyCFunction_Type, &function, &text)) {
        return NULL;
    }
    char *kept = strdup(text);
    if (!kept) {
        return PyErr_NoMemory();
    }
    ((PyCFunctionObject *)function)->m_ml->ml_doc = kept;
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    MLP_METHOD("philox", philox, NULL),
    MLP_METHOD("watch_epoch", mlp_watch_epoch_method, NULL),
    {"document", document, METH_VARARGS, NULL},
    {"all_finite", mlp_all_finite_method, METH_O, NULL},
    {"holds_masked", mlp_holds_masked_method, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

#ifdef __clang__
static const char compiler[] = __VERSION__; /* says "clang" itself */
#elif defined __GNUC__
static const char compiler[] = "gcc " __VERSION__;
#else
static const char compiler[] = "unknown";
#endif

/* With NumPy 1 the import of its C functions fails with an unhelpful message, so its version is checked first. */
static int check_numpy_version(void) {
    PyObject *numpy = PyImport_ImportModule("numpy");
    PyObject *version = numpy ? PyObject_GetAttrString(numpy, "__version__") : NULL;
    const char *text = version ? PyUnicode_AsUTF8(version) : NULL;
    int status = text ? 0 : -1;
    if (text && strtol(text, NULL, 10) < 2) {
        PyErr_Format(PyExc_ImportError, "mlpcore needs NumPy 2.0 or newer, but NumPy %s is installed", text);
        status = -1;
    }
    Py_XDECREF(version);
    Py_XDECREF(numpy);
    return status;
}

static int module_exec(PyObject *module) {
    if (check_numpy_version() < 0 || PyArray_ImportNumPyAPI() < 0) {
        return -1;
    }
    PyMethodDef *tables[] = {mlp_dense_methods,    mlp_activation_methods, mlp_loss_methods,    mlp_optimizer_methods,
                             mlp_memory_methods,   mlp_cpu_methods,        mlp_threads_methods, mlp_catalogue_methods,
                             mlp_schedule_methods, mlp_shuffles_methods,   module_methods};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (PyModule_AddFunctions(module, tables[i]) < 0) {
            return -1;
        }
    }
    if (mlp_prepare_nets(module) < 0) {
        return -1;
    }
    if (PyModule_AddIntConstant(module, "MAX_THREADS", MLP_MAX_THREADS) < 0) {
        return -1;
    }
    if (PyModule_AddStringConstant(module, "COMPILER", compiler) < 0) {
        return -1;
    }
    PyObject *net_type = PyType_FromModuleAndSpec(module, &mlp_net_spec, NULL);
    int status = net_type ? PyModule_AddType(module, (PyTypeObject *)net_type) : -1;
    Py_XDECREF(net_type);
    return status;
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

PyDoc_STRVAR(module_doc, "The C part of mlpcore: the kernels (see mlpcore.kernels) and the network they make up.");

static PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "mlpcore._core",
    .m_doc = module_doc,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&module_definition); }
