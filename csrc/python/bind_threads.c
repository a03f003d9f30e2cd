/* bind_threads.c: how many threads compute, for mlpcore.threads. */
#include "arrays.h"

#include "../runtime/memory.h"
#include "../runtime/threads.h"

#include <fenv.h>
#include <float.h>
#include <limits.h>

PyDoc_STRVAR(get_num_threads_doc, "get_num_threads($module)\n--\n\n"
                                  "Return how many threads mlpcore computes on, the caller's included.\n\n"
                                  "Returns\n-------\nint\n");

static PyObject *get_num_threads(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(unused)) {
    return PyLong_FromLong(mlp_get_num_threads());
}

PyDoc_STRVAR(
    set_num_threads_doc,
    "set_num_threads($module, threads)\n--\n\n"
    "Compute on so many threads, the caller's included, in the whole process.\n\n"
    "The number changes the speed and nothing else: results are the same bit for bit. Threads start when they\n"
    "are first needed; where the system refuses to start one, fewer compute.\n\n"
    "Parameters\n----------\n"
    "threads : int\n"
    "    From 1 to 1024.\n\n"
    "Raises\n------\n"
    "TypeError, ValueError\n"
    "    It is not an integer from 1 to 1024.\n\n"
    "Examples\n--------\n"
    ">>> before = get_num_threads()\n"
    ">>> set_num_threads(1)\n"
    ">>> get_num_threads()\n"
    "1\n"
    ">>> set_num_threads(before)\n");

static PyObject *set_num_threads(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                                 PyObject *kwnames) {
    static const mlp_function function = {
        .name = "set_num_threads", .positional = 1, .parameters = {{.name = "threads"}}};
    mlp_call call;
    long long threads;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_integer(&call, 0, 1, MLP_MAX_THREADS, &threads) < 0) {
        return NULL;
    }
    mlp_set_num_threads((int)threads);
    Py_RETURN_NONE;
}

/* What one chunk of run_chunks saw. */
typedef struct {
    uintptr_t thread;
    bool default_environment;
} sight;

typedef struct {
    sight *seen;
    long long turns;
} run;

static void look_around(void *context, ptrdiff_t chunk) {
    static _Thread_local char mine; /* its address differs between threads */
    const run *r = context;
    volatile double x = DBL_MIN;
    for (long long turn = 0; turn < r->turns; turn++) {
        x = x * 1.0;
    }
    x = x / 2; /* 0 where denormal numbers are flushed */
    r->seen[chunk] = (sight){(uintptr_t)&mine, fegetround() == FE_TONEAREST && x > 0};
}

PyDoc_STRVAR(
    run_chunks_doc,
    "run_chunks($module, chunks, turns)\n--\n\n"
    "Run chunks of idle turns on the threads, and tell for each chunk a number of the thread that ran it, and\n"
    "whether that thread rounds to nearest and keeps denormal numbers.\n");

static PyObject *run_chunks(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_function function = {
        .name = "run_chunks", .positional = 2, .parameters = {{.name = "chunks"}, {.name = "turns"}}};
    mlp_call call;
    long long chunks;
    run r;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_get_integer(&call, 0, 0, INT_MAX, &chunks) < 0 ||
        mlp_get_integer(&call, 1, 0, INT_MAX, &r.turns) < 0) {
        return NULL;
    }
    r.seen = mlp_alloc((ptrdiff_t)chunks, sizeof *r.seen);
    if (!r.seen) {
        return PyErr_NoMemory();
    }
    Py_BEGIN_ALLOW_THREADS;
    mlp_parallel((ptrdiff_t)chunks, look_around, &r);
    Py_END_ALLOW_THREADS;
    PyObject *list = PyList_New((Py_ssize_t)chunks);
    for (Py_ssize_t i = 0; list && i < chunks; i++) {
        PyObject *item = Py_BuildValue("(KO)", (unsigned long long)r.seen[i].thread,
                                       r.seen[i].default_environment ? Py_True : Py_False);
        if (item) {
            PyList_SET_ITEM(list, i, item);
        } else {
            Py_CLEAR(list);
        }
    }
    mlp_free(r.seen);
    return list;
}

PyMethodDef mlp_threads_methods[] = {
    {"get_num_threads", get_num_threads, METH_NOARGS, get_num_threads_doc},
    MLP_METHOD("set_num_threads", set_num_threads, set_num_threads_doc),
    MLP_METHOD("run_chunks", run_chunks, run_chunks_doc),
    {NULL, NULL, 0, NULL},
};
