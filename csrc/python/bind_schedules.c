/* bind_schedules.c: a schedule of the learning rate as Python hands it over, and the two functions that Python needs of it:
 *
 *     schedule_rate(schedule, learning_rate, steps)      the rate of the step after so many
 *     schedule_loss(schedule, loss)                      for one that watches the loss of validation data
 */
#include "net_object.h"

#include <math.h>
#include <string.h>

enum { PROGRESS }; /* the array of the numbers of mlp_schedule_progress */

static const mlp_function progress_array = {.name = "schedule", .parameters = {{"progress", MLP_OUTPUT, .axes = "p"}}};

void mlp_begin_schedule(mlp_schedule_arguments *arguments) {
    *arguments = (mlp_schedule_arguments){.call = {.function = &progress_array}};
}

/* Where a length is 0, the formula divides by it: Python puts the fit's there. */
static int check_length(const mlp_call *call, int p, mlp_schedule_id id, const double *constants) {
    const mlp_hyper *first = &mlp_schedules[id].hypers[0];
    if (!first->name || strcmp(first->name, "length") != 0 || constants[0] >= 1) {
        return 0;
    }
    return mlp_argument_error(call, p, PyExc_ValueError, "is %R, expected a length >= 1", call->given[p]);
}

int mlp_parse_schedule(PyObject *tuple, mlp_schedule_arguments *arguments) {
    enum { CHOICE, PER_EPOCH, WARMUP, ARRAY };
    static const mlp_function function = {
        .name = "schedule",
        .positional = 4,
        .parameters = {[CHOICE] = {.name = "choice"},
                       [PER_EPOCH] = {.name = "per_epoch"},
                       [WARMUP] = {.name = "warmup"},
                       [ARRAY] = {.name = "progress"}},
    };
    mlp_schedule *schedule = &arguments->schedule;
    mlp_call call;
    int id;
    if (mlp_parse_tuple(&call, &function, tuple) < 0 ||
        mlp_get_entry(&call, CHOICE, mlp_schedules, &id, schedule->constants) < 0 ||
        check_length(&call, CHOICE, (mlp_schedule_id)id, schedule->constants) < 0 ||
        mlp_get_bool(&call, PER_EPOCH, &schedule->per_epoch) < 0 ||
        mlp_get_double(&call, WARMUP, 0, INFINITY, &schedule->warmup) < 0) {
        return -1;
    }
    schedule->id = (mlp_schedule_id)id;
    arguments->call.given[PROGRESS] = call.given[ARRAY];
    arguments->call.required.parameters = MLP_SCHEDULE_NUMBERS;
    arguments->call.required_bits = 64;
    return mlp_acquire(&arguments->call);
}

int mlp_bind_schedule(mlp_schedule_arguments *arguments) {
    if (!arguments->call.array[PROGRESS]) {
        return 0; /* none was given */
    }
    if (mlp_recheck(&arguments->call) < 0) {
        return -1;
    }
    arguments->schedule.progress = mlp_data(&arguments->call, PROGRESS);
    return 0;
}

static PyObject *schedule_rate(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames) {
    enum { SCHEDULE, RATE, STEPS };
    static const mlp_function function = {
        .name = "schedule_rate",
        .positional = 3,
        .parameters = {[SCHEDULE] = {.name = "schedule"},
                       [RATE] = {.name = "learning_rate"},
                       [STEPS] = {.name = "steps"}},
    };
    mlp_call call;
    mlp_schedule_arguments arguments;
    double rate;
    long long steps;
    PyObject *result = NULL;
    mlp_begin_schedule(&arguments);
    if (mlp_parse(&call, &function, args, nargs, kwnames) == 0 &&
        mlp_get_double(&call, RATE, 0, INFINITY, &rate) == 0 &&
        mlp_get_integer(&call, STEPS, 0, INT64_MAX, &steps) == 0 &&
        mlp_parse_schedule(call.given[SCHEDULE], &arguments) == 0 && mlp_bind_schedule(&arguments) == 0) {
        result = PyFloat_FromDouble(mlp_scheduled_rate(&arguments.schedule, rate, steps));
    }
    mlp_end(&arguments.call);
    return result;
}

static PyObject *schedule_loss(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames) {
    enum { SCHEDULE, LOSS };
    static const mlp_function function = {
        .name = "schedule_loss",
        .positional = 2,
        .parameters = {[SCHEDULE] = {.name = "schedule"}, [LOSS] = {.name = "loss"}},
    };
    mlp_call call;
    mlp_schedule_arguments arguments;
    PyObject *result = NULL;
    mlp_begin_schedule(&arguments);
    if (mlp_parse(&call, &function, args, nargs, kwnames) == 0) {
        const double loss = PyFloat_AsDouble(call.given[LOSS]); /* NaN is a loss too */
        if (!PyErr_Occurred() && mlp_parse_schedule(call.given[SCHEDULE], &arguments) == 0 &&
            mlp_bind_schedule(&arguments) == 0) {
            mlp_schedule_loss(&arguments.schedule, loss);
            result = Py_NewRef(Py_None);
        }
    }
    mlp_end(&arguments.call);
    return result;
}

PyMethodDef mlp_schedule_methods[] = {
    MLP_METHOD("schedule_rate", schedule_rate, NULL),
    MLP_METHOD("schedule_loss", schedule_loss, NULL),
    {NULL, NULL, 0, NULL},
};
