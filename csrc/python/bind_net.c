/* bind_net.c: the methods of mlpcore._core.Net: forward, backward, step, predict, loss, train. See net_object.h. */
#include "net_object.h"

#include <math.h>
#include <string.h>

#include "../net/memory.h"

static double work_of(const Net *self, ptrdiff_t n) { return (double)self->net->parameters * (double)n; }

/* With regression there is nothing to be right about. */
static double accuracy_of(mlp_loss loss, mlp_score score) { return loss == MLP_MSE ? NAN : score.accuracy; }

static const mlp_choice initializers[] = {
    {"glorot_uniform", MLP_GLOROT_UNIFORM}, {"he_uniform", MLP_HE_UNIFORM}, {"zeros", MLP_ZEROS}, {NULL, 0}};

PyDoc_STRVAR(initialize_doc,
             "initialize($self, j, name, seed)\n--\n\n"
             "Fill w of layer j by the initializer 'glorot_uniform', 'he_uniform' or 'zeros', and b with 0.\n");

static PyObject *net_initialize(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { J, NAME, SEED };
    static const mlp_function function = {
        .name = "initialize",
        .positional = 3,
        .parameters = {[J] = {.name = "j"}, [NAME] = {.name = "name"}, [SEED] = {.name = "seed"}}};
    Net *self = (Net *)object;
    mlp_call call;
    ptrdiff_t j;
    int initializer;
    uint64_t seed;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_layer_index(self, &call, J, &j) < 0 ||
        mlp_get_choice(&call, NAME, initializers, &initializer) < 0 || mlp_get_seed(&call, SEED, &seed) < 0 ||
        mlp_begin_change(self) < 0) {
        return NULL;
    }
    mlp_net_initialize(self->net, j, (mlp_initializer)initializer, seed);
    mlp_end_change(self);
    Py_RETURN_NONE;
}

PyDoc_STRVAR(forward_doc,
             "forward($self, x)\n--\n\n"
             "a^J of the batch x, shape (n, in): a view, like those of `activity`, of shape (n, out). x is copied.\n");

static PyObject *net_forward(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X };
    static const mlp_function function = {
        .name = "forward", .positional = 1, .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"}}};
    Net *self = (Net *)object;
    mlp_call call;
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 || mlp_begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (mlp_acquire(&call) < 0 || mlp_detach_inputs(self, &call, NULL) < 0) {
        goto done;
    }
    ptrdiff_t n = call.size.n;
    if ((!self->block_owner || n > self->work.capacity) && mlp_prepare_workspace(self, n > 0 ? n : 1) < 0) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(work_of(self, n));
    memcpy(self->work.block, mlp_data(&call, X), (size_t)call.count * element_size(self));
    mlp_net_forward(self->net, self->work, n);
    mlp_restore_gil(state);
    self->rows = n;
    result = mlp_batch_view(self, self->net->depth - 1, MLP_A);
done:
    mlp_end(&call);
    mlp_end_change(self);
    return result;
}

PyDoc_STRVAR(backward_doc, "backward($self, y, loss, sample_weight=None)\n--\n\n"
                           "The loss of the last batch, with phi of every layer and all gradients filled in. "
                           "RuntimeError without a forward.\n");

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
    int loss;
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_choice(&call, LOSS, mlp_loss_names, &loss) < 0 || mlp_begin_change(self) < 0) {
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
    PyThreadState *state = mlp_release_gil(2 * work_of(self, self->rows));
    double mean = mlp_net_backward(self->net, self->work, self->rows, (mlp_loss)loss, mlp_data(&call, Y),
                                   mlp_data(&call, WEIGHT));
    mlp_restore_gil(state);
    self->has_grads = true;
    result = PyFloat_FromDouble(mean);
done:
    mlp_end(&call);
    mlp_end_change(self);
    return result;
}

PyDoc_STRVAR(step_doc, "step($self, optimizer)\n--\n\n"
                       "One step of the optimizer, a tuple as for `train`, with the gradients of the last backward. "
                       "RuntimeError without one.\n");

