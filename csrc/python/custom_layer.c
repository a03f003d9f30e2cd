/* custom_layer.c: layers written in Python, called by the engine in the middle of a batch. See net_object.h.
 *
 * The object's forward_step(y, x, training) fills y (n, out); its backward_step(grad_x, grad_y, x) fills grad_x (n, in), or
 * nothing where that is None, and its own gradients. The arrays show the engine's memory for the time of the call; they keep
 * that memory alive, but its numbers change with the next step.
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

static PyObject *view(const mlp_caller *caller, ptrdiff_t n, ptrdiff_t width, const void *data, bool writeable) {
    PyObject *array =
        mlp_view(owner_of(caller, data), caller->is_double, 2, (npy_intp[]){n, width}, NULL, (void *)data);
    if (array && !writeable) {
        PyArray_CLEARFLAGS((PyArrayObject *)array, NPY_ARRAY_WRITEABLE);
    }
    return array;
}

/* Calls a method with three arguments, whose references it takes over. Nonzero: it raised. */
static int call_method(mlp_caller *caller, PyObject *object, const char *name, PyObject *arguments[3]) {
    PyObject *result = NULL;
    if (arguments[0] && arguments[1] && arguments[2]) {
        result = PyObject_CallMethod(object, name, "OOO", arguments[0], arguments[1], arguments[2]);
    }
    for (int i = 0; i < 3; i++) {
        Py_XDECREF(arguments[i]);
    }
    caller->failed = !result;
    Py_XDECREF(result);
    return caller->failed;
}

int mlp_custom_forward(void *context, void *caller_pointer, ptrdiff_t n, bool training, void *y, const void *x) {
    const mlp_custom_layer *layer = context;
    mlp_caller *caller = caller_pointer;
    const bool released = mlp_reenter_python(caller);
    PyObject *arguments[] = {view(caller, n, layer->out, y, true), view(caller, n, layer->in, x, false),
                             PyBool_FromLong(training)};
    const int status = call_method(caller, layer->object, "forward_step", arguments);
    mlp_leave_python(caller, released);
    return status;
}

int mlp_custom_backward(void *context, void *caller_pointer, ptrdiff_t n, void *grad_x, const void *grad_y,
                        const void *x) {
    const mlp_custom_layer *layer = context;
    mlp_caller *caller = caller_pointer;
    const bool released = mlp_reenter_python(caller);
    PyObject *arguments[] = {grad_x ? view(caller, n, layer->in, grad_x, true) : Py_NewRef(Py_None),
                             view(caller, n, layer->out, grad_y, false), view(caller, n, layer->in, x, false)};
    const int status = call_method(caller, layer->object, "backward_step", arguments);
    mlp_leave_python(caller, released);
    return status;
}
