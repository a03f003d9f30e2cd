/* net_object.h: mlpcore._core.Net, a network (net/net.h) as a Python object. net_object.c makes it and minds who may
 * call, net_specs.c reads the steps that it is made of, net_views.c shows its memory, net_arguments.c, lbfgs_arguments.c
 * net_measures.c, net_validation.c and net_parts.c take what has to suit it, net_call.c goes back to Python from the engine, custom_parts.c runs what
 * is written in Python. The methods that only read are in net_reading.c, training in net_training.c, the others that
 * change the network in bind_net.c.
 *
 * Memory. Two capsules own what the views show: one the mlp_net with its flat parameters and gradients, one the block of
 * the last batch. A larger batch gets a new block; the old one lives as long as an array shows it.
 *
 * One at a time. `users` counts the calls that are inside: -1 for one that changes the network, else how many read it.
 * A call at the wrong time, from another thread or from Python code that an argument or `progress` runs, raises
 * RuntimeError. So nothing that a call has checked can change while it runs.
 */
#ifndef MLPCORE_NET_OBJECT_H
#define MLPCORE_NET_OBJECT_H

#include "arrays.h"

#include <stdatomic.h>

#include "../net/lbfgs.h"
#include "../net/net.h"

/* custom_parts.c: a Python object as a layer. Its context: */
typedef struct {
    PyObject *object;
    ptrdiff_t in, out;
} mlp_custom_layer;

typedef struct {
    PyObject_HEAD mlp_net *net;
    PyObject *net_owner;
    PyObject *custom_layers;  /* a tuple of the Python objects that the network's custom steps call */
    mlp_custom_layer *custom; /* their contexts                                                     */
    PyObject *block_owner;    /* NULL before the first batch */
    ptrdiff_t block_elements;
    mlp_workspace work;
    ptrdiff_t rows; /* of the last batch; -1: there was none */
    bool has_grads; /* there was a backward since its forward */
    mlp_mode mode;  /* of the last forward */
    atomic_int users;
    int generation; /* of the process in which `users` was counted: a fork begins a new one */
} Net;

/* RuntimeError's subclass for a call that comes while another has the network; set when the module is loaded. */
extern PyObject *mlp_busy_error;

/* Creates it, and watches forks: the child has none of the calls that its parent's other threads were in. */
int mlp_prepare_nets(PyObject *module);

static inline bool is_double(const Net *self) { return self->net->bits == 64; }
static inline size_t element_size(const Net *self) { return is_double(self) ? sizeof(double) : sizeof(float); }

/* About how many multiplications a pass of n rows takes. */
static inline double work_of(const Net *self, ptrdiff_t n) { return (double)self->net->parameters * (double)n; }

/* Around everything that looks at a network or changes it; RuntimeError where another call forbids that. */
int mlp_begin_change(Net *self);
void mlp_end_change(Net *self);
int mlp_begin_reading(Net *self);
void mlp_end_reading(Net *self);

/* Lays the workspace out for `capacity` rows, in a new block if they do not fit into the one there is. */
int mlp_prepare_workspace(Net *self, ptrdiff_t capacity);

/* RuntimeError before the first forward. */
int mlp_refuse_without_forward(const Net *self);

/* Rows of the last batch that lie in a slot of the workspace, as an array. */
PyObject *mlp_slot_view(Net *self, mlp_slot slot);

/* net_specs.c: the steps that a sequence of tuples describes, each like mlpcore.engine.Step; -1 with an error. */
typedef struct {
    ptrdiff_t count;
    mlp_step_spec *step;
    mlp_custom_layer *custom; /* (count) contexts of custom steps, which the network goes on using */
    PyObject *custom_layers;  /* a tuple of the objects in them                                    */
} mlp_specs;

int mlp_parse_specs(PyObject *steps, ptrdiff_t input_size, mlp_specs *specs);
void mlp_free_specs(mlp_specs *specs);

/* mlp_parse for a call whose arrays have to suit this network. */
int mlp_parse_for(const Net *self, mlp_call *call, const mlp_function *function, PyObject *const *args,
                  Py_ssize_t nargs, PyObject *kwnames);

/* An optimizer with its arrays: see below. */
typedef struct mlp_optimizer_arguments mlp_optimizer_arguments;

/* Inputs that lie where the call is about to write (y = model.layers[0].x, say) are copied first; `optimizer` may be NULL. */
int mlp_detach_inputs(const Net *self, mlp_call *call, const mlp_optimizer_arguments *optimizer);

/* Refuses an x, argument p, whose columns with a table hold what is none of their categories; the kernels go by that. */
int mlp_check_categories(const Net *self, const mlp_call *call, int p);

/* A loss: a name, a tuple of a name and constants, or an object with the method loss_step. */
int mlp_parse_loss(const Net *self, const mlp_call *call, int p, mlp_loss *loss);

