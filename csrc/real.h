/* real.h: `real` is float or double, as MLP_REAL_BITS says. Read again with another value, it names the other one.
 *
 * A file that is written in `real` is compiled once for each: see reference/reference_f32.c.
 */
#include <math.h>

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
#define real_fma fmaf
#define real_sqrt sqrtf
#define real_abs fabsf
#define REAL_SMALLEST 1.17549435e-38f /* smallest normal number */
#else
#define real double
#define REAL(literal) literal
#define REAL_NAME(name) name##_f64
#define real_fma fma
#define real_sqrt sqrt
#define real_abs fabs
#define REAL_SMALLEST 2.2250738585072014e-308
#endif
