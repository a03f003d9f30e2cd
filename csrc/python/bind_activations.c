/* bind_activations.c: activation_forward and activation_backward for Python, and the elementary functions for tests. */
#include "binding.h"

enum { ELEMENTARY_WORK = 10 }; /* what one exp, tanh, ... costs, in multiply-adds */

enum { NAME, Z, OUT };

static void compute_forward(mlp_kernel_call *k) {
    const mlp_call *call = &k->call;
    MLP_KERNEL(call->is_double, activation_forward, k->sigma, call->size.n, call->size.out, mlp_data(call, OUT),
               mlp_data(call, Z));
}

static PyObject *activation_forward(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                                    PyObject *kwnames) {
    static const mlp_binding binding = {
        .function = {.name = "activation_forward",
                     .positional = 2,
                     .parameters = {[NAME] = {.name = "name"},
                                    [Z] = {"z", MLP_INPUT, .axes = "no"},
                                    [OUT] = {"out", MLP_RESULT, .optional = true, .axes = "no", .in_place = 1u << Z}}},
        .activation = NAME,
        .loss = MLP_NO_PARAMETER,
        .weight = MLP_NO_PARAMETER,
        .work = ELEMENTARY_WORK,
        .compute = compute_forward,
        .results = {OUT, MLP_NO_PARAMETER},
    };
    return mlp_run_binding(&binding, args, nargs, kwnames);
}

enum { GRAD_A = 2, PHI };

/* a takes the scratch, since phi may lie where z or grad_a does. */
static void compute_backward(mlp_kernel_call *k) {
    const mlp_call *call = &k->call;
    const npy_intp n = call->size.n, out = call->size.out;
    const void *s = mlp_data(call, Z);
    if (!mlp_derivative_needs_z(k->sigma_id)) {
        MLP_KERNEL(call->is_double, activation_forward, k->sigma, n, out, k->scratch[0], s);
        s = k->scratch[0];
    }
    MLP_KERNEL(call->is_double, activation_backward, k->sigma, n, out, mlp_data(call, PHI), s, mlp_data(call, GRAD_A));
}

static PyObject *activation_backward(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                                     PyObject *kwnames) {
    static const mlp_binding binding = {
        .function = {.name = "activation_backward",
                     .positional = 3,
                     .parameters = {[NAME] = {.name = "name"},
                                    [Z] = {"z", MLP_INPUT, .axes = "no"},
                                    [GRAD_A] = {"grad_a", MLP_INPUT, .axes = "no"},
                                    [PHI] = {"out", MLP_RESULT, .optional = true, .axes = "no",
                                             .in_place = 1u << Z | 1u << GRAD_A}}},
        .activation = NAME,
        .loss = MLP_NO_PARAMETER,
        .weight = MLP_NO_PARAMETER,
        .scratch = {"no"},
        .work = ELEMENTARY_WORK,
        .compute = compute_backward,
        .results = {PHI, MLP_NO_PARAMETER},
    };
    return mlp_run_binding(&binding, args, nargs, kwnames);
}

static PyObject *elementary(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { FUNCTION, NUMBERS, RESULT };
    static const mlp_function function = {.name = "elementary",
                                          .positional = 2,
                                          .parameters = {[FUNCTION] = {.name = "name"},
                                                         [NUMBERS] = {"x", .role = MLP_INPUT},
                                                         [RESULT] = {"y", .role = MLP_NEW}}};
    mlp_call call;
    PyObject *result = NULL;
    int which;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_name(&call, FUNCTION, mlp_elementaries, &which) < 0 || mlp_acquire(&call) < 0) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(ELEMENTARY_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, elementary, (mlp_elementary_id)which, call.count, mlp_data(&call, RESULT),
               mlp_data(&call, NUMBERS));
    mlp_restore_gil(state);
    result = mlp_result(&call, RESULT);
done:
    mlp_end(&call);
    return result;
}

PyMethodDef mlp_activation_methods[] = {
    MLP_METHOD("activation_forward", activation_forward, NULL),
    MLP_METHOD("activation_backward", activation_backward, NULL),
    MLP_METHOD("elementary", elementary, NULL),
    {NULL, NULL, 0, NULL},
};