static PyObject *net_step(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_function function = {.name = "step", .positional = 1, .parameters = {{.name = "optimizer"}}};
    Net *self = (Net *)object;
    mlp_call call, state_call = {.function = &function};
    mlp_optimizer optimizer;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (!self->has_grads) {
        PyErr_SetString(PyExc_RuntimeError, "there was no backward yet");
        goto done;
    }
    if (mlp_take_optimizer(self, &call, 0, &state_call, &optimizer) < 0 ||
        mlp_settle_optimizer(self, &state_call, 1, &optimizer) < 0) {
        goto done;
    }
    PyThreadState *state = mlp_release_gil(work_of(self, 5));
    mlp_net_update(self->net, &optimizer);
    mlp_restore_gil(state);
    result = Py_NewRef(Py_None);
done:
    mlp_end(&state_call);
    mlp_end_change(self);
    return result;
}

/* The scores of whole epochs, on their way from training into a list of Python's. */
typedef struct {
    PyObject *list; /* of (loss, accuracy) */
    const mlp_score *score;
    mlp_loss loss;
    ptrdiff_t told, batches_of_an_epoch;
} Scores;

static int tell_scores(Scores *scores, ptrdiff_t batches_done) {
    for (; scores->told < batches_done / scores->batches_of_an_epoch; scores->told++) {
        mlp_score score = scores->score[scores->told];
        PyObject *pair = Py_BuildValue("dd", score.loss, accuracy_of(scores->loss, score));
        int status = pair ? PyList_Append(scores->list, pair) : -1;
        Py_XDECREF(pair);
        if (status < 0) {
            return -1;
        }
    }
    return 0;
}

/* The last batch, after the look that failed, may have ended an epoch. */
static void tell_scores_beside_error(Scores *scores, ptrdiff_t batches_done) {
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    if (tell_scores(scores, batches_done) < 0) {
        PyErr_Clear();
    }
    PyErr_Restore(type, value, traceback);
}

/* Who called. The engine's work, which goes on without the GIL, looks up now and then: for Ctrl-C, and to tell how far it
 * has come. */
typedef struct {
    PyThreadState *state; /* NULL: so little work that the GIL was kept */
    Scores *scores;       /* NULL: it does not train                    */
    PyObject *progress;   /* NULL: nobody wants to know                 */
    bool failed;          /* an exception is set                        */
} Caller;

static int look(void *context, ptrdiff_t done) {
    Caller *caller = context;
    bool released = caller->state;
    mlp_restore_gil(caller->state);
    caller->failed = (caller->scores && tell_scores(caller->scores, done) < 0) || PyErr_CheckSignals() < 0;
    if (!caller->failed && caller->progress) {
        PyObject *answer = PyObject_CallFunction(caller->progress, "n", done);
        caller->failed = !answer;
        Py_XDECREF(answer);
    }
    caller->state = released ? PyEval_SaveThread() : NULL;
    return caller->failed;
}

PyDoc_STRVAR(predict_doc,
             "predict($self, x)\n--\n\n"
             "a^J of x, shape (n, in), as a new array of shape (n, out). Leaves what `activity` shows alone.\n");

static PyObject *net_predict(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X };
    static const mlp_function function = {
        .name = "predict", .positional = 1, .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"}}};
    Net *self = (Net *)object;
    mlp_call call;
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 || mlp_begin_reading(self) < 0) {
        return NULL;
    }
    void *scratch = NULL;
    PyArrayObject *result = NULL;
    if (mlp_acquire(&call) < 0) {
        goto done;
    }
    scratch = mlp_alloc(mlp_predict_elements(self->net, call.size.n), element_size(self));
    if (!scratch) {
        PyErr_NoMemory();
        goto done;
    }
    result = mlp_new_array(&call, "the result", "no", MLP_C_ORDER);
    if (!result) {
        goto done;
    }
    Caller caller = {.state = mlp_release_gil(work_of(self, call.size.n))};
    mlp_net_predict(self->net, call.size.n, PyArray_DATA(result), mlp_data(&call, X), scratch,
                    &(mlp_watch){look, &caller});
    mlp_restore_gil(caller.state);
    if (caller.failed) {
        Py_CLEAR(result);
    }
done:
    mlp_free(scratch);
    mlp_end(&call);
    mlp_end_reading(self);
    return (PyObject *)result;
}

PyDoc_STRVAR(loss_doc,
             "loss($self, x, y, loss, sample_weight=None)\n--\n\n"
             "(loss, accuracy) of all rows as one batch, taken a few at a time; accuracy is nan for 'mse'.\n");

