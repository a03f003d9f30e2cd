/* The kernels for AVX2 on float. */
#include "../mlpcore.h"

#if defined(__x86_64__) || defined(_M_X64)
#define MLP_REAL_BITS 32
#define TABLE mlp_avx2_f32
#include "../real.h"
#include "../simd/vec_avx2.h"
#include "../kernels/kernels.inc.h"
#include "../simd/vec_end.h"
#endif
