/* net_parts.c: a part of what is trained on or measured, from Python's tuple to memory. See net_object.h. */
#include "net_object.h"

enum { SUMS }; /* the only parameter */

static const mlp_function sums_array = {.name = "part", .parameters = {[SUMS] = {"sums", MLP_OUTPUT, .axes = "p"}}};

void mlp_begin_part(mlp_part_arguments *arguments) {
    *arguments = (mlp_part_arguments){.sums = {.function = &sums_array}};
}

int mlp_parse_part(PyObject *given, mlp_part_arguments *arguments) {
    enum { BLOCK, IS_LAST, OF_ALL };
    static const mlp_function function = {
        .name = "part",
        .positional = 3,
        .parameters = {[BLOCK] = {.name = "block"}, [IS_LAST] = {.name = "is_last"}, [OF_ALL] = {.name = "sums"}}};
    mlp_call call;
    long long block;
    if (!given || given == Py_None) {
        return 0;
    }
    if (mlp_parse_tuple(&call, &function, given) < 0 || mlp_get_integer(&call, BLOCK, 0, UINT32_MAX - 1, &block) < 0 ||
        mlp_get_bool(&call, IS_LAST, &arguments->part.is_last) < 0) {
        return -1;
    }
    arguments->is_given = true;
    arguments->part.block = (uint32_t)block;
    arguments->sums.given[SUMS] = call.given[OF_ALL];
    arguments->sums.required_bits = 64;
    return mlp_acquire(&arguments->sums);
}

int mlp_bind_part(const Net *self, mlp_part_arguments *arguments, mlp_measures_arguments *measures) {
    mlp_call *sums = &arguments->sums;
    const mlp_measures *m = mlp_measures_of(measures);
    if (!arguments->is_given) {
        return 0;
    }
    if (mlp_recheck(sums) < 0) {
        return -1;
    }
    if (mlp_overlaps_engine(self, sums->array[SUMS])) {
        return mlp_argument_error(sums, SUMS, PyExc_ValueError, "overlaps the memory of the network");
    }
    if (m && mlp_needs_all_samples(m)) {
        return mlp_argument_error(sums, SUMS, PyExc_ValueError,
                                  "are given with metrics that all samples together are needed for");
    }
    const ptrdiff_t needed = MLP_PART_SUMS + (m ? mlp_measure_room(m, mlp_net_outputs(self->net)) : 0);
    if (sums->size.parameters < needed) {
        return mlp_argument_error(sums, SUMS, PyExc_ValueError, "has %zd numbers, expected %zd",
                                  (Py_ssize_t)sums->size.parameters, (Py_ssize_t)needed);
    }
    arguments->part.sums = mlp_data(sums, SUMS);
    return 0;
}

void mlp_end_part(mlp_part_arguments *arguments) { mlp_end(&arguments->sums); }
