/* bind_losses.c: the four functions of a loss for Python: its value and its gradient, from y_hat or from z. */
#include "arrays.h"

/* What one element of a loss costs, in multiply-adds. */
static const double LOSS_WORK = 20;

#define LOSS_NAMES                                                                                                     \
    "{'mse', 'bce', 'cce'}\n"                                                                                          \
    "    Or in full 'mean_squared_error', 'binary_crossentropy', 'categorical_crossentropy'.\n"
#define WEIGHT_DOC                                                                                                     \
    "sample_weight : array_like, shape (n,), optional\n"                                                               \
    "    Finite, none negative, not all 0. The batch's loss is the mean of the samples' losses with these weights.\n"
#define RAISES_DOC                                                                                                     \
    "\n"                                                                                                               \
    "Raises\n"                                                                                                         \
    "------\n"                                                                                                         \
    "TypeError\n"                                                                                                      \
    "    If an argument is no array of real numbers, or `out` is neither float32 nor float64.\n"                       \
    "ValueError\n"                                                                                                     \
    "    If a name is unknown, shapes disagree, there is no sample, weights are unusable, or `out` cannot be "         \
    "written\n"                                                                                                        \
    "    in place or overlaps an input.\n"

PyDoc_STRVAR(loss_value_doc,
             "loss_value($module, name, y_hat, y, *, sample_weight=None)\n--\n\n"
             "The loss of a batch, from the network's output: the weighted mean over the samples.\n"
             "\n"
             "Per sample: MSE is the mean over the outputs of ``(y_hat - y)**2``; BCE the sum over the outputs of\n"
             "``-y*log(y_hat) - (1-y)*log(1-y_hat)``; CCE the sum over the classes of ``-y*log(y_hat)`` (section 3).\n"
             "Logarithms are cut off at the smallest normal number, so that the loss is finite.\n"
             "\n"
             "Parameters\n"
             "----------\n"
             "name : " LOSS_NAMES "y_hat : array_like, shape (n, out)\n"
             "    What the network says: a^J.\n"
             "y : array_like, shape (n, out)\n"
             "    The ground truth.\n" WEIGHT_DOC "\n"
             "Returns\n"
             "-------\n"
             "loss : float\n" RAISES_DOC);

