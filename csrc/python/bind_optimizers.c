/* bind_optimizers.c: one step of an optimizer on an array of weights, for Python: a function for each row of the catalogue,
 *
 *     <name>_step(w, grad, <states>, *, t if the formula has it, <hyperparameters>)
 *
 * A state that the hyperparameters do without may be left out; so may a hyperparameter, for its standard value.
 */
#include "binding.h"

#include <math.h>

enum { STEP_WORK = 5 }; /* what a step costs per weight, in multiply-adds */
enum { W, GRAD, FIRST_STATE };

/* What the catalogue says about the arguments of <name>_step. */
static void describe(mlp_optimizer_id id, const char *name, mlp_function *function) {
    const mlp_entry *entry = &mlp_optimizers[id];
    *function = (mlp_function){.name = name};
    function->parameters[W] = (mlp_parameter){"w", MLP_OUTPUT, .order = MLP_FIRST_ORDER};
    function->parameters[GRAD] = (mlp_parameter){"grad", MLP_INPUT, .order = MLP_FIRST_ORDER};
    int p = FIRST_STATE;
    for (int i = 0; entry->states[i].name; i++) {
        function->parameters[p++] = (mlp_parameter){
            entry->states[i].name, MLP_OUTPUT, .optional = entry->states[i].only_if != NULL, .order = MLP_FIRST_ORDER};
    }
    function->positional = p;
    if (entry->traits & MLP_COUNTS_STEPS) {
        function->parameters[p++] = (mlp_parameter){.name = "t"};
    }
    for (int i = 0; entry->hypers[i].name; i++) {
        function->parameters[p++] = (mlp_parameter){.name = entry->hypers[i].name, .optional = true};
    }
}

/* The numbers of a call: t, and the hyperparameters. */
static int parse_numbers(const mlp_call *call, mlp_optimizer_id id, int64_t *t, double *hypers) {
    const mlp_entry *entry = &mlp_optimizers[id];
    int p = call->function->positional;
    long long number = 1;
    if (entry->traits & MLP_COUNTS_STEPS && mlp_get_integer(call, p++, 1, INT64_MAX, &number) < 0) {
        return -1;
    }
    *t = number;
    for (int i = 0; entry->hypers[i].name; i++) {
        const mlp_hyper *hyper = &entry->hypers[i];
        hypers[i] = hyper->standard;
        if (mlp_get_double(call, p++, hyper->least, hyper->below, &hypers[i]) < 0) {
            return -1;
        }
    }
    return 0;
}

/* In the type of the arrays, which is known once they are there. */
static int check_hypers(const mlp_call *call, mlp_optimizer_id id, const double *hypers) {
    const int first = call->function->positional + (mlp_optimizers[id].traits & MLP_COUNTS_STEPS ? 1 : 0);
    return mlp_check_hypers_in_type(call, first, false, call->is_double, id, hypers) < 0
               ? -1
               : mlp_check_first_step(call, first, NULL, call->is_double, id, hypers);
}

static int check_states(const mlp_call *call, mlp_optimizer_id id, const double *hypers) {
    const mlp_state *states = mlp_optimizers[id].states;
    for (int i = 0; states[i].name; i++) {
        if (!call->array[FIRST_STATE + i] && mlp_needs_state(id, i, hypers)) {
            return mlp_argument_error(call, FIRST_STATE + i, PyExc_ValueError,
                                      "is missing, expected an array since %s is not 0", states[i].only_if);
        }
    }
    return 0;
}

static PyObject *optimizer_step(mlp_optimizer_id id, const char *name, PyObject *const *args, Py_ssize_t nargs,
                                PyObject *kwnames) {
    mlp_function function;
    mlp_call call;
    PyObject *result = NULL;
    int64_t t;
    double hypers[MLP_HYPERS] = {0};
    describe(id, name, &function);
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || parse_numbers(&call, id, &t, hypers) < 0 ||
        mlp_acquire(&call) < 0 || check_hypers(&call, id, hypers) < 0 || check_states(&call, id, hypers) < 0) {
        goto done;
    }
    mlp_update_f32 update_f32 = {.rule = id, .grad_scale = 1, .clip_value = INFINITY};
    mlp_update_f64 update_f64 = {.rule = id, .grad_scale = 1, .clip_value = INFINITY};
    mlp_update_constants_f32(id, hypers, t, update_f32.constants);
    mlp_update_constants_f64(id, hypers, t, update_f64.constants);
    update_f32.adjusts = update_f32.constants[MLP_DECAY] > 0;
    update_f64.adjusts = update_f64.constants[MLP_DECAY] > 0;
    for (int i = 0; mlp_optimizers[id].states[i].name; i++) {
        update_f32.state[i] = mlp_data(&call, FIRST_STATE + i);
        update_f64.state[i] = mlp_data(&call, FIRST_STATE + i);
    }
    const void *update = call.is_double ? (const void *)&update_f64 : (const void *)&update_f32;
    PyThreadState *state = mlp_release_gil(STEP_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, update, update, 0, call.count, mlp_data(&call, W), mlp_data(&call, GRAD));
    mlp_restore_gil(state);
    result = Py_NewRef(Py_None);
done:
    mlp_end(&call);
    return result;
}

#define OPTIMIZER(ID, id, ...)                                                                                         \
    static PyObject *id##_step(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs,                   \
                               PyObject *kwnames) {                                                                    \
        return optimizer_step(MLP_##ID, #id "_step", args, nargs, kwnames);                                            \
    }
#include "../catalogue/optimizers.def"

PyMethodDef mlp_optimizer_methods[] = {
#define OPTIMIZER(ID, id, ...) MLP_METHOD(#id "_step", id##_step, NULL),
#include "../catalogue/optimizers.def"
    {NULL, NULL, 0, NULL},
};
