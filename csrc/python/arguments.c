/* arguments.c: sorts the arguments of a call into slots and parses numbers and names. See arrays.h. */
#include "arrays.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>

/* ---- errors ----------------------------------------------------------------------------------------------------- */

int mlp_argument_error(const mlp_call *call, int p, PyObject *type, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    PyObject *message = PyUnicode_FromFormatV(format, arguments);
    va_end(arguments);
    if (message) {
        PyErr_Format(type, "%s: %s %U", call->function->name, call->function->parameters[p].name, message);
        Py_DECREF(message);
    }
    return -1;
}

/* ---- names to slots --------------------------------------------------------------------------------------------- */

/* -1 if none of the parameters from `begin` to before `end` has this name. */
static int find_name(const mlp_function *function, int begin, int end, PyObject *name) {
    for (int p = begin; p < end && function->parameters[p].name; p++) {
        if (function->parameters[p].role != MLP_NEW &&
            PyUnicode_CompareWithASCIIString(name, function->parameters[p].name) == 0) {
            return p;
        }
    }
    return -1;
}

static int slot_of(const mlp_function *function, PyObject *name) {
    int p = find_name(function, function->positional, MLP_PARAMETERS, name); /* keyword-only ones first */
    if (p < 0) {
        p = find_name(function, 0, function->positional, name);
    }
    if (p < 0) {
        PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", function->name, name);
    }
    return p;
}

/* Axes that the function does not have are left as they are. */
static void begin_call(mlp_call *call, const mlp_function *function) {
    call->function = function;
    call->required = (mlp_sizes){0};
    call->labels = 0;
    call->required_bits = 0;
    call->scratch[0] = call->scratch[1] = NULL;
    for (int p = 0; function->parameters[p].name; p++) {
        call->given[p] = NULL;
        call->array[p] = NULL;
    }
}

int mlp_parse(mlp_call *call, const mlp_function *function, PyObject *const *args, Py_ssize_t nargs,
              PyObject *kwnames) {
    begin_call(call, function);
    if (nargs > function->positional) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %d positional argument%s but %zd were given", function->name,
                     function->positional, function->positional == 1 ? "" : "s", nargs);
        return -1;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        call->given[i] = args[i];
    }
    Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; i < keywords; i++) {
        int p = slot_of(function, PyTuple_GET_ITEM(kwnames, i));
        if (p < 0) {
            return -1;
        }
        if (call->given[p]) {
            PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%s'", function->name,
                         function->parameters[p].name);
            return -1;
        }
        call->given[p] = args[nargs + i];
    }
    for (int p = 0; function->parameters[p].name; p++) {
        if (!call->given[p] && !function->parameters[p].optional && function->parameters[p].role != MLP_NEW) {
            PyErr_Format(PyExc_TypeError, "%s() missing required %sargument: '%s'", function->name,
                         p < function->positional ? "" : "keyword-only ", function->parameters[p].name);
            return -1;
        }
    }
    return 0;
}

int mlp_parse_tuple(mlp_call *call, const mlp_function *function, PyObject *tuple) {
    if (!PyTuple_Check(tuple)) {
        PyErr_Format(PyExc_TypeError, "%s is %R, expected a tuple", function->name, tuple);
        return -1;
    }
    return mlp_parse(call, function, &PyTuple_GET_ITEM(tuple, 0), PyTuple_GET_SIZE(tuple), NULL);
}

/* ---- scalars ---------------------------------------------------------------------------------------------------- */

/* A number in [least, below). `what`: the part of the argument that it is, NULL: all of it. */
static int real_in_range(const mlp_call *call, int p, const char *what, PyObject *given, double least, double below,
                         double *value) {
    const char *is = what ? what : "is", *is_end = what ? " is" : "";
    double number = PyFloat_AsDouble(given);
    if (number == -1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        PyErr_Clear();
        return mlp_argument_error(call, p, PyExc_TypeError, "%s%s of type %s, expected a real number", is, is_end,
                                  Py_TYPE(given)->tp_name);
    }
    if (!(number >= least && number < below)) {
        PyObject *low = PyFloat_FromDouble(least), *high = PyFloat_FromDouble(below);
        if (low && high) {
            mlp_argument_error(call, p, PyExc_ValueError, "%s%s %R, expected a number >= %S and < %S", is, is_end,
                               given, low, high);
        }
        Py_XDECREF(low);
        Py_XDECREF(high);
        return -1;
    }
    *value = number;
    return 0;
}

int mlp_get_double(const mlp_call *call, int p, double least, double below, double *value) {
    return call->given[p] ? real_in_range(call, p, NULL, call->given[p], least, below, value) : 0;
}

