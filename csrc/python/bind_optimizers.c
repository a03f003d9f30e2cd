/* bind_optimizers.c: one step of an optimizer on an array of weights, for Python. */
#include "arrays.h"

#include <math.h>

/* What a step costs per weight, in multiply-adds. */
static const double STEP_WORK = 5;

PyDoc_STRVAR(
    sgd_step_doc,
    "sgd_step($module, w, grad, *, learning_rate, momentum=0.0, nesterov=False, velocity=None)\n--\n\n"
    "One step of gradient descent on w, in place.\n"
    "\n"
    "With momentum ``velocity = momentum*velocity + grad`` and ``w -= learning_rate*velocity``; with Nesterov's\n"
    "``w -= learning_rate*(grad + momentum*velocity)``; without momentum ``w -= learning_rate*grad``.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "w : ndarray of float32 or float64, any shape\n"
    "    Written in place. Contiguous, in C or Fortran order.\n"
    "grad : array_like, shape of w\n"
    "learning_rate : float\n"
    "    Finite and >= 0.\n"
    "momentum : float, default 0.0\n"
    "    Finite and >= 0.\n"
    "nesterov : bool, default False\n"
    "velocity : ndarray, shape, dtype and memory order of w\n"
    "    What momentum remembers, zeros before the first step; written in place. Given if and only if momentum > 0.\n"
    "\n"
    "Raises\n"
    "------\n"
    "TypeError\n"
    "    If `w` or `velocity` is not an array of float32 or float64, or `grad` holds no real numbers.\n"
    "ValueError\n"
    "    If shapes disagree, `w` or `velocity` cannot be written in place, arrays overlap, a number is out of range, "
    "or\n"
    "    `velocity` does not go with `momentum`.\n");

static PyObject *sgd_step(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { W, GRAD, LEARNING_RATE, MOMENTUM, NESTEROV, VELOCITY };
    static const mlp_function function = {
        .name = "sgd_step",
        .positional = 2,
        .parameters = {[W] = {"w", MLP_OUTPUT, .order = MLP_FIRST_ORDER},
                       [GRAD] = {"grad", MLP_INPUT, .order = MLP_FIRST_ORDER},
                       [LEARNING_RATE] = {.name = "learning_rate"},
                       [MOMENTUM] = {"momentum", .optional = true},
                       [NESTEROV] = {"nesterov", .optional = true},
                       [VELOCITY] = {"velocity", MLP_OUTPUT, .optional = true, .order = MLP_FIRST_ORDER}},
    };
    mlp_call call;
    PyObject *result = NULL;
    double learning_rate, momentum = 0;
    bool nesterov = false;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 ||
        mlp_get_double(&call, LEARNING_RATE, 0, INFINITY, &learning_rate) < 0 ||
        mlp_get_double(&call, MOMENTUM, 0, INFINITY, &momentum) < 0 || mlp_get_bool(&call, NESTEROV, &nesterov) < 0 ||
        mlp_acquire(&call) < 0 || mlp_check_velocity(&call, VELOCITY, momentum) < 0) {
        goto done;
    }
    mlp_sgd_f32 step_f32 = {(float)learning_rate, (float)momentum, nesterov};
    mlp_sgd_f64 step_f64 = {learning_rate, momentum, nesterov};
    const void *step = call.is_double ? (const void *)&step_f64 : (const void *)&step_f32;
    PyThreadState *state = mlp_release_gil(STEP_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, sgd_step, call.count, step, mlp_data(&call, W), mlp_data(&call, VELOCITY),
               mlp_data(&call, GRAD));
    mlp_restore_gil(state);
    result = Py_NewRef(Py_None);
done:
    mlp_end(&call);
    return result;
}

