/* arrays.h: from Python's arguments to pointers that a kernel may trust, and every check on the way: arguments.c
 * (slots, numbers, names), arrays.c (types, layout, overlap) and shapes.c.
 *
 * A binding describes its function once, as data: names, which arguments are arrays, their axes. Then each call is
 *
 *     mlp_call call;
 *     if (mlp_parse(&call, &function, ...) < 0) return NULL;   names to slots; no array is touched
 *     ... scalars to C ...
 *     if (mlp_acquire(&call) < 0) goto done;                   arrays: dtype, shape, layout, overlap; outputs are allocated
 *     ... kernel ...                                           call.size and mlp_data(&call, i) are right
 * done:
 *     mlp_end(&call);
 *
 * All user-defined Python code (__array__, __float__, ...) runs before the first shape or pointer is read, so that it
 * cannot resize an array that a kernel uses.
 */
#ifndef MLPCORE_ARRAYS_H
#define MLPCORE_ARRAYS_H

#include "numpy_api.h"

#include <stdbool.h>

#include "kernel.h"

enum { MLP_PARAMETERS = 24 };

typedef enum {
    MLP_SCALAR,
    MLP_INPUT,
    MLP_OUTPUT,  /* written in place                                 */
    MLP_RESULT,  /* written in place if it is given, else allocated  */
    MLP_NEW,     /* always allocated: no argument of the function    */
    MLP_COUNTER, /* written in place, but of int64                   */
} mlp_role;
typedef enum {
    MLP_C_ORDER,    /* the last axis is contiguous                                                    */
    MLP_F_ORDER,    /* the first axis is: (out, in) for Python is (in, out) in memory, as kernels want */
    MLP_FIRST_ORDER /* either, but the same for all: the order of the function's first array           */
} mlp_order;

typedef struct {
    const char *name;
    mlp_role role;
    bool optional;   /* may be left out; an array may also be None                                          */
    mlp_order order; /* how a kernel wants the memory                                                       */
    const char *
        axes; /* a letter per axis: n, i(n), o(ut), p(arameters), e(pochs), 1, 2; NULL: any rank, the first array's shape */
    unsigned in_place; /* bit p set: this output may be the very memory of input p                            */
} mlp_parameter;

typedef struct {
    const char *name;
    int positional;                           /* how many parameters may be given by position   */
    bool needs_samples;                       /* n = 0 is refused: there is no mean of no sample */
    mlp_parameter parameters[MLP_PARAMETERS]; /* up to the first without a name */
} mlp_function;

/* Sizes of the axes that occur, by their letters, also in that order; 0 where one does not. */
enum { MLP_AXES = 7 };
typedef union {
    struct {
        npy_intp n, in, out, parameters, epochs, one, two;
    };
    npy_intp of[MLP_AXES];
} mlp_sizes;

typedef struct {
    const mlp_function *function;
    mlp_sizes required;                   /* what sizes have to be; 0: whatever the arrays say           */
    unsigned labels;                      /* bit p set: input p may have its first axis alone                */
    int required_bits;                    /* what the real type has to be: 32, 64; 0: as the arrays say  */
    PyObject *given[MLP_PARAMETERS];      /* borrowed; NULL where left out                               */
    PyArrayObject *array[MLP_PARAMETERS]; /* owned; what the kernel gets. NULL where there is no array   */
    PyArrayObject *scratch[2];            /* owned; see mlp_scratch                                      */
    mlp_sizes size;
    npy_intp count; /* elements of the first array                                */
    bool is_double; /* the real type of the call, of every array and of the result */
} mlp_call;

