/* net_views.c: NumPy views of a Net's memory. Each view's base keeps that memory alive. See net_object.h. */
#include "net_object.h"

#include <string.h>

static void *element(const Net *self, void *start, ptrdiff_t index) {
    return (char *)start + index * (ptrdiff_t)element_size(self);
}

static PyObject *flat_view(Net *self, void *data, ptrdiff_t count) {
    return mlp_view(self->net_owner, is_double(self), 1, &count, NULL, data);
}

static PyObject *net_params(PyObject *object, void *Py_UNUSED(closure)) {
    Net *self = (Net *)object;
    return flat_view(self, self->net->params, self->net->parameters);
}

static PyObject *net_grads(PyObject *object, void *Py_UNUSED(closure)) {
    Net *self = (Net *)object;
    return flat_view(self, self->net->grads, self->net->parameters);
}

static PyObject *net_state(PyObject *object, void *Py_UNUSED(closure)) {
    Net *self = (Net *)object;
    return flat_view(self, self->net->state, self->net->buffer_size);
}

static PyObject *net_has_custom(PyObject *object, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(((Net *)object)->net->has_custom);
}

static PyObject *net_has_gradients(PyObject *object, void *Py_UNUSED(closure)) {
    return PyBool_FromLong(((Net *)object)->has_grads);
}

PyGetSetDef mlp_net_getset[] = {
    {"has_custom", net_has_custom, NULL, "Whether a part of it is written in Python.", NULL},
    {"has_gradients", net_has_gradients, NULL, "Whether there was a backward since the last forward.", NULL},
    {"params", net_params, NULL, "All parameters, shape (P,): segment after segment. A view.", NULL},
    {"grads", net_grads, NULL, "The gradients of the last backward, lying like params. A view.", NULL},
    {"state", net_state, NULL, "The numbers beside the parameters, which no optimizer touches. A view.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int mlp_refuse_without_forward(const Net *self) {
    if (self->rows >= 0) {
        return 0;
    }
    PyErr_SetString(PyExc_RuntimeError, "there was no forward yet");
    return -1;
}

PyObject *mlp_slot_view(Net *self, mlp_slot slot) {
    ptrdiff_t offset = mlp_workspace_offset(self->work.capacity, slot);
    return mlp_view(self->block_owner, is_double(self), 2, (npy_intp[]){self->rows, slot.width}, NULL,
                    element(self, self->work.block, offset));
}

/* Whether a part of a flat buffer is a matrix even if it has a single row: w of a dense layer, tables. */
static bool is_matrix(const Net *self, const mlp_step *step, const mlp_segment *segment) {
    return (step->kind == MLP_DENSE && segment == &self->net->segment[step->segment]) || step->kind == MLP_EMBEDDING;
}

/* A part of a flat buffer: w (out, in) of a dense layer, which lies as (in, out); other matrices as they lie; a single row as a
 * vector. */
static PyObject *segment_view(Net *self, const mlp_step *step, const mlp_segment *segment, void *flat) {
    void *data = element(self, flat, segment->begin);
    if (segment->rows == 1 && !is_matrix(self, step, segment)) {
        return mlp_view(self->net_owner, is_double(self), 1, &segment->columns, NULL, data);
    }
    if (step->kind == MLP_DENSE) {
        npy_intp size = (npy_intp)element_size(self);
        return mlp_view(self->net_owner, is_double(self), 2, (npy_intp[]){segment->columns, segment->rows},
                        (npy_intp[]){size, size * segment->columns}, data);
    }
    return mlp_view(self->net_owner, is_double(self), 2, (npy_intp[]){segment->rows, segment->columns}, NULL, data);
}

/* The index below `end` that is the only argument of a method; -1 with an error. */
static Py_ssize_t parse_index(const char *method, const char *name, ptrdiff_t end, PyObject *const *args,
                              Py_ssize_t nargs, PyObject *kwnames) {
    const mlp_function function = {.name = method, .positional = 1, .parameters = {{.name = name}}};
    mlp_call call;
    long long i;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_get_integer(&call, 0, 0, end - 1, &i) < 0) {
        return -1;
    }
    return (Py_ssize_t)i;
}