int mlp_check_hyper(const mlp_call *call, int p, const mlp_hyper *hyper, PyObject *given, double *value) {
    return real_in_range(call, p, hyper->name, given, hyper->least, hyper->below, value);
}

int mlp_check_held(const mlp_call *call, int p, const char *what, double value, bool is_double) {
    const double most = is_double ? DBL_MAX : (double)FLT_MAX, least = is_double ? DBL_TRUE_MIN : (double)FLT_TRUE_MIN;
    if (value == 0 || (value >= least && value <= most)) {
        return 0;
    }
    PyObject *number = PyFloat_FromDouble(value), *low = PyFloat_FromDouble(least), *high = PyFloat_FromDouble(most);
    if (number && low && high) {
        mlp_argument_error(call, p, PyExc_ValueError,
                           "%s%s %S, which float%d takes for %s: expected a number from %S to %S", what ? what : "is",
                           what ? " is" : "", number, is_double ? 64 : 32, value < 1 ? "0" : "infinity", low, high);
    }
    Py_XDECREF(number);
    Py_XDECREF(low);
    Py_XDECREF(high);
    return -1;
}

int mlp_get_held(const mlp_call *call, int p, bool is_double, double *value) {
    return mlp_get_double(call, p, 0, INFINITY, value) < 0 ? -1 : mlp_check_held(call, p, NULL, *value, is_double);
}

int mlp_get_integer(const mlp_call *call, int p, long long minimum, long long maximum, long long *value) {
    PyObject *given = call->given[p];
    if (!given) {
        return 0;
    }
    PyObject *index = PyNumber_Index(given);
    if (!index) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        PyErr_Clear();
        return mlp_argument_error(call, p, PyExc_TypeError, "is of type %s, expected an integer",
                                  Py_TYPE(given)->tp_name);
    }
    int overflow;
    long long number = PyLong_AsLongLongAndOverflow(index, &overflow);
    int status = 0;
    if (overflow || number < minimum || number > maximum) {
        status = mlp_argument_error(call, p, PyExc_ValueError, "is %R, expected an integer from %lld to %lld", given,
                                    minimum, maximum);
    } else {
        *value = number;
    }
    Py_DECREF(index);
    return status;
}

int mlp_get_seed(const mlp_call *call, int p, uint64_t *value) {
    PyObject *index = PyNumber_Index(call->given[p]);
    if (index) {
        *value = PyLong_AsUnsignedLongLong(index);
        Py_DECREF(index);
    }
    if (!PyErr_Occurred()) {
        return 0;
    }
    if (!PyErr_ExceptionMatches(PyExc_TypeError) && !PyErr_ExceptionMatches(PyExc_OverflowError)) {
        return -1;
    }
    PyObject *kind = PyErr_ExceptionMatches(PyExc_TypeError) ? PyExc_TypeError : PyExc_ValueError;
    PyErr_Clear();
    return mlp_argument_error(call, p, kind, "is %R, expected an integer from 0 to 2**64 - 1", call->given[p]);
}

int mlp_get_bool(const mlp_call *call, int p, bool *value) {
    if (!call->given[p]) {
        return 0;
    }
    int truth = PyObject_IsTrue(call->given[p]);
    *value = truth > 0;
    return truth < 0 ? -1 : 0;
}

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* 'linear', 'relu', ...: the rows of a family, in order. */
static PyObject *list_of_names(const mlp_entry *entries) {
    PyObject *text = PyUnicode_FromString("");
    for (const mlp_entry *e = entries; text && e->name; e++) {
        PyObject *longer = PyUnicode_FromFormat("%U%s'%s'", text, e == entries ? "" : ", ", e->name);
        Py_DECREF(text);
        text = longer;
    }
    return text;
}

static bool has_name(PyObject *text, const char *name) {
    return name && PyUnicode_CompareWithASCIIString(text, name) == 0;
}

/* The row that a text names; NULL with an error if none does. */
static const mlp_entry *entry_of(const mlp_call *call, int p, const mlp_entry *entries, PyObject *name) {
    for (const mlp_entry *e = entries; PyUnicode_Check(name) && e->name; e++) {
        if (has_name(name, e->name) || has_name(name, e->alias)) {
            return e;
        }
    }
    PyObject *names = list_of_names(entries);
    if (names) {
        mlp_argument_error(call, p, PyUnicode_Check(name) ? PyExc_ValueError : PyExc_TypeError,
                           "is %R, expected one of %U", name, names);
        Py_DECREF(names);
    }
    return NULL;
}

