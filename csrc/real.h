/* real.h: `real` is float or double, as MLP_REAL_BITS says. Read again with another value, it names the other one.
 *
 * A file that is written in `real` is compiled once for each: see reference/reference_f32.c.
 *
 * real_fma is the instruction where the function it stands in may use it, otherwise the C library's; the reference puts
 * its own in place of one that may be wrong (reference/fma.h).
 */
#include <math.h>

#undef real
#undef REAL
#undef REAL_NAME
#undef real_fma
#undef C_FMA
#undef real_sqrt
#undef real_abs
#undef REAL_SMALLEST
#undef REAL_LARGEST

#ifdef __GNUC__
#define C_FMA(name) __builtin_##name /* gcc -O0 makes of a plain fma a call, though it may use the instruction */
#else
#define C_FMA(name) name
#endif

#ifndef MLP_REAL_BITS
#define MLP_REAL_BITS 32 /* what an editor shows that opens such a file by itself */
#endif

#if MLP_REAL_BITS == 32
#define real float
#define REAL(literal) literal##f
#define REAL_NAME(name) name##_f32
#define real_fma C_FMA(fmaf)
#define real_sqrt sqrtf
#define real_abs fabsf
#define REAL_SMALLEST 1.17549435e-38f /* smallest normal number */
#define REAL_LARGEST 3.40282347e+38f  /* largest finite number  */
#else
#define real double
#define REAL(literal) literal
#define REAL_NAME(name) name##_f64
#define real_fma C_FMA(fma)
#define real_sqrt sqrt
#define real_abs fabs
#define REAL_SMALLEST 2.2250738585072014e-308
#define REAL_LARGEST 1.7976931348623157e+308
#endif
