/* net_arguments.c: arguments that have to suit a Net: arrays, losses, and the tuple of an optimizer. See net_object.h. */
#include "net_object.h"

#include <math.h>

int mlp_parse_for(const Net *self, mlp_call *call, const mlp_function *function, PyObject *const *args,
                  Py_ssize_t nargs, PyObject *kwnames) {
    const int parsed = mlp_parse(call, function, args, nargs, kwnames);
    call->required = (mlp_sizes){
        .in = mlp_net_inputs(self->net), .out = mlp_net_outputs(self->net), .parameters = self->net->parameters};
    call->required_bits = self->net->bits;
    return parsed;
}

static bool overlaps(PyArrayObject *array, const void *start, ptrdiff_t bytes) {
    uintptr_t data = (uintptr_t)PyArray_DATA(array), other = (uintptr_t)start;
    return start && data < other + (uintptr_t)bytes && other < data + (uintptr_t)PyArray_NBYTES(array);
}

bool mlp_overlaps_engine(const Net *self, PyArrayObject *array) {
    ptrdiff_t size = (ptrdiff_t)element_size(self), flat = self->net->parameters * size;
    return overlaps(array, self->net->params, flat) || overlaps(array, self->net->grads, flat) ||
           overlaps(array, self->net->state, self->net->buffer_size * size) ||
           overlaps(array, self->work.block, self->block_elements * size);
}

static bool overlaps_arrays(const mlp_call *call, PyArrayObject *array) {
    for (int p = 0; p < MLP_PARAMETERS; p++) {
        if (call->array[p] && overlaps(array, PyArray_DATA(call->array[p]), PyArray_NBYTES(call->array[p]))) {
            return true;
        }
    }
    return false;
}

/* Whether a call that takes steps with this optimizer writes into the array's memory. */
static bool is_written(const Net *self, const mlp_optimizer_arguments *optimizer, PyArrayObject *array) {
    return mlp_overlaps_engine(self, array) || (optimizer && (overlaps_arrays(&optimizer->call, array) ||
                                                              overlaps_arrays(&optimizer->schedule.call, array)));
}

int mlp_detach_inputs(const Net *self, mlp_call *call, const mlp_optimizer_arguments *optimizer) {
    for (int p = 0; call->function->parameters[p].name; p++) {
        PyArrayObject *array = call->array[p];
        if (array && is_written(self, optimizer, array)) {
            PyObject *copy = PyArray_NewCopy(array, NPY_CORDER);
            if (!copy) {
                return -1;
            }
            Py_SETREF(call->array[p], (PyArrayObject *)copy);
        }
    }
    return 0;
}

/* A number of an input, in the network's type. */
static double number_at(const Net *self, const mlp_call *call, int p, npy_intp i) {
    const void *numbers = mlp_data(call, p);
    return is_double(self) ? ((const double *)numbers)[i] : (double)((const float *)numbers)[i];
}

/* Whether a number is one of 0 ... count - 1; NaN is none. */
static bool is_index(double number, ptrdiff_t count) {
    return number >= 0 && number < (double)count && number == floor(number);
}

int mlp_check_categories(const Net *self, const mlp_call *call, int p) {
    const mlp_embedding *e = &self->net->embedding;
    for (ptrdiff_t t = 0; t < e->tables; t++) {
        const mlp_table *table = &e->table[t];
        for (npy_intp s = 0; s < call->size.n; s++) {
            const double given = number_at(self, call, p, s * e->in + table->column);
            if (is_index(given, table->categories)) {
                continue;
            }
            PyObject *value = PyFloat_FromDouble(given);
            if (value) {
                mlp_argument_error(call, p, PyExc_ValueError,
                                   "has %S, row %zd, column %zd, expected a category, a whole number from 0 to %zd",
                                   value, s, table->column, table->categories - 1);
                Py_DECREF(value);
            }
            return -1;
        }
    }
    return 0;
}

/* Whether an object that stands where a name could is one that is written in Python. */
static bool is_custom(PyObject *given, const char *method) {
    return !PyUnicode_Check(given) && !PyTuple_Check(given) && PyObject_HasAttrString(given, method);
}

int mlp_parse_loss(const Net *self, const mlp_call *call, int p, mlp_loss *loss) {
    int id;
    *loss = (mlp_loss){0};
    if (is_custom(call->given[p], "loss_step")) {
        loss->custom = (mlp_custom_loss){mlp_custom_fill, call->given[p]};
        return 0;
    }
    if (mlp_get_entry(call, p, mlp_losses, &id, loss->constants) < 0 ||
        mlp_check_constants(call, p, &mlp_losses[id], loss->constants, is_double(self)) < 0) {
        return -1;
    }
    loss->id = (mlp_loss_id)id;
    return 0;
}