int mlp_get_name(const mlp_call *call, int p, const mlp_entry *entries, int *id) {
    const mlp_entry *entry = entry_of(call, p, entries, call->given[p]);
    if (!entry) {
        return -1;
    }
    *id = (int)(entry - entries);
    return 0;
}

int mlp_check_hypers_in_type(const mlp_call *call, int p, bool in_tuple, bool is_double, mlp_optimizer_id id,
                             const double *hypers) {
    const mlp_hyper *hyper = mlp_optimizers[id].hypers;
    for (int i = 0; hyper[i].name; i++) {
        const int argument = in_tuple ? p : p + i;
        const char *what = in_tuple ? hyper[i].name : NULL;
        if (mlp_check_held(call, argument, what, hypers[i], is_double) < 0) {
            return -1;
        }
        if (!is_double && hypers[i] < hyper[i].least_f32) {
            PyObject *number = PyFloat_FromDouble(hypers[i]), *least = PyFloat_FromDouble(hyper[i].least_f32);
            if (number && least) {
                mlp_argument_error(call, argument, PyExc_ValueError, "%s%s %S, expected at least %S in float32",
                                   what ? what : "is", what ? " is" : "", number, least);
            }
            Py_XDECREF(number);
            Py_XDECREF(least);
            return -1;
        }
    }
    return 0;
}

int mlp_check_first_step(const mlp_call *call, int p, const char *what, bool is_double, mlp_optimizer_id id,
                         const double *hypers) {
    float f32[MLP_CONSTANTS] = {0};
    double f64[MLP_CONSTANTS] = {0};
    mlp_update_constants_f32(id, hypers, 1, f32);
    mlp_update_constants_f64(id, hypers, 1, f64);
    bool finite = true;
    for (int i = 0; i < MLP_CONSTANTS; i++) {
        finite &= isfinite(is_double ? f64[i] : (double)f32[i]) != 0;
    }
    if (finite) {
        return 0;
    }
    PyObject *rate = PyFloat_FromDouble(hypers[0]);
    if (rate) {
        mlp_argument_error(call, p, PyExc_ValueError,
                           "%s%s %S, which makes the first step of '%s' infinite in float%d: expected a smaller number",
                           what ? what : "is", what ? " is" : "", rate, mlp_optimizers[id].name, is_double ? 64 : 32);
        Py_DECREF(rate);
    }
    return -1;
}

int mlp_get_entry(const mlp_call *call, int p, const mlp_entry *entries, int *id, double *constants) {
    PyObject *given = call->given[p], *name = given;
    Py_ssize_t count = 0;
    if (given == Py_None && entries == mlp_activations) {
        *id = MLP_LINEAR; /* no activation */
        return 0;
    }
    if (PyTuple_Check(given) && PyTuple_GET_SIZE(given) > 0) {
        name = PyTuple_GET_ITEM(given, 0);
        count = PyTuple_GET_SIZE(given) - 1;
    }
    const mlp_entry *entry = entry_of(call, p, entries, name);
    if (!entry) {
        return -1;
    }
    *id = (int)(entry - entries);
    int i = 0;
    for (; entry->hypers[i].name; i++) {
        constants[i] = entry->hypers[i].standard;
        if (i < count &&
            mlp_check_hyper(call, p, &entry->hypers[i], PyTuple_GET_ITEM(given, i + 1), &constants[i]) < 0) {
            return -1;
        }
    }
    if (i < count) {
        return mlp_argument_error(call, p, PyExc_ValueError, "has %zd constants, '%s' has %d", count, entry->name, i);
    }
    return 0;
}

int mlp_check_constants(const mlp_call *call, int p, const mlp_entry *entry, const double *constants, bool is_double) {
    for (int i = 0; entry->hypers[i].name; i++) {
        char what[64];
        PyOS_snprintf(what, sizeof what, "%s of '%s'", entry->hypers[i].name, entry->name);
        if (mlp_check_held(call, p, what, constants[i], is_double) < 0) {
            return -1;
        }
    }
    return 0;
}

int mlp_get_dtype(const mlp_call *call, int p, int *bits) {
    PyObject *given = call->given[p];
    if (PyUnicode_Check(given) && PyUnicode_CompareWithASCIIString(given, "float32") == 0) {
        *bits = 32;
    } else if (PyUnicode_Check(given) && PyUnicode_CompareWithASCIIString(given, "float64") == 0) {
        *bits = 64;
    } else {
        return mlp_argument_error(call, p, PyExc_ValueError, "is %R, expected 'float32' or 'float64'", given);
    }
    return 0;
}