static PyObject *loss_value(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { NAME, Y_HAT, Y, WEIGHT };
    static const mlp_function function = {
        .name = "loss_value",
        .positional = 3,
        .needs_samples = true,
        .parameters = {[NAME] = {.name = "name"},
                       [Y_HAT] = {"y_hat", MLP_INPUT, .axes = "no"},
                       [Y] = {"y", MLP_INPUT, .axes = "no"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"}},
    };
    mlp_call call;
    PyObject *result = NULL;
    int loss;
    void *value;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_choice(&call, NAME, mlp_loss_names, &loss) < 0 || mlp_acquire(&call) < 0 ||
        mlp_check_weights(&call, WEIGHT) < 0 || !(value = mlp_scratch(&call, 0, "n"))) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(LOSS_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, loss_value, (mlp_loss)loss, call.size.n, call.size.out, value, mlp_data(&call, Y_HAT),
               mlp_data(&call, Y));
    double mean = MLP_KERNEL(call.is_double, batch_mean, call.size.n, value, mlp_data(&call, WEIGHT));
    mlp_restore_gil(state);
    result = PyFloat_FromDouble(mean);
done:
    mlp_end(&call);
    return result;
}

PyDoc_STRVAR(loss_gradient_doc,
             "loss_gradient($module, name, y_hat, y, *, sample_weight=None, out=None)\n--\n\n"
             "The gradient of `loss_value` with respect to y_hat, the factor 1/n of the mean included (section 3).\n"
             "\n"
             "Where a logarithm is cut off (see `loss_value`), the gradient is 0.\n"
             "\n"
             "Parameters\n"
             "----------\n"
             "name : " LOSS_NAMES "y_hat : array_like, shape (n, out)\n"
             "    What the network says: a^J.\n"
             "y : array_like, shape (n, out)\n"
             "    The ground truth.\n" WEIGHT_DOC "out : ndarray, shape (n, out), optional\n"
             "    Where the gradient is written; C-contiguous. It may be `y_hat` itself.\n"
             "\n"
             "Returns\n"
             "-------\n"
             "grad_a : ndarray, shape (n, out)\n"
             "    `out` if it was given. float32 if every argument casts safely to it, else float64.\n" RAISES_DOC);

static PyObject *loss_gradient(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames) {
    enum { NAME, Y_HAT, Y, WEIGHT, OUT };
    static const mlp_function function = {
        .name = "loss_gradient",
        .positional = 3,
        .needs_samples = true,
        .parameters = {[NAME] = {.name = "name"},
                       [Y_HAT] = {"y_hat", MLP_INPUT, .axes = "no"},
                       [Y] = {"y", MLP_INPUT, .axes = "no"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"},
                       [OUT] = {"out", MLP_RESULT, .optional = true, .axes = "no", .in_place = 1u << Y_HAT}},
    };
    mlp_call call;
    PyObject *result = NULL;
    int loss;
    void *scale;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_choice(&call, NAME, mlp_loss_names, &loss) < 0 || mlp_acquire(&call) < 0 ||
        mlp_check_weights(&call, WEIGHT) < 0 || !(scale = mlp_scratch(&call, 0, "n"))) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(LOSS_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, batch_scale, call.size.n, scale, mlp_data(&call, WEIGHT));
    MLP_KERNEL(call.is_double, loss_gradient, (mlp_loss)loss, call.size.n, call.size.out, mlp_data(&call, OUT),
               mlp_data(&call, Y_HAT), mlp_data(&call, Y), scale);
    mlp_restore_gil(state);
    result = mlp_result(&call, OUT);
done:
    mlp_end(&call);
    return result;
}

PyDoc_STRVAR(output_loss_doc,
             "output_loss($module, loss, activation, z, y, *, sample_weight=None)\n--\n\n"
             "The loss of a batch, from the last layer's z: `loss_value` of ``sigma(z)``, without its rounding.\n"
             "\n"
             "Sigmoid and softmax with a cross-entropy never form the rounded a: finite for every finite z.\n"
             "\n"
             "Parameters\n"
             "----------\n"
             "loss : " LOSS_NAMES "activation : {'linear', 'relu', 'sigmoid', 'tanh', 'softmax'} or None\n"
             "    sigma of the last layer; None is 'linear'.\n"
             "z : array_like, shape (n, out)\n"
             "y : array_like, shape (n, out)\n"
             "    The ground truth.\n" WEIGHT_DOC "\n"
             "Returns\n"
             "-------\n"
             "loss : float\n" RAISES_DOC);

static PyObject *output_loss(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { LOSS, ACTIVATION, Z, Y, WEIGHT };
    static const mlp_function function = {
        .name = "output_loss",
        .positional = 4,
        .needs_samples = true,
        .parameters = {[LOSS] = {.name = "loss"},
                       [ACTIVATION] = {.name = "activation"},
                       [Z] = {"z", MLP_INPUT, .axes = "no"},
                       [Y] = {"y", MLP_INPUT, .axes = "no"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"}},
    };
    mlp_call call;
    PyObject *result = NULL;
    int loss, sigma;
    void *a, *value;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_choice(&call, LOSS, mlp_loss_names, &loss) < 0 ||
        mlp_get_choice(&call, ACTIVATION, mlp_activation_names, &sigma) < 0 || mlp_acquire(&call) < 0 ||
        mlp_check_weights(&call, WEIGHT) < 0 || !(a = mlp_scratch(&call, 0, "no")) ||
        !(value = mlp_scratch(&call, 1, "n"))) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(LOSS_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, activation_forward, (mlp_activation)sigma, call.size.n, call.size.out, a,
               mlp_data(&call, Z));
    MLP_KERNEL(call.is_double, output_loss, (mlp_loss)loss, (mlp_activation)sigma, call.size.n, call.size.out, value,
               mlp_data(&call, Z), a, mlp_data(&call, Y));
    double mean = MLP_KERNEL(call.is_double, batch_mean, call.size.n, value, mlp_data(&call, WEIGHT));
    mlp_restore_gil(state);
    result = PyFloat_FromDouble(mean);
done:
    mlp_end(&call);
    return result;
}

PyDoc_STRVAR(
    output_phi_doc,
    "output_phi($module, loss, activation, z, y, *, sample_weight=None, out=None)\n--\n\n"
    "phi^J, the gradient of `output_loss` with respect to the last layer's z (eq. 1), for every pair of names.\n"
    "\n"
    "``(a - y) / n`` where that is the pair's derivative, and the pair's own derivative elsewhere: softmax with\n"
    "MSE, for instance, goes through the Jacobian of softmax.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "loss : " LOSS_NAMES "activation : {'linear', 'relu', 'sigmoid', 'tanh', 'softmax'} or None\n"
    "    sigma of the last layer; None is 'linear'.\n"
    "z : array_like, shape (n, out)\n"
    "y : array_like, shape (n, out)\n"
    "    The ground truth; for CCE a row may be one-hot or not.\n" WEIGHT_DOC
    "out : ndarray, shape (n, out), optional\n"
    "    Where phi is written; C-contiguous, and apart from the inputs in memory.\n"
    "\n"
    "Returns\n"
    "-------\n"
    "phi : ndarray, shape (n, out)\n"
    "    `out` if it was given. float32 if every argument casts safely to it, else float64.\n" RAISES_DOC);

static PyObject *output_phi(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { LOSS, ACTIVATION, Z, Y, WEIGHT, OUT };
    static const mlp_function function = {
        .name = "output_phi",
        .positional = 4,
        .needs_samples = true,
        .parameters = {[LOSS] = {.name = "loss"},
                       [ACTIVATION] = {.name = "activation"},
                       [Z] = {"z", MLP_INPUT, .axes = "no"},
                       [Y] = {"y", MLP_INPUT, .axes = "no"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"},
                       [OUT] = {"out", MLP_RESULT, .optional = true, .axes = "no"}},
    };
    mlp_call call;
    PyObject *result = NULL;
    int loss, sigma;
    void *a, *scale;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_choice(&call, LOSS, mlp_loss_names, &loss) < 0 ||
        mlp_get_choice(&call, ACTIVATION, mlp_activation_names, &sigma) < 0 || mlp_acquire(&call) < 0 ||
        mlp_check_weights(&call, WEIGHT) < 0 || !(a = mlp_scratch(&call, 0, "no")) ||
        !(scale = mlp_scratch(&call, 1, "n"))) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(LOSS_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, batch_scale, call.size.n, scale, mlp_data(&call, WEIGHT));
    MLP_KERNEL(call.is_double, activation_forward, (mlp_activation)sigma, call.size.n, call.size.out, a,
               mlp_data(&call, Z));
    MLP_KERNEL(call.is_double, output_phi, (mlp_loss)loss, (mlp_activation)sigma, call.size.n, call.size.out,
               mlp_data(&call, OUT), mlp_data(&call, Z), a, mlp_data(&call, Y), scale);
    mlp_restore_gil(state);
    result = mlp_result(&call, OUT);
done:
    mlp_end(&call);
    return result;
}

PyMethodDef mlp_loss_methods[] = {
    MLP_METHOD("loss_value", loss_value, loss_value_doc),
    MLP_METHOD("loss_gradient", loss_gradient, loss_gradient_doc),
    MLP_METHOD("output_loss", output_loss, output_loss_doc),
    MLP_METHOD("output_phi", output_phi, output_phi_doc),
    {NULL, NULL, 0, NULL},
};
