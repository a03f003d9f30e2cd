/* net_object.h: mlpcore._core.Net, a network (net/net.h) as a Python object. net_object.c makes it and minds who may
 * call, net_views.c shows its memory, net_arguments.c takes what has to suit it, bind_net.c has the methods.
 *
 * Memory. Two capsules own what the views show: one the mlp_net with its flat parameters and gradients, one the block of
 * the last batch. A larger batch gets a new block; the old one lives as long as an array shows it.
 *
 * One at a time. `users` counts the calls that are inside: -1 for one that changes the network, else how many read it.
 * Who comes at the wrong moment, from another thread or from Python code that an argument or `progress` runs, gets a
 * RuntimeError. So nothing that a call has looked at can change under it.
 */
#ifndef MLPCORE_NET_OBJECT_H
#define MLPCORE_NET_OBJECT_H

#include "arrays.h"

#include <stdatomic.h>

#include "../net/net.h"

typedef struct {
    PyObject_HEAD mlp_net *net;
    PyObject *net_owner;
    PyObject *block_owner; /* NULL before the first batch */
    ptrdiff_t block_elements;
    mlp_workspace work;
    ptrdiff_t rows; /* of the last batch; -1: there was none */
    bool has_grads; /* there was a backward */
    atomic_int users;
} Net;

static inline bool is_double(const Net *self) { return self->net->bits == 64; }
static inline size_t element_size(const Net *self) { return is_double(self) ? sizeof(double) : sizeof(float); }

/* Around everything that looks at a network or changes it; RuntimeError where another call forbids that. */
int mlp_begin_change(Net *self);
void mlp_end_change(Net *self);
int mlp_begin_reading(Net *self);
void mlp_end_reading(Net *self);

/* Lays the workspace out for `capacity` rows, in a new block if they do not fit into the one there is. */
int mlp_prepare_workspace(Net *self, ptrdiff_t capacity);

/* RuntimeError before the first forward. */
int mlp_refuse_without_forward(const Net *self);

/* A part of layer j and of the last batch, as an array. */
PyObject *mlp_batch_view(Net *self, ptrdiff_t j, mlp_part part);

/* The argument of methods that ask for a layer. */
int mlp_layer_index(const Net *self, const mlp_call *call, int p, ptrdiff_t *j);

/* mlp_parse for a call whose arrays have to suit this network. */
int mlp_parse_for(const Net *self, mlp_call *call, const mlp_function *function, PyObject *const *args,
                  Py_ssize_t nargs, PyObject *kwnames);

/* Inputs that lie where the call is about to write (y = model.layers[0].x, say) are copied first; `state`, if not NULL,
 * holds the arrays of an optimizer. */
int mlp_detach_inputs(const Net *self, mlp_call *call, const mlp_call *state);

/* An optimizer is a tuple, read like the arguments of a function of the optimizer's name:
 * ("sgd", learning_rate, momentum, nesterov, velocity or None)
 * ("adam", learning_rate, beta1, beta2, epsilon, m, v, t) where t, int64 of shape (1,), counts the steps.
 * First half, from argument p of `outer`: the numbers, and the arrays of the state, which `call` holds until mlp_end. */
int mlp_take_optimizer(const Net *self, const mlp_call *outer, int p, mlp_call *call, mlp_optimizer *optimizer);

/* Second half, when no Python code can run any more: the pointers. `steps` is how many are to come at most. */
int mlp_settle_optimizer(const Net *self, mlp_call *call, ptrdiff_t steps, mlp_optimizer *optimizer);

/* net_views.c and bind_net.c: what a Net has. */
extern PyGetSetDef mlp_net_getset[];
extern PyMethodDef mlp_net_methods[];
PyObject *mlp_net_weights(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_activity(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
extern const char mlp_net_weights_doc[], mlp_net_activity_doc[];

#endif
