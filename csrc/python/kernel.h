/* kernel.h: calls an operation for float or double from one piece of code. */
#ifndef MLPCORE_KERNEL_H
#define MLPCORE_KERNEL_H

#include "../isa/isa.h"

/* Calls an operation of the current kernels for double or for float. Arrays are passed as void *, which C converts to
 * pointers of either. */
#define MLP_KERNEL(is_double, operation, ...)                                                                          \
    ((is_double) ? mlp_current_f64()->operation(__VA_ARGS__) : mlp_current_f32()->operation(__VA_ARGS__))

#endif