/* Lets y, argument p of a call that is parsed and whose arrays are not taken yet, be class indices if the loss has classes; and
 * says whether they are, once the arrays are taken. ValueError where one is no index of an output. */
void mlp_allow_labels(mlp_call *call, int p, const mlp_loss *loss);
int mlp_take_labels(const Net *self, const mlp_call *call, int p, mlp_loss *loss);

/* The name of a rule that an accuracy counts by, or None for none. */
int mlp_parse_metric(const mlp_call *call, int p, mlp_metric_id *metric, bool *has_accuracy);

/* Whether an array shares memory with the network's numbers or those of its last batch. */
bool mlp_overlaps_engine(const Net *self, PyArrayObject *array);

/* net_measures.c: other metrics are a tuple, as mlpcore.engine.MetricsState, or None. First half, from argument p of `outer`: what
 * is to be measured, and the arrays for it, held until mlp_end_measures, which is safe from the start; second half, when no Python
 * code can run any more: the pointers, and memory for n samples in batches of `rows`. */
typedef struct {
    mlp_call values, predictions;
    mlp_measure *list;
    mlp_measures measures;
} mlp_measures_arguments;

void mlp_begin_measures(mlp_measures_arguments *arguments);
int mlp_parse_measures(const Net *self, const mlp_call *outer, int p, ptrdiff_t epochs,
                       mlp_measures_arguments *arguments);
int mlp_bind_measures(const Net *self, mlp_measures_arguments *arguments, ptrdiff_t n, ptrdiff_t rows);
void mlp_end_measures(mlp_measures_arguments *arguments);

/* NULL: nothing is to be measured. */
static inline mlp_measures *mlp_measures_of(mlp_measures_arguments *arguments) {
    return arguments->measures.room ? &arguments->measures : NULL;
}

/* net_validation.c: samples to validate with are a tuple, as mlpcore.engine.ValidationState, or None; what ends a training early
 * is one as mlpcore.engine.StoppingState. In two halves as above. */
typedef struct {
    bool is_given;
    mlp_call samples, scores;
    mlp_measures_arguments measures;
    mlp_validation validation;
} mlp_validation_arguments;

void mlp_begin_validation(mlp_validation_arguments *arguments);
int mlp_parse_validation(const Net *self, const mlp_call *outer, int p, const mlp_training *training, ptrdiff_t epochs,
                         mlp_validation_arguments *arguments);
int mlp_bind_validation(const Net *self, mlp_validation_arguments *arguments);
void mlp_end_validation(mlp_validation_arguments *arguments);

typedef struct {
    bool is_given, of_validation;
    long long column; /* 0 the loss, 1 the accuracy, 2, 3, ... the metrics */
    mlp_call progress, best;
    mlp_early_stopping stopping;
} mlp_stopping_arguments;

void mlp_begin_stopping(mlp_stopping_arguments *arguments);
int mlp_parse_stopping(const Net *self, PyObject *given, mlp_stopping_arguments *arguments);
int mlp_bind_stopping(const Net *self, mlp_stopping_arguments *arguments, const mlp_training *training);
void mlp_end_stopping(mlp_stopping_arguments *arguments);

/* net_parts.c: a part of an epoch, or of what is measured, is a tuple, as mlpcore.engine.PartState, or None. In two halves as
 * above, the second when the metrics are bound. */
typedef struct {
    bool is_given;
    mlp_call sums;
    mlp_part part;
} mlp_part_arguments;

void mlp_begin_part(mlp_part_arguments *arguments);
int mlp_parse_part(PyObject *given, mlp_part_arguments *arguments);
int mlp_bind_part(const Net *self, mlp_part_arguments *arguments, mlp_measures_arguments *measures);
void mlp_end_part(mlp_part_arguments *arguments);

/* NULL: the samples are all there are. */
static inline const mlp_part *mlp_part_of(const mlp_part_arguments *arguments) {
    return arguments->is_given ? &arguments->part : NULL;
}

