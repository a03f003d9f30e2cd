/* arrays.c: every check that stands between Python and the kernels. See arrays.h for the order of a call. */
#include "arrays.h"

#include "../net/memory.h"

#include <float.h>
#include <stdarg.h>
#include <string.h>

const mlp_choice mlp_activation_names[] = {{"linear", MLP_LINEAR}, {"relu", MLP_RELU},       {"sigmoid", MLP_SIGMOID},
                                           {"tanh", MLP_TANH},     {"softmax", MLP_SOFTMAX}, {NULL, 0}};
const mlp_choice mlp_loss_names[] = {{"mse", MLP_MSE},
                                     {"bce", MLP_BCE},
                                     {"cce", MLP_CCE},
                                     {"mean_squared_error", MLP_MSE},
                                     {"binary_crossentropy", MLP_BCE},
                                     {"categorical_crossentropy", MLP_CCE},
                                     {NULL, 0}};
const mlp_choice mlp_elementary_names[] = {
    {"exp", MLP_EXP}, {"log", MLP_LOG}, {"log1p", MLP_LOG1P}, {"tanh", MLP_TANH_OF}, {"sigmoid", MLP_SIGMOID_OF},
    {NULL, 0}};

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

/* NumPy's own errors do not know which argument they are about. Says so, and keeps NumPy's words; an exception of
 * another kind is the caller's own (KeyboardInterrupt, or raised by __array__) and passes. */
static void name_the_argument(const mlp_call *call, const char *name) {
    PyObject *kinds[] = {PyExc_TypeError, PyExc_ValueError, PyExc_MemoryError};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (PyErr_ExceptionMatches(kinds[i])) {
            PyObject *type, *value, *traceback;
            PyErr_Fetch(&type, &value, &traceback);
            PyErr_NormalizeException(&type, &value, &traceback);
            PyErr_Format(kinds[i], "%s: %s: %S", call->function->name, name, value);
            Py_XDECREF(type);
            Py_XDECREF(value);
            Py_XDECREF(traceback);
            return;
        }
    }
}

/* The shape as Python writes it: "(5, 3)". */
static PyObject *shape_text(PyArrayObject *array) {
    PyObject *shape = PyArray_IntTupleFromIntp(PyArray_NDIM(array), PyArray_DIMS(array));
    PyObject *text = shape ? PyObject_Repr(shape) : NULL;
    Py_XDECREF(shape);
    return text;
}

/* ---- names to slots ---------------------------------------------------------------------------------------------- */

static int slot_of(const mlp_function *function, PyObject *name) {
    for (int p = 0; function->parameters[p].name; p++) {
        if (PyUnicode_CompareWithASCIIString(name, function->parameters[p].name) == 0) {
            return p;
        }
    }
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'", function->name, name);
    return -1;
}

int mlp_parse(mlp_call *call, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames) {
    const mlp_function *function = call->function;
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
        if (!call->given[p] && !function->parameters[p].optional) {
            PyErr_Format(PyExc_TypeError, "%s() missing required %sargument: '%s'", function->name,
                         p < function->positional ? "" : "keyword-only ", function->parameters[p].name);
            return -1;
        }
    }
    return 0;
}

/* ---- scalars ----------------------------------------------------------------------------------------------------- */

