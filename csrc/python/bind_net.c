/* bind_net.c: the methods of mlpcore._core.Net, and here initialize and what is done by hand: forward, backward, step. What they
 * do, and with which arguments, is told by _core.pyi. See net_object.h. */
#include "net_object.h"

#include <math.h>
#include <string.h>

#include "../runtime/memory.h"

static PyObject *net_initialize(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { STEP, SEGMENT, INITIALIZER, SEED };
    static const mlp_function function = {.name = "initialize",
                                          .positional = 4,
                                          .parameters = {[STEP] = {.name = "step"},
                                                         [SEGMENT] = {.name = "segment"},
                                                         [INITIALIZER] = {.name = "initializer"},
                                                         [SEED] = {.name = "seed"}}};
    Net *self = (Net *)object;
    mlp_call call;
    mlp_initializer initializer;
    long long step, segment;
    int id;
    uint64_t seed;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_integer(&call, STEP, 0, self->net->steps - 1, &step) < 0 ||
        mlp_get_integer(&call, SEGMENT, 0, PTRDIFF_MAX, &segment) < 0 ||
        mlp_get_entry(&call, INITIALIZER, mlp_initializers, &id, initializer.constants) < 0 ||
        mlp_get_seed(&call, SEED, &seed) < 0) {
        return NULL;
    }
    const ptrdiff_t segments = self->net->step[step].segments;
    if (segment >= segments) {
        mlp_argument_error(&call, SEGMENT, PyExc_ValueError, "is %lld, expected less than %zd, which step %lld has",
                           segment, segments, step);
        return NULL;
    }
    initializer.id = (mlp_initializer_id)id;
    const ptrdiff_t elements = mlp_initializer_elements(self->net, (ptrdiff_t)step, (ptrdiff_t)segment, &initializer);
    double *scratch = mlp_alloc(elements, sizeof *scratch);
    if (!scratch) {
        return PyErr_NoMemory();
    }
    if (mlp_begin_change(self) < 0) {
        mlp_free(scratch);
        return NULL;
    }
    const mlp_segment *own = &self->net->segment[self->net->step[step].segment + segment];
    mlp_caller caller = {.state = mlp_release_gil(64 * (double)own->rows * (double)own->columns)};
    mlp_net_initialize(self->net, (ptrdiff_t)step, (ptrdiff_t)segment, &initializer, seed, scratch,
                       &(mlp_interrupt){mlp_poll_python, &caller});
    mlp_restore_gil(caller.state);
    mlp_end_change(self);
    mlp_free(scratch);
    return caller.failed ? NULL : Py_NewRef(Py_None);
}

static PyObject *net_forward(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X, TRAINING, SEED, EPOCH, BATCH, WEIGHT };
    static const mlp_function function = {
        .name = "forward",
        .positional = 6,
        .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"},
                       [TRAINING] = {"training", .optional = true},
                       [SEED] = {"seed", .optional = true},
                       [EPOCH] = {"epoch", .optional = true},
                       [BATCH] = {"batch", .optional = true},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"}}};
    Net *self = (Net *)object;
    mlp_call call;
    mlp_mode mode = {0};
    long long epoch = 0, batch = 0;
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_bool(&call, TRAINING, &mode.training) < 0 ||
        (call.given[SEED] && mlp_get_seed(&call, SEED, &mode.seed) < 0) ||
        mlp_get_integer(&call, EPOCH, 0, UINT32_MAX, &epoch) < 0 ||
        mlp_get_integer(&call, BATCH, 0, UINT32_MAX, &batch) < 0 || mlp_begin_change(self) < 0) {
        return NULL;
    }
    mode.batch = mlp_batch_number((uint32_t)epoch, (uint64_t)batch);
    PyArrayObject *result = NULL;
    if (mlp_acquire(&call) < 0 || mlp_check_categories(self, &call, X) < 0 || mlp_check_weights(&call, WEIGHT) < 0 ||
        mlp_detach_inputs(self, &call, NULL) < 0 || !(result = mlp_new_array(&call, "the result", "no", MLP_C_ORDER))) {
        goto done;
    }
    const ptrdiff_t n = call.size.n;
    if ((!self->block_owner || n > self->work.capacity) && mlp_prepare_workspace(self, n > 0 ? n : 1) < 0) {
        Py_CLEAR(result);
        goto done;
    }
    mlp_caller caller = caller_of(self, self->block_owner, NULL, NULL);
    self->rows = -1;
    self->has_grads = false;
    mode.caller = &caller;
    mode.weight = mlp_data(&call, WEIGHT);
    caller.state = mlp_release_gil(work_of(self, n));
    memcpy(self->work.block, mlp_data(&call, X), (size_t)n * (size_t)mlp_net_inputs(self->net) * element_size(self));
    mlp_net_forward(self->net, self->work, n, &mode);
    const char *a = self->work.block;
    a += mlp_workspace_offset(self->work.capacity, self->net->value[self->net->steps]) * (ptrdiff_t)element_size(self);
    memcpy(PyArray_DATA(result), a, (size_t)PyArray_NBYTES(result));
    mlp_restore_gil(caller.state);
    if (caller.failed) {
        Py_CLEAR(result);
        goto done;
    }
    self->rows = n;
    self->mode = mode;
    self->mode.weight = NULL; /* it was of use to forward alone */
done:
    mlp_end(&call);
    mlp_end_change(self);
    return (PyObject *)result;
}

