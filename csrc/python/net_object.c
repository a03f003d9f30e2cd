/* net_object.c: life of a Net, guards of concurrent calls, memory of batches. See net_object.h. */
#include "net_object.h"

#ifndef _WIN32
#include <pthread.h>
#endif

#include "../runtime/memory.h"

/* ---- one at a time ---------------------------------------------------------------------------------------------- */

PyObject *mlp_busy_error;

static atomic_int generation;

#ifndef _WIN32
static void count_fork(void) { atomic_fetch_add(&generation, 1); }
#endif

int mlp_prepare_nets(PyObject *module) {
#ifndef _WIN32
    static atomic_bool watched;
    if (!atomic_exchange(&watched, true) && pthread_atfork(NULL, NULL, count_fork) != 0) {
        PyErr_NoMemory();
        return -1;
    }
#endif
    if (!mlp_busy_error) {
        mlp_busy_error = PyErr_NewException("mlpcore._core.BusyError", PyExc_RuntimeError, NULL);
    }
    return mlp_busy_error ? PyModule_AddObjectRef(module, "BusyError", mlp_busy_error) : -1;
}

/* In a child, forgets the calls of its parent. */
static void forget_other_process(Net *self) {
    const int now = atomic_load_explicit(&generation, memory_order_relaxed);
    if (self->generation != now) {
        self->generation = now;
        atomic_store(&self->users, 0);
    }
}

int mlp_begin_change(Net *self) {
    int nobody = 0;
    forget_other_process(self);
    if (atomic_compare_exchange_strong(&self->users, &nobody, -1)) {
        return 0;
    }
    PyErr_SetString(mlp_busy_error, "the network is busy with another call: one that changes it must be alone");
    return -1;
}

void mlp_end_change(Net *self) { atomic_store(&self->users, 0); }

int mlp_begin_reading(Net *self) {
    forget_other_process(self);
    int users = atomic_load(&self->users);
    do {
        if (users < 0) {
            PyErr_SetString(mlp_busy_error, "the network is busy with another call, which changes it");
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

/* Whether the network's type counts to the categories of an embedding. */
static int check_categories(const mlp_call *call, int p, const mlp_step_spec *spec, bool is_double) {
    const ptrdiff_t most = is_double ? PTRDIFF_MAX >> 10 : (ptrdiff_t)1 << 24;
    for (ptrdiff_t i = 0; spec->kind == MLP_EMBEDDING && i < spec->segments; i++) {
        if (spec->shapes[i][0] > most) {
            return mlp_argument_error(call, p, PyExc_ValueError,
                                      "has an embedding of %zd categories for column %zd, expected at most %zd, up to "
                                      "which float%d counts%s",
                                      spec->shapes[i][0], spec->columns[i], most, is_double ? 64 : 32,
                                      is_double ? "" : ": give dtype='float64'");
        }
    }
    return 0;
}

/* Whether the network's type holds the constants of its activations, and the categories of an embedding. */
static int check_constants(const mlp_call *call, int p, const mlp_specs *specs, bool is_double) {
    for (ptrdiff_t i = 0; i < specs->count; i++) {
        const mlp_step_spec *spec = &specs->step[i];
        if (spec->kind == MLP_ACTIVATION &&
            mlp_check_constants(call, p, &mlp_activations[spec->sigma], spec->constants, is_double) < 0) {
            return -1;
        }
        if (check_categories(call, p, spec, is_double) < 0) {
            return -1;
        }
    }
    return 0;
}

static PyObject *net_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    enum { INPUT_SIZE, STEPS, DTYPE };
    static const mlp_function function = {.name = "Net",
                                          .parameters = {[INPUT_SIZE] = {.name = "input_size"},
                                                         [STEPS] = {.name = "steps"},
                                                         [DTYPE] = {.name = "dtype"}}};
    char *names[] = {"input_size", "steps", "dtype", NULL};
    mlp_call call = {.function = &function};
    PyObject **given = call.given;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO:Net", names, &given[INPUT_SIZE], &given[STEPS],
                                     &given[DTYPE])) {
        return NULL;
    }
    Net *self = NULL;
    long long input_size;
    int bits;
    mlp_specs specs = {0};
    if (mlp_get_integer(&call, INPUT_SIZE, 1, PTRDIFF_MAX, &input_size) < 0 || mlp_get_dtype(&call, DTYPE, &bits) < 0 ||
        mlp_parse_specs(given[STEPS], (ptrdiff_t)input_size, &specs) < 0 ||
        check_constants(&call, STEPS, &specs, bits == 64) < 0) {
        goto done;
    }
    mlp_net *net = mlp_net_new(bits, (ptrdiff_t)input_size, specs.count, specs.step);
    if (!net) {
        PyErr_SetString(PyExc_MemoryError, "Net: no memory for the parameters of so many and such large layers");
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
    self->custom = specs.custom;
    self->custom_layers = specs.custom_layers;
    specs.custom = NULL;
    specs.custom_layers = NULL;
    self->rows = -1;
    atomic_init(&self->users, 0);
    self->generation = atomic_load(&generation);
done:
    mlp_free_specs(&specs);
    return (PyObject *)self;
}

static int net_traverse(PyObject *object, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(object)); /* the capsules refer to no object */
    Py_VISIT(((Net *)object)->custom_layers);
    return 0;
}

/* Breaks a circle through a layer written in Python; from then on the engine must not call it. */
static int net_clear(PyObject *object) {
    Net *self = (Net *)object;
    for (ptrdiff_t i = 0; self->custom_layers && i < self->net->steps; i++) {
        self->custom[i].object = Py_None;
    }
    Py_CLEAR(self->custom_layers);
    return 0;
}

static void net_dealloc(PyObject *object) {
    Net *self = (Net *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    Py_XDECREF(self->custom_layers);
    mlp_free(self->custom);
    Py_XDECREF(self->net_owner);
    Py_XDECREF(self->block_owner);
    type->tp_free(object);
    Py_DECREF(type);
}

PyDoc_STRVAR(net_doc,
             "Net(input_size, steps, dtype)\n--\n\n"
             "A network of steps, each a tuple like mlpcore.engine.Step. What mlpcore.Sequential is made of.\n");

static PyType_Slot net_slots[] = {
    {Py_tp_doc, (void *)net_doc},         {Py_tp_new, (void *)net_new},
    {Py_tp_dealloc, (void *)net_dealloc}, {Py_tp_traverse, (void *)net_traverse},
    {Py_tp_clear, (void *)net_clear},     {Py_tp_methods, mlp_net_methods},
    {Py_tp_getset, mlp_net_getset},       {0, NULL},
};

PyType_Spec mlp_net_spec = {
    .name = "mlpcore._core.Net",
    .basicsize = sizeof(Net),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = net_slots,
};