void mlp_allow_labels(mlp_call *call, int p, const mlp_loss *loss) {
    if (!loss->custom.fill && mlp_losses[loss->id].traits & MLP_CLASSES) {
        call->labels |= 1u << p;
    }
}

int mlp_take_labels(const Net *self, const mlp_call *call, int p, mlp_loss *loss) {
    const ptrdiff_t out = mlp_net_outputs(self->net);
    loss->has_labels = PyArray_NDIM(call->array[p]) == 1;
    for (npy_intp i = 0; loss->has_labels && i < call->size.n; i++) {
        const double label = number_at(self, call, p, i);
        if (!is_index(label, out)) {
            PyObject *number = PyFloat_FromDouble(label);
            if (number) {
                mlp_argument_error(call, p, PyExc_ValueError, "has %S at row %zd, expected a class index from 0 to %zd",
                                   number, i, out - 1);
                Py_DECREF(number);
            }
            return -1;
        }
    }
    return 0;
}

int mlp_parse_metric(const mlp_call *call, int p, mlp_metric_id *metric, bool *has_accuracy) {
    int id = MLP_CATEGORICAL_ACCURACY;
    *has_accuracy = call->given[p] != Py_None;
    if (*has_accuracy && mlp_get_name(call, p, mlp_metrics, &id) < 0) {
        return -1;
    }
    if (id >= MLP_METRIC_COUNT) {
        return mlp_argument_error(call, p, PyExc_ValueError, "is %R, by which no accuracy counts", call->given[p]);
    }
    *metric = (mlp_metric_id)id;
    return 0;
}

/* ---- optimizers ------------------------------------------------------------------------------------------------- */

enum { NAME, HYPERS, STATES, T, CLIP_VALUE, CLIP_NORM, SCHEDULE, ACCUMULATION, AVERAGING };
enum {
    COUNTER,
    WAITING,
    SUM,
    AVERAGED,
    AVERAGE,
    FIRST_STATE
}; /* parameters of the function that has an optimizer's arrays */

void mlp_begin_optimizer(mlp_optimizer_arguments *arguments) {
    *arguments = (mlp_optimizer_arguments){.function = {.name = "optimizer"}};
    arguments->call.function = &arguments->function;
    mlp_begin_schedule(&arguments->schedule);
}

void mlp_end_optimizer(mlp_optimizer_arguments *arguments) {
    mlp_end(&arguments->call);
    mlp_end(&arguments->schedule.call);
}

static int parse_hypers(const Net *self, const mlp_call *call, mlp_optimizer_id id, double *hypers) {
    const mlp_entry *entry = &mlp_optimizers[id];
    PyObject *given = call->given[HYPERS];
    for (int i = 0; entry->hypers[i].name; i++) {
        if (!PyTuple_Check(given) || i >= PyTuple_GET_SIZE(given)) {
            return mlp_argument_error(call, HYPERS, PyExc_TypeError, "is %R, expected a tuple with a number for each",
                                      given);
        }
        if (mlp_check_hyper(call, HYPERS, &entry->hypers[i], PyTuple_GET_ITEM(given, i), &hypers[i]) < 0) {
            return -1;
        }
    }
    return mlp_check_hypers_in_type(call, HYPERS, true, is_double(self), id, hypers);
}

/* The learning rate, or a layer's factor times it, may make steps that the net's type cannot hold. */
static int check_rates(const Net *self, const mlp_call *call, const mlp_optimizer *optimizer) {
    const char *product = "learning_rate times a layer's learning_rate_factor";
    if (mlp_check_first_step(call, HYPERS, "learning_rate", is_double(self), optimizer->id, optimizer->hypers) < 0) {
        return -1;
    }
    for (ptrdiff_t i = 0; i < self->net->segments; i++) {
        const double factor = self->net->segment[i].rate_factor;
        if (factor == 1) {
            continue;
        }
        mlp_optimizer of_layer = *optimizer;
        of_layer.hypers[0] *= factor;
        if (mlp_check_held(call, HYPERS, product, of_layer.hypers[0], is_double(self)) < 0 ||
            mlp_check_first_step(call, HYPERS, product, is_double(self), optimizer->id, of_layer.hypers) < 0) {
            return -1;
        }
    }
    return 0;
}

/* None leaves the limit as it is. */
static int parse_limit(const Net *self, const mlp_call *call, int p, double *limit) {
    return call->given[p] == Py_None ? 0 : mlp_get_held(call, p, is_double(self), limit);
}

