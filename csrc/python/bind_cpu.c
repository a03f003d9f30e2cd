/* bind_cpu.c: which kernels there are and which are in use, for mlpcore.cpu. */
#include "arrays.h"

#include "../isa/isa.h"

static int append_text(PyObject *list, const char *text) {
    PyObject *string = PyUnicode_FromString(text);
    int status = string ? PyList_Append(list, string) : -1;
    Py_XDECREF(string);
    return status;
}

PyDoc_STRVAR(isa_names_doc, "isa_names($module)\n--\n\n"
                            "The names of the kernels that this machine can run, the fastest first.\n");

static PyObject *isa_names(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    PyObject *names = PyList_New(0);
    for (const mlp_isa *isa = mlp_isas; names && isa->name; isa++) {
        if (isa->available() && append_text(names, isa->name) < 0) {
            Py_CLEAR(names);
        }
    }
    return names;
}

PyDoc_STRVAR(current_isa_doc, "current_isa($module)\n--\n\nThe name of the kernels in use.\n");

static PyObject *current_isa(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    return PyUnicode_FromString(mlp_isa_current()->name);
}

PyDoc_STRVAR(use_isa_doc, "use_isa($module, name)\n--\n\n"
                          "Use other kernels, in the whole process. False if there are none of this name here.\n");

static PyObject *use_isa(PyObject *Py_UNUSED(module), PyObject *name) {
    const char *text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : NULL;
    if (!text) {
        return PyErr_Occurred() ? NULL : PyErr_Format(PyExc_TypeError, "use_isa: name is %R, expected a str", name);
    }
    return PyBool_FromLong(mlp_isa_use(text));
}

PyDoc_STRVAR(cpu_features_doc, "cpu_features($module)\n--\n\n"
                               "The features of this processor that kernels use.\n");

static PyObject *cpu_features(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    PyObject *features = PyList_New(0);
    bool present;
    const char *text;
    for (int i = 0; features && (text = mlp_cpu_feature(i, &present)); i++) {
        if (present && append_text(features, text) < 0) {
            Py_CLEAR(features);
        }
    }
    return features;
}

PyMethodDef mlp_cpu_methods[] = {
    {"isa_names", isa_names, METH_NOARGS, isa_names_doc},
    {"current_isa", current_isa, METH_NOARGS, current_isa_doc},
    {"use_isa", use_isa, METH_O, use_isa_doc},
    {"cpu_features", cpu_features, METH_NOARGS, cpu_features_doc},
    {NULL, NULL, 0, NULL},
};
