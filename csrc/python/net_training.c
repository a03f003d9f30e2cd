/* net_training.c: the method train of mlpcore._core.Net: from its settings to what the engine reads. See net_object.h. */
#include "net_object.h"

#include <math.h>
#include <string.h>

#include "../runtime/memory.h"

/* What mlpcore.engine.TrainSettings holds, as C. */
typedef struct {
    mlp_training training;
    mlp_cursor cursor;
    mlp_optimizer_arguments optimizer;
    mlp_measures_arguments measures;
    mlp_validation_arguments validation;
    mlp_stopping_arguments stopping;
    mlp_lbfgs_arguments lbfgs; /* instead of an optimizer that takes a step each batch */
    bool is_lbfgs;
    mlp_part_arguments part;
    mlp_call arrays; /* the cursor that Python sees, and the scores */
    long long batch_size, epochs;
    bool shuffle, resume;
    PyObject *progress, *batch_end;
} train_settings;

enum { CURSOR, SCORES, RATES, STOPS };

static const mlp_function shown_arrays = {
    .name = "train",
    .parameters = {[CURSOR] = {"cursor", MLP_COUNTER, .axes = "2"},
                   [SCORES] = {"scores", MLP_OUTPUT, .axes = "e2"},
                   [RATES] = {"rates", MLP_OUTPUT, .optional = true, .axes = "e"},
                   [STOPS] = {"stop", MLP_COUNTER, .optional = true, .axes = "1"}},
};

static int get_callable(const mlp_call *call, int p, PyObject **callable) {
    *callable = call->given[p] == Py_None ? NULL : call->given[p];
    return !*callable || PyCallable_Check(*callable)
               ? 0
               : mlp_argument_error(call, p, PyExc_TypeError, "is %R, expected a callable or None", *callable);
}

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
        LBFGS,
        METRICS,
        VALIDATION,
        EARLY_STOPPING,
        BATCH_END,
        STOP,
        PART
    };
    static const mlp_function function = {
        .name = "train",
        .positional = 20,
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
                       [LBFGS] = {.name = "lbfgs", .optional = true},
                       [METRICS] = {.name = "metrics", .optional = true},
                       [VALIDATION] = {.name = "validation", .optional = true},
                       [EARLY_STOPPING] = {.name = "early_stopping", .optional = true},
                       [BATCH_END] = {.name = "batch_end", .optional = true},
                       [STOP] = {.name = "stop", .optional = true},
                       [PART] = {.name = "part", .optional = true}},
    };
    mlp_call call;
    mlp_training *training = &settings->training;
    bool has_accuracy;
    if (mlp_parse_tuple(&call, &function, outer->given[p]) < 0 ||
        mlp_parse_loss(self, &call, LOSS, &training->loss) < 0 ||
        mlp_parse_metric(&call, METRIC, &training->metric, &has_accuracy) < 0 ||
        mlp_get_integer(&call, BATCH_SIZE, 1, PTRDIFF_MAX, &settings->batch_size) < 0 ||
        mlp_get_bool(&call, SHUFFLE, &settings->shuffle) < 0 || mlp_get_seed(&call, SEED, &training->seed) < 0 ||
        mlp_get_integer(&call, EPOCHS, 1, UINT32_MAX, &settings->epochs) < 0 ||
        mlp_get_double(&call, MEAN_WEIGHT, 0, INFINITY, &training->mean_weight) < 0 ||
        mlp_get_bool(&call, RESUME, &settings->resume) < 0) {
        return -1;
    }
    if (get_callable(&call, PROGRESS, &settings->progress) < 0 ||
        get_callable(&call, BATCH_END, &settings->batch_end) < 0 ||
        mlp_parse_part(call.given[PART], &settings->part) < 0) {
        return -1;
    }
    settings->arrays.given[CURSOR] = call.given[COUNTER];
    settings->arrays.given[SCORES] = call.given[TABLE];
    settings->arrays.given[RATES] = call.given[LEARNING_RATES];
    settings->arrays.given[STOPS] = call.given[STOP];
    settings->arrays.required.epochs = (npy_intp)settings->epochs;
    settings->arrays.required_bits = 64;
    if (mlp_acquire(&settings->arrays) < 0) {
        return -1;
    }
    settings->is_lbfgs = call.given[LBFGS] && call.given[LBFGS] != Py_None;
    const ptrdiff_t epochs = (ptrdiff_t)settings->epochs;
    if (mlp_parse_measures(self, &call, METRICS, epochs, &settings->measures) < 0 ||
        mlp_parse_validation(self, &call, VALIDATION, training, epochs, &settings->validation) < 0 ||
        mlp_parse_stopping(self, call.given[EARLY_STOPPING], &settings->stopping) < 0) {
        return -1;
    }
    if (settings->part.is_given && (settings->is_lbfgs || epochs != 1)) {
        return mlp_argument_error(&call, PART, PyExc_ValueError,
                                  "is given with %s, expected an optimizer and one epoch",
                                  settings->is_lbfgs ? "lbfgs" : "several epochs");
    }
    if (settings->is_lbfgs && settings->measures.list) {
        return mlp_argument_error(&call, METRICS, PyExc_ValueError,
                                  "are given with lbfgs, whose evaluations are not all at points that are kept");
    }
    if (settings->is_lbfgs && (settings->validation.is_given || settings->stopping.is_given || settings->batch_end)) {
        return mlp_argument_error(&call, LBFGS, PyExc_ValueError,
                                  "is given with validation, early_stopping or batch_end, which go with an optimizer");
    }
    return settings->is_lbfgs ? mlp_parse_lbfgs(self, call.given[LBFGS], &settings->lbfgs)
                              : mlp_parse_optimizer(self, &call, OPTIMIZER, &settings->optimizer);
}

