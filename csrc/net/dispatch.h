/* dispatch.h: the kernels in use. The reference is the only set so far. */
#ifndef MLPCORE_DISPATCH_H
#define MLPCORE_DISPATCH_H

#include "../mlpcore.h"

static inline const mlp_kernels_f32 *mlp_current_f32(void) { return &mlp_reference_f32; }
static inline const mlp_kernels_f64 *mlp_current_f64(void) { return &mlp_reference_f64; }

#endif