int mlp_get_double(const mlp_call *call, int p, double minimum, double limit, double *value) {
    PyObject *given = call->given[p];
    if (!given) {
        return 0;
    }
    double number = PyFloat_AsDouble(given);
    if (number == -1 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        PyErr_Clear();
        return mlp_argument_error(call, p, PyExc_TypeError, "is of type %s, expected a real number",
                                  Py_TYPE(given)->tp_name);
    }
    if (!(number >= minimum && number < limit)) {
        PyObject *low = PyFloat_FromDouble(minimum), *high = PyFloat_FromDouble(limit);
        if (low && high) {
            mlp_argument_error(call, p, PyExc_ValueError, "is %R, expected a number >= %S and < %S", given, low, high);
        }
        Py_XDECREF(low);
        Py_XDECREF(high);
        return -1;
    }
    *value = number;
    return 0;
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

/* 'linear', 'relu', ...: one name for each value, in order. */
static PyObject *list_of_names(const mlp_choice *choices) {
    PyObject *text = PyUnicode_FromString("");
    int seen = -1;
    for (const mlp_choice *c = choices; text && c->name && c->value > seen; c++) {
        seen = c->value;
        PyObject *longer = PyUnicode_FromFormat("%U%s'%s'", text, c == choices ? "" : ", ", c->name);
        Py_DECREF(text);
        text = longer;
    }
    return text;
}

int mlp_get_choice(const mlp_call *call, int p, const mlp_choice *choices, int *value) {
    PyObject *given = call->given[p];
    if (given == Py_None && choices == mlp_activation_names) { /* no activation */
        *value = MLP_LINEAR;
        return 0;
    }
    if (PyUnicode_Check(given)) {
        for (const mlp_choice *c = choices; c->name; c++) {
            if (PyUnicode_CompareWithASCIIString(given, c->name) == 0) {
                *value = c->value;
                return 0;
            }
        }
    }
    PyObject *names = list_of_names(choices);
    if (names) {
        mlp_argument_error(call, p, PyUnicode_Check(given) ? PyExc_ValueError : PyExc_TypeError,
                           "is %R, expected one of %U", given, names);
        Py_DECREF(names);
    }
    return -1;
}

/* ---- phase 1: anything to an ndarray, running whatever Python code that takes ------------------------------------- */

/* 1 if masked elements hide in the array: to compute with them would silently give a wrong answer. */
static int has_masked_elements(PyObject *object) {
    PyObject *name = PyUnicode_FromString("numpy.ma");
    PyObject *ma = name ? PyImport_GetModule(name) : NULL; /* where it was never imported, there is no masked array */
    Py_XDECREF(name);
    if (!ma) {
        return PyErr_Occurred() ? -1 : 0;
    }
    int masked = -1;
    PyObject *answer = PyObject_CallMethod(ma, "is_masked", "O", object);
    if (answer) {
        masked = PyObject_IsTrue(answer);
        Py_DECREF(answer);
    }
    Py_DECREF(ma);
    return masked;
}

static PyArrayObject *take_array(const mlp_call *call, int p) {
    PyObject *given = call->given[p];
    if (PyArray_CheckExact(given)) {
        return (PyArrayObject *)Py_NewRef(given);
    }
    bool is_array = PyArray_Check(given);
    if (is_array) {
        int masked = has_masked_elements(given);
        if (masked) {
            if (masked > 0) {
                mlp_argument_error(call, p, PyExc_ValueError, "has masked elements, expected none");
            }
            return NULL;
        }
    }
    if (call->function->parameters[p].role != MLP_INPUT) {
        if (!is_array) {
            mlp_argument_error(call, p, PyExc_TypeError, "is of type %s, expected a NumPy array to write into",
                               Py_TYPE(given)->tp_name);
            return NULL;
        }
        return (PyArrayObject *)Py_NewRef(given);
    }
    PyArrayObject *array = (PyArrayObject *)PyArray_FromAny(given, NULL, 0, 0, NPY_ARRAY_ENSUREARRAY, NULL);
    if (!array) {
        name_the_argument(call, call->function->parameters[p].name);
    } else if (!is_array && PyArray_NDIM(array) == 0 && PyArray_TYPE(array) == NPY_OBJECT) {
        Py_CLEAR(array); /* NumPy's way to say that it knows nothing about it: None, a sparse matrix, ... */
        mlp_argument_error(call, p, PyExc_TypeError, "is of type %s, expected an array of real numbers",
                           Py_TYPE(given)->tp_name);
    }
    return array;
}

/* ---- phase 2: decide ---------------------------------------------------------------------------------------------- */

static bool is_real(int type) {
    return PyTypeNum_ISBOOL(type) || PyTypeNum_ISINTEGER(type) || type == NPY_HALF || type == NPY_FLOAT ||
           type == NPY_DOUBLE;
}

static int refuse_dtype(const mlp_call *call, int p, const char *expected) {
    return mlp_argument_error(call, p, PyExc_TypeError, "has dtype %S, expected %s", PyArray_DESCR(call->array[p]),
                              expected);
}

/* `cause` is the argument that decided the type; -1: the network did. */
static int refuse_other_dtype(const mlp_call *call, int p, const char *expected, int cause) {
    if (cause < 0) {
        return refuse_dtype(call, p, expected);
    }
    return mlp_argument_error(call, p, PyExc_TypeError, "has dtype %S, expected %s as %s has",
                              PyArray_DESCR(call->array[p]), expected, call->function->parameters[cause].name);
}

static int choose_dtype(mlp_call *call) {
    const mlp_parameter *parameters = call->function->parameters;
    int type = call->required_bits == 32 ? NPY_FLOAT : call->required_bits == 64 ? NPY_DOUBLE : NPY_NOTYPE;
    int cause = -1;
    for (int p = 0; parameters[p].name; p++) {
        PyArrayObject *array = call->array[p];
        if (array && parameters[p].role == MLP_COUNTER &&
            (!PyArray_EquivTypenums(PyArray_TYPE(array), NPY_INT64) || !PyArray_ISNOTSWAPPED(array))) {
            return refuse_dtype(call, p, "int64 in native byte order");
        }
        if (!array || (parameters[p].role != MLP_OUTPUT && parameters[p].role != MLP_RESULT)) {
            continue;
        }
        int own = PyArray_TYPE(array);
        if ((own != NPY_FLOAT && own != NPY_DOUBLE) || !PyArray_ISNOTSWAPPED(array)) {
            return refuse_dtype(call, p, "float32 or float64 in native byte order");
        }
        if (type != NPY_NOTYPE && own != type) {
            return refuse_other_dtype(call, p, type == NPY_FLOAT ? "float32" : "float64", cause);
        }
        if (type == NPY_NOTYPE) {
            type = own;
            cause = p;
        }
    }
    bool decided = type != NPY_NOTYPE;
    call->is_double = type == NPY_DOUBLE;
    for (int p = 0; parameters[p].name; p++) {
        PyArrayObject *array = call->array[p];
        if (!array || parameters[p].role != MLP_INPUT) {
            continue;
        }
        int own = PyArray_TYPE(array);
        if (!is_real(own)) {
            return refuse_dtype(call, p, "real numbers (float32, float64, or what casts to them)");
        }
        if (!decided && own != NPY_FLOAT && !PyArray_CanCastSafely(own, NPY_FLOAT)) {
            call->is_double = true;
        }
    }
    return 0;
}

static npy_intp *size_of_axis(mlp_sizes *size, char axis) {
    switch (axis) {
    case 'n': return &size->n;
    case 'i': return &size->in;
    case 'o': return &size->out;
    case 'p': return &size->parameters;
    default: return &size->one;
    }
}

static const char *name_of_axis(char axis) {
    switch (axis) {
    case 'n': return "n";
    case 'i': return "in";
    case 'o': return "out";
    case 'p': return "parameters";
    default: return "1";
    }
}

/* "(out, 3)": sizes that are known by now as numbers, others by name. */
static PyObject *expected_shape(mlp_call *call, const char *axes) {
    PyObject *text = PyUnicode_FromString("(");
    for (const char *axis = axes; text && *axis; axis++) {
        const char *separator = axis == axes ? "" : ", ";
        npy_intp size = *size_of_axis(&call->size, *axis);
        PyObject *longer = size < 0 ? PyUnicode_FromFormat("%U%s%s", text, separator, name_of_axis(*axis))
                                    : PyUnicode_FromFormat("%U%s%zd", text, separator, size);
        Py_DECREF(text);
        text = longer;
    }
    PyObject *closed = text ? PyUnicode_FromFormat("%U%s", text, strlen(axes) == 1 ? ",)" : ")") : NULL;
    Py_XDECREF(text);
    return closed;
}

/* "w has shape (3, 4), expected (out, 3) for x of shape (5, 3)"; `cause` is the argument that set the size, or -1. */
static int refuse_shape(mlp_call *call, int p, int cause) {
    const char *axes = call->function->parameters[p].axes;
    PyObject *own = shape_text(call->array[p]);
    PyObject *other = cause >= 0 ? shape_text(call->array[cause]) : PyUnicode_FromString("");
    PyObject *expected = axes ? expected_shape(call, axes) : Py_XNewRef(other);
    if (own && other && expected) {
        if (cause >= 0) {
            mlp_argument_error(call, p, PyExc_ValueError, "has shape %U, expected %U for %s of shape %U", own, expected,
                               call->function->parameters[cause].name, other);
        } else {
            mlp_argument_error(call, p, PyExc_ValueError, "has shape %U, expected %U", own, expected);
        }
    }
    Py_XDECREF(own);
    Py_XDECREF(other);
    Py_XDECREF(expected);
    return -1;
}

static int refuse_size(const mlp_call *call, int p, const char *reason) {
    PyObject *own = shape_text(call->array[p]);
    if (own) {
        mlp_argument_error(call, p, PyExc_ValueError, "has shape %U, %s", own, reason);
        Py_DECREF(own);
    }
    return -1;
}

static int refuse_empty(const mlp_call *call, int p, char axis) {
    return refuse_size(call, p,
                       axis == 'n'   ? "expected at least one sample"
                       : axis == 'i' ? "expected at least one input"
                                     : "expected at least one output");
}

/* Holds one array to the sizes that are known by now, and learns the others from it. `set_by` keeps, by the letter of an
 * axis, which argument set its size; -1 where that was the network. */
static int bind_shape(mlp_call *call, int p, int *set_by) {
    PyArrayObject *array = call->array[p];
    const char *axes = call->function->parameters[p].axes;
    bool same_rank = PyArray_NDIM(array) == (int)strlen(axes);
    for (int d = 0; axes[d]; d++) {
        npy_intp known = *size_of_axis(&call->size, axes[d]);
        if (known >= 0 && (!same_rank || PyArray_DIM(array, d) != known)) {
            return refuse_shape(call, p, set_by[(int)axes[d]]);
        }
    }
    if (!same_rank) {
        return refuse_shape(call, p, -1);
    }
    for (int d = 0; axes[d]; d++) {
        npy_intp *size = size_of_axis(&call->size, axes[d]);
        if (*size < 0) {
            *size = PyArray_DIM(array, d);
            set_by[(int)axes[d]] = p;
        }
        if (*size == 0 && (axes[d] != 'n' || call->function->needs_samples)) {
            return refuse_empty(call, p, axes[d]);
        }
    }
    return 0;
}

static npy_intp required_or_unknown(npy_intp size) { return size > 0 ? size : -1; }

static int bind_shapes(mlp_call *call) {
    const mlp_sizes *required = &call->required;
    call->size = (mlp_sizes){.n = required_or_unknown(required->n),
                             .in = required_or_unknown(required->in),
                             .out = required_or_unknown(required->out),
                             .parameters = required_or_unknown(required->parameters),
                             .one = 1};
    int set_by[128];
    memset(set_by, -1, sizeof set_by);
    int first = -1;
    for (int p = 0; call->function->parameters[p].name; p++) {
        PyArrayObject *array = call->array[p];
        if (!array) {
            continue;
        }
        if (first < 0) {
            first = p;
            call->count = PyArray_SIZE(array);
        }
        if (mlp_size_product(PyArray_SIZE(array), (ptrdiff_t)sizeof(double)) < 0) {
            return refuse_size(call, p, "which is too large");
        }
        if (call->function->parameters[p].axes) {
            if (bind_shape(call, p, set_by) < 0) {
                return -1;
            }
        } else if (!PyArray_SAMESHAPE(array, call->array[first])) {
            return refuse_shape(call, p, first);
        }
    }
    return 0;
}

/* Whether the kernel's layout asks for Fortran order of this argument. */
static bool wants_f_order(const mlp_call *call, int p) {
    switch (call->function->parameters[p].order) {
    case MLP_C_ORDER: return false;
    case MLP_F_ORDER: return true;
    default: return !PyArray_IS_C_CONTIGUOUS(call->array[0]);
    }
}

static bool fits_kernel(const mlp_call *call, int p) {
    PyArrayObject *array = call->array[p];
    int contiguous = wants_f_order(call, p) ? NPY_ARRAY_F_CONTIGUOUS : NPY_ARRAY_C_CONTIGUOUS;
    bool right_type = call->function->parameters[p].role == MLP_COUNTER
                          ? PyArray_EquivTypenums(PyArray_TYPE(array), NPY_INT64)
                          : PyArray_TYPE(array) == (call->is_double ? NPY_DOUBLE : NPY_FLOAT);
    return right_type && PyArray_ISNOTSWAPPED(array) && PyArray_CHKFLAGS(array, contiguous | NPY_ARRAY_ALIGNED);
}

static int check_output(const mlp_call *call, int p) {
    if (!PyArray_ISWRITEABLE(call->array[p])) {
        return mlp_argument_error(call, p, PyExc_ValueError, "is read-only");
    }
    if (!PyArray_ISALIGNED(call->array[p])) {
        return mlp_argument_error(call, p, PyExc_ValueError, "is not aligned in memory");
    }
    if (!fits_kernel(call, p)) {
        switch (call->function->parameters[p].order) {
        case MLP_C_ORDER: return mlp_argument_error(call, p, PyExc_ValueError, "is not contiguous (C order)");
        case MLP_F_ORDER: return mlp_argument_error(call, p, PyExc_ValueError, "is not contiguous (Fortran order)");
        default:
            return mlp_argument_error(call, p, PyExc_ValueError, "is not contiguous in the memory order of %s",
                                      call->function->parameters[0].name);
        }
    }
    return 0;
}

/* The bytes that an array can touch: [low, high). false if that does not fit into an address. */
static bool byte_range(PyArrayObject *array, uintptr_t *low, uintptr_t *high) {
    ptrdiff_t below = 0, above = PyArray_SIZE(array) > 0 ? PyArray_ITEMSIZE(array) : 0;
    for (int d = 0; above > 0 && d < PyArray_NDIM(array); d++) {
        ptrdiff_t stride = PyArray_STRIDE(array, d), steps = PyArray_DIM(array, d) - 1;
        if (stride < -PTRDIFF_MAX) {
            return false;
        }
        if (stride < 0) {
            below = mlp_size_sum(below, mlp_size_product(-stride, steps));
        } else {
            above = mlp_size_sum(above, mlp_size_product(stride, steps));
        }
    }
    uintptr_t start = (uintptr_t)PyArray_BYTES(array);
    if (below < 0 || above < 0 || (uintptr_t)below > start || (uintptr_t)above > UINTPTR_MAX - start) {
        return false;
    }
    *low = start - (uintptr_t)below;
    *high = start + (uintptr_t)above;
    return true;
}

/* An output may share memory with nothing else, except that it may be exactly an input that it replaces. */
static int check_overlap(const mlp_call *call, int p) {
    uintptr_t low, high, other_low, other_high;
    if (!byte_range(call->array[p], &low, &high)) {
        return mlp_argument_error(call, p, PyExc_ValueError, "has strides that are too large");
    }
    for (int q = 0; call->function->parameters[q].name; q++) {
        if (!call->array[q] || q == p) {
            continue;
        }
        if (!byte_range(call->array[q], &other_low, &other_high)) {
            return mlp_argument_error(call, q, PyExc_ValueError, "has strides that are too large");
        }
        bool same = call->function->parameters[p].in_place >> q & 1 && low == other_low && fits_kernel(call, q);
        if (low < other_high && other_low < high && !same) {
            return mlp_argument_error(call, p, PyExc_ValueError, "overlaps %s in memory",
                                      call->function->parameters[q].name);
        }
    }
    return 0;
}

static int check_outputs(const mlp_call *call) {
    for (int p = 0; call->function->parameters[p].name; p++) {
        if (call->array[p] && call->function->parameters[p].role >= MLP_OUTPUT &&
            (check_output(call, p) < 0 || check_overlap(call, p) < 0)) {
            return -1;
        }
    }
    return 0;
}

/* Replaces the inputs that do not fit by copies that do. 1 if there was one. */
static int copy_where_needed(mlp_call *call) {
    int copied = 0;
    for (int p = 0; call->function->parameters[p].name; p++) {
        if (!call->array[p] || fits_kernel(call, p)) {
            continue;
        }
        int layout = wants_f_order(call, p) ? NPY_ARRAY_F_CONTIGUOUS : NPY_ARRAY_C_CONTIGUOUS;
        PyArray_Descr *descr = PyArray_DescrFromType(call->is_double ? NPY_DOUBLE : NPY_FLOAT);
        PyObject *copy = PyArray_FromArray(call->array[p], descr,
                                           layout | NPY_ARRAY_ALIGNED | NPY_ARRAY_ENSURECOPY | NPY_ARRAY_FORCECAST);
        if (!copy) {
            name_the_argument(call, call->function->parameters[p].name);
            return -1;
        }
        Py_SETREF(call->array[p], (PyArrayObject *)copy);
        copied = 1;
    }
    return copied;
}

int mlp_recheck(mlp_call *call) {
    if (bind_shapes(call) < 0 || check_outputs(call) < 0) {
        return -1;
    }
    for (int p = 0; call->function->parameters[p].name; p++) {
        if (call->array[p] && !fits_kernel(call, p)) {
            return mlp_argument_error(call, p, PyExc_ValueError, "was changed while the call was being prepared");
        }
    }
    return 0;
}

int mlp_acquire(mlp_call *call) {
    const mlp_parameter *parameters = call->function->parameters;
    for (int p = 0; parameters[p].name; p++) {
        bool absent = !call->given[p] || (call->given[p] == Py_None && parameters[p].optional);
        if (parameters[p].role != MLP_SCALAR && !absent && !(call->array[p] = take_array(call, p))) {
            return -1;
        }
    }
    if (choose_dtype(call) < 0 || bind_shapes(call) < 0 || check_outputs(call) < 0) {
        return -1;
    }
    int copied = copy_where_needed(call);
    if (copied < 0) {
        return -1;
    }
    /* A cast that overflows warns, and a warning can run Python code, which can reshape an array we hold. */
    if (copied && mlp_recheck(call) < 0) {
        return -1;
    }
    for (int p = 0; parameters[p].name; p++) {
        if (parameters[p].role == MLP_RESULT && !call->array[p]) {
            call->array[p] = mlp_new_array(call, parameters[p].name, parameters[p].axes, parameters[p].order);
            if (!call->array[p]) {
                return -1;
            }
        }
    }
    return 0;
}

/* ---- results ------------------------------------------------------------------------------------------------------ */

PyArrayObject *mlp_new_array(mlp_call *call, const char *name, const char *axes, mlp_order order) {
    npy_intp shape[2];
    int rank = 0;
    for (; axes[rank]; rank++) {
        shape[rank] = *size_of_axis(&call->size, axes[rank]);
    }
    PyArrayObject *array =
        (PyArrayObject *)PyArray_EMPTY(rank, shape, call->is_double ? NPY_DOUBLE : NPY_FLOAT, order == MLP_F_ORDER);
    if (!array) {
        name_the_argument(call, name); /* NumPy's: too big, or no memory */
    }
    return array;
}

void *mlp_scratch(mlp_call *call, int slot, const char *axes) {
    call->scratch[slot] = mlp_new_array(call, "scratch memory", axes, MLP_C_ORDER);
    return call->scratch[slot] ? PyArray_DATA(call->scratch[slot]) : NULL;
}

PyObject *mlp_result(const mlp_call *call, int p) {
    bool given = call->given[p] && call->given[p] != Py_None;
    return Py_NewRef(given ? call->given[p] : (PyObject *)call->array[p]);
}

void mlp_end(mlp_call *call) {
    for (int p = 0; p < MLP_PARAMETERS; p++) {
        Py_CLEAR(call->array[p]);
    }
    Py_CLEAR(call->scratch[0]);
    Py_CLEAR(call->scratch[1]);
}

static void free_block(PyObject *capsule) { mlp_free(PyCapsule_GetPointer(capsule, NULL)); }

PyObject *mlp_block_owner(void *block) {
    PyObject *capsule = PyCapsule_New(block, NULL, free_block);
    if (!capsule) {
        mlp_free(block);
    }
    return capsule;
}

PyObject *mlp_view(PyObject *base, bool is_double, int rank, const npy_intp *shape, const npy_intp *strides,
                   void *data) {
    PyArray_Descr *descr = PyArray_DescrFromType(is_double ? NPY_DOUBLE : NPY_FLOAT);
    PyObject *view = PyArray_NewFromDescr(&PyArray_Type, descr, rank, shape, strides, data, NPY_ARRAY_WRITEABLE, NULL);
    if (view && PyArray_SetBaseObject((PyArrayObject *)view, Py_NewRef(base)) < 0) {
        Py_CLEAR(view);
    }
    return view;
}

/* ---- values ------------------------------------------------------------------------------------------------------- */

int mlp_check_weights(const mlp_call *call, int p) {
    if (!call->array[p]) {
        return 0;
    }
    const void *data = PyArray_DATA(call->array[p]);
    double sum = 0;
    for (npy_intp s = 0; s < call->size.n; s++) {
        double weight = call->is_double ? ((const double *)data)[s] : (double)((const float *)data)[s];
        if (!(weight >= 0 && weight <= DBL_MAX)) {
            PyObject *value = PyFloat_FromDouble(weight);
            if (value) {
                mlp_argument_error(call, p, PyExc_ValueError, "holds %S at index %zd, expected finite numbers >= 0",
                                   value, s);
                Py_DECREF(value);
            }
            return -1;
        }
        sum += weight;
    }
    if (!(sum > 0 && sum <= DBL_MAX)) {
        return mlp_argument_error(call, p, PyExc_ValueError, "has the sum %s, expected a finite sum > 0",
                                  sum > 0 ? "inf" : "0");
    }
    return 0;
}

int mlp_check_velocity(const mlp_call *call, int p, double momentum) {
    if (momentum > 0 && !call->array[p]) {
        return mlp_argument_error(call, p, PyExc_ValueError, "is missing, expected an array since momentum is not 0");
    }
    if (momentum == 0 && call->array[p]) {
        return mlp_argument_error(call, p, PyExc_ValueError, "is given, expected None since momentum is 0");
    }
    return 0;
}
