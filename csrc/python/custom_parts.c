/* custom_parts.c: layers, losses and optimizers written in Python, called by the engine in the middle of a batch. See
 * net_object.h, and mlpcore/layers/custom.py, custom_loss.py and custom_optimizer.py for the methods that are called:
 *
 *   forward_step(y, x, training)          fills y (n, out)
 *   backward_step(grad_x, grad_y, x, y)   fills grad_x (n, in), or nothing where that is None, and the layer's own gradients
 *   loss_step(value, grad, y_hat, y)      fills value (n) and grad (n, out), or only the first where that is None
 *   update_step(params, grads, t)         returns pairs of arrays, the second of which is what the first, params (P) or one that
 *                                         the rule keeps, becomes by step t
 *
 * The arrays show the engine's memory for the time of the call; they keep that memory alive, but its numbers change with the
 * next step.
 */
#include "net_object.h"

/* What keeps the memory at `data` alive. */
static PyObject *owner_of(const mlp_caller *caller, const void *data) {
    for (size_t i = 1; i < sizeof caller->owners / sizeof *caller->owners; i++) {
        PyObject *owner = caller->owners[i];
        if (owner && PyArray_Check(owner)) {
            const char *start = PyArray_BYTES((PyArrayObject *)owner);
            if ((const char *)data >= start && (const char *)data < start + PyArray_NBYTES((PyArrayObject *)owner)) {
                return owner;
            }
        }
    }
    return caller->owners[0];
}

static PyObject *array_of(PyObject *owner, bool is_double, int rank, const npy_intp *shape, const void *data,
                          bool writeable) {
    PyObject *array = mlp_view(owner, is_double, rank, shape, NULL, (void *)data);
    if (array && !writeable) {
        PyArray_CLEARFLAGS((PyArrayObject *)array, NPY_ARRAY_WRITEABLE);
    }
    return array;
}

static PyObject *view(const mlp_caller *caller, ptrdiff_t n, ptrdiff_t width, const void *data, bool writeable) {
    return array_of(owner_of(caller, data), caller->is_double, 2, (npy_intp[]){n, width}, data, writeable);
}

enum { MOST_ARGUMENTS = 4 };

/* Calls a method with arguments, whose references it takes over; one that is NULL has set an exception. NULL: it raised. */
static PyObject *call_method(mlp_caller *caller, PyObject *object, const char *name, int count,
                             PyObject *arguments[MOST_ARGUMENTS]) {
    PyObject *method = PyObject_GetAttrString(object, name), *result = NULL;
    bool all = method != NULL;
    for (int i = 0; i < count; i++) {
        all = all && arguments[i];
    }
    if (all) {
        result = PyObject_Vectorcall(method, arguments, (size_t)count, NULL);
    }
    for (int i = 0; i < count; i++) {
        Py_XDECREF(arguments[i]);
    }
    Py_XDECREF(method);
    caller->failed = !result;
    return result;
}

/* The same for a method whose answer says nothing. Nonzero: it raised. */
static int run_method(mlp_caller *caller, PyObject *object, const char *name, int count,
                      PyObject *arguments[MOST_ARGUMENTS]) {
    Py_XDECREF(call_method(caller, object, name, count, arguments));
    return caller->failed;
}

int mlp_custom_forward(void *context, void *caller_pointer, ptrdiff_t n, bool training, void *y, const void *x) {
    const mlp_custom_layer *layer = context;
    mlp_caller *caller = caller_pointer;
    const bool released = mlp_reenter_python(caller);
    PyObject *arguments[MOST_ARGUMENTS] = {view(caller, n, layer->out, y, true), view(caller, n, layer->in, x, false),
                                           PyBool_FromLong(training)};
    const int status = run_method(caller, layer->object, "forward_step", 3, arguments);
    mlp_leave_python(caller, released);
    return status;
}

int mlp_custom_backward(void *context, void *caller_pointer, ptrdiff_t n, void *grad_x, const void *grad_y,
                        const void *x, const void *y) {
    const mlp_custom_layer *layer = context;
    mlp_caller *caller = caller_pointer;
    const bool released = mlp_reenter_python(caller);
    PyObject *arguments[MOST_ARGUMENTS] = {grad_x ? view(caller, n, layer->in, grad_x, true) : Py_NewRef(Py_None),
                                           view(caller, n, layer->out, grad_y, false),
                                           view(caller, n, layer->in, x, false), view(caller, n, layer->out, y, false)};
    const int status = run_method(caller, layer->object, "backward_step", 4, arguments);
    mlp_leave_python(caller, released);
    return status;
}

int mlp_custom_fill(void *context, void *caller_pointer, ptrdiff_t n, ptrdiff_t out, void *value, void *grad,
                    const void *y_hat, const void *y) {
    mlp_caller *caller = caller_pointer;
    const bool released = mlp_reenter_python(caller);
    PyObject *arguments[MOST_ARGUMENTS] = {
        array_of(owner_of(caller, value), caller->is_double, 1, (npy_intp[]){n}, value, true),
        grad ? view(caller, n, out, grad, true) : Py_NewRef(Py_None), view(caller, n, out, y_hat, false),
        view(caller, n, out, y, false)};
    const int status = run_method(caller, context, "loss_step", 4, arguments);
    mlp_leave_python(caller, released);
    return status;
}

/* Copies each second array of a tuple of pairs into the first. No Python code runs meanwhile, so that no Ctrl-C comes between. */
static int copy_pairs(PyObject *pairs) {
    if (!PyTuple_Check(pairs)) {
        PyErr_Format(PyExc_TypeError, "update_step returned %R, expected a tuple of pairs of arrays", pairs);
        return -1;
    }
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(pairs); i++) {
        PyArrayObject *to, *from;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(pairs, i), "O!O!:update_step", &PyArray_Type, &to, &PyArray_Type,
                              &from) ||
            PyArray_CopyInto(to, from) < 0) {
            return -1;
        }
    }
    return 0;
}

int mlp_custom_step(void *context, void *caller_pointer, int64_t t) {
    const mlp_custom_optimizer *optimizer = context;
    const Net *net = optimizer->net;
    mlp_caller *caller = caller_pointer;
    const bool released = mlp_reenter_python(caller);
    const npy_intp shape[] = {net->net->parameters};
    PyObject *arguments[MOST_ARGUMENTS] = {
        array_of(net->net_owner, caller->is_double, 1, shape, net->net->params, true),
        array_of(net->net_owner, caller->is_double, 1, shape, net->net->grads, false), PyLong_FromLongLong(t)};
    PyObject *pairs = call_method(caller, optimizer->object, "update_step", 3, arguments);
    if (pairs) {
        caller->failed = copy_pairs(pairs) < 0;
        Py_DECREF(pairs);
    }
    mlp_leave_python(caller, released);
    return caller->failed;
}
