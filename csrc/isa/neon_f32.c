/* The kernels for NEON on float. */
#include "../mlpcore.h"

#if defined(__aarch64__) || defined(_M_ARM64)
#define MLP_REAL_BITS 32
#define TABLE mlp_neon_f32
#include "../real.h"
#include "../simd/vec_neon.h"
#include "../kernels/kernels.inc.h"
#endif
