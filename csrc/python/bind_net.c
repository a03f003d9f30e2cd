/* bind_net.c: mlpcore._core.Net, a network (net/net.h) as a Python object.
 *
 * Memory. Two capsules own what the views show: one the mlp_net with its flat parameters and gradients, one the block of
 * the last batch. A larger batch gets a new block; the old one lives as long as an array shows it.
 *
 * One at a time. `users` counts the calls that are inside: -1 for one that changes the network, else how many read it.
 * Who comes at the wrong moment, from another thread or from Python code that an argument or `progress` runs, gets a
 * RuntimeError. So nothing that a call has looked at can change under it.
 */
#include "arrays.h"

#include "../net/memory.h"
#include "../net/net.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

typedef struct {
    PyObject_HEAD mlp_net *net;
    PyObject *net_owner;
    PyObject *block_owner; /* NULL before the first batch */
    ptrdiff_t block_elements;
    mlp_workspace work;
    ptrdiff_t rows; /* of the last batch; -1: there was none */
    bool has_grads; /* there was a backward */
    atomic_int users;
} Net;

static bool is_double(const Net *self) { return self->net->bits == 64; }
static size_t element_size(const Net *self) { return is_double(self) ? sizeof(double) : sizeof(float); }
static const mlp_layer *first_layer(const Net *self) { return &self->net->layers[0]; }
static const mlp_layer *last_layer(const Net *self) { return &self->net->layers[self->net->depth - 1]; }
static double work_of(const Net *self, ptrdiff_t n) { return (double)self->net->parameters * (double)n; }

/* ---- one at a time ------------------------------------------------------------------------------------------------ */

static int begin_change(Net *self) {
    int nobody = 0;
    if (atomic_compare_exchange_strong(&self->users, &nobody, -1)) {
        return 0;
    }
    PyErr_SetString(PyExc_RuntimeError, "the network is busy with another call: one that changes it must be alone");
    return -1;
}

static void end_change(Net *self) { atomic_store(&self->users, 0); }

static int begin_reading(Net *self) {
    int users = atomic_load(&self->users);
    do {
        if (users < 0) {
            PyErr_SetString(PyExc_RuntimeError, "the network is busy with another call, which changes it");
            return -1;
        }
    } while (!atomic_compare_exchange_weak(&self->users, &users, users + 1));
    return 0;
}

static void end_reading(Net *self) { atomic_fetch_sub(&self->users, 1); }

/* ---- life --------------------------------------------------------------------------------------------------------- */

static void free_net(PyObject *capsule) { mlp_net_free(PyCapsule_GetPointer(capsule, NULL)); }

static int read_dtype(const char *function, PyObject *dtype, int *bits) {
    if (PyUnicode_Check(dtype) && PyUnicode_CompareWithASCIIString(dtype, "float32") == 0) {
        *bits = 32;
    } else if (PyUnicode_Check(dtype) && PyUnicode_CompareWithASCIIString(dtype, "float64") == 0) {
        *bits = 64;
    } else {
        PyErr_Format(PyExc_ValueError, "%s: dtype is %R, expected 'float32' or 'float64'", function, dtype);
        return -1;
    }
    return 0;
}

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
    static const mlp_function function = {.name = "Net", .parameters = {{.name = "activations"}}};
    for (Py_ssize_t j = 0; j < PyTuple_GET_SIZE(tuple); j++) {
        mlp_call call = {.function = &function, .given = {PyTuple_GET_ITEM(tuple, j)}};
        int sigma;
        if (mlp_get_choice(&call, 0, mlp_activation_names, &sigma) < 0) {
            return -1;
        }
        sigmas[j] = (mlp_activation)sigma;
    }
    return 0;
}