/* (batches, sum, waiting), as mlpcore.engine.AccumulationState. */
static int parse_accumulation(PyObject *tuple, mlp_optimizer_arguments *arguments) {
    enum { BATCHES, OF_GRADIENTS, BATCHES_WAITING };
    static const mlp_function function = {.name = "accumulation",
                                          .positional = 3,
                                          .parameters = {[BATCHES] = {.name = "batches"},
                                                         [OF_GRADIENTS] = {.name = "sum"},
                                                         [BATCHES_WAITING] = {.name = "waiting"}}};
    mlp_call call;
    long long batches;
    if (mlp_parse_tuple(&call, &function, tuple) < 0 || mlp_get_integer(&call, BATCHES, 1, INT64_MAX, &batches) < 0) {
        return -1;
    }
    arguments->optimizer.accumulation.batches = batches;
    arguments->call.given[SUM] = call.given[OF_GRADIENTS];
    arguments->call.given[WAITING] = call.given[BATCHES_WAITING];
    return 0;
}

/* (momentum, overwrite_every, average, steps), as mlpcore.engine.AverageState. */
static int parse_average(const Net *self, PyObject *tuple, mlp_optimizer_arguments *arguments) {
    enum { MOMENTUM, OVERWRITE_EVERY, OF_PARAMETERS, STEPS };
    static const mlp_function function = {.name = "average",
                                          .positional = 4,
                                          .parameters = {[MOMENTUM] = {.name = "momentum"},
                                                         [OVERWRITE_EVERY] = {.name = "overwrite_every"},
                                                         [OF_PARAMETERS] = {.name = "average"},
                                                         [STEPS] = {.name = "steps"}}};
    mlp_call call;
    long long every;
    mlp_average *average = &arguments->optimizer.average;
    if (mlp_parse_tuple(&call, &function, tuple) < 0 || mlp_get_double(&call, MOMENTUM, 0, 1, &average->momentum) < 0 ||
        mlp_check_held(&call, MOMENTUM, NULL, average->momentum, is_double(self)) < 0 ||
        mlp_get_integer(&call, OVERWRITE_EVERY, 0, INT64_MAX, &every) < 0) {
        return -1;
    }
    average->overwrite_every = every;
    arguments->call.given[AVERAGE] = call.given[OF_PARAMETERS];
    arguments->call.given[AVERAGED] = call.given[STEPS];
    return 0;
}

/* The states that the rule keeps, the count of steps, and what accumulation and average keep, as the arrays of a function of the
 * optimizer's name. */
static int parse_states(const Net *self, const mlp_call *call, const mlp_entry *entry,
                        mlp_optimizer_arguments *arguments) {
    PyObject *given = call->given[STATES];
    if (!PyTuple_Check(given)) {
        return mlp_argument_error(call, STATES, PyExc_TypeError, "is %R, expected a tuple of arrays", given);
    }
    mlp_function *function = &arguments->function;
    *function = (mlp_function){.name = entry->name};
    mlp_call *arrays = &arguments->call;
    *arrays = (mlp_call){
        .function = function, .required = {.parameters = self->net->parameters}, .required_bits = self->net->bits};
    function->parameters[COUNTER] = (mlp_parameter){"t", MLP_COUNTER, .axes = "1"};
    arrays->given[COUNTER] = call->given[T];
    PyObject *accumulation = call->given[ACCUMULATION], *average = call->given[AVERAGING];
    const bool accumulates = accumulation && accumulation != Py_None, averages = average && average != Py_None;
    function->parameters[WAITING] = (mlp_parameter){"waiting", MLP_COUNTER, .optional = !accumulates, .axes = "1"};
    function->parameters[SUM] = (mlp_parameter){"sum", MLP_OUTPUT, .optional = !accumulates, .axes = "p"};
    function->parameters[AVERAGED] = (mlp_parameter){"averaged", MLP_COUNTER, .optional = !averages, .axes = "1"};
    function->parameters[AVERAGE] = (mlp_parameter){"average", MLP_OUTPUT, .optional = !averages, .axes = "p"};
    if ((accumulates && parse_accumulation(accumulation, arguments) < 0) ||
        (averages && parse_average(self, average, arguments) < 0)) {
        return -1;
    }
    for (int i = 0; entry->states[i].name; i++) {
        const int p = FIRST_STATE + i;
        const bool needed = mlp_needs_state(arguments->optimizer.id, i, arguments->optimizer.hypers);
        function->parameters[p] = (mlp_parameter){entry->states[i].name, MLP_OUTPUT, .optional = !needed, .axes = "p"};
        arrays->given[p] = i < PyTuple_GET_SIZE(given) ? PyTuple_GET_ITEM(given, i) : Py_None;
        if (needed && arrays->given[p] == Py_None) {
            return mlp_argument_error(arrays, p, PyExc_ValueError, "is missing, expected an array");
        }
    }
    return mlp_acquire(arrays);
}

