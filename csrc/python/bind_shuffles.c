/* bind_shuffles.c: the orders that an epoch's shuffle draws, for rows and blocks that Python takes in turn. */
#include "arrays.h"

#include "../runtime/rng.h"

PyDoc_STRVAR(
    shuffled_doc,
    "shuffled($module, seed, epoch, n, block=0)\n--\n\n"
    "The numbers 0 ... n - 1 in the order of an epoch: those of rows, which lie in `block`, or of the blocks.\n\n"
    "Parameters\n----------\n"
    "seed : int\n"
    "epoch : int\n"
    "    From 0 to 2^32 - 1.\n"
    "n : int\n"
    "block : int\n"
    "    0 where all rows are one; 2^32 - 1 for the order of the blocks.\n\n"
    "Returns\n-------\nndarray of intp, shape (n,)\n");

static PyObject *shuffled(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { SEED, EPOCH, N, BLOCK };
    static const mlp_function function = {.name = "shuffled",
                                          .positional = 4,
                                          .parameters = {[SEED] = {.name = "seed"},
                                                         [EPOCH] = {.name = "epoch"},
                                                         [N] = {.name = "n"},
                                                         [BLOCK] = {.name = "block", .optional = true}}};
    mlp_call call;
    long long epoch, n, block = 0;
    mlp_stream stream = {.purpose = MLP_DRAW_SHUFFLE};
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_get_seed(&call, SEED, &stream.seed) < 0 ||
        mlp_get_integer(&call, EPOCH, 0, UINT32_MAX, &epoch) < 0 || mlp_get_integer(&call, N, 0, PTRDIFF_MAX, &n) < 0 ||
        mlp_get_integer(&call, BLOCK, 0, UINT32_MAX, &block) < 0) {
        return NULL;
    }
    stream.which = (uint32_t)epoch;
    PyObject *order = PyArray_SimpleNew(1, (npy_intp[]){(npy_intp)n}, NPY_INTP);
    if (order) {
        Py_BEGIN_ALLOW_THREADS;
        mlp_draw_permutation(stream, mlp_draws_of_block((uint32_t)block), (ptrdiff_t)n,
                             PyArray_DATA((PyArrayObject *)order), NULL, 0);
        Py_END_ALLOW_THREADS;
    }
    return order;
}

PyMethodDef mlp_shuffles_methods[] = {
    MLP_METHOD("shuffled", shuffled, shuffled_doc),
    {NULL, NULL, 0, NULL},
};