/* Begins a call and sorts the arguments of a vectorcall into call->given. TypeError as CPython words it. */
int mlp_parse(mlp_call *call, const mlp_function *function, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* The same for the items of a tuple, which are the parameters in order; `given` is what it is called in an error. */
int mlp_parse_tuple(mlp_call *call, const mlp_function *function, PyObject *tuple);

/* Takes every array argument. The real type is that of the outputs, where any is given; else float if every input casts
 * safely to float; else double. Inputs are copied only if type, byte order, alignment or layout do not fit. An output
 * that is left out is allocated. TypeError, ValueError or MemoryError naming the argument. */
int mlp_acquire(mlp_call *call);

/* Repeats the checks of shape and layout, where Python code may have run since mlp_acquire. */
int mlp_recheck(mlp_call *call);

/* Gives back what mlp_acquire took; safe at any moment after mlp_parse. */
void mlp_end(mlp_call *call);

/* The result of a function whose output is parameter `p`: what the caller gave, or the array allocated for it. */
PyObject *mlp_result(const mlp_call *call, int p);

/* A new array of the call's type, not initialised, with the axes' sizes. */
PyArrayObject *mlp_new_array(mlp_call *call, const char *name, const char *axes, mlp_order order);

/* Memory for the time of the call, with the axes' sizes; NULL with an error. `slot` is 0 or 1. */
void *mlp_scratch(mlp_call *call, int slot, const char *axes);

static inline void *mlp_data(const mlp_call *call, int p) {
    return call->array[p] ? PyArray_DATA(call->array[p]) : NULL;
}

/* 1 if an array, or a list of arrays, has masked elements, whose values would silently be used; -1 with an error. `axes`: how
 * many the array has that was made of the list, which is how deep to look. */
int mlp_holds_masked(PyObject *value, int axes);
PyObject *mlp_holds_masked_method(PyObject *module, PyObject *args); /* holds_masked(value, axes) */

/* finite.c: all_finite(array), whether a contiguous array of a real type holds finite numbers alone. */
PyObject *mlp_all_finite_method(PyObject *module, PyObject *array);

/* Weights of samples: finite, none negative, not all zero. */
int mlp_check_weights(const mlp_call *call, int p);

/* Scalars; the default stays where the argument was left out. */
int mlp_get_double(const mlp_call *call, int p, double minimum, double limit, double *value); /* in [minimum, limit) */
int mlp_get_integer(const mlp_call *call, int p, long long minimum, long long maximum, long long *value);
int mlp_get_seed(const mlp_call *call, int p, uint64_t *value);
int mlp_get_bool(const mlp_call *call, int p, bool *value);

/* Rows of the catalogue: by name or alias, as the place in the list. */
int mlp_get_name(const mlp_call *call, int p, const mlp_entry *entries, int *id);

/* The same with the values of the row's constants (MLP_HYPERS): the argument is a name, or a tuple of a name and its first
 * constants; the others have their standard values. None is the activation 'linear'. */
int mlp_get_entry(const mlp_call *call, int p, const mlp_entry *entries, int *id, double *constants);

/* Raises if float or double does not hold one of the constants of a row, which came with argument p. */
int mlp_check_constants(const mlp_call *call, int p, const mlp_entry *entry, const double *constants, bool is_double);

/* Raises if float or double does not hold a number of an optimizer, or needs a larger one. They came as argument p and those after
 * it, one each, or `in_tuple`, all in argument p. */
int mlp_check_hypers_in_type(const mlp_call *call, int p, bool in_tuple, bool is_double, mlp_optimizer_id id,
                             const double *hypers);

/* Raises if the learning rate, hypers[0], makes the first step, whose constants are the largest, infinite in float or double.
 * `what`: as in mlp_check_held. */
int mlp_check_first_step(const mlp_call *call, int p, const char *what, bool is_double, mlp_optimizer_id id,
                         const double *hypers);

/* A number in the range of a row, which came with argument p. */
int mlp_check_hyper(const mlp_call *call, int p, const mlp_hyper *hyper, PyObject *given, double *value);

/* Raises if the real type takes a positive number for 0 or infinity. `what`: the part of argument p
 * that it is, NULL: all of it. */
int mlp_check_held(const mlp_call *call, int p, const char *what, double value, bool is_double);

/* A finite number >= 0 that the real type holds; left as it is if argument p was not given. */
int mlp_get_held(const mlp_call *call, int p, bool is_double, double *value);

int mlp_get_dtype(const mlp_call *call, int p, int *bits); /* 'float32', 'float64' */

/* Raises "<function>: <argument> <message>". Always -1. */
int mlp_argument_error(const mlp_call *call, int p, PyObject *type, const char *format, ...);

/* The GIL is released only where the work (in multiply-adds) outweighs the price of releasing it, about 50 ns. */
static inline PyThreadState *mlp_release_gil(double work) { return work > 2e4 ? PyEval_SaveThread() : NULL; }

static inline void mlp_restore_gil(PyThreadState *state) {
    if (state) {
        PyEval_RestoreThread(state);
    }
}

/* An entry of a method table. */
#define MLP_METHOD(name, function, doc)                                                                                \
    {name, (PyCFunction)(void (*)(void))(function), METH_FASTCALL | METH_KEYWORDS, doc}

/* A block of mlp_alloc as an object that frees it, the base of arrays on it. Takes the block over, also if it fails. */
PyObject *mlp_block_owner(void *block);

/* A writeable array on memory that `base` keeps alive. strides NULL: C order. */
PyObject *mlp_view(PyObject *base, bool is_double, int rank, const npy_intp *shape, const npy_intp *strides,
                   void *data);

/* What the bind_*.c files put into the module; each ends with an empty entry. */
extern PyMethodDef mlp_dense_methods[], mlp_activation_methods[], mlp_loss_methods[], mlp_optimizer_methods[],
    mlp_schedule_methods[], mlp_memory_methods[], mlp_cpu_methods[], mlp_threads_methods[], mlp_catalogue_methods[],
    mlp_shuffles_methods[];
extern PyType_Spec mlp_net_spec;

#endif