int mlp_parse_optimizer(const Net *self, const mlp_call *outer, int p, mlp_optimizer_arguments *arguments) {
    static const mlp_function function = {
        .name = "optimizer",
        .positional = 9,
        .parameters = {[NAME] = {.name = "name"},
                       [HYPERS] = {.name = "hypers"},
                       [STATES] = {.name = "states"},
                       [T] = {.name = "t"},
                       [CLIP_VALUE] = {"clip_value", .optional = true},
                       [CLIP_NORM] = {"clip_norm", .optional = true},
                       [SCHEDULE] = {"schedule", .optional = true},
                       [ACCUMULATION] = {"accumulation", .optional = true},
                       [AVERAGING] = {"average", .optional = true}},
    };
    mlp_optimizer *optimizer = &arguments->optimizer;
    mlp_call call;
    int id;
    *optimizer = (mlp_optimizer){.clip_value = INFINITY, .clip_norm = INFINITY};
    if (mlp_parse_tuple(&call, &function, outer->given[p]) < 0) {
        return -1;
    }
    if (is_custom(call.given[NAME], "update_step")) {
        static const mlp_entry entry = {.name = "optimizer"};
        arguments->custom = (mlp_custom_optimizer){call.given[NAME], self};
        optimizer->custom = (mlp_custom_rule){mlp_custom_step, &arguments->custom};
        return parse_states(self, &call, &entry, arguments);
    }
    if (mlp_get_name(&call, NAME, mlp_optimizers, &id) < 0 ||
        parse_hypers(self, &call, (mlp_optimizer_id)id, optimizer->hypers) < 0 ||
        parse_limit(self, &call, CLIP_VALUE, &optimizer->clip_value) < 0 ||
        parse_limit(self, &call, CLIP_NORM, &optimizer->clip_norm) < 0 ||
        (call.given[SCHEDULE] && call.given[SCHEDULE] != Py_None &&
         mlp_parse_schedule(call.given[SCHEDULE], &arguments->schedule) < 0)) {
        return -1;
    }
    optimizer->id = (mlp_optimizer_id)id;
    if (check_rates(self, &call, optimizer) < 0) {
        return -1;
    }
    return parse_states(self, &call, &mlp_optimizers[id], arguments);
}

/* A count that is there and goes on to count so many more. */
static int check_count(const mlp_call *call, int p, ptrdiff_t steps) {
    const int64_t *count = mlp_data(call, p);
    if (!count || (*count >= 0 && *count <= INT64_MAX - steps)) {
        return 0;
    }
    return mlp_argument_error(call, p, PyExc_ValueError, "holds %lld, which is no count of steps", (long long)*count);
}

int mlp_bind_optimizer_state(const Net *self, mlp_optimizer_arguments *arguments, ptrdiff_t steps) {
    mlp_call *call = &arguments->call;
    mlp_optimizer *optimizer = &arguments->optimizer;
    if (mlp_recheck(call) < 0 || mlp_bind_schedule(&arguments->schedule) < 0) {
        return -1;
    }
    PyArrayObject *progress = arguments->schedule.call.array[0];
    if (progress && mlp_overlaps_engine(self, progress)) {
        return mlp_argument_error(&arguments->schedule.call, 0, PyExc_ValueError, "overlaps the memory of the network");
    }
    optimizer->schedule = arguments->schedule.schedule;
    for (int p = 0; call->function->parameters[p].name; p++) {
        if (call->array[p] && mlp_overlaps_engine(self, call->array[p])) {
            return mlp_argument_error(call, p, PyExc_ValueError, "overlaps the memory of the network");
        }
    }
    for (int i = 0; i < MLP_STATES && call->function->parameters[FIRST_STATE + i].name; i++) {
        optimizer->state[i] = mlp_data(call, FIRST_STATE + i);
    }
    optimizer->t = mlp_data(call, COUNTER);
    optimizer->accumulation.sum = mlp_data(call, SUM);
    optimizer->accumulation.waiting = mlp_data(call, WAITING);
    optimizer->average.average = mlp_data(call, AVERAGE);
    optimizer->average.steps = mlp_data(call, AVERAGED);
    return check_count(call, COUNTER, steps) < 0 || check_count(call, WAITING, steps) < 0 ||
                   check_count(call, AVERAGED, steps) < 0
               ? -1
               : 0;
}