/* When no Python code can run any more: where training begins, and where it writes what is shown. */
static int bind_settings(const Net *self, train_settings *settings, ptrdiff_t n, ptrdiff_t batch) {
    const ptrdiff_t batches_of_an_epoch = n / batch + (n % batch > 0);
    const ptrdiff_t steps = mlp_size_product(batches_of_an_epoch, (ptrdiff_t)settings->epochs);
    if (mlp_recheck(&settings->arrays) < 0 || mlp_bind_measures(self, &settings->measures, n, batch) < 0 ||
        mlp_bind_validation(self, &settings->validation) < 0 ||
        mlp_bind_part(self, &settings->part, &settings->measures) < 0 ||
        (settings->is_lbfgs
             ? mlp_bind_lbfgs(self, &settings->lbfgs)
             : mlp_bind_optimizer_state(self, &settings->optimizer, steps < 0 ? PTRDIFF_MAX : steps)) < 0) {
        return -1;
    }
    const int64_t *cursor = mlp_data(&settings->arrays, CURSOR);
    const int64_t epoch = cursor[0], first = settings->resume ? cursor[1] : 0;
    const int64_t end = settings->part.is_given ? PTRDIFF_MAX - batches_of_an_epoch : batches_of_an_epoch;
    if (epoch < 0 || epoch > UINT32_MAX - settings->epochs || first < 0 || first >= end) {
        return mlp_argument_error(
            &settings->arrays, CURSOR, PyExc_ValueError,
            "holds epoch %lld, batch %lld, from which %lld epochs of %zd batches cannot be counted", (long long)epoch,
            (long long)first, settings->epochs, batches_of_an_epoch);
    }
    settings->cursor = (mlp_cursor){.epoch = (uint32_t)epoch, .batches = (ptrdiff_t)first};
    settings->cursor.seen = settings->part.is_given ? 0 : (ptrdiff_t)first * batch;
    settings->training.part = mlp_part_of(&settings->part);
    settings->training.epochs = (ptrdiff_t)settings->epochs;
    settings->training.measures = mlp_measures_of(&settings->measures);
    settings->training.optimizer = &settings->optimizer.optimizer;
    settings->training.scores = mlp_data(&settings->arrays, SCORES);
    settings->training.rates = mlp_data(&settings->arrays, RATES);
    settings->training.validation = settings->validation.is_given ? &settings->validation.validation : NULL;
    settings->training.stopping = settings->stopping.is_given ? &settings->stopping.stopping : NULL;
    return mlp_bind_stopping(self, &settings->stopping, &settings->training);
}

/* Trains with the GIL released. False: an exception is set. */
static bool run_training(Net *self, train_settings *settings, PyArrayObject *x, PyArrayObject *y, mlp_trained *done) {
    mlp_caller caller = caller_of(self, self->block_owner, x, y);
    mlp_training *training = &settings->training;
    const mlp_interrupt interrupt = {mlp_poll_python, &caller};
    caller.counter = mlp_data(&settings->arrays, CURSOR);
    caller.cursor = &settings->cursor;
    caller.progress = settings->progress;
    caller.batch_end = settings->batch_end;
    caller.stop = mlp_data(&settings->arrays, STOPS);
    training->caller = &caller;
    training->interrupt = &interrupt;
    training->batch_end = settings->batch_end ? mlp_end_batch : NULL;
    settings->validation.validation.evaluation.caller = &caller;
    settings->validation.validation.evaluation.interrupt = &interrupt;
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

PyObject *mlp_net_call_train(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
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
    mlp_begin_measures(&settings.measures);
    mlp_begin_validation(&settings.validation);
    mlp_begin_stopping(&settings.stopping);
    mlp_begin_part(&settings.part);
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 || mlp_begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (parse_settings(self, &call, SETTINGS, &settings) < 0) {
        goto done;
    }
    mlp_allow_labels(&call, Y, &training->loss);
    if (mlp_acquire(&call) < 0 || mlp_take_labels(self, &call, Y, &training->loss) < 0 ||
        mlp_check_categories(self, &call, X) < 0 || mlp_check_weights(&call, WEIGHT) < 0 ||
        mlp_detach_inputs(self, &call, &settings.optimizer) < 0) {
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
    mlp_end_measures(&settings.measures);
    mlp_end_validation(&settings.validation);
    mlp_end_stopping(&settings.stopping);
    mlp_end_part(&settings.part);
    mlp_end(&settings.arrays);
    mlp_end(&call);
    mlp_end_change(self);
    return result;
}