/* The decision alone, for epochs that Python runs one by one: watch_epoch(early_stopping, number). */
PyObject *mlp_watch_epoch_method(PyObject *module, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* A Python object as the rule of an optimizer. */
typedef struct {
    PyObject *object;
    const Net *net;
} mlp_custom_optimizer;

/* A schedule is a tuple, as mlpcore.engine.ScheduleState. bind_schedules.c: the numbers, and the array of its progress, held
 * until mlp_end(&arguments->call), which is safe from the start; and, when no Python code can run any more, the pointer. */
typedef struct {
    mlp_call call;
    mlp_schedule schedule;
} mlp_schedule_arguments;

void mlp_begin_schedule(mlp_schedule_arguments *arguments);
int mlp_parse_schedule(PyObject *tuple, mlp_schedule_arguments *arguments);
int mlp_bind_schedule(mlp_schedule_arguments *arguments);

/* An optimizer is a tuple: (name, hyperparameters, states, t, clip_value, clip_norm, schedule, accumulation, average), as
 * mlpcore.engine.OptimizerState. Its arrays are those of a function whose description depends on the name. In place of the
 * name can stand an object with the method update_step, which keeps everything but t itself. */
struct mlp_optimizer_arguments {
    mlp_custom_optimizer custom;
    mlp_function function;
    mlp_call call;
    mlp_schedule_arguments schedule;
    mlp_optimizer optimizer;
};

/* First half, from argument p of `outer`: the numbers, and the arrays of the state, held until mlp_end_optimizer, which is safe
 * from the start. */
void mlp_begin_optimizer(mlp_optimizer_arguments *arguments);
int mlp_parse_optimizer(const Net *self, const mlp_call *outer, int p, mlp_optimizer_arguments *arguments);
void mlp_end_optimizer(mlp_optimizer_arguments *arguments);

/* Second half, when no Python code can run any more: the pointers. `steps` is how many are to come at most. */
int mlp_bind_optimizer_state(const Net *self, mlp_optimizer_arguments *arguments, ptrdiff_t steps);

/* lbfgs_arguments.c: L-BFGS is a tuple, as mlpcore.engine.LBFGSState. First half: the numbers, and the arrays, held until mlp_end_lbfgs, which is
 * safe from the start; second half, when no Python code can run any more: the pointers, and memory for a training. */
typedef struct {
    mlp_call call;
    mlp_lbfgs lbfgs;
    mlp_lbfgs_numbers numbers; /* a copy that no Python code can change while it is read */
} mlp_lbfgs_arguments;

void mlp_begin_lbfgs(mlp_lbfgs_arguments *arguments);
int mlp_parse_lbfgs(const Net *self, PyObject *tuple, mlp_lbfgs_arguments *arguments);
int mlp_bind_lbfgs(const Net *self, mlp_lbfgs_arguments *arguments);
void mlp_end_lbfgs(mlp_lbfgs_arguments *arguments);

/* State of the Python caller while the GIL is released: how the engine comes back to poll for Ctrl-C, to report progress, and to
 * run what is written in Python. */
typedef struct {
    PyThreadState *state; /* NULL: the GIL is held                                                     */
    int64_t *counter;     /* shows Python how far training has come: epoch and batch; NULL: it does not train */
    const mlp_cursor *cursor;
    PyObject *progress;  /* NULL: nobody wants to know                                                */
    PyObject *batch_end; /* called after each batch; NULL: nothing is                                 */
    int64_t *stop;       /* not 0: training is to end with the batch that comes; NULL: nobody says so */
    PyObject *owners[3]; /* arrays and capsules whose memory a part written in Python may be shown     */
    bool is_double;
    bool failed; /* an exception is set                                                       */
} mlp_caller;

/* The caller of an engine that may show `memory` to parts written in Python, beside two arrays. */
static inline mlp_caller caller_of(const Net *self, PyObject *memory, PyArrayObject *array, PyArrayObject *other) {
    return (mlp_caller){.owners = {memory, (PyObject *)array, (PyObject *)other}, .is_double = is_double(self)};
}

/* Writes the cursor where Python sees it. */
void mlp_show_cursor(const mlp_caller *caller);

/* The interrupt callback, whose context is a mlp_caller. */
int mlp_poll_python(void *context, ptrdiff_t done);

/* What is called after each batch, where something is to be. */
int mlp_end_batch(void *caller, ptrdiff_t batch, double loss);

/* Takes the GIL back from the engine, and releases it again. */
bool mlp_reenter_python(mlp_caller *caller);
void mlp_leave_python(mlp_caller *caller, bool released);

int mlp_custom_forward(void *context, void *caller, ptrdiff_t n, bool training, void *y, const void *x);
int mlp_custom_backward(void *context, void *caller, ptrdiff_t n, void *grad_x, const void *grad_y, const void *x,
                        const void *y);
int mlp_custom_fill(void *context, void *caller, ptrdiff_t n, ptrdiff_t out, void *value, void *grad, const void *y_hat,
                    const void *y);
int mlp_custom_step(void *context, void *caller, int64_t t);

/* net_views.c, net_reading.c, net_training.c and bind_net.c: what a Net has. */
extern PyGetSetDef mlp_net_getset[];
extern PyMethodDef mlp_net_methods[];
PyObject *mlp_net_parameters(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_buffers(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_gradients(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_gradient_buffers(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_snapshot(PyObject *self, PyObject *unused);
PyObject *mlp_net_set_trained(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_restore(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_read(PyObject *self, PyObject *function); /* calls it while nobody changes the network */
PyObject *mlp_net_value(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_gradient(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_set_segment(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_first_segment(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_segments(PyObject *self, PyObject *unused);
PyObject *mlp_net_call_predict(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_call_train(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *mlp_net_call_loss(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

#endif