PyDoc_STRVAR(
    adam_step_doc,
    "adam_step($module, w, grad, m, v, *, t, learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-07)\n--\n\n"
    "Step t of Adam on w, in place (Kingma & Ba 2015).\n"
    "\n"
    "``m = beta1*m + (1-beta1)*grad``, ``v = beta2*v + (1-beta2)*grad**2``, and with ``m_hat = m/(1-beta1**t)`` and\n"
    "``v_hat = v/(1-beta2**t)`` then ``w -= learning_rate*m_hat/(sqrt(v_hat) + epsilon)``.\n"
    "\n"
    "Parameters\n"
    "----------\n"
    "w : ndarray of float32 or float64, any shape\n"
    "    Written in place. Contiguous, in C or Fortran order.\n"
    "grad : array_like, shape of w\n"
    "m, v : ndarray, shape, dtype and memory order of w\n"
    "    The moving averages, zeros before step 1; written in place.\n"
    "t : int\n"
    "    The number of this step: 1, 2, ...\n"
    "learning_rate : float, default 0.001\n"
    "    Finite and >= 0.\n"
    "beta1, beta2 : float, default 0.9 and 0.999\n"
    "    At least 0, and less than 1 in float32 too.\n"
    "epsilon : float, default 1e-07\n"
    "    Finite and >= 0.\n"
    "\n"
    "Raises\n"
    "------\n"
    "TypeError\n"
    "    If `w`, `m` or `v` is not an array of float32 or float64, `grad` holds no real numbers, or `t` is no "
    "integer.\n"
    "ValueError\n"
    "    If shapes disagree, `w`, `m` or `v` cannot be written in place, arrays overlap, or a number is out of "
    "range.\n");

static PyObject *adam_step(PyObject *Py_UNUSED(module), PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    enum { W, GRAD, M, V, T, LEARNING_RATE, BETA1, BETA2, EPSILON };
    static const mlp_function function = {
        .name = "adam_step",
        .positional = 4,
        .parameters = {[W] = {"w", MLP_OUTPUT, .order = MLP_FIRST_ORDER},
                       [GRAD] = {"grad", MLP_INPUT, .order = MLP_FIRST_ORDER},
                       [M] = {"m", MLP_OUTPUT, .order = MLP_FIRST_ORDER},
                       [V] = {"v", MLP_OUTPUT, .order = MLP_FIRST_ORDER},
                       [T] = {.name = "t"},
                       [LEARNING_RATE] = {"learning_rate", .optional = true},
                       [BETA1] = {"beta1", .optional = true},
                       [BETA2] = {"beta2", .optional = true},
                       [EPSILON] = {"epsilon", .optional = true}},
    };
    mlp_call call;
    PyObject *result = NULL;
    long long t;
    double learning_rate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-7;
    if (mlp_parse(&call, &function, args, nargs, kwnames) < 0 || mlp_get_integer(&call, T, 1, INT64_MAX, &t) < 0 ||
        mlp_get_double(&call, LEARNING_RATE, 0, INFINITY, &learning_rate) < 0 ||
        mlp_get_double(&call, BETA1, 0, MLP_DECAY_LIMIT, &beta1) < 0 ||
        mlp_get_double(&call, BETA2, 0, MLP_DECAY_LIMIT, &beta2) < 0 ||
        mlp_get_double(&call, EPSILON, 0, INFINITY, &epsilon) < 0 || mlp_acquire(&call) < 0) {
        goto done;
    }
    mlp_adam_f32 step_f32 = mlp_current_f32()->adam_at(t, learning_rate, beta1, beta2, epsilon);
    mlp_adam_f64 step_f64 = mlp_current_f64()->adam_at(t, learning_rate, beta1, beta2, epsilon);
    const void *step = call.is_double ? (const void *)&step_f64 : (const void *)&step_f32;
    PyThreadState *state = mlp_release_gil(STEP_WORK * (double)call.count);
    MLP_KERNEL(call.is_double, adam_step, call.count, step, mlp_data(&call, W), mlp_data(&call, M), mlp_data(&call, V),
               mlp_data(&call, GRAD));
    mlp_restore_gil(state);
    result = Py_NewRef(Py_None);
done:
    mlp_end(&call);
    return result;
}

PyMethodDef mlp_optimizer_methods[] = {
    MLP_METHOD("sgd_step", sgd_step, sgd_step_doc),
    MLP_METHOD("adam_step", adam_step, adam_step_doc),
    {NULL, NULL, 0, NULL},
};