/* A step's parts of a flat buffer. */
static PyObject *part_views(Net *self, const mlp_step *step, ptrdiff_t count, const mlp_segment *parts, void *flat) {
    PyObject *tuple = PyTuple_New(count);
    for (ptrdiff_t k = 0; tuple && k < count; k++) {
        PyObject *array = segment_view(self, step, &parts[k], flat);
        if (!array) {
            Py_CLEAR(tuple);
            break;
        }
        PyTuple_SET_ITEM(tuple, k, array);
    }
    return tuple;
}

/* All segments of a step in a flat buffer. */
static PyObject *segment_views(Net *self, ptrdiff_t i, void *flat) {
    const mlp_step *step = &self->net->step[i];
    return part_views(self, step, step->segments, self->net->segment + step->segment, flat);
}

PyObject *mlp_net_parameters(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    Net *self = (Net *)object;
    const Py_ssize_t i = parse_index("parameters", "step", self->net->steps, args, nargs, kwnames);
    return i < 0 ? NULL : segment_views(self, i, self->net->params);
}

PyObject *mlp_net_buffers(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    Net *self = (Net *)object;
    const Py_ssize_t i = parse_index("buffers", "step", self->net->steps, args, nargs, kwnames);
    if (i < 0) {
        return NULL;
    }
    const mlp_step *step = &self->net->step[i];
    return part_views(self, step, step->buffers, self->net->buffer + step->buffer, self->net->state);
}

PyObject *mlp_net_gradient_buffers(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    Net *self = (Net *)object;
    const Py_ssize_t i = parse_index("gradient_buffers", "step", self->net->steps, args, nargs, kwnames);
    return i < 0 ? NULL : segment_views(self, i, self->net->grads);
}

static int refuse_without_backward(const Net *self) {
    if (self->has_grads) {
        return 0;
    }
    PyErr_SetString(PyExc_RuntimeError, "there was no backward since the last forward");
    return -1;
}

PyObject *mlp_net_gradients(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    Net *self = (Net *)object;
    if (mlp_begin_reading(self) < 0) {
        return NULL;
    }
    const int refused = refuse_without_backward(self);
    mlp_end_reading(self);
    const Py_ssize_t i = refused < 0 ? -1 : parse_index("gradients", "step", self->net->steps, args, nargs, kwnames);
    return i < 0 ? NULL : segment_views(self, i, self->net->grads);
}

PyObject *mlp_net_snapshot(PyObject *object, PyObject *Py_UNUSED(unused)) {
    Net *self = (Net *)object;
    if (mlp_begin_reading(self) < 0) {
        return NULL;
    }
    PyObject *view = flat_view(self, self->net->params, self->net->parameters);
    PyObject *copy = view ? PyArray_NewCopy((PyArrayObject *)view, NPY_CORDER) : NULL;
    Py_XDECREF(view);
    mlp_end_reading(self);
    return copy;
}

PyObject *mlp_net_set_trained(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { PARAMS };
    static const mlp_function function = {
        .name = "set_trained", .positional = 1, .parameters = {[PARAMS] = {"params", MLP_INPUT, .axes = "p"}}};
    Net *self = (Net *)object;
    mlp_call call;
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 || mlp_begin_change(self) < 0) {
        return NULL;
    }
    const bool acquired = mlp_acquire(&call) == 0;
    for (ptrdiff_t i = 0; acquired && i < self->net->segments; i++) {
        const mlp_segment *s = &self->net->segment[i];
        if (s->trainable) {
            memmove(element(self, self->net->params, s->begin), element(self, mlp_data(&call, PARAMS), s->begin),
                    (size_t)(s->rows * s->columns) * element_size(self));
        }
    }
    mlp_end(&call);
    mlp_end_change(self);
    return acquired ? Py_NewRef(Py_None) : NULL;
}

PyObject *mlp_net_restore(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { PARAMS, STATE };
    static const mlp_function function = {
        .name = "restore",
        .positional = 2,
        .parameters = {[PARAMS] = {"params", MLP_INPUT, .axes = "p"},
                       [STATE] = {"state", MLP_INPUT, .optional = true, .axes = "e"}}};
    Net *self = (Net *)object;
    mlp_call call;
    if (mlp_parse_for(self, &call, &function, args, nargs, kwnames) < 0 || mlp_begin_change(self) < 0) {
        return NULL;
    }
    const ptrdiff_t state = self->net->buffer_size;
    if (state == 0) {
        call.given[STATE] = NULL; /* an array of nothing */
    }
    call.required.epochs = state;
    const bool acquired = mlp_acquire(&call) == 0;
    if (acquired) {
        memmove(self->net->params, mlp_data(&call, PARAMS), (size_t)self->net->parameters * element_size(self));
        if (mlp_data(&call, STATE)) {
            memmove(self->net->state, mlp_data(&call, STATE), (size_t)state * element_size(self));
        }
    }
    mlp_end(&call);
    mlp_end_change(self);
    return acquired ? Py_NewRef(Py_None) : NULL;
}

