/* bind_memory.c: memory of the engine for Python, such as an optimizer's state. */
#include "arrays.h"

#include "../runtime/memory.h"

PyDoc_STRVAR(
    aligned_zeros_doc,
    "aligned_zeros($module, count, dtype)\n--\n\n"
    "An array of `count` zeros of 'float32' or 'float64', on a block that begins at a multiple of 64 bytes.\n");

static PyObject *aligned_zeros(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames) {
    enum { COUNT, DTYPE };
    static const mlp_function function = {.name = "aligned_zeros",
                                          .positional = 2,
                                          .parameters = {[COUNT] = {.name = "count"}, [DTYPE] = {.name = "dtype"}}};
    mlp_call call;
    long long count;
    int bits;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_integer(&call, COUNT, 0, PTRDIFF_MAX, &count) < 0 || mlp_get_dtype(&call, DTYPE, &bits) < 0) {
        return NULL;
    }
    void *block = mlp_alloc((ptrdiff_t)count, (size_t)bits / 8);
    if (!block) {
        mlp_argument_error(&call, COUNT, PyExc_MemoryError, "is %lld: no memory for as many", count);
        return NULL;
    }
    PyObject *owner = mlp_block_owner(block);
    if (!owner) {
        return NULL;
    }
    PyObject *result = mlp_view(owner, bits == 64, 1, (npy_intp[]){(npy_intp)count}, NULL, block);
    Py_DECREF(owner);
    return result;
}

PyDoc_STRVAR(allocation_count_doc,
             "allocation_count($module)\n--\n\n"
             "How many blocks of memory the engine has allocated so far, in all threads. Private; for tests.\n");

static PyObject *allocation_count(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(none)) {
    return PyLong_FromUnsignedLongLong(mlp_allocation_count());
}

PyMethodDef mlp_memory_methods[] = {
    {"allocation_count", allocation_count, METH_NOARGS, allocation_count_doc},
    MLP_METHOD("aligned_zeros", aligned_zeros, aligned_zeros_doc),
    {NULL, NULL, 0, NULL},
};
