/* net_views.c: what a Net shows of its memory. Each view's base keeps that alive. See net_object.h. */
#include "net_object.h"

static void *element(const Net *self, void *start, ptrdiff_t index) {
    return (char *)start + index * (ptrdiff_t)element_size(self);
}

static PyObject *flat_view(Net *self, void *data) {
    return mlp_view(self->net_owner, is_double(self), 1, &self->net->parameters, NULL, data);
}

static PyObject *net_params(PyObject *object, void *Py_UNUSED(closure)) {
    return flat_view((Net *)object, ((Net *)object)->net->params);
}

static PyObject *net_grads(PyObject *object, void *Py_UNUSED(closure)) {
    return flat_view((Net *)object, ((Net *)object)->net->grads);
}

PyGetSetDef mlp_net_getset[] = {
    {"params", net_params, NULL, "All parameters, shape (P,): layer after layer w in (in, out) order, then b. A view.",
     NULL},
    {"grads", net_grads, NULL, "The gradients of the last backward, lying like params. A view.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int mlp_layer_index(const Net *self, const mlp_call *call, int p, ptrdiff_t *j) {
    long long index;
    if (mlp_get_integer(call, p, 0, self->net->depth - 1, &index) < 0) {
        return -1;
    }
    *j = (ptrdiff_t)index;
    return 0;
}

int mlp_refuse_without_forward(const Net *self) {
    if (self->rows >= 0) {
        return 0;
    }
    PyErr_SetString(PyExc_RuntimeError, "there was no forward yet");
    return -1;
}

PyObject *mlp_batch_view(Net *self, ptrdiff_t j, mlp_part part) {
    npy_intp width = part == MLP_X ? self->net->layers[j].in : self->net->layers[j].out;
    ptrdiff_t offset = mlp_workspace_offset(self->net, self->work.capacity, j, part);
    return mlp_view(self->block_owner, is_double(self), 2, (npy_intp[]){self->rows, width}, NULL,
                    element(self, self->work.block, offset));
}

/* (out, in), which lies as (in, out). */
static PyObject *matrix_view(Net *self, const mlp_layer *layer, void *flat) {
    npy_intp size = (npy_intp)element_size(self);
    return mlp_view(self->net_owner, is_double(self), 2, (npy_intp[]){layer->out, layer->in},
                    (npy_intp[]){size, size * layer->out}, element(self, flat, layer->w));
}

static PyObject *vector_view(Net *self, const mlp_layer *layer, void *flat) {
    return mlp_view(self->net_owner, is_double(self), 1, &layer->out, NULL, element(self, flat, layer->b));
}

/* A tuple of four; takes the references over. NULL if one of them is. */
static PyObject *tuple_of(PyObject *items[4]) {
    PyObject *tuple = items[0] && items[1] && items[2] && items[3] ? PyTuple_New(4) : NULL;
    for (int i = 0; i < 4; i++) {
        if (tuple) {
            PyTuple_SET_ITEM(tuple, i, items[i]);
        } else {
            Py_XDECREF(items[i]);
        }
    }
    return tuple;
}

const char mlp_net_weights_doc[] =
    PyDoc_STR("weights($self, j)\n--\n\n"
              "(w, b, grad_w, grad_b) of layer j = 0, 1, ...: views of shapes (out, in), (out,), (out, in), (out,).\n");

PyObject *mlp_net_weights(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_function function = {.name = "weights", .positional = 1, .parameters = {{.name = "j"}}};
    Net *self = (Net *)object;
    mlp_call call;
    ptrdiff_t j;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_layer_index(self, &call, 0, &j) < 0) {
        return NULL;
    }
    const mlp_layer *layer = &self->net->layers[j];
    return tuple_of(
        (PyObject *[]){matrix_view(self, layer, self->net->params), vector_view(self, layer, self->net->params),
                       matrix_view(self, layer, self->net->grads), vector_view(self, layer, self->net->grads)});
}

const char mlp_net_activity_doc[] = PyDoc_STR(
    "activity($self, j)\n--\n\n"
    "(x, z, a, phi) of layer j = 0, 1, ... and the last batch: views of shapes (n, in), (n, out), (n, out), (n, out).\n"
    "\n"
    "A later batch may write over them; their memory lives as long as they do. RuntimeError before the first "
    "forward.\n");

PyObject *mlp_net_activity(PyObject *object, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    static const mlp_function function = {.name = "activity", .positional = 1, .parameters = {{.name = "j"}}};
    Net *self = (Net *)object;
    mlp_call call;
    ptrdiff_t j;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_layer_index(self, &call, 0, &j) < 0 ||
        mlp_begin_reading(self) < 0) {
        return NULL;
    }
    PyObject *result = NULL;
    if (mlp_refuse_without_forward(self) == 0) {
        result = tuple_of((PyObject *[]){mlp_batch_view(self, j, MLP_X), mlp_batch_view(self, j, MLP_Z),
                                         mlp_batch_view(self, j, MLP_A), mlp_batch_view(self, j, MLP_PHI)});
    }
    mlp_end_reading(self);
    return result;
}