static PyObject *net_loss(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X, Y, LOSS, WEIGHT };
    static const mlp_function function = {
        .name = "loss",
        .positional = 4,
        .needs_samples = true,
        .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"},
                       [Y] = {"y", MLP_INPUT, .axes = "no"},
                       [LOSS] = {.name = "loss"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"}},
    };
    Net *self = (Net *)object;
    mlp_call call;
    int loss;
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_choice(&call, LOSS, mlp_loss_names, &loss) < 0 || mlp_begin_reading(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    void *value;
    mlp_workspace work = {0};
    if (mlp_acquire(&call) < 0 || mlp_check_weights(&call, WEIGHT) < 0 || !(value = mlp_scratch(&call, 0, "n"))) {
        goto done;
    }
    work.capacity = mlp_rows_at_once(call.size.n);
    work.block = mlp_alloc(mlp_workspace_elements(self->net, work.capacity), element_size(self));
    if (!work.block) {
        PyErr_NoMemory();
        goto done;
    }
    mlp_samples samples = {call.size.n, mlp_data(&call, X), mlp_data(&call, Y), mlp_data(&call, WEIGHT)};
    Caller caller = {.state = mlp_release_gil(work_of(self, samples.n))};
    mlp_score score = mlp_net_evaluate(self->net, work, (mlp_loss)loss, samples, value, &(mlp_watch){look, &caller});
    mlp_restore_gil(caller.state);
    if (!caller.failed) {
        result = Py_BuildValue("dd", score.loss, accuracy_of((mlp_loss)loss, score));
    }
done:
    mlp_free(work.block);
    mlp_end(&call);
    mlp_end_reading(self);
    return result;
}

PyDoc_STRVAR(
    train_doc,
    "train($self, x, y, sample_weight, loss, batch_size, shuffle, seed, first_epoch, epochs, optimizer, scores, "
    "progress)\n--\n\n"
    "Passes over all samples, batch by batch. Returns how many batches were done.\n"
    "\n"
    "optimizer is (\"sgd\", learning_rate, momentum, nesterov, velocity or None) or (\"adam\", learning_rate, "
    "beta1,\nbeta2, epsilon, m, v, t), whose arrays, of shape (P,), and t, int64 of shape (1,), are written in "
    "place. For\neach whole epoch (loss, accuracy), the means of what each batch had before its update, is "
    "appended to the list\nscores. About every 50 ms progress, if not None, is called with the number of batches "
    "done, and Ctrl-C is looked\nfor; an exception there ends training between two batches. The order of an "
    "epoch's rows follows from seed and the\nepoch's number.\n");

static PyObject *net_train(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X, Y, WEIGHT, LOSS, BATCH_SIZE, SHUFFLE, SEED, FIRST_EPOCH, EPOCHS, OPTIMIZER, SCORES, PROGRESS };
    static const mlp_function function = {
        .name = "train",
        .positional = 12,
        .needs_samples = true,
        .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"},
                       [Y] = {"y", MLP_INPUT, .axes = "no"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"},
                       [LOSS] = {.name = "loss"},
                       [BATCH_SIZE] = {.name = "batch_size"},
                       [SHUFFLE] = {.name = "shuffle"},
                       [SEED] = {.name = "seed"},
                       [FIRST_EPOCH] = {.name = "first_epoch"},
                       [EPOCHS] = {.name = "epochs"},
                       [OPTIMIZER] = {.name = "optimizer"},
                       [SCORES] = {.name = "scores"},
                       [PROGRESS] = {.name = "progress"}},
    };
    Net *self = (Net *)object;
    mlp_call call, state_call = {.function = &function};
    mlp_optimizer optimizer;
    int loss;
    long long batch_size, first_epoch, epochs;
    bool shuffle;
    uint64_t seed;
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_choice(&call, LOSS, mlp_loss_names, &loss) < 0 ||
        mlp_get_integer(&call, BATCH_SIZE, 1, PTRDIFF_MAX, &batch_size) < 0 ||
        mlp_get_bool(&call, SHUFFLE, &shuffle) < 0 || mlp_get_seed(&call, SEED, &seed) < 0 ||
        mlp_get_integer(&call, FIRST_EPOCH, 0, UINT32_MAX, &first_epoch) < 0 ||
        mlp_get_integer(&call, EPOCHS, 1, UINT32_MAX - first_epoch + 1, &epochs) < 0) {
        return NULL;
    }
    PyObject *progress = call.given[PROGRESS], *list = call.given[SCORES];
    if (progress != Py_None && !PyCallable_Check(progress)) {
        mlp_argument_error(&call, PROGRESS, PyExc_TypeError, "is %R, expected a callable or None", progress);
        return NULL;
    }
    if (!PyList_CheckExact(list)) {
        mlp_argument_error(&call, SCORES, PyExc_TypeError, "is %R, expected a list", list);
        return NULL;
    }
    if (mlp_begin_change(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    ptrdiff_t *order = NULL;
    mlp_score *score = NULL;
    if (mlp_take_optimizer(self, &call, OPTIMIZER, &state_call, &optimizer) < 0 || mlp_acquire(&call) < 0 ||
        mlp_check_weights(&call, WEIGHT) < 0 || mlp_detach_inputs(self, &call, &state_call) < 0) {
        goto done;
    }
    const ptrdiff_t n = call.size.n, batch = batch_size < n ? (ptrdiff_t)batch_size : n;
    const ptrdiff_t batches_of_an_epoch = n / batch + (n % batch > 0);
    ptrdiff_t steps = mlp_size_product(batches_of_an_epoch, (ptrdiff_t)epochs);
    if (mlp_settle_optimizer(self, &state_call, steps < 0 ? PTRDIFF_MAX : steps, &optimizer) < 0 ||
        mlp_prepare_workspace(self, batch) < 0) {
        goto done;
    }
    score = mlp_alloc((ptrdiff_t)epochs, sizeof *score);
    order = shuffle ? mlp_alloc(n, sizeof *order) : NULL;
    if (!score || (shuffle && !order)) {
        PyErr_NoMemory();
        goto done;
    }
    Scores scores = {.list = list, .score = score, .loss = (mlp_loss)loss, .batches_of_an_epoch = batches_of_an_epoch};
    Caller caller = {.scores = &scores, .progress = progress == Py_None ? NULL : progress};
    mlp_training training = {
        .samples = {n, mlp_data(&call, X), mlp_data(&call, Y), mlp_data(&call, WEIGHT)},
        .loss = (mlp_loss)loss,
        .optimizer = &optimizer,
        .epochs = (ptrdiff_t)epochs,
        .order = order,
        .seed = seed,
        .first_epoch = (uint32_t)first_epoch,
        .scores = score,
        .watch = &(mlp_watch){look, &caller},
    };
    caller.state = PyEval_SaveThread();
    ptrdiff_t batches = mlp_net_train(self->net, self->work, &training);
    PyEval_RestoreThread(caller.state);
    ptrdiff_t left = n - (batches - 1) % batches_of_an_epoch * batch;
    self->has_grads = true;
    self->rows = left < batch ? left : batch;
    /* A Ctrl-C that came after the last look becomes an exception here, and not somewhere in the caller's bookkeeping. */
    if (caller.failed) {
        tell_scores_beside_error(&scores, batches);
    } else if (tell_scores(&scores, batches) == 0 && PyErr_CheckSignals() == 0) {
        result = PyLong_FromSsize_t(batches);
    }
done:
    mlp_free(score);
    mlp_free(order);
    mlp_end(&state_call);
    mlp_end(&call);
    mlp_end_change(self);
    return result;
}

PyMethodDef mlp_net_methods[] = {
    MLP_METHOD("weights", mlp_net_weights, mlp_net_weights_doc),
    MLP_METHOD("activity", mlp_net_activity, mlp_net_activity_doc),
    MLP_METHOD("initialize", net_initialize, initialize_doc),
    MLP_METHOD("forward", net_forward, forward_doc),
    MLP_METHOD("backward", net_backward, backward_doc),
    MLP_METHOD("step", net_step, step_doc),
    MLP_METHOD("predict", net_predict, predict_doc),
    MLP_METHOD("loss", net_loss, loss_doc),
    MLP_METHOD("train", net_train, train_doc),
    {NULL, NULL, 0, NULL},
};
