/* net_measures.c: metrics that training or an evaluation is to measure, from Python's tuple to memory. See net_object.h. */
#include "net_object.h"

#include <math.h>

#include "../runtime/memory.h"

enum { ARRAY }; /* the only parameter of these two */

static const mlp_function values_array = {.name = "metrics",
                                          .parameters = {[ARRAY] = {"values", MLP_OUTPUT, .axes = "ep"}}};
static const mlp_function predictions_array = {
    .name = "metrics", .parameters = {[ARRAY] = {"predictions", MLP_OUTPUT, .optional = true, .axes = "no"}}};

/* In the order of mlp_answers. */
static const mlp_entry answers_by_name[] = {
    {.name = "binary"}, {.name = "classes"}, {.name = "labels"}, {.name = "numbers"}, {.name = NULL}};

void mlp_begin_measures(mlp_measures_arguments *arguments) {
    *arguments = (mlp_measures_arguments){.values = {.function = &values_array},
                                          .predictions = {.function = &predictions_array}};
}

/* The metrics of a tuple: names, or tuples of a name and constants. */
static int parse_list(const mlp_call *call, int p, mlp_measures_arguments *arguments) {
    PyObject *given = call->given[p];
    if (!PyTuple_Check(given)) {
        return mlp_argument_error(call, p, PyExc_TypeError, "is %R, expected a tuple of metrics", given);
    }
    const Py_ssize_t count = PyTuple_GET_SIZE(given);
    arguments->list = mlp_alloc(count, sizeof *arguments->list);
    if (!arguments->list) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        mlp_call item = {.function = call->function};
        item.given[p] = PyTuple_GET_ITEM(given, i);
        int id;
        if (mlp_get_entry(&item, p, mlp_metrics, &id, arguments->list[i].constants) < 0) {
            return -1;
        }
        arguments->list[i].id = (mlp_measure_id)id;
    }
    arguments->measures.measure = arguments->list;
    arguments->measures.count = count;
    return 0;
}

int mlp_parse_measures(const Net *self, const mlp_call *outer, int p, ptrdiff_t epochs,
                       mlp_measures_arguments *arguments) {
    enum { CHOICES, ANSWERS, YES_ABOVE, VALUES, PREDICTIONS };
    static const mlp_function function = {
        .name = "metrics",
        .positional = 5,
        .parameters = {[CHOICES] = {.name = "choices"},
                       [ANSWERS] = {.name = "answers"},
                       [YES_ABOVE] = {.name = "yes_above"},
                       [VALUES] = {.name = "values"},
                       [PREDICTIONS] = {.name = "predictions", .optional = true}},
    };
    mlp_measures *m = &arguments->measures;
    mlp_call call;
    int answers;
    if (!outer->given[p] || outer->given[p] == Py_None) {
        return 0;
    }
    if (mlp_parse_tuple(&call, &function, outer->given[p]) < 0 || parse_list(&call, CHOICES, arguments) < 0 ||
        mlp_get_name(&call, ANSWERS, answers_by_name, &answers) < 0 ||
        mlp_get_double(&call, YES_ABOVE, -INFINITY, INFINITY, &m->threshold) < 0) {
        return -1;
    }
    m->answers = (mlp_answers)answers;
    mlp_call *values = &arguments->values, *predictions = &arguments->predictions;
    values->given[ARRAY] = call.given[VALUES];
    values->required = (mlp_sizes){.epochs = epochs, .parameters = m->count};
    values->required_bits = 64;
    predictions->given[ARRAY] = call.given[PREDICTIONS];
    predictions->required.out = mlp_net_outputs(self->net);
    predictions->required_bits = self->net->bits;
    if (m->count > 0 && mlp_acquire(values) < 0) {
        return -1;
    }
    return predictions->given[ARRAY] && predictions->given[ARRAY] != Py_None ? mlp_acquire(predictions) : 0;
}

/* An array that is written must be none that the engine works with. */
static int check_array(const Net *self, mlp_call *call) {
    if (!call->array[ARRAY]) {
        return 0;
    }
    if (mlp_recheck(call) < 0) {
        return -1;
    }
    return mlp_overlaps_engine(self, call->array[ARRAY])
               ? mlp_argument_error(call, ARRAY, PyExc_ValueError, "overlaps the memory of the network")
               : 0;
}

int mlp_bind_measures(const Net *self, mlp_measures_arguments *arguments, ptrdiff_t n, ptrdiff_t rows) {
    mlp_call *values = &arguments->values, *predictions = &arguments->predictions;
    mlp_measures *m = &arguments->measures;
    if (!arguments->list) {
        return 0;
    }
    if (check_array(self, values) < 0 || check_array(self, predictions) < 0) {
        return -1;
    }
    m->values = mlp_data(values, ARRAY);
    m->predictions = mlp_data(predictions, ARRAY);
    const bool has_ranks = mlp_measures_from(m, MLP_FROM_RANKS);
    if (m->predictions ? predictions->size.n != n : has_ranks) {
        return mlp_argument_error(predictions, ARRAY, PyExc_ValueError,
                                  "has %zd rows, expected %zd: one for each sample",
                                  m->predictions ? (Py_ssize_t)predictions->size.n : 0, (Py_ssize_t)n);
    }
    m->room = mlp_alloc(mlp_measure_room(m, mlp_net_outputs(self->net)), sizeof *m->room);
    m->losses = mlp_alloc(rows, element_size(self));
    m->ranking = has_ranks ? mlp_alloc(mlp_size_product(n, 2), sizeof *m->ranking) : NULL;
    if (!m->room || !m->losses || (has_ranks && !m->ranking)) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

void mlp_end_measures(mlp_measures_arguments *arguments) {
    mlp_free(arguments->list);
    mlp_free(arguments->measures.room);
    mlp_free(arguments->measures.losses);
    mlp_free(arguments->measures.ranking);
    mlp_end(&arguments->values);
    mlp_end(&arguments->predictions);
}
