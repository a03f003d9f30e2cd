/* binding.c: the frame around every function of mlpcore.kernels. See binding.h. */
#include "binding.h"

#include <math.h>

/* The arguments that are rows of the catalogue. */
typedef struct {
    int activation, loss;
    double activation_constants[MLP_HYPERS], loss_constants[MLP_HYPERS];
} names;

static int parse_names(const mlp_binding *binding, const mlp_call *call, names *n) {
    if (binding->activation != MLP_NO_PARAMETER &&
        mlp_get_entry(call, binding->activation, mlp_activations, &n->activation, n->activation_constants) < 0) {
        return -1;
    }
    if (binding->loss != MLP_NO_PARAMETER &&
        mlp_get_entry(call, binding->loss, mlp_losses, &n->loss, n->loss_constants) < 0) {
        return -1;
    }
    return 0;
}

/* Whether the real type, which the arrays decide, holds their constants. */
static int check_constants(const mlp_binding *binding, const mlp_call *call, const names *n) {
    if (binding->activation != MLP_NO_PARAMETER &&
        mlp_check_constants(call, binding->activation, &mlp_activations[n->activation], n->activation_constants,
                            call->is_double) < 0) {
        return -1;
    }
    if (binding->loss != MLP_NO_PARAMETER &&
        mlp_check_constants(call, binding->loss, &mlp_losses[n->loss], n->loss_constants, call->is_double) < 0) {
        return -1;
    }
    return 0;
}

static void bind_names(mlp_kernel_call *k, const names *n) {
    const bool is_double = k->call.is_double;
    k->sigma_id = (mlp_activation_id)n->activation;
    if (is_double) {
        k->sigma_of.f64.id = k->sigma_id;
        k->loss_of.f64.id = (mlp_loss_id)n->loss;
    } else {
        k->sigma_of.f32.id = k->sigma_id;
        k->loss_of.f32.id = (mlp_loss_id)n->loss;
    }
    mlp_set_constants(is_double, k->sigma_of.f32.constants, k->sigma_of.f64.constants, n->activation_constants);
    mlp_set_constants(is_double, k->loss_of.f32.constants, k->loss_of.f64.constants, n->loss_constants);
    k->sigma = &k->sigma_of;
    k->loss = &k->loss_of;
}

static int take_scratch(const mlp_binding *binding, mlp_kernel_call *k) {
    for (int i = 0; i < 2 && binding->scratch[i]; i++) {
        k->scratch[i] = mlp_scratch(&k->call, i, binding->scratch[i]);
        if (!k->scratch[i]) {
            return -1;
        }
    }
    return 0;
}

static PyObject *results_of(const mlp_binding *binding, const mlp_kernel_call *k) {
    const int *results = binding->results;
    if (results[0] == MLP_NO_PARAMETER) {
        return PyFloat_FromDouble(k->number);
    }
    if (results[1] == MLP_NO_PARAMETER) {
        return mlp_result(&k->call, results[0]);
    }
    return PyTuple_Pack(3, k->call.array[results[0]], k->call.array[results[1]], k->call.array[results[2]]);
}

PyObject *mlp_run_binding(const mlp_binding *binding, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    mlp_kernel_call k;
    names n = {0};
    PyObject *result = NULL;
    if (mlp_parse(&k.call, &binding->function, args, nargs, kwnames) < 0 || parse_names(binding, &k.call, &n) < 0 ||
        mlp_acquire(&k.call) < 0 || check_constants(binding, &k.call, &n) < 0 ||
        (binding->weight != MLP_NO_PARAMETER && mlp_check_weights(&k.call, binding->weight) < 0) ||
        take_scratch(binding, &k) < 0) {
        goto done;
    }
    bind_names(&k, &n);
    PyThreadState *state = mlp_release_gil(binding->work * (double)k.call.count);
    binding->compute(&k);
    mlp_restore_gil(state);
    result = results_of(binding, &k);
done:
    mlp_end(&k.call);
    return result;
}
