/* bind_dense.c: dense_forward and dense_backward for Python. */
#include "arrays.h"

PyDoc_STRVAR(dense_forward_doc,
             "dense_forward($module, x, w, b, *, out=None)\n--\n\n"
             "The linear part of a dense layer: ``z = x @ w.T + b``, z^j = w^j a^{j-1} + b^j for each sample.\n"
             "\n"
             "Parameters\n"
             "----------\n"
             "x : array_like, shape (n, in)\n"
             "    The layer's input a^{j-1}, one sample a row.\n"
             "w : array_like, shape (out, in)\n"
             "    Row i holds the weights of unit i. Used without a copy where ``w.T`` is C-contiguous.\n"
             "b : array_like, shape (out,)\n"
             "out : ndarray, shape (n, out), optional\n"
             "    Where z is written; C-contiguous, and apart from x, w and b in memory.\n"
             "\n"
             "Returns\n"
             "-------\n"
             "z : ndarray, shape (n, out)\n"
             "    `out` if it was given. float32 if x, w and b cast safely to it, else float64.\n"
             "\n"
             "Raises\n"
             "------\n"
             "TypeError\n"
             "    If an argument is no array of real numbers, or `out` is neither float32 nor float64.\n"
             "ValueError\n"
             "    If shapes disagree, or `out` cannot be written in place or overlaps an input.\n");

static PyObject *dense_forward(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames) {
    enum { X, W, B, OUT };
    static const mlp_function function = {
        .name = "dense_forward",
        .positional = 3,
        .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"},
                       [W] = {"w", MLP_INPUT, .axes = "oi", .order = MLP_F_ORDER},
                       [B] = {"b", MLP_INPUT, .axes = "o"},
                       [OUT] = {"out", MLP_RESULT, .optional = true, .axes = "no"}},
    };
    mlp_call call;
    PyObject *result = NULL;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_acquire(&call) < 0) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil((double)call.size.n * (double)call.size.in * (double)call.size.out);
    MLP_KERNEL(call.is_double, dense_forward, call.size.n, call.size.in, call.size.out, mlp_data(&call, OUT),
               mlp_data(&call, X), mlp_data(&call, W), mlp_data(&call, B));
    mlp_restore_gil(state);
    result = mlp_result(&call, OUT);
done:
    mlp_end(&call);
    return result;
}

PyDoc_STRVAR(dense_backward_doc,
             "dense_backward($module, phi, x, w)\n--\n\n"
             "The gradients of a dense layer's linear part, from phi = the gradient of the loss with respect to z.\n"
             "\n"
             "Parameters\n"
             "----------\n"
             "phi : array_like, shape (n, out)\n"
             "x : array_like, shape (n, in)\n"
             "    What the layer's forward was given.\n"
             "w : array_like, shape (out, in)\n"
             "    Used without a copy where ``w.T`` is C-contiguous.\n"
             "\n"
             "Returns\n"
             "-------\n"
             "grad_x : ndarray, shape (n, in)\n"
             "    ``phi @ w``: eq. 2 up to sigma', which `activation_backward` of the layer below applies.\n"
             "grad_w : ndarray, shape (out, in)\n"
             "    ``phi.T @ x``: eq. 3, summed over the batch. Its transpose is C-contiguous.\n"
             "grad_b : ndarray, shape (out,)\n"
             "    ``phi.sum(axis=0)``: eq. 4, summed over the batch.\n"
             "\n"
             "Raises\n"
             "------\n"
             "TypeError\n"
             "    If an argument is no array of real numbers.\n"
             "ValueError\n"
             "    If shapes disagree.\n");

static PyObject *dense_backward(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                                PyObject *kwnames) {
    enum { PHI, X, W };
    static const mlp_function function = {
        .name = "dense_backward",
        .positional = 3,
        .parameters = {[PHI] = {"phi", MLP_INPUT, .axes = "no"},
                       [X] = {"x", MLP_INPUT, .axes = "ni"},
                       [W] = {"w", MLP_INPUT, .axes = "oi", .order = MLP_F_ORDER}},
    };
    mlp_call call;
    PyObject *result = NULL;
    PyArrayObject *grad_x = NULL, *grad_w = NULL, *grad_b = NULL;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_acquire(&call) < 0 ||
        !(grad_x = mlp_new_array(&call, "grad_x", "ni", MLP_C_ORDER)) ||
        !(grad_w = mlp_new_array(&call, "grad_w", "oi", MLP_F_ORDER)) ||
        !(grad_b = mlp_new_array(&call, "grad_b", "o", MLP_C_ORDER))) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(2 * (double)call.size.n * (double)call.size.in * (double)call.size.out);
    MLP_KERNEL(call.is_double, dense_backward, call.size.n, call.size.in, call.size.out, PyArray_DATA(grad_x),
               PyArray_DATA(grad_w), PyArray_DATA(grad_b), mlp_data(&call, PHI), mlp_data(&call, X),
               mlp_data(&call, W));
    mlp_restore_gil(state);
    result = PyTuple_Pack(3, grad_x, grad_w, grad_b);
done:
    Py_XDECREF(grad_x);
    Py_XDECREF(grad_w);
    Py_XDECREF(grad_b);
    mlp_end(&call);
    return result;
}

PyMethodDef mlp_dense_methods[] = {
    MLP_METHOD("dense_forward", dense_forward, dense_forward_doc),
    MLP_METHOD("dense_backward", dense_backward, dense_backward_doc),
    {NULL, NULL, 0, NULL},
};
