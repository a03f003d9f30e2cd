/* net_validation.c: what training measures after each epoch, and what ends it early, from Python's tuples to memory. See
 * net_object.h.
 */
#include "net_object.h"

#include <math.h>

#include "../runtime/memory.h"

/* ---- samples to validate with ------------------------------------------------------------------------------------ */

enum { X, Y, WEIGHT };

static const mlp_function samples_arrays = {
    .name = "validation",
    .needs_samples = true,
    .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"},
                   [Y] = {"y", MLP_INPUT, .axes = "no"},
                   [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"}},
};

static const mlp_function scores_array = {.name = "validation", .parameters = {{"scores", MLP_OUTPUT, .axes = "e2"}}};

void mlp_begin_validation(mlp_validation_arguments *arguments) {
    *arguments =
        (mlp_validation_arguments){.samples = {.function = &samples_arrays}, .scores = {.function = &scores_array}};
    mlp_begin_measures(&arguments->measures);
}

int mlp_parse_validation(const Net *self, const mlp_call *outer, int p, const mlp_training *training, ptrdiff_t epochs,
                         mlp_validation_arguments *arguments) {
    enum { SCORES = WEIGHT + 1, METRICS };
    static const mlp_function function = {
        .name = "validation",
        .positional = 5,
        .parameters = {[X] = {.name = "x"},
                       [Y] = {.name = "y"},
                       [WEIGHT] = {.name = "sample_weight"},
                       [SCORES] = {.name = "scores"},
                       [METRICS] = {.name = "metrics", .optional = true}},
    };
    mlp_evaluation *evaluation = &arguments->validation.evaluation;
    mlp_call call, *samples = &arguments->samples, *scores = &arguments->scores;
    if (!outer->given[p] || outer->given[p] == Py_None) {
        return 0;
    }
    if (self->net->has_custom || training->loss.custom.fill) {
        return mlp_argument_error(outer, p, PyExc_ValueError,
                                  "is given with a part that is written in Python, expected None: call loss");
    }
    if (mlp_parse_tuple(&call, &function, outer->given[p]) < 0 ||
        mlp_parse_measures(self, &call, METRICS, epochs, &arguments->measures) < 0) {
        return -1;
    }
    for (int q = X; q <= WEIGHT; q++) {
        samples->given[q] = call.given[q];
    }
    samples->required = (mlp_sizes){.in = mlp_net_inputs(self->net), .out = mlp_net_outputs(self->net)};
    samples->required_bits = self->net->bits;
    scores->given[0] = call.given[SCORES];
    scores->required.epochs = epochs;
    scores->required_bits = 64;
    evaluation->loss = training->loss;
    evaluation->metric = training->metric;
    mlp_allow_labels(samples, Y, &evaluation->loss);
    arguments->is_given = true;
    return mlp_acquire(samples) < 0 || mlp_take_labels(self, samples, Y, &evaluation->loss) < 0 ||
                   mlp_check_categories(self, samples, X) < 0 || mlp_check_weights(samples, WEIGHT) < 0 ||
                   mlp_detach_inputs(self, samples, NULL) < 0 || mlp_acquire(scores) < 0
               ? -1
               : 0;
}

int mlp_bind_validation(const Net *self, mlp_validation_arguments *arguments) {
    mlp_call *samples = &arguments->samples, *scores = &arguments->scores;
    mlp_evaluation *evaluation = &arguments->validation.evaluation;
    if (!arguments->is_given) {
        return 0;
    }
    const ptrdiff_t n = samples->size.n, rows = mlp_rows_at_once(n);
    if (mlp_recheck(scores) < 0 || mlp_bind_measures(self, &arguments->measures, n, rows) < 0) {
        return -1;
    }
    if (mlp_overlaps_engine(self, scores->array[0])) {
        return mlp_argument_error(scores, 0, PyExc_ValueError, "overlaps the memory of the network");
    }
    evaluation->samples = (mlp_samples){n, mlp_data(samples, X), mlp_data(samples, Y), mlp_data(samples, WEIGHT)};
    evaluation->measures = mlp_measures_of(&arguments->measures);
    evaluation->work = (mlp_workspace){rows, mlp_alloc(mlp_workspace_elements(self->net, rows), element_size(self))};
    evaluation->value = mlp_alloc(n, element_size(self));
    if (!evaluation->work.block || !evaluation->value) {
        PyErr_NoMemory();
        return -1;
    }
    arguments->validation.scores = mlp_data(scores, 0);
    arguments->validation.values = arguments->measures.measures.values;
    return 0;
}

void mlp_end_validation(mlp_validation_arguments *arguments) {
    mlp_free(arguments->validation.evaluation.work.block);
    mlp_free(arguments->validation.evaluation.value);
    mlp_end_measures(&arguments->measures);
    mlp_end(&arguments->samples);
    mlp_end(&arguments->scores);
}

/* ---- early stopping --------------------------------------------------------------------------------------------- */

static const mlp_function progress_array = {.name = "early_stopping",
                                            .parameters = {{"progress", MLP_OUTPUT, .axes = "e"}}};

enum { PARAMS, STATE };

static const mlp_function best_arrays = {
    .name = "early_stopping",
    .parameters = {[PARAMS] = {"params", MLP_OUTPUT, .optional = true, .axes = "p"},
                   [STATE] = {"state", MLP_OUTPUT, .optional = true, .axes = "e"}},
};

void mlp_begin_stopping(mlp_stopping_arguments *arguments) {
    *arguments =
        (mlp_stopping_arguments){.progress = {.function = &progress_array}, .best = {.function = &best_arrays}};
}

int mlp_parse_stopping(const Net *self, PyObject *given, mlp_stopping_arguments *arguments) {
    enum {
        OF_VALIDATION,
        COLUMN,
        LARGER_IS_BETTER,
        BEST_OF_ALL,
        MIN_DELTA,
        PATIENCE,
        PROGRESS,
        BEST_PARAMS,
        BEST_STATE
    };
    static const mlp_function function = {
        .name = "early_stopping",
        .positional = 9,
        .parameters = {[OF_VALIDATION] = {.name = "of_validation"},
                       [COLUMN] = {.name = "column"},
                       [LARGER_IS_BETTER] = {.name = "larger_is_better"},
                       [BEST_OF_ALL] = {.name = "best_of_all"},
                       [MIN_DELTA] = {.name = "min_delta"},
                       [PATIENCE] = {.name = "patience"},
                       [PROGRESS] = {.name = "progress"},
                       [BEST_PARAMS] = {.name = "params"},
                       [BEST_STATE] = {.name = "state"}},
    };
    mlp_call call, *progress = &arguments->progress, *best = &arguments->best;
    mlp_early_stopping *stopping = &arguments->stopping;
    if (!given || given == Py_None) {
        return 0;
    }
    if (mlp_parse_tuple(&call, &function, given) < 0 ||
        mlp_get_bool(&call, OF_VALIDATION, &arguments->of_validation) < 0 ||
        mlp_get_integer(&call, COLUMN, 0, PTRDIFF_MAX, &arguments->column) < 0 ||
        mlp_get_bool(&call, LARGER_IS_BETTER, &stopping->larger_is_better) < 0 ||
        mlp_get_bool(&call, BEST_OF_ALL, &stopping->best_of_all) < 0 ||
        mlp_get_double(&call, MIN_DELTA, 0, INFINITY, &stopping->min_delta) < 0 ||
        mlp_get_double(&call, PATIENCE, 0, INFINITY, &stopping->patience) < 0) {
        return -1;
    }
    arguments->is_given = true;
    progress->given[0] = call.given[PROGRESS];
    progress->required.epochs = MLP_STOPPING_NUMBERS;
    progress->required_bits = 64;
    if (mlp_acquire(progress) < 0 || !self) {
        return PyErr_Occurred() ? -1 : 0;
    }
    if (call.given[BEST_PARAMS] == Py_None) {
        return 0;
    }
    best->given[PARAMS] = call.given[BEST_PARAMS];
    best->given[STATE] = self->net->buffer_size > 0 ? call.given[BEST_STATE] : NULL;
    best->required = (mlp_sizes){.parameters = self->net->parameters, .epochs = self->net->buffer_size};
    best->required_bits = self->net->bits;
    return mlp_acquire(best);
}

/* Where the watched numbers are written. -1: there is no such column. */
static int bind_column(mlp_stopping_arguments *arguments, const mlp_training *training) {
    enum { SCORES = sizeof(mlp_score) / sizeof(double) };
    const mlp_validation *validation = training->validation;
    mlp_early_stopping *stopping = &arguments->stopping;
    if (arguments->of_validation && !validation) {
        return -1;
    }
    const mlp_measures *measures = arguments->of_validation ? validation->evaluation.measures : training->measures;
    const mlp_score *scores = arguments->of_validation ? validation->scores : training->scores;
    const ptrdiff_t column = (ptrdiff_t)arguments->column, count = measures ? measures->count : 0;
    if (column < SCORES) {
        stopping->watched = &scores->loss + column;
        stopping->stride = SCORES;
        return 0;
    }
    if (column - SCORES >= count) {
        return -1;
    }
    stopping->watched = (arguments->of_validation ? validation->values : measures->values) + (column - SCORES);
    stopping->stride = count;
    return 0;
}

int mlp_bind_stopping(const Net *self, mlp_stopping_arguments *arguments, const mlp_training *training) {
    mlp_call *progress = &arguments->progress, *best = &arguments->best;
    mlp_early_stopping *stopping = &arguments->stopping;
    if (!arguments->is_given) {
        return 0;
    }
    if (mlp_recheck(progress) < 0 || (best->array[PARAMS] && mlp_recheck(best) < 0)) {
        return -1;
    }
    PyArrayObject *written[] = {progress->array[0], best->array[PARAMS], best->array[STATE]};
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        if (written[i] && mlp_overlaps_engine(self, written[i])) {
            return mlp_argument_error(i == 0 ? progress : best, i == 2, PyExc_ValueError,
                                      "overlaps the memory of the network");
        }
    }
    if (bind_column(arguments, training) < 0) {
        return mlp_argument_error(progress, 0, PyExc_ValueError, "watches column %lld, which is not measured",
                                  arguments->column);
    }
    stopping->progress = mlp_data(progress, 0);
    stopping->best_params = mlp_data(best, PARAMS);
    stopping->best_state = mlp_data(best, STATE);
    return 0;
}

void mlp_end_stopping(mlp_stopping_arguments *arguments) {
    mlp_end(&arguments->progress);
    mlp_end(&arguments->best);
}

PyObject *mlp_watch_epoch_method(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                                 PyObject *kwnames) {
    enum { EARLY_STOPPING, NUMBER };
    static const mlp_function function = {
        .name = "watch_epoch",
        .positional = 2,
        .parameters = {[EARLY_STOPPING] = {.name = "early_stopping"}, [NUMBER] = {.name = "number"}},
    };
    mlp_call call;
    mlp_stopping_arguments arguments;
    PyObject *result = NULL;
    mlp_begin_stopping(&arguments);
    if (mlp_parse(&call, &function, args, nargs, kwnames) == 0) {
        const double number = PyFloat_AsDouble(call.given[NUMBER]); /* NaN is a number too */
        if (!PyErr_Occurred() && mlp_parse_stopping(NULL, call.given[EARLY_STOPPING], &arguments) == 0 &&
            mlp_recheck(&arguments.progress) == 0) {
            arguments.stopping.progress = mlp_data(&arguments.progress, 0);
            result = PyBool_FromLong(mlp_watch_epoch(&arguments.stopping, number));
        }
    }
    mlp_end_stopping(&arguments);
    return result;
}
