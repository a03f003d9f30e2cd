/* bind_net.c: the methods of mlpcore._core.Net, and here those that change it: initialize, forward, backward, step, train. What
 * they do, and with which arguments, is told by _core.pyi. See net_object.h. */
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
    if (mlp_acquire(&call) < 0 || mlp_check_weights(&call, WEIGHT) < 0 || mlp_detach_inputs(self, &call, NULL) < 0 ||
        !(result = mlp_new_array(&call, "the result", "no", MLP_C_ORDER))) {
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
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 || mlp_parse_loss(&call, LOSS, &loss) < 0 ||
        mlp_begin_change(self) < 0) {
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
    if (mlp_acquire(&call) < 0 || mlp_check_weights(&call, WEIGHT) < 0 || mlp_detach_inputs(self, &call, NULL) < 0) {
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

/* ---- training --------------------------------------------------------------------------------------------------- */

/* What mlpcore.engine.TrainSettings holds, as C. */
typedef struct {
    mlp_training training;
    mlp_cursor cursor;
    mlp_optimizer_arguments optimizer;
    mlp_lbfgs_arguments lbfgs; /* instead of an optimizer that takes a step each batch */
    bool is_lbfgs;
    mlp_call arrays; /* the cursor that Python sees, and the scores */
    long long batch_size, epochs;
    bool shuffle, resume;
    PyObject *progress;
} train_settings;

enum { CURSOR, SCORES, RATES };

static const mlp_function shown_arrays = {
    .name = "train",
    .parameters = {[CURSOR] = {"cursor", MLP_COUNTER, .axes = "2"},
                   [SCORES] = {"scores", MLP_OUTPUT, .axes = "e2"},
                   [RATES] = {"rates", MLP_OUTPUT, .optional = true, .axes = "e"}},
};

static int parse_settings(const Net *self, const mlp_call *outer, int p, train_settings *settings) {
    enum {
        LOSS,
        METRIC,
        OPTIMIZER,
        BATCH_SIZE,
        SHUFFLE,
        SEED,
        EPOCHS,
        MEAN_WEIGHT,
        COUNTER,
        TABLE,
        PROGRESS,
        RESUME,
        LEARNING_RATES,
        LBFGS
    };
    static const mlp_function function = {
        .name = "train",
        .positional = 14,
        .parameters = {[LOSS] = {.name = "loss"},
                       [METRIC] = {.name = "metric"},
                       [OPTIMIZER] = {.name = "optimizer"},
                       [BATCH_SIZE] = {.name = "batch_size"},
                       [SHUFFLE] = {.name = "shuffle"},
                       [SEED] = {.name = "seed"},
                       [EPOCHS] = {.name = "epochs"},
                       [MEAN_WEIGHT] = {.name = "mean_weight"},
                       [COUNTER] = {.name = "cursor"},
                       [TABLE] = {.name = "scores"},
                       [PROGRESS] = {.name = "progress"},
                       [RESUME] = {.name = "resume", .optional = true},
                       [LEARNING_RATES] = {.name = "rates", .optional = true},
                       [LBFGS] = {.name = "lbfgs", .optional = true}},
    };
    mlp_call call;
    mlp_training *training = &settings->training;
    bool has_accuracy;
    if (mlp_parse_tuple(&call, &function, outer->given[p]) < 0 || mlp_parse_loss(&call, LOSS, &training->loss) < 0 ||
        mlp_parse_metric(&call, METRIC, &training->metric, &has_accuracy) < 0 ||
        mlp_get_integer(&call, BATCH_SIZE, 1, PTRDIFF_MAX, &settings->batch_size) < 0 ||
        mlp_get_bool(&call, SHUFFLE, &settings->shuffle) < 0 || mlp_get_seed(&call, SEED, &training->seed) < 0 ||
        mlp_get_integer(&call, EPOCHS, 1, UINT32_MAX, &settings->epochs) < 0 ||
        mlp_get_double(&call, MEAN_WEIGHT, 0, INFINITY, &training->mean_weight) < 0 ||
        mlp_get_bool(&call, RESUME, &settings->resume) < 0) {
        return -1;
    }
    settings->progress = call.given[PROGRESS] == Py_None ? NULL : call.given[PROGRESS];
    if (settings->progress && !PyCallable_Check(settings->progress)) {
        return mlp_argument_error(&call, PROGRESS, PyExc_TypeError, "is %R, expected a callable or None",
                                  settings->progress);
    }
    settings->arrays.given[CURSOR] = call.given[COUNTER];
    settings->arrays.given[SCORES] = call.given[TABLE];
    settings->arrays.given[RATES] = call.given[LEARNING_RATES];
    settings->arrays.required.epochs = (npy_intp)settings->epochs;
    settings->arrays.required_bits = 64;
    if (mlp_acquire(&settings->arrays) < 0) {
        return -1;
    }
    settings->is_lbfgs = call.given[LBFGS] && call.given[LBFGS] != Py_None;
    return settings->is_lbfgs ? mlp_parse_lbfgs(self, call.given[LBFGS], &settings->lbfgs)
                              : mlp_parse_optimizer(self, &call, OPTIMIZER, &settings->optimizer);
}

/* When no Python code can run any more: where training begins, and where it writes what is shown. */
static int bind_settings(const Net *self, train_settings *settings, ptrdiff_t n, ptrdiff_t batch) {
    const ptrdiff_t batches_of_an_epoch = n / batch + (n % batch > 0);
    const ptrdiff_t steps = mlp_size_product(batches_of_an_epoch, (ptrdiff_t)settings->epochs);
    if (mlp_recheck(&settings->arrays) < 0 ||
        (settings->is_lbfgs
             ? mlp_bind_lbfgs(self, &settings->lbfgs)
             : mlp_bind_optimizer_state(self, &settings->optimizer, steps < 0 ? PTRDIFF_MAX : steps)) < 0) {
        return -1;
    }
    const int64_t *cursor = mlp_data(&settings->arrays, CURSOR);
    const int64_t epoch = cursor[0], first = settings->resume ? cursor[1] : 0;
    if (epoch < 0 || epoch > UINT32_MAX - settings->epochs || first < 0 || first >= batches_of_an_epoch) {
        return mlp_argument_error(
            &settings->arrays, CURSOR, PyExc_ValueError,
            "holds epoch %lld, batch %lld, from which %lld epochs of %zd batches cannot be counted", (long long)epoch,
            (long long)first, settings->epochs, batches_of_an_epoch);
    }
    settings->cursor =
        (mlp_cursor){.epoch = (uint32_t)epoch, .batches = (ptrdiff_t)first, .seen = (ptrdiff_t)first * batch};
    settings->training.epochs = (ptrdiff_t)settings->epochs;
    settings->training.optimizer = &settings->optimizer.optimizer;
    settings->training.scores = mlp_data(&settings->arrays, SCORES);
    settings->training.rates = mlp_data(&settings->arrays, RATES);
    return 0;
}

/* Trains with the GIL released. False: an exception is set. */
static bool run_training(Net *self, train_settings *settings, PyArrayObject *x, PyArrayObject *y, mlp_trained *done) {
    mlp_caller caller = caller_of(self, self->block_owner, x, y);
    mlp_training *training = &settings->training;
    const mlp_interrupt interrupt = {mlp_poll_python, &caller};
    caller.counter = mlp_data(&settings->arrays, CURSOR);
    caller.cursor = &settings->cursor;
    caller.progress = settings->progress;
    training->caller = &caller;
    training->interrupt = &interrupt;
    caller.state = PyEval_SaveThread();
    *done = settings->is_lbfgs
                ? mlp_net_minimize(self->net, self->work, training, &settings->lbfgs.lbfgs, &settings->cursor)
                : mlp_net_train(self->net, self->work, training, &settings->cursor);
    PyEval_RestoreThread(caller.state);
    if (done->batches > 0) {
        mlp_show_cursor(&caller);
    }
    self->has_grads = done->rows >= 0;
    self->rows = done->rows;
    self->mode = (mlp_mode){.training = true, .seed = training->seed};
    /* A Ctrl-C that came after the last poll becomes an exception here, and not somewhere in the caller's bookkeeping. */
    return !caller.failed && PyErr_CheckSignals() == 0;
}

static PyObject *net_train(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X, Y, WEIGHT, SETTINGS };
    static const mlp_function function = {
        .name = "train",
        .positional = 4,
        .needs_samples = true,
        .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"},
                       [Y] = {"y", MLP_INPUT, .axes = "no"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"},
                       [SETTINGS] = {.name = "settings"}},
    };
    Net *self = (Net *)object;
    mlp_call call;
    train_settings settings = {.arrays = {.function = &shown_arrays}, .resume = true};
    mlp_training *training = &settings.training;
    mlp_begin_optimizer(&settings.optimizer);
    mlp_begin_lbfgs(&settings.lbfgs);
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 || mlp_begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (parse_settings(self, &call, SETTINGS, &settings) < 0 || mlp_acquire(&call) < 0 ||
        mlp_check_weights(&call, WEIGHT) < 0 || mlp_detach_inputs(self, &call, &settings.optimizer) < 0) {
        goto done;
    }
    const ptrdiff_t n = call.size.n,
                    batch = settings.is_lbfgs || settings.batch_size > n ? n : (ptrdiff_t)settings.batch_size;
    if (bind_settings(self, &settings, n, batch) < 0) {
        goto done;
    }
    training->samples = (mlp_samples){n, mlp_data(&call, X), mlp_data(&call, Y), mlp_data(&call, WEIGHT)};
    if (settings.shuffle && !settings.is_lbfgs && !(training->order = mlp_alloc(n, sizeof *training->order))) {
        PyErr_NoMemory();
        goto done;
    }
    if (mlp_prepare_workspace(self, batch) < 0) {
        goto done;
    }
    mlp_trained done;
    if (run_training(self, &settings, call.array[X], call.array[Y], &done)) {
        result = Py_BuildValue("nn", done.batches, done.first_not_finite);
    }
done:
    mlp_free(training->order);
    mlp_end_optimizer(&settings.optimizer);
    mlp_end_lbfgs(&settings.lbfgs);
    mlp_end(&settings.arrays);
    mlp_end(&call);
    mlp_end_change(self);
    return result;
}

PyMethodDef mlp_net_methods[] = {
    MLP_METHOD("parameters", mlp_net_parameters, "parameters($self, step)\n--\n\n"),
    MLP_METHOD("buffers", mlp_net_buffers, "buffers($self, step)\n--\n\n"),
    MLP_METHOD("gradients", mlp_net_gradients, "gradients($self, step)\n--\n\n"),
    MLP_METHOD("gradient_buffers", mlp_net_gradient_buffers, "gradient_buffers($self, step)\n--\n\n"),
    {"snapshot", mlp_net_snapshot, METH_NOARGS, "snapshot($self)\n--\n\n"},
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
    MLP_METHOD("loss", mlp_net_call_loss, "loss($self, x, y, loss, metric, sample_weight=None)\n--\n\n"),
    MLP_METHOD("train", net_train, "train($self, x, y, sample_weight, settings)\n--\n\n"),
    {NULL, NULL, 0, NULL},
};
