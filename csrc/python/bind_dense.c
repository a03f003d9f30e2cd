/* bind_dense.c: dense_forward and dense_backward for Python. */
#include "binding.h"

enum { X, W, B, OUT };

static void compute_forward(mlp_kernel_call *k) {
    const mlp_call *call = &k->call;
    MLP_KERNEL(call->is_double, dense_forward, call->size.n, call->size.in, call->size.out, mlp_data(call, OUT),
               mlp_data(call, X), mlp_data(call, W), mlp_data(call, B), NULL);
}

static PyObject *dense_forward(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames) {
    static const mlp_binding binding = {
        .function = {.name = "dense_forward",
                     .positional = 3,
                     .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"},
                                    [W] = {"w", MLP_INPUT, .axes = "oi", .order = MLP_F_ORDER},
                                    [B] = {"b", MLP_INPUT, .axes = "o"},
                                    [OUT] = {"out", MLP_RESULT, .optional = true, .axes = "no"}}},
        .activation = MLP_NO_PARAMETER,
        .loss = MLP_NO_PARAMETER,
        .weight = MLP_NO_PARAMETER,
        .work = 16,
        .compute = compute_forward,
        .results = {OUT, MLP_NO_PARAMETER},
    };
    return mlp_run_binding(&binding, args, nargs, kwnames);
}

enum { PHI, INPUT, WEIGHTS, GRAD_X, GRAD_W, GRAD_B };

static void compute_backward(mlp_kernel_call *k) {
    const mlp_call *call = &k->call;
    const npy_intp n = call->size.n, in = call->size.in, out = call->size.out;
    const void *phi = mlp_data(call, PHI), *x = mlp_data(call, INPUT), *w = mlp_data(call, WEIGHTS);
    MLP_KERNEL(call->is_double, dense_backward_x, n, in, out, mlp_data(call, GRAD_X), phi, w, NULL);
    MLP_KERNEL(call->is_double, dense_backward_w, n, in, out, mlp_data(call, GRAD_W), false, phi, x, NULL);
    MLP_KERNEL(call->is_double, dense_backward_b, n, out, mlp_data(call, GRAD_B), phi);
}

static PyObject *dense_backward(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                                PyObject *kwnames) {
    static const mlp_binding binding = {
        .function = {.name = "dense_backward",
                     .positional = 3,
                     .parameters = {[PHI] = {"phi", MLP_INPUT, .axes = "no"},
                                    [INPUT] = {"x", MLP_INPUT, .axes = "ni"},
                                    [WEIGHTS] = {"w", MLP_INPUT, .axes = "oi", .order = MLP_F_ORDER},
                                    [GRAD_X] = {"grad_x", MLP_NEW, .axes = "ni"},
                                    [GRAD_W] = {"grad_w", MLP_NEW, .axes = "oi", .order = MLP_F_ORDER},
                                    [GRAD_B] = {"grad_b", MLP_NEW, .axes = "o"}}},
        .activation = MLP_NO_PARAMETER,
        .loss = MLP_NO_PARAMETER,
        .weight = MLP_NO_PARAMETER,
        .work = 32,
        .compute = compute_backward,
        .results = {GRAD_X, GRAD_W, GRAD_B},
    };
    return mlp_run_binding(&binding, args, nargs, kwnames);
}

PyMethodDef mlp_dense_methods[] = {
    MLP_METHOD("dense_forward", dense_forward, NULL),
    MLP_METHOD("dense_backward", dense_backward, NULL),
    {NULL, NULL, 0, NULL},
};
