/* net_object.c: life of a Net, who may call when, and the memory of its batches. See net_object.h. */
#include "net_object.h"

#include "../net/memory.h"

/* ---- one at a time ---------------------------------------------------------------------------------------------- */

int mlp_begin_change(Net *self) {
    int nobody = 0;
    if (atomic_compare_exchange_strong(&self->users, &nobody, -1)) {
        return 0;
    }
    PyErr_SetString(PyExc_RuntimeError, "the network is busy with another call: one that changes it must be alone");
    return -1;
}

void mlp_end_change(Net *self) { atomic_store(&self->users, 0); }

int mlp_begin_reading(Net *self) {
    int users = atomic_load(&self->users);
    do {
        if (users < 0) {
            PyErr_SetString(PyExc_RuntimeError, "the network is busy with another call, which changes it");
            return -1;
        }
    } while (!atomic_compare_exchange_weak(&self->users, &users, users + 1));
    return 0;
}

void mlp_end_reading(Net *self) { atomic_fetch_sub(&self->users, 1); }

/* ---- memory of a batch ------------------------------------------------------------------------------------------ */

int mlp_prepare_workspace(Net *self, ptrdiff_t capacity) {
    ptrdiff_t elements = mlp_workspace_elements(self->net, capacity);
    if (!self->block_owner || elements < 0 || elements > self->block_elements) {
        void *block = mlp_alloc(elements, element_size(self));
        if (!block) {
            PyErr_Format(PyExc_MemoryError, "no memory for x, z, a and phi of a batch of %zd samples", capacity);
            return -1;
        }
        PyObject *owner = mlp_block_owner(block);
        if (!owner) {
            return -1;
        }
        Py_XSETREF(self->block_owner, owner);
        self->block_elements = elements;
        self->work.block = block;
    }
    self->work.capacity = capacity;
    self->rows = -1;
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

static void free_net(PyObject *capsule) { mlp_net_free(PyCapsule_GetPointer(capsule, NULL)); }

enum { SIZES, ACTIVATIONS, DTYPE };

static const mlp_function new_function = {
    .name = "Net",
    .parameters = {[SIZES] = {.name = "sizes"}, [ACTIVATIONS] = {.name = "activations"}, [DTYPE] = {.name = "dtype"}}};

static int read_sizes(PyObject *tuple, ptrdiff_t *sizes) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); i++) {
        sizes[i] = PyNumber_AsSsize_t(PyTuple_GET_ITEM(tuple, i), NULL); /* one that is too large is cut off */
        if (sizes[i] == -1 && PyErr_Occurred()) {
            return -1;
        }
        if (sizes[i] < 1) {
            PyErr_Format(PyExc_ValueError, "Net: sizes[%zd] is %zd, expected at least 1", i, sizes[i]);
            return -1;
        }
    }
    return 0;
}

static int read_activations(PyObject *tuple, mlp_activation *sigmas) {
    for (Py_ssize_t j = 0; j < PyTuple_GET_SIZE(tuple); j++) {
        mlp_call call = {.function = &new_function, .given = {[ACTIVATIONS] = PyTuple_GET_ITEM(tuple, j)}};
        int sigma;
        if (mlp_get_choice(&call, ACTIVATIONS, mlp_activation_names, &sigma) < 0) {
            return -1;
        }
        sigmas[j] = (mlp_activation)sigma;
    }
    return 0;
}

static PyObject *net_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    char *names[] = {"sizes", "activations", "dtype", NULL};
    mlp_call call = {.function = &new_function};
    PyObject **given = call.given;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO:Net", names, &given[SIZES], &given[ACTIVATIONS],
                                     &given[DTYPE])) {
        return NULL;
    }
    Net *self = NULL;
    ptrdiff_t *sizes = NULL;
    mlp_activation *sigmas = NULL;
    mlp_net *net = NULL;
    int bits;
    PyObject *activations = NULL, *size_tuple = PySequence_Tuple(given[SIZES]);
    if (!size_tuple || !(activations = PySequence_Tuple(given[ACTIVATIONS])) ||
        mlp_get_dtype(&call, DTYPE, &bits) < 0) {
        goto done;
    }
    Py_ssize_t depth = PyTuple_GET_SIZE(activations);
    if (depth < 1 || PyTuple_GET_SIZE(size_tuple) != depth + 1) {
        PyErr_Format(PyExc_ValueError,
                     "Net: %zd sizes for %zd activations, expected at least one layer and one size more",
                     PyTuple_GET_SIZE(size_tuple), depth);
        goto done;
    }
    sizes = mlp_alloc(depth + 1, sizeof *sizes);
    sigmas = mlp_alloc(depth, sizeof *sigmas);
    if (!sizes || !sigmas) {
        PyErr_NoMemory();
        goto done;
    }
    if (read_sizes(size_tuple, sizes) < 0 || read_activations(activations, sigmas) < 0) {
        goto done;
    }
    net = mlp_net_new(bits, depth, sizes, sigmas);
    if (!net) {
        PyErr_Format(PyExc_MemoryError, "Net: no memory for the parameters of layers of sizes %R", size_tuple);
        goto done;
    }
    PyObject *owner = PyCapsule_New(net, NULL, free_net);
    if (!owner) {
        mlp_net_free(net);
        goto done;
    }
    self = (Net *)type->tp_alloc(type, 0);
    if (!self) {
        Py_DECREF(owner);
        goto done;
    }
    self->net = net;
    self->net_owner = owner;
    self->rows = -1;
    atomic_init(&self->users, 0);
done:
    mlp_free(sizes);
    mlp_free(sigmas);
    Py_XDECREF(size_tuple);
    Py_XDECREF(activations);
    return (PyObject *)self;
}

static int net_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self)); /* the capsules refer to no object */
    return 0;
}

static void net_dealloc(PyObject *object) {
    Net *self = (Net *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->net_owner);
    Py_XDECREF(self->block_owner);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(
    net_doc,
    "Net(sizes, activations, dtype)\n--\n\n"
    "J dense layers: sizes (J+1 widths, the input's first), activations (J names), dtype 'float32' or 'float64'.\n"
    "\n"
    "All parameters are 0 until `initialize`. What mlpcore.Sequential is made of.\n");

static PyType_Slot net_slots[] = {
    {Py_tp_doc, (void *)net_doc},
    {Py_tp_new, (void *)net_new},
    {Py_tp_dealloc, (void *)net_dealloc},
    {Py_tp_traverse, (void *)net_traverse},
    {Py_tp_methods, mlp_net_methods},
    {Py_tp_getset, mlp_net_getset},
    {0, NULL},
};

PyType_Spec mlp_net_spec = {
    .name = "mlpcore._core.Net",
    .basicsize = sizeof(Net),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = net_slots,
};
