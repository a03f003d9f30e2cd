/* bind_losses.c: the four functions of a loss for Python: its value and its gradient, from y_hat or from z. */
#include "binding.h"

enum { LOSS_WORK = 20 }; /* what one element of a loss costs, in multiply-adds */

/* ---- from y_hat ------------------------------------------------------------------------------------------------- */

enum { NAME, Y_HAT, Y, WEIGHT, OUT };

#define FROM_Y_HAT                                                                                                     \
    [NAME] = {.name = "name"}, [Y_HAT] = {"y_hat", MLP_INPUT, .axes = "no"}, [Y] = {"y", MLP_INPUT, .axes = "no"},     \
    [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"}

static double mean_of(const mlp_kernel_call *k, const void *value, int weight) {
    return MLP_KERNEL(k->call.is_double, batch_mean, k->call.size.n, value, mlp_data(&k->call, weight));
}

/* Each sample's share of the mean. */
static void scale_samples(const mlp_kernel_call *k, void *scale, int weight) {
    const npy_intp n = k->call.size.n;
    const void *weights = mlp_data(&k->call, weight);
    const double total = MLP_KERNEL(k->call.is_double, batch_weight, n, weights);
    MLP_KERNEL(k->call.is_double, batch_scale, n, scale, weights, total);
}

static void compute_value(mlp_kernel_call *k) {
    const mlp_call *call = &k->call;
    MLP_KERNEL(call->is_double, loss_value, k->loss, call->size.n, call->size.out, k->scratch[0], mlp_data(call, Y_HAT),
               mlp_data(call, Y));
    k->number = mean_of(k, k->scratch[0], WEIGHT);
}

static PyObject *loss_value(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_binding binding = {
        .function = {.name = "loss_value", .positional = 3, .needs_samples = true, .parameters = {FROM_Y_HAT}},
        .activation = MLP_NO_PARAMETER,
        .loss = NAME,
        .weight = WEIGHT,
        .scratch = {"n"},
        .work = LOSS_WORK,
        .compute = compute_value,
        .results = {MLP_NO_PARAMETER},
    };
    return mlp_run_binding(&binding, args, nargs, kwnames);
}

static void compute_gradient(mlp_kernel_call *k) {
    const mlp_call *call = &k->call;
    scale_samples(k, k->scratch[0], WEIGHT);
    MLP_KERNEL(call->is_double, loss_gradient, k->loss, call->size.n, call->size.out, mlp_data(call, OUT),
               mlp_data(call, Y_HAT), mlp_data(call, Y), k->scratch[0]);
}

static PyObject *loss_gradient(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames) {
    static const mlp_binding binding = {
        .function = {.name = "loss_gradient",
                     .positional = 3,
                     .needs_samples = true,
                     .parameters = {FROM_Y_HAT, [OUT] = {"out", MLP_RESULT, .optional = true, .axes = "no",
                                                         .in_place = 1u << Y_HAT}}},
        .activation = MLP_NO_PARAMETER,
        .loss = NAME,
        .weight = WEIGHT,
        .scratch = {"n"},
        .work = LOSS_WORK,
        .compute = compute_gradient,
        .results = {OUT, MLP_NO_PARAMETER},
    };
    return mlp_run_binding(&binding, args, nargs, kwnames);
}

/* ---- from z ----------------------------------------------------------------------------------------------------- */

enum { LOSS, ACTIVATION, Z, TRUTH, WEIGHTS, RESULT };

#define FROM_Z                                                                                                         \
    [LOSS] = {.name = "loss"}, [ACTIVATION] = {.name = "activation"}, [Z] = {"z", MLP_INPUT, .axes = "no"},            \
    [TRUTH] = {"y", MLP_INPUT, .axes = "no"}, [WEIGHTS] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"}

/* a = sigma(z) in the first scratch. */
static void activate(const mlp_kernel_call *k) {
    MLP_KERNEL(k->call.is_double, activation_forward, k->sigma, k->call.size.n, k->call.size.out, k->scratch[0],
               mlp_data(&k->call, Z));
}

static void compute_output_loss(mlp_kernel_call *k) {
    const mlp_call *call = &k->call;
    activate(k);
    MLP_KERNEL(call->is_double, output_loss, k->loss, k->sigma, call->size.n, call->size.out, k->scratch[1],
               mlp_data(call, Z), k->scratch[0], mlp_data(call, TRUTH));
    k->number = mean_of(k, k->scratch[1], WEIGHTS);
}

static PyObject *output_loss(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_binding binding = {
        .function = {.name = "output_loss", .positional = 4, .needs_samples = true, .parameters = {FROM_Z}},
        .activation = ACTIVATION,
        .loss = LOSS,
        .weight = WEIGHTS,
        .scratch = {"no", "n"},
        .work = LOSS_WORK,
        .compute = compute_output_loss,
        .results = {MLP_NO_PARAMETER},
    };
    return mlp_run_binding(&binding, args, nargs, kwnames);
}

static void compute_output_phi(mlp_kernel_call *k) {
    const mlp_call *call = &k->call;
    activate(k);
    scale_samples(k, k->scratch[1], WEIGHTS);
    MLP_KERNEL(call->is_double, output_phi, k->loss, k->sigma, call->size.n, call->size.out, mlp_data(call, RESULT),
               mlp_data(call, Z), k->scratch[0], mlp_data(call, TRUTH), k->scratch[1]);
}

static PyObject *output_phi(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_binding binding = {
        .function = {.name = "output_phi",
                     .positional = 4,
                     .needs_samples = true,
                     .parameters = {FROM_Z, [RESULT] = {"out", MLP_RESULT, .optional = true, .axes = "no"}}},
        .activation = ACTIVATION,
        .loss = LOSS,
        .weight = WEIGHTS,
        .scratch = {"no", "n"},
        .work = LOSS_WORK,
        .compute = compute_output_phi,
        .results = {RESULT, MLP_NO_PARAMETER},
    };
    return mlp_run_binding(&binding, args, nargs, kwnames);
}

PyMethodDef mlp_loss_methods[] = {
    MLP_METHOD("loss_value", loss_value, NULL),
    MLP_METHOD("loss_gradient", loss_gradient, NULL),
    MLP_METHOD("output_loss", output_loss, NULL),
    MLP_METHOD("output_phi", output_phi, NULL),
    {NULL, NULL, 0, NULL},
};
