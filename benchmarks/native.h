/* native.h: the widest page of csrc/simd/ that this machine runs, for programs compiled here with -march=native.
 *
 * The library itself is never compiled so: it holds every page and chooses when it is imported. A program that includes
 * this ends with simd/vec_end.h, as the stubs in csrc/isa/ do.
 */
#ifndef MLPCORE_NATIVE_H
#define MLPCORE_NATIVE_H

#include <stddef.h>
#include <stdint.h>

#include "real.h"

#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define NATIVE "avx512"
#include "simd/vec_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#define NATIVE "avx2"
#include "simd/vec_avx2.h"
#elif defined(__ARM_NEON)
#define NATIVE "neon"
#include "simd/vec_neon.h"
#else
#error "csrc/simd/ has no page for this machine"
#endif

#endif
