/* real.h: `real` is float or double, as MLP_REAL_BITS says. Read again with another value, it names the other one.
 *
 * A file that is written in `real` is compiled once for each: see reference/reference_f32.c.
 */
#include <math.h>

#undef MLP_FMA

/* a * b + c must be rounded once. The compiler's instruction does that, and so does glibc's function; other C libraries
 * round twice in places, and then fma.h stands in: docs/decisions/fma.md. MLP_OWN_FMA asks for it everywhere. */
#if defined(__GNUC__) && !defined(MLP_OWN_FMA) &&                                                                      \
    (defined(__FMA__) || defined(__ARM_FEATURE_FMA) || (defined(FP_FAST_FMA) && defined(FP_FAST_FMAF)) ||              \
     (defined(__GLIBC__) && !defined(__UCLIBC__)))
#define MLP_FMA(suffix) __builtin_fma##suffix
#else
#include "fma.h"
#define MLP_FMA(suffix) mlp_fma##suffix
#endif

#undef real
#undef REAL
#undef REAL_NAME
#undef real_fma
#undef real_sqrt
#undef real_abs
#undef REAL_SMALLEST

#ifndef MLP_REAL_BITS
#define MLP_REAL_BITS 32 /* what an editor shows that opens such a file by itself */
#endif

#if MLP_REAL_BITS == 32
#define real float
#define REAL(literal) literal##f
#define REAL_NAME(name) name##_f32
#define real_fma MLP_FMA(f)
#define real_sqrt sqrtf
#define real_abs fabsf
#define REAL_SMALLEST 1.17549435e-38f /* smallest normal number */
#else
#define real double
#define REAL(literal) literal
#define REAL_NAME(name) name##_f64
#define real_fma MLP_FMA()
#define real_sqrt sqrt
#define real_abs fabs
#define REAL_SMALLEST 2.2250738585072014e-308
#endif
