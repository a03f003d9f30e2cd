/* lbfgs_arguments.c: the tuple of L-BFGS, with its arrays, as the engine reads it. See net_object.h. */
#include "net_object.h"

#include "../runtime/memory.h"

enum { ITERATIONS, NUMBERS, CHANGES_OF_POINT, CHANGES_OF_GRADIENT, POINT, GRADIENT };

static const mlp_function lbfgs_arrays = {
    .name = "lbfgs",
    .parameters = {[ITERATIONS] = {"t", MLP_COUNTER, .axes = "1"},
                   [NUMBERS] = {"numbers", MLP_OUTPUT, .axes = "e"},
                   [CHANGES_OF_POINT] = {"s", MLP_OUTPUT, .axes = "np"},
                   [CHANGES_OF_GRADIENT] = {"y", MLP_OUTPUT, .axes = "np"},
                   [POINT] = {"point", MLP_OUTPUT, .axes = "p"},
                   [GRADIENT] = {"gradient", MLP_OUTPUT, .axes = "p"}},
};

void mlp_begin_lbfgs(mlp_lbfgs_arguments *arguments) {
    *arguments = (mlp_lbfgs_arguments){.call = {.function = &lbfgs_arrays}};
}

int mlp_parse_lbfgs(const Net *self, PyObject *tuple, mlp_lbfgs_arguments *arguments) {
    enum { HISTORY_SIZE, ARRAYS };
    static const mlp_function function = {
        .name = "lbfgs",
        .positional = 7,
        .parameters = {[HISTORY_SIZE] = {.name = "history_size"},
                       [ARRAYS + ITERATIONS] = {.name = "t"},
                       [ARRAYS + NUMBERS] = {.name = "numbers"},
                       [ARRAYS + CHANGES_OF_POINT] = {.name = "s"},
                       [ARRAYS + CHANGES_OF_GRADIENT] = {.name = "y"},
                       [ARRAYS + POINT] = {.name = "point"},
                       [ARRAYS + GRADIENT] = {.name = "gradient"}},
    };
    mlp_call call;
    long long history;
    if (mlp_parse_tuple(&call, &function, tuple) < 0 ||
        mlp_get_integer(&call, HISTORY_SIZE, 1, PTRDIFF_MAX, &history) < 0) {
        return -1;
    }
    arguments->lbfgs.history = (ptrdiff_t)history;
    mlp_call *arrays = &arguments->call;
    for (int p = ITERATIONS; p <= GRADIENT; p++) {
        arrays->given[p] = call.given[ARRAYS + p];
    }
    arrays->required =
        (mlp_sizes){.n = (npy_intp)history, .parameters = self->net->parameters, .epochs = MLP_LBFGS_NUMBERS};
    arrays->required_bits = 64;
    return mlp_acquire(arrays);
}

/* The pairs that are there must lie within the arrays. */
static int check_numbers(const mlp_lbfgs_arguments *arguments) {
    const mlp_lbfgs_numbers *numbers = &arguments->numbers;
    const double history = (double)arguments->lbfgs.history;
    if (numbers->pairs >= 0 && numbers->pairs <= history && numbers->newest >= 0 && numbers->newest < history) {
        return 0;
    }
    return mlp_argument_error(&arguments->call, NUMBERS, PyExc_ValueError,
                              "holds other pairs than those that were counted");
}

int mlp_bind_lbfgs(const Net *self, mlp_lbfgs_arguments *arguments) {
    mlp_call *call = &arguments->call;
    mlp_lbfgs *lbfgs = &arguments->lbfgs;
    if (mlp_recheck(call) < 0) {
        return -1;
    }
    for (int p = ITERATIONS; p <= GRADIENT; p++) {
        if (mlp_overlaps_engine(self, call->array[p])) {
            return mlp_argument_error(call, p, PyExc_ValueError, "overlaps the memory of the network");
        }
    }
    arguments->numbers = *(const mlp_lbfgs_numbers *)mlp_data(call, NUMBERS);
    lbfgs->numbers = &arguments->numbers;
    lbfgs->t = mlp_data(call, ITERATIONS);
    lbfgs->s = mlp_data(call, CHANGES_OF_POINT);
    lbfgs->y = mlp_data(call, CHANGES_OF_GRADIENT);
    lbfgs->point = mlp_data(call, POINT);
    lbfgs->gradient = mlp_data(call, GRADIENT);
    if (check_numbers(arguments) < 0) {
        return -1;
    }
    lbfgs->scratch = mlp_alloc(mlp_lbfgs_scratch(self->net, lbfgs->history), sizeof *lbfgs->scratch);
    if (!lbfgs->scratch) {
        PyErr_NoMemory();
        return -1;
    }
    return 0;
}

void mlp_end_lbfgs(mlp_lbfgs_arguments *arguments) {
    if (arguments->lbfgs.scratch) { /* it was bound */
        *(mlp_lbfgs_numbers *)mlp_data(&arguments->call, NUMBERS) = arguments->numbers;
    }
    mlp_free(arguments->lbfgs.scratch);
    mlp_end(&arguments->call);
}