PyObject *mlp_net_read(PyObject *object, PyObject *function) {
    Net *self = (Net *)object;
    if (mlp_begin_reading(self) < 0) {
        return NULL;
    }
    PyObject *result = PyObject_CallNoArgs(function);
    mlp_end_reading(self);
    return result;
}

PyObject *mlp_net_value(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    Net *self = (Net *)object;
    const Py_ssize_t i = parse_index("value", "i", self->net->steps + 1, args, nargs, kwnames);
    if (i < 0 || mlp_begin_reading(self) < 0) {
        return NULL;
    }
    PyObject *view = mlp_refuse_without_forward(self) < 0 ? NULL : mlp_slot_view(self, self->net->value[i]);
    mlp_end_reading(self);
    return view;
}

PyObject *mlp_net_gradient(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    Net *self = (Net *)object;
    const Py_ssize_t i = parse_index("gradient", "i", self->net->steps + 1, args, nargs, kwnames);
    if (i < 0 || mlp_begin_reading(self) < 0) {
        return NULL;
    }
    PyObject *view = NULL;
    if (refuse_without_backward(self) == 0) {
        if (i > self->net->first_backward) {
            view = mlp_slot_view(self, self->net->grad[i]);
        } else {
            PyErr_SetString(PyExc_RuntimeError, "backward goes no further than the lowest layer with parameters");
        }
    }
    mlp_end_reading(self);
    return view;
}

PyObject *mlp_net_set_segment(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { INDEX, TRAINABLE, RATE_FACTOR, L1, L2, MAX_NORM };
    static const mlp_function function = {
        .name = "set_segment",
        .positional = 6,
        .parameters = {[INDEX] = {.name = "i"},
                       [TRAINABLE] = {.name = "trainable"},
                       [RATE_FACTOR] = {.name = "rate_factor"},
                       [L1] = {.name = "l1"},
                       [L2] = {.name = "l2"},
                       [MAX_NORM] = {.name = "max_norm"}},
    };
    Net *self = (Net *)object;
    mlp_call call;
    long long i;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_integer(&call, INDEX, 0, self->net->segments - 1, &i) < 0) {
        return NULL;
    }
    mlp_segment changed = self->net->segment[i];
    if (mlp_get_bool(&call, TRAINABLE, &changed.trainable) < 0 ||
        mlp_get_held(&call, RATE_FACTOR, is_double(self), &changed.rate_factor) < 0 ||
        mlp_get_held(&call, L1, is_double(self), &changed.l1) < 0 ||
        mlp_get_held(&call, L2, is_double(self), &changed.l2) < 0 ||
        mlp_get_held(&call, MAX_NORM, is_double(self), &changed.max_norm) < 0 || mlp_begin_change(self) < 0) {
        return NULL;
    }
    self->net->segment[i] = changed;
    mlp_end_change(self);
    Py_RETURN_NONE;
}

PyObject *mlp_net_segments(PyObject *object, PyObject *Py_UNUSED(unused)) {
    const mlp_net *net = ((Net *)object)->net;
    PyObject *list = PyList_New(net->segments);
    for (ptrdiff_t i = 0; list && i < net->segments; i++) {
        const mlp_segment *s = &net->segment[i];
        PyObject *settings =
            Py_BuildValue("Odddd", s->trainable ? Py_True : Py_False, s->rate_factor, s->l1, s->l2, s->max_norm);
        if (!settings) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, i, settings);
    }
    return list;
}

PyObject *mlp_net_first_segment(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    Net *self = (Net *)object;
    const Py_ssize_t i = parse_index("first_segment", "step", self->net->steps, args, nargs, kwnames);
    return i < 0 ? NULL : PyLong_FromSsize_t(self->net->step[i].segment);
}