static PyObject *net_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    char *names[] = {"sizes", "activations", "dtype", NULL};
    PyObject *sizes_given, *activations_given, *dtype;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OOO:Net", names, &sizes_given, &activations_given, &dtype)) {
        return NULL;
    }
    Net *self = NULL;
    ptrdiff_t *sizes = NULL;
    mlp_activation *sigmas = NULL;
    mlp_net *net = NULL;
    int bits;
    PyObject *activations = NULL, *size_tuple = PySequence_Tuple(sizes_given);
    if (!size_tuple || !(activations = PySequence_Tuple(activations_given)) || read_dtype("Net", dtype, &bits) < 0) {
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

/* ---- views -------------------------------------------------------------------------------------------------------- */

static void *element(const Net *self, void *start, ptrdiff_t index) {
    return (char *)start + index * (ptrdiff_t)element_size(self);
}

static PyObject *flat_view(Net *self, void *data) {
    return mlp_view(self->net_owner, is_double(self), 1, &self->net->parameters, NULL, data);
}

static PyObject *net_params(PyObject *object, void *Py_UNUSED(closure)) {
    return flat_view((Net *)object, ((Net *)object)->net->params);
}

static PyObject *net_grads(PyObject *object, void *Py_UNUSED(closure)) {
    return flat_view((Net *)object, ((Net *)object)->net->grads);
}

static PyGetSetDef net_getset[] = {
    {"params", net_params, NULL, "All parameters, shape (P,): layer after layer w in (in, out) order, then b. A view.",
     NULL},
    {"grads", net_grads, NULL, "The gradients of the last backward, lying like params. A view.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

/* The one argument of methods that ask for a layer. */
static int layer_index(const Net *self, const mlp_call *call, int p, ptrdiff_t *j) {
    long long index;
    if (mlp_get_integer(call, p, 0, self->net->depth - 1, &index) < 0) {
        return -1;
    }
    *j = (ptrdiff_t)index;
    return 0;
}

/* (out, in), which lies as (in, out). */
static PyObject *matrix_view(Net *self, const mlp_layer *layer, void *flat) {
    npy_intp size = (npy_intp)element_size(self);
    return mlp_view(self->net_owner, is_double(self), 2, (npy_intp[]){layer->out, layer->in},
                    (npy_intp[]){size, size * layer->out}, element(self, flat, layer->w));
}

static PyObject *vector_view(Net *self, const mlp_layer *layer, void *flat) {
    return mlp_view(self->net_owner, is_double(self), 1, &layer->out, NULL, element(self, flat, layer->b));
}

/* A tuple of four; takes the references over. NULL if one of them is. */
static PyObject *tuple_of(PyObject *items[4]) {
    PyObject *tuple = items[0] && items[1] && items[2] && items[3] ? PyTuple_New(4) : NULL;
    for (int i = 0; i < 4; i++) {
        if (tuple) {
            PyTuple_SET_ITEM(tuple, i, items[i]);
        } else {
            Py_XDECREF(items[i]);
        }
    }
    return tuple;
}

PyDoc_STRVAR(weights_doc,
             "weights($self, j)\n--\n\n"
             "(w, b, grad_w, grad_b) of layer j = 0, 1, ...: views of shapes (out, in), (out,), (out, in), (out,).\n");

static PyObject *net_weights(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_function function = {.name = "weights", .positional = 1, .parameters = {{.name = "j"}}};
    Net *self = (Net *)object;
    mlp_call call = {.function = &function};
    ptrdiff_t j;
    if (mlp_parse(&call, args, nargs, kwnames) < 0 || layer_index(self, &call, 0, &j) < 0) {
        return NULL;
    }
    const mlp_layer *layer = &self->net->layers[j];
    return tuple_of(
        (PyObject *[]){matrix_view(self, layer, self->net->params), vector_view(self, layer, self->net->params),
                       matrix_view(self, layer, self->net->grads), vector_view(self, layer, self->net->grads)});
}

static PyObject *batch_view(Net *self, ptrdiff_t j, mlp_part part) {
    npy_intp width = part == MLP_X ? self->net->layers[j].in : self->net->layers[j].out;
    ptrdiff_t offset = mlp_workspace_offset(self->net, self->work.capacity, j, part);
    return mlp_view(self->block_owner, is_double(self), 2, (npy_intp[]){self->rows, width}, NULL,
                    element(self, self->work.block, offset));
}

static int refuse_without_forward(const Net *self) {
    if (self->rows >= 0) {
        return 0;
    }
    PyErr_SetString(PyExc_RuntimeError, "there was no forward yet");
    return -1;
}

PyDoc_STRVAR(
    activity_doc,
    "activity($self, j)\n--\n\n"
    "(x, z, a, phi) of layer j = 0, 1, ... and the last batch: views of shapes (n, in), (n, out), (n, out), (n, out).\n"
    "\n"
    "A later batch may write over them; their memory lives as long as they do. RuntimeError before the first "
    "forward.\n");

static PyObject *net_activity(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_function function = {.name = "activity", .positional = 1, .parameters = {{.name = "j"}}};
    Net *self = (Net *)object;
    mlp_call call = {.function = &function};
    ptrdiff_t j;
    if (mlp_parse(&call, args, nargs, kwnames) < 0 || layer_index(self, &call, 0, &j) < 0 || begin_reading(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (refuse_without_forward(self) == 0) {
        result = tuple_of((PyObject *[]){batch_view(self, j, MLP_X), batch_view(self, j, MLP_Z),
                                         batch_view(self, j, MLP_A), batch_view(self, j, MLP_PHI)});
    }
    end_reading(self);
    return result;
}

/* ---- arguments ---------------------------------------------------------------------------------------------------- */

/* A call whose arrays have to suit this network. */
static mlp_call call_of(const Net *self, const mlp_function *function) {
    return (mlp_call){
        .function = function,
        .required = {.in = first_layer(self)->in, .out = last_layer(self)->out, .parameters = self->net->parameters},
        .required_bits = self->net->bits};
}

static bool overlaps(PyArrayObject *array, const void *start, ptrdiff_t bytes) {
    uintptr_t data = (uintptr_t)PyArray_DATA(array), other = (uintptr_t)start;
    return start && data < other + (uintptr_t)bytes && other < data + (uintptr_t)PyArray_NBYTES(array);
}

static bool overlaps_engine(const Net *self, PyArrayObject *array) {
    ptrdiff_t size = (ptrdiff_t)element_size(self), flat = self->net->parameters * size;
    return overlaps(array, self->net->params, flat) || overlaps(array, self->net->grads, flat) ||
           overlaps(array, self->work.block, self->block_elements * size);
}

static bool overlaps_arrays(const mlp_call *call, PyArrayObject *array) {
    for (int p = 0; p < MLP_PARAMETERS; p++) {
        if (call->array[p] && overlaps(array, PyArray_DATA(call->array[p]), PyArray_NBYTES(call->array[p]))) {
            return true;
        }
    }
    return false;
}

/* Inputs that lie where the call is about to write (y = model.layers[0].x, say) are copied first; `state`, if not NULL,
 * holds the arrays of an optimizer. */
static int detach_inputs(const Net *self, mlp_call *call, const mlp_call *state) {
    for (int p = 0; call->function->parameters[p].name; p++) {
        PyArrayObject *array = call->array[p];
        if (array && (overlaps_engine(self, array) || (state && overlaps_arrays(state, array)))) {
            PyObject *copy = PyArray_NewCopy(array, NPY_CORDER);
            if (!copy) {
                return -1;
            }
            Py_SETREF(call->array[p], (PyArrayObject *)copy);
        }
    }
    return 0;
}

/* The tuple that describes an optimizer is read like the arguments of a function of the optimizer's name:
 * ("sgd", learning_rate, momentum, nesterov, velocity or None)
 * ("adam", learning_rate, beta1, beta2, epsilon, m, v, t) where t, int64 of shape (1,), counts the steps. */
enum { LEARNING_RATE, MOMENTUM, NESTEROV, VELOCITY };
enum { BETA1 = 1, BETA2, EPSILON, M, V, T };

/* First half: the numbers, and the arrays of the state, which `call` holds until mlp_end. */
static int take_optimizer(const Net *self, const mlp_call *outer, int p, mlp_call *call, mlp_optimizer *optimizer) {
    static const mlp_function sgd = {
        .name = "sgd",
        .positional = 4,
        .parameters = {[LEARNING_RATE] = {.name = "learning_rate"},
                       [MOMENTUM] = {.name = "momentum"},
                       [NESTEROV] = {.name = "nesterov"},
                       [VELOCITY] = {"velocity", MLP_OUTPUT, .optional = true, .axes = "p"}},
    };
    static const mlp_function adam = {
        .name = "adam",
        .positional = 7,
        .parameters = {[LEARNING_RATE] = {.name = "learning_rate"},
                       [BETA1] = {.name = "beta1"},
                       [BETA2] = {.name = "beta2"},
                       [EPSILON] = {.name = "epsilon"},
                       [M] = {"m", MLP_OUTPUT, .axes = "p"},
                       [V] = {"v", MLP_OUTPUT, .axes = "p"},
                       [T] = {"t", MLP_COUNTER, .axes = "1"}},
    };
    static const mlp_choice algorithms[] = {{"sgd", MLP_SGD}, {"adam", MLP_ADAM}, {NULL, 0}};
    static const mlp_function name_of_it = {.name = "optimizer", .parameters = {{.name = "name"}}};

    PyObject *tuple = outer->given[p];
    if (!PyTuple_Check(tuple) || PyTuple_GET_SIZE(tuple) < 1) {
        return mlp_argument_error(outer, p, PyExc_TypeError, "is %R, expected a tuple that begins with a name", tuple);
    }
    mlp_call name = {.function = &name_of_it, .given = {PyTuple_GET_ITEM(tuple, 0)}};
    int algorithm;
    if (mlp_get_choice(&name, 0, algorithms, &algorithm) < 0) {
        return -1;
    }
    *optimizer = (mlp_optimizer){.algorithm = (mlp_algorithm)algorithm};
    *call = call_of(self, algorithm == MLP_SGD ? &sgd : &adam);
    if (mlp_parse(call, &PyTuple_GET_ITEM(tuple, 1), PyTuple_GET_SIZE(tuple) - 1, NULL) < 0 ||
        mlp_get_double(call, LEARNING_RATE, 0, INFINITY, &optimizer->learning_rate) < 0) {
        return -1;
    }
    if (algorithm == MLP_SGD) {
        bool nesterov;
        if (mlp_get_double(call, MOMENTUM, 0, INFINITY, &optimizer->momentum) < 0 ||
            mlp_get_bool(call, NESTEROV, &nesterov) < 0) {
            return -1;
        }
        optimizer->nesterov = nesterov;
    } else if (mlp_get_double(call, BETA1, 0, MLP_DECAY_LIMIT, &optimizer->beta1) < 0 ||
               mlp_get_double(call, BETA2, 0, MLP_DECAY_LIMIT, &optimizer->beta2) < 0 ||
               mlp_get_double(call, EPSILON, 0, INFINITY, &optimizer->epsilon) < 0) {
        return -1;
    }
    return mlp_acquire(call);
}

/* Second half, when no Python code can run any more: the pointers. `steps` is how many are to come at most. */
static int settle_optimizer(const Net *self, mlp_call *call, ptrdiff_t steps, mlp_optimizer *optimizer) {
    if (mlp_recheck(call) < 0) {
        return -1;
    }
    for (int p = 0; call->function->parameters[p].name; p++) {
        if (call->array[p] && overlaps_engine(self, call->array[p])) {
            return mlp_argument_error(call, p, PyExc_ValueError, "overlaps the memory of the network");
        }
    }
    if (optimizer->algorithm == MLP_SGD) {
        optimizer->m = mlp_data(call, VELOCITY);
        return mlp_check_velocity(call, VELOCITY, optimizer->momentum);
    }
    optimizer->m = mlp_data(call, M);
    optimizer->v = mlp_data(call, V);
    optimizer->t = mlp_data(call, T);
    if (*optimizer->t < 0 || *optimizer->t > INT64_MAX - steps) {
        return mlp_argument_error(call, T, PyExc_ValueError, "holds %lld, which is no count of steps",
                                  (long long)*optimizer->t);
    }
    return 0;
}

/* ---- work --------------------------------------------------------------------------------------------------------- */

/* Lays the workspace out for `capacity` rows, in a new block if they do not fit into the one there is. */
static int prepare_workspace(Net *self, ptrdiff_t capacity) {
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

/* With regression there is nothing to be right about. */
static double accuracy_of(mlp_loss loss, mlp_score score) { return loss == MLP_MSE ? NAN : score.accuracy; }

static const mlp_choice initializers[] = {
    {"glorot_uniform", MLP_GLOROT_UNIFORM}, {"he_uniform", MLP_HE_UNIFORM}, {"zeros", MLP_ZEROS}, {NULL, 0}};

PyDoc_STRVAR(initialize_doc,
             "initialize($self, j, name, seed)\n--\n\n"
             "Fill w of layer j by the initializer 'glorot_uniform', 'he_uniform' or 'zeros', and b with 0.\n");

static PyObject *net_initialize(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { J, NAME, SEED };
    static const mlp_function function = {
        .name = "initialize",
        .positional = 3,
        .parameters = {[J] = {.name = "j"}, [NAME] = {.name = "name"}, [SEED] = {.name = "seed"}}};
    Net *self = (Net *)object;
    mlp_call call = {.function = &function};
    ptrdiff_t j;
    int initializer;
    uint64_t seed;
    if (mlp_parse(&call, args, nargs, kwnames) < 0 || layer_index(self, &call, J, &j) < 0 ||
        mlp_get_choice(&call, NAME, initializers, &initializer) < 0 || mlp_get_seed(&call, SEED, &seed) < 0 ||
        begin_change(self) < 0) {
        return NULL;
    }
    mlp_net_initialize(self->net, j, (mlp_initializer)initializer, seed);
    end_change(self);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(forward_doc,
             "forward($self, x)\n--\n\n"
             "a^J of the batch x, shape (n, in): a view, like those of `activity`, of shape (n, out). x is copied.\n");

static PyObject *net_forward(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X };
    static const mlp_function function = {
        .name = "forward", .positional = 1, .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"}}};
    Net *self = (Net *)object;
    mlp_call call = call_of(self, &function);
    if (mlp_parse(&call, args, nargs, kwnames) < 0 || begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (mlp_acquire(&call) < 0 || detach_inputs(self, &call, NULL) < 0) {
        goto done;
    }
    ptrdiff_t n = call.size.n;
    if ((!self->block_owner || n > self->work.capacity) && prepare_workspace(self, n > 0 ? n : 1) < 0) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(work_of(self, n));
    memcpy(self->work.block, mlp_data(&call, X), (size_t)call.count * element_size(self));
    mlp_net_forward(self->net, self->work, n);
    mlp_restore_gil(state);
    self->rows = n;
    result = batch_view(self, self->net->depth - 1, MLP_A);
done:
    mlp_end(&call);
    end_change(self);
    return result;
}

PyDoc_STRVAR(backward_doc, "backward($self, y, loss, sample_weight=None)\n--\n\n"
                           "The loss of the last batch, with phi of every layer and all gradients filled in. "
                           "RuntimeError without a forward.\n");

static PyObject *net_backward(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { Y, LOSS, WEIGHT };
    static const mlp_function function = {
        .name = "backward",
        .positional = 3,
        .needs_samples = true,
        .parameters = {[Y] = {"y", MLP_INPUT, .axes = "no"},
                       [LOSS] = {.name = "loss"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"}},
    };
    Net *self = (Net *)object;
    mlp_call call = call_of(self, &function);
    int loss;
    if (mlp_parse(&call, args, nargs, kwnames) < 0 || mlp_get_choice(&call, LOSS, mlp_loss_names, &loss) < 0 ||
        begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (refuse_without_forward(self) < 0) {
        goto done;
    }
    if (self->rows == 0) {
        PyErr_SetString(PyExc_ValueError, "backward: the last forward had no sample, and there is no mean of none");
        goto done;
    }
    call.required.n = self->rows;
    if (mlp_acquire(&call) < 0 || mlp_check_weights(&call, WEIGHT) < 0 || detach_inputs(self, &call, NULL) < 0) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(2 * work_of(self, self->rows));
    double mean = mlp_net_backward(self->net, self->work, self->rows, (mlp_loss)loss, mlp_data(&call, Y),
                                   mlp_data(&call, WEIGHT));
    mlp_restore_gil(state);
    self->has_grads = true;
    result = PyFloat_FromDouble(mean);
done:
    mlp_end(&call);
    end_change(self);
    return result;
}

PyDoc_STRVAR(step_doc, "step($self, optimizer)\n--\n\n"
                       "One step of the optimizer, a tuple as for `epoch`, with the gradients of the last backward. "
                       "RuntimeError without one.\n");

static PyObject *net_step(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_function function = {.name = "step", .positional = 1, .parameters = {{.name = "optimizer"}}};
    Net *self = (Net *)object;
    mlp_call call = {.function = &function}, state_call = {.function = &function};
    mlp_optimizer optimizer;
    if (mlp_parse(&call, args, nargs, kwnames) < 0 || begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (!self->has_grads) {
        PyErr_SetString(PyExc_RuntimeError, "there was no backward yet");
        goto done;
    }
    if (take_optimizer(self, &call, 0, &state_call, &optimizer) < 0 ||
        settle_optimizer(self, &state_call, 1, &optimizer) < 0) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(work_of(self, 5));
    mlp_net_update(self->net, &optimizer);
    mlp_restore_gil(state);
    result = Py_NewRef(Py_None);
done:
    mlp_end(&state_call);
    end_change(self);
    return result;
}

PyDoc_STRVAR(predict_doc,
             "predict($self, x)\n--\n\n"
             "a^J of x, shape (n, in), as a new array of shape (n, out). Leaves what `activity` shows alone.\n");

static PyObject *net_predict(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X };
    static const mlp_function function = {
        .name = "predict", .positional = 1, .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"}}};
    Net *self = (Net *)object;
    mlp_call call = call_of(self, &function);
    if (mlp_parse(&call, args, nargs, kwnames) < 0 || begin_reading(self) < 0) {
        return NULL;
    }
    void *scratch = NULL;
    PyArrayObject *result = NULL;
    if (mlp_acquire(&call) < 0) {
        goto done;
    }
    scratch = mlp_alloc(mlp_predict_elements(self->net, call.size.n), element_size(self));
    if (!scratch) {
        PyErr_NoMemory();
        goto done;
    }
    result = mlp_new_array(&call, "the result", "no", MLP_C_ORDER);
    if (!result) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(work_of(self, call.size.n));
    mlp_net_predict(self->net, call.size.n, PyArray_DATA(result), mlp_data(&call, X), scratch);
    mlp_restore_gil(state);
done:
    mlp_free(scratch);
    mlp_end(&call);
    end_reading(self);
    return (PyObject *)result;
}

PyDoc_STRVAR(loss_doc,
             "loss($self, x, y, loss, sample_weight=None)\n--\n\n"
             "(loss, accuracy) of all rows as one batch, taken a few at a time; accuracy is nan for 'mse'.\n");

enum { EVALUATE_ROWS = 64 };

static PyObject *net_loss(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X, Y, LOSS, WEIGHT };
    static const mlp_function function = {
        .name = "loss",
        .positional = 4,
        .needs_samples = true,
        .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"},
                       [Y] = {"y", MLP_INPUT, .axes = "no"},
                       [LOSS] = {.name = "loss"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"}},
    };
    Net *self = (Net *)object;
    mlp_call call = call_of(self, &function);
    int loss;
    if (mlp_parse(&call, args, nargs, kwnames) < 0 || mlp_get_choice(&call, LOSS, mlp_loss_names, &loss) < 0 ||
        begin_reading(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    void *value;
    mlp_workspace work = {.capacity = EVALUATE_ROWS};
    if (mlp_acquire(&call) < 0 || mlp_check_weights(&call, WEIGHT) < 0 || !(value = mlp_scratch(&call, 0, "n"))) {
        goto done;
    }
    work.block = mlp_alloc(mlp_workspace_elements(self->net, work.capacity), element_size(self));
    if (!work.block) {
        PyErr_NoMemory();
        goto done;
    }
    mlp_samples samples = {call.size.n, mlp_data(&call, X), mlp_data(&call, Y), mlp_data(&call, WEIGHT)};
    PyThreadState *state = mlp_release_gil(work_of(self, samples.n));
    mlp_score score = mlp_net_evaluate(self->net, work, (mlp_loss)loss, samples, value);
    mlp_restore_gil(state);
    result = Py_BuildValue("dd", score.loss, accuracy_of((mlp_loss)loss, score));
done:
    mlp_free(work.block);
    mlp_end(&call);
    end_reading(self);
    return result;
}

/* What an epoch that runs without the GIL needs to look up from its work. */
typedef struct {
    PyThreadState *state;
    PyObject *progress; /* NULL: nobody wants to know */
    bool failed;        /* an exception is set */
} Watch;

static int look(void *context, ptrdiff_t batches_done) {
    Watch *watch = context;
    PyEval_RestoreThread(watch->state);
    watch->failed = PyErr_CheckSignals() < 0;
    if (!watch->failed && watch->progress) {
        PyObject *answer = PyObject_CallFunction(watch->progress, "n", batches_done);
        watch->failed = !answer;
        Py_XDECREF(answer);
    }
    watch->state = PyEval_SaveThread();
    return watch->failed;
}

PyDoc_STRVAR(
    epoch_doc,
    "epoch($self, x, y, sample_weight, loss, batch_size, shuffle, seed, epoch_index, optimizer, progress)\n--\n\n"
    "One pass over all samples: (loss, accuracy, batches), the means of what each batch had before its update.\n"
    "\n"
    "optimizer is (\"sgd\", learning_rate, momentum, nesterov, velocity or None) or (\"adam\", learning_rate, beta1, "
    "beta2,\n"
    "epsilon, m, v, t), whose arrays, of shape (P,), and t, int64 of shape (1,), are written in place. About every 50 "
    "ms\n"
    "progress, if not None, is called with the number of batches done, and Ctrl-C is looked for; an exception there "
    "ends\n"
    "the pass between two batches. The order of the rows follows from seed and epoch_index.\n");

static PyObject *net_epoch(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X, Y, WEIGHT, LOSS, BATCH_SIZE, SHUFFLE, SEED, EPOCH_INDEX, OPTIMIZER, PROGRESS };
    static const mlp_function function = {
        .name = "epoch",
        .positional = 10,
        .needs_samples = true,
        .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"},
                       [Y] = {"y", MLP_INPUT, .axes = "no"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"},
                       [LOSS] = {.name = "loss"},
                       [BATCH_SIZE] = {.name = "batch_size"},
                       [SHUFFLE] = {.name = "shuffle"},
                       [SEED] = {.name = "seed"},
                       [EPOCH_INDEX] = {.name = "epoch_index"},
                       [OPTIMIZER] = {.name = "optimizer"},
                       [PROGRESS] = {.name = "progress"}},
    };
    Net *self = (Net *)object;
    mlp_call call = call_of(self, &function), state_call = {.function = &function};
    mlp_optimizer optimizer;
    int loss;
    long long batch_size, epoch_index;
    bool shuffle;
    uint64_t seed;
    if (mlp_parse(&call, args, nargs, kwnames) < 0 || mlp_get_choice(&call, LOSS, mlp_loss_names, &loss) < 0 ||
        mlp_get_integer(&call, BATCH_SIZE, 1, PTRDIFF_MAX, &batch_size) < 0 ||
        mlp_get_bool(&call, SHUFFLE, &shuffle) < 0 || mlp_get_seed(&call, SEED, &seed) < 0 ||
        mlp_get_integer(&call, EPOCH_INDEX, 0, UINT32_MAX, &epoch_index) < 0) {
        return NULL;
    }
    PyObject *progress = call.given[PROGRESS];
    if (progress != Py_None && !PyCallable_Check(progress)) {
        mlp_argument_error(&call, PROGRESS, PyExc_TypeError, "is %R, expected a callable or None", progress);
        return NULL;
    }
    if (begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    ptrdiff_t *order = NULL;
    if (take_optimizer(self, &call, OPTIMIZER, &state_call, &optimizer) < 0 || mlp_acquire(&call) < 0 ||
        mlp_check_weights(&call, WEIGHT) < 0 || detach_inputs(self, &call, &state_call) < 0 ||
        settle_optimizer(self, &state_call, call.size.n, &optimizer) < 0) {
        goto done;
    }
    ptrdiff_t n = call.size.n;
    if (prepare_workspace(self, batch_size < n ? (ptrdiff_t)batch_size : n) < 0) {
        goto done;
    }
    if (shuffle) {
        order = mlp_alloc(n, sizeof *order);
        if (!order) {
            PyErr_NoMemory();
            goto done;
        }
        mlp_draw_permutation((mlp_stream){seed, MLP_DRAW_SHUFFLE, (uint32_t)epoch_index}, n, order);
    }
    Watch watch = {.progress = progress == Py_None ? NULL : progress};
    mlp_epoch epoch = {
        .samples = {n, mlp_data(&call, X), mlp_data(&call, Y), mlp_data(&call, WEIGHT)},
        .loss = (mlp_loss)loss,
        .optimizer = &optimizer,
        .order = order,
        .look = look,
        .context = &watch,
    };
    watch.state = PyEval_SaveThread();
    mlp_epoch_result outcome = mlp_net_epoch(self->net, self->work, &epoch);
    PyEval_RestoreThread(watch.state);
    ptrdiff_t left = n - (outcome.batches_done - 1) * self->work.capacity;
    self->has_grads = true;
    self->rows = left < self->work.capacity ? left : self->work.capacity;
    if (!watch.failed) {
        result =
            Py_BuildValue("ddn", outcome.score.loss, accuracy_of((mlp_loss)loss, outcome.score), outcome.batches_done);
    }
done:
    mlp_free(order);
    mlp_end(&state_call);
    mlp_end(&call);
    end_change(self);
    return result;
}

static PyMethodDef net_methods[] = {
    MLP_METHOD("weights", net_weights, weights_doc),
    MLP_METHOD("activity", net_activity, activity_doc),
    MLP_METHOD("initialize", net_initialize, initialize_doc),
    MLP_METHOD("forward", net_forward, forward_doc),
    MLP_METHOD("backward", net_backward, backward_doc),
    MLP_METHOD("step", net_step, step_doc),
    MLP_METHOD("predict", net_predict, predict_doc),
    MLP_METHOD("loss", net_loss, loss_doc),
    MLP_METHOD("epoch", net_epoch, epoch_doc),
    {NULL, NULL, 0, NULL},
};

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
    {Py_tp_methods, net_methods},
    {Py_tp_getset, net_getset},
    {0, NULL},
};

PyType_Spec mlp_net_spec = {
    .name = "mlpcore._core.Net",
    .basicsize = sizeof(Net),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = net_slots,
};

/* ---- memory for an optimizer's state ------------------------------------------------------------------------------- */

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
    mlp_call call = {.function = &function};
    long long count;
    int bits;
    if (mlp_parse(&call, args, nargs, kwnames) < 0 || mlp_get_integer(&call, COUNT, 0, PTRDIFF_MAX, &count) < 0 ||
        read_dtype("aligned_zeros", call.given[DTYPE], &bits) < 0) {
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

PyMethodDef mlp_net_methods[] = {
    MLP_METHOD("aligned_zeros", aligned_zeros, aligned_zeros_doc),
    {NULL, NULL, 0, NULL},
};
