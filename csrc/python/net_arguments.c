/* net_arguments.c: arguments that have to suit a Net: arrays, and the tuple of an optimizer. See net_object.h. */
#include "net_object.h"

#include <math.h>

int mlp_parse_for(const Net *self, mlp_call *call, const mlp_function *function, PyObject *const *args,
                  Py_ssize_t nargs, PyObject *kwnames) {
    const int parsed = mlp_parse(call, function, args, nargs, kwnames);
    call->required = (mlp_sizes){.in = self->net->layers[0].in,
                                 .out = self->net->layers[self->net->depth - 1].out,
                                 .parameters = self->net->parameters};
    call->required_bits = self->net->bits;
    return parsed;
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

int mlp_detach_inputs(const Net *self, mlp_call *call, const mlp_call *state) {
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

enum { LEARNING_RATE, MOMENTUM, NESTEROV, VELOCITY };
enum { BETA1 = 1, BETA2, EPSILON, M, V, T };

int mlp_take_optimizer(const Net *self, const mlp_call *outer, int p, mlp_call *call, mlp_optimizer *optimizer) {
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
    if (mlp_parse_for(self, call, algorithm == MLP_SGD ? &sgd : &adam, &PyTuple_GET_ITEM(tuple, 1),
                      PyTuple_GET_SIZE(tuple) - 1, NULL) < 0 ||
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

int mlp_settle_optimizer(const Net *self, mlp_call *call, ptrdiff_t steps, mlp_optimizer *optimizer) {
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