static PyObject *net_backward(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { Y, LOSS, WEIGHT };
    static const mlp_function function = {
        .name = "backward",
        .positional = 3,
        .needs_samples = true,
        .parameters = {[Y] = {"y", MLP_INPUT, .axes = "no"},
                       [LOSS] = {.name = "loss"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"}},
    };
    Net *self = (Net *)object;
    mlp_call call;
    mlp_loss loss;
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 ||
        mlp_parse_loss(self, &call, LOSS, &loss) < 0 || mlp_begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (mlp_refuse_without_forward(self) < 0) {
        goto done;
    }
    if (self->rows == 0) {
        PyErr_SetString(PyExc_ValueError, "backward: the last forward had no sample, and there is no mean of none");
        goto done;
    }
    call.required.n = self->rows;
    mlp_allow_labels(&call, Y, &loss);
    if (mlp_acquire(&call) < 0 || mlp_take_labels(self, &call, Y, &loss) < 0 || mlp_check_weights(&call, WEIGHT) < 0 ||
        mlp_detach_inputs(self, &call, NULL) < 0) {
        goto done;
    }
    mlp_caller caller = caller_of(self, self->block_owner, call.array[Y], NULL);
    mlp_mode mode = self->mode;
    double mean;
    mode.caller = &caller;
    self->has_grads = false;
    caller.state = mlp_release_gil(2 * work_of(self, self->rows));
    mlp_net_backward(self->net, self->work, self->rows, &mode, &loss, mlp_data(&call, Y), mlp_data(&call, WEIGHT),
                     &mean);
    mlp_restore_gil(caller.state);
    if (!caller.failed) {
        self->has_grads = true;
        result = PyFloat_FromDouble(mean);
    }
done:
    mlp_end(&call);
    mlp_end_change(self);
    return result;
}

static PyObject *net_step(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { OPTIMIZER, COUNTER };
    static const mlp_function function = {
        .name = "step",
        .positional = 2,
        .parameters = {[OPTIMIZER] = {.name = "optimizer"},
                       [COUNTER] = {"cursor", MLP_COUNTER, .optional = true, .axes = "2"}}};
    Net *self = (Net *)object;
    mlp_call call;
    mlp_optimizer_arguments optimizer;
    mlp_begin_optimizer(&optimizer);
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (!self->has_grads) {
        PyErr_SetString(PyExc_RuntimeError, "there was no backward since the last forward");
        goto done;
    }
    call.required_bits = 64;
    if (mlp_parse_optimizer(self, &call, OPTIMIZER, &optimizer) < 0 || mlp_acquire(&call) < 0 ||
        mlp_bind_optimizer_state(self, &optimizer, 1) < 0) {
        goto done;
    }
    int64_t *cursor = mlp_data(&call, COUNTER);
    mlp_caller caller = caller_of(self, self->net_owner, NULL, NULL);
    caller.state = mlp_release_gil(work_of(self, 5));
    const bool stepped = mlp_net_update(self->net, &optimizer.optimizer, &caller);
    mlp_restore_gil(caller.state);
    if (!stepped) {
        goto done;
    }
    if (cursor) {
        cursor[1] += 1; /* here, where no interrupt can come between step and count */
    }
    result = Py_NewRef(Py_None);
done:
    mlp_end(&call);
    mlp_end_optimizer(&optimizer);
    mlp_end_change(self);
    return result;
}

PyMethodDef mlp_net_methods[] = {
    MLP_METHOD("parameters", mlp_net_parameters, "parameters($self, step)\n--\n\n"),
    MLP_METHOD("buffers", mlp_net_buffers, "buffers($self, step)\n--\n\n"),
    MLP_METHOD("gradients", mlp_net_gradients, "gradients($self, step)\n--\n\n"),
    MLP_METHOD("gradient_buffers", mlp_net_gradient_buffers, "gradient_buffers($self, step)\n--\n\n"),
    {"snapshot", mlp_net_snapshot, METH_NOARGS, "snapshot($self)\n--\n\n"},
    MLP_METHOD("set_trained", mlp_net_set_trained, "set_trained($self, params)\n--\n\n"),
    MLP_METHOD("restore", mlp_net_restore, "restore($self, params, state=None)\n--\n\n"),
    {"read", mlp_net_read, METH_O, "read($self, function, /)\n--\n\n"},
    MLP_METHOD("value", mlp_net_value, "value($self, i)\n--\n\n"),
    MLP_METHOD("gradient", mlp_net_gradient, "gradient($self, i)\n--\n\n"),
    MLP_METHOD("set_segment", mlp_net_set_segment,
               "set_segment($self, i, trainable, rate_factor, l1, l2, max_norm)\n--\n\n"),
    MLP_METHOD("first_segment", mlp_net_first_segment, "first_segment($self, step)\n--\n\n"),
    {"segments", mlp_net_segments, METH_NOARGS, "segments($self)\n--\n\n"},
    MLP_METHOD("initialize", net_initialize, "initialize($self, step, segment, initializer, seed)\n--\n\n"),
    MLP_METHOD("forward", net_forward,
               "forward($self, x, training=False, seed=0, epoch=0, batch=0, sample_weight=None)\n--\n\n"),
    MLP_METHOD("backward", net_backward, "backward($self, y, loss, sample_weight=None)\n--\n\n"),
    MLP_METHOD("step", net_step, "step($self, optimizer, cursor=None)\n--\n\n"),
    MLP_METHOD("predict", mlp_net_call_predict, "predict($self, x)\n--\n\n"),
    MLP_METHOD("loss", mlp_net_call_loss, "loss($self, x, y, loss, metric, sample_weight=None, metrics=None)\n--\n\n"),
    MLP_METHOD("train", mlp_net_call_train, "train($self, x, y, sample_weight, settings)\n--\n\n"),
    {NULL, NULL, 0, NULL},
};
