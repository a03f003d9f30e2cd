/* bind_activations.c: activation_forward and activation_backward for Python, and the elementary functions for tests. */
#include "arrays.h"

/* What one exp, tanh, ... costs, in multiply-adds. */
static const double ELEMENTARY_WORK = 10;

PyDoc_STRVAR(
    activation_forward_doc,
    "activation_forward($module, name, z, *, out=None)\n--\n\n"
    "``a = sigma(z)`` (section 3).\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "name : {'linear', 'relu', 'sigmoid', 'tanh', 'softmax'} or None\n"
    "    sigma; None is 'linear'. Softmax works on rows.\n"
    "z : array_like, shape (n, out)\n"
    "out : ndarray, shape (n, out), optional\n"
    "    Where a is written; C-contiguous. It may be `z` itself.\n"
    "\n"
    "Returns\n"
    "-------\n"
    "a : ndarray, shape (n, out)\n"
    "    `out` if it was given. float32 if z casts safely to it, else float64.\n"
    "\n"
    "Raises\n"
    "------\n"
    "TypeError\n"
    "    If `z` is no array of real numbers, or `out` is neither float32 nor float64.\n"
    "ValueError\n"
    "    If the name is unknown, shapes disagree, or `out` cannot be written in place or overlaps part of `z`.\n");

static PyObject *activation_forward(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                                    PyObject *kwnames) {
    enum { NAME, Z, OUT };
    static const mlp_function function = {
        .name = "activation_forward",
        .positional = 2,
        .parameters = {[NAME] = {.name = "name"},
                       [Z] = {"z", MLP_INPUT, .axes = "no"},
                       [OUT] = {"out", MLP_RESULT, .optional = true, .axes = "no", .in_place = 1u << Z}},
    };
    mlp_call call;
    PyObject *result = NULL;
    int sigma;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_choice(&call, NAME, mlp_activation_names, &sigma) < 0 || mlp_acquire(&call) < 0) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(ELEMENTARY_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, activation_forward, (mlp_activation)sigma, call.size.n, call.size.out,
               mlp_data(&call, OUT), mlp_data(&call, Z));
    mlp_restore_gil(state);
    result = mlp_result(&call, OUT);
done:
    mlp_end(&call);
    return result;
}

PyDoc_STRVAR(
    activation_backward_doc,
    "activation_backward($module, name, z, grad_a, *, out=None)\n--\n\n"
    "phi, the gradient of the loss with respect to z, from the gradient with respect to ``a = sigma(z)``.\n"
    "\n"
    "``phi = grad_a * sigma'(z)`` (eq. 1 and 2); for softmax grad_a goes through the Jacobian of the row.\n"
    "At its kink ReLU has the derivative 0.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "name : {'linear', 'relu', 'sigmoid', 'tanh', 'softmax'} or None\n"
    "    sigma; None is 'linear'.\n"
    "z : array_like, shape (n, out)\n"
    "grad_a : array_like, shape (n, out)\n"
    "out : ndarray, shape (n, out), optional\n"
    "    Where phi is written; C-contiguous. It may be `z` or `grad_a` itself.\n"
    "\n"
    "Returns\n"
    "-------\n"
    "phi : ndarray, shape (n, out)\n"
    "    `out` if it was given. float32 if z and grad_a cast safely to it, else float64.\n"
    "\n"
    "Raises\n"
    "------\n"
    "TypeError\n"
    "    If an argument is no array of real numbers, or `out` is neither float32 nor float64.\n"
    "ValueError\n"
    "    If the name is unknown, shapes disagree, or `out` cannot be written in place or overlaps part of an input.\n");

static PyObject *activation_backward(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                                     PyObject *kwnames) {
    enum { NAME, Z, GRAD_A, OUT };
    static const mlp_function function = {
        .name = "activation_backward",
        .positional = 3,
        .parameters = {[NAME] = {.name = "name"},
                       [Z] = {"z", MLP_INPUT, .axes = "no"},
                       [GRAD_A] = {"grad_a", MLP_INPUT, .axes = "no"},
                       [OUT] = {"out", MLP_RESULT, .optional = true, .axes = "no", .in_place = 1u << Z | 1u << GRAD_A}},
    };
    mlp_call call;
    PyObject *result = NULL;
    int sigma;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_choice(&call, NAME, mlp_activation_names, &sigma) < 0 || mlp_acquire(&call) < 0) {
        goto done;
    }
    void *phi = mlp_data(&call, OUT), *grad_a = mlp_data(&call, GRAD_A);
    void *a = phi == grad_a ? mlp_scratch(&call, 0, "no") : phi; /* phi's own memory, unless grad_a lies there */
    if (!a) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(ELEMENTARY_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, activation_forward, (mlp_activation)sigma, call.size.n, call.size.out, a,
               mlp_data(&call, Z));
    MLP_KERNEL(call.is_double, activation_backward, (mlp_activation)sigma, call.size.n, call.size.out, phi, a, grad_a);
    mlp_restore_gil(state);
    result = mlp_result(&call, OUT);
done:
    mlp_end(&call);
    return result;
}

PyDoc_STRVAR(elementary_doc,
             "elementary($module, name, x)\n--\n\n"
             "exp, log, log1p, tanh or sigmoid of every element of x (any shape), as the kernels compute it.\n");

static PyObject *elementary(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { NAME, X };
    static const mlp_function function = {.name = "elementary",
                                          .positional = 2,
                                          .parameters = {[NAME] = {.name = "name"}, [X] = {"x", .role = MLP_INPUT}}};
    mlp_call call;
    PyObject *result = NULL;
    int which;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_choice(&call, NAME, mlp_elementary_names, &which) < 0 || mlp_acquire(&call) < 0 ||
        !(result = PyArray_NewLikeArray(call.array[X], NPY_CORDER, NULL, 0))) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(ELEMENTARY_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, elementary, (mlp_elementary)which, call.count, PyArray_DATA((PyArrayObject *)result),
               mlp_data(&call, X));
    mlp_restore_gil(state);
done:
    mlp_end(&call);
    return result;
}

PyMethodDef mlp_activation_methods[] = {
    MLP_METHOD("activation_forward", activation_forward, activation_forward_doc),
    MLP_METHOD("activation_backward", activation_backward, activation_backward_doc),
    MLP_METHOD("elementary", elementary, elementary_doc),
    {NULL, NULL, 0, NULL},
};
