/* net_reading.c: the methods of a Net that only read it: predict, loss. See net_object.h. */
#include "net_object.h"

#include <math.h>

#include "../runtime/memory.h"

/* A block of engine memory with the capsule that frees it. */
static void *new_block(const Net *self, ptrdiff_t elements, PyObject **owner) {
    void *block = mlp_alloc(elements, element_size(self));
    if (!block) {
        PyErr_NoMemory();
        return NULL;
    }
    *owner = mlp_block_owner(block);
    return *owner ? block : NULL;
}

PyObject *mlp_net_call_predict(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X };
    static const mlp_function function = {
        .name = "predict", .positional = 1, .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"}}};
    Net *self = (Net *)object;
    mlp_call call;
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 || mlp_begin_reading(self) < 0) {
        return NULL;
    }
    _Alignas(64) char few[16 * 1024]; /* for few samples of a small network: an allocation would take as long */
    void *scratch = few;
    PyObject *scratch_owner = NULL; /* only where a layer written in Python may keep a view of it */
    PyArrayObject *result = NULL;
    if (mlp_acquire(&call) < 0 || mlp_check_categories(self, &call, X) < 0) {
        goto done;
    }
    const ptrdiff_t elements = mlp_predict_elements(self->net, call.size.n);
    if (self->net->has_custom) {
        scratch = new_block(self, elements, &scratch_owner);
    } else if ((elements < 0 || (size_t)elements > sizeof few / element_size(self)) &&
               !(scratch = mlp_alloc(elements, element_size(self)))) {
        PyErr_NoMemory();
    }
    if (!scratch || !(result = mlp_new_array(&call, "the result", "no", MLP_C_ORDER))) {
        goto done;
    }
    mlp_caller caller = caller_of(self, scratch_owner, call.array[X], result);
    caller.state = mlp_release_gil(work_of(self, call.size.n));
    mlp_net_predict(self->net, call.size.n, PyArray_DATA(result), mlp_data(&call, X), scratch, &caller,
                    &(mlp_interrupt){mlp_poll_python, &caller});
    mlp_restore_gil(caller.state);
    if (caller.failed) {
        Py_CLEAR(result);
    }
done:
    if (scratch_owner) {
        Py_DECREF(scratch_owner);
    } else if (scratch != few) {
        mlp_free(scratch);
    }
    mlp_end(&call);
    mlp_end_reading(self);
    return (PyObject *)result;
}

PyObject *mlp_net_call_loss(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { X, Y, LOSS, METRIC, WEIGHT, METRICS, PART };
    static const mlp_function function = {
        .name = "loss",
        .positional = 7,
        .needs_samples = true,
        .parameters = {[X] = {"x", MLP_INPUT, .axes = "ni"},
                       [Y] = {"y", MLP_INPUT, .axes = "no"},
                       [LOSS] = {.name = "loss"},
                       [METRIC] = {.name = "metric"},
                       [WEIGHT] = {"sample_weight", MLP_INPUT, .optional = true, .axes = "n"},
                       [METRICS] = {.name = "metrics", .optional = true},
                       [PART] = {.name = "part", .optional = true}},
    };
    Net *self = (Net *)object;
    mlp_call call;
    mlp_measures_arguments measures;
    mlp_part_arguments part;
    mlp_loss loss;
    mlp_metric_id metric;
    bool has_accuracy;
    mlp_begin_measures(&measures);
    mlp_begin_part(&part);
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 ||
        mlp_parse_loss(self, &call, LOSS, &loss) < 0 || mlp_parse_metric(&call, METRIC, &metric, &has_accuracy) < 0 ||
        mlp_begin_reading(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL, *owner = NULL;
    void *value;
    if (mlp_parse_measures(self, &call, METRICS, 1, &measures) < 0 || mlp_parse_part(call.given[PART], &part) < 0) {
        goto done;
    }
    mlp_allow_labels(&call, Y, &loss);
    if (mlp_acquire(&call) < 0 || mlp_take_labels(self, &call, Y, &loss) < 0 ||
        mlp_check_categories(self, &call, X) < 0 || mlp_check_weights(&call, WEIGHT) < 0 ||
        !(value = mlp_scratch(&call, 0, "n"))) {
        goto done;
    }
    mlp_workspace work = {.capacity = mlp_rows_at_once(call.size.n)};
    if (mlp_bind_measures(self, &measures, call.size.n, work.capacity) < 0 ||
        mlp_bind_part(self, &part, &measures) < 0) {
        goto done;
    }
    work.block = new_block(self, mlp_workspace_elements(self->net, work.capacity), &owner);
    if (!work.block) {
        goto done;
    }
    mlp_caller caller = caller_of(self, owner, call.array[X], call.array[Y]);
    const mlp_evaluation evaluation = {
        .samples = {call.size.n, mlp_data(&call, X), mlp_data(&call, Y), mlp_data(&call, WEIGHT)},
        .loss = loss,
        .metric = metric,
        .measures = mlp_measures_of(&measures),
        .part = mlp_part_of(&part),
        .work = work,
        .value = value,
        .caller = &caller,
        .interrupt = &(mlp_interrupt){mlp_poll_python, &caller}};
    mlp_score score;
    caller.state = mlp_release_gil(work_of(self, call.size.n));
    const bool measured = mlp_net_evaluate(self->net, &evaluation, &score);
    mlp_restore_gil(caller.state);
    if (measured) {
        result = Py_BuildValue("dd", score.loss, has_accuracy ? score.accuracy : (double)NAN);
    }
done:
    Py_XDECREF(owner);
    mlp_end_measures(&measures);
    mlp_end_part(&part);
    mlp_end(&call);
    mlp_end_reading(self);
    return result;
}
