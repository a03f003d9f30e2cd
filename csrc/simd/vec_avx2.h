/* vec_avx2.h: 16 registers of 32 bytes (AVX2 and FMA). See vec.h. */
#include "vec.h"

#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

enum { TILE_ROWS = 6, TILE_VECS = 2 }; /* 12 accumulators, 2 vectors of b and 1 of a */

typedef __m256i ivec;
#if MLP_REAL_BITS == 32
typedef __m256 vec;
enum { VEC_LANES = 8 };
#define OF_REAL(name) _mm256_##name##_ps
#define OF_REAL_HALVES _mm256_permute2f128_ps
#define OF_BITS(name) _mm256_##name##_epi32
static inline vec vec_of(ivec i) { return _mm256_castsi256_ps(i); }
static inline ivec ivec_of(vec v) { return _mm256_castps_si256(v); }
static inline ivec ivec_all(uint32_t bits) { return _mm256_set1_epi32((int)bits); }
static const int32_t LANE_NUMBERS[] = {0, 1, 2, 3, 4, 5, 6, 7};
#define ivec_greater _mm256_cmpgt_epi32
#else
typedef __m256d vec;
enum { VEC_LANES = 4 };
#define OF_REAL(name) _mm256_##name##_pd
#define OF_REAL_HALVES _mm256_permute2f128_pd
#define OF_BITS(name) _mm256_##name##_epi64
static inline vec vec_of(ivec i) { return _mm256_castsi256_pd(i); }
static inline ivec ivec_of(vec v) { return _mm256_castpd_si256(v); }
static inline ivec ivec_all(uint64_t bits) { return _mm256_set1_epi64x((long long)bits); }
static const int64_t LANE_NUMBERS[] = {0, 1, 2, 3};
#define ivec_greater _mm256_cmpgt_epi64
#endif
typedef vec mask; /* all bits of a lane, or none */

static inline mask mask_first(ptrdiff_t n) {
    ivec lane = _mm256_loadu_si256((const __m256i *)LANE_NUMBERS);
    n = n > VEC_LANES ? VEC_LANES : n < 0 ? 0 : n;
    return vec_of(ivec_greater(ivec_all((uint32_t)n), lane));
}
static inline mask mask_and(mask m, mask n) { return OF_REAL (and)(m, n); }
static inline unsigned mask_bits(mask m) { return (unsigned)OF_REAL(movemask)(m); }
static inline int mask_count(mask m) { return __builtin_popcount(mask_bits(m)); }
static inline int mask_lane(mask m) { return mask_bits(m) ? __builtin_ctz(mask_bits(m)) : -1; }

static inline vec vec_all(real x) { return OF_REAL(set1)(x); }
static inline vec vec_load(const real *p) { return OF_REAL(loadu)(p); }
static inline void vec_store(real *p, vec v) { OF_REAL(storeu)(p, v); }
static inline vec vec_load_some(const real *p, mask m) { return OF_REAL(maskload)(p, ivec_of(m)); }
static inline void vec_store_some(real *p, vec v, mask m) { OF_REAL(maskstore)(p, ivec_of(m), v); }

static inline vec vec_add(vec a, vec b) { return OF_REAL(add)(a, b); }
static inline vec vec_sub(vec a, vec b) { return OF_REAL(sub)(a, b); }
static inline vec vec_mul(vec a, vec b) { return OF_REAL(mul)(a, b); }
static inline vec vec_div(vec a, vec b) { return OF_REAL(div)(a, b); }
static inline vec vec_sqrt(vec a) { return OF_REAL(sqrt)(a); }
static inline vec vec_fma(vec a, vec b, vec c) { return OF_REAL(fmadd)(a, b, c); }
static inline vec vec_fnma(vec a, vec b, vec c) { return OF_REAL(fnmadd)(a, b, c); }

static inline mask vec_less(vec a, vec b) { return OF_REAL(cmp)(a, b, _CMP_LT_OQ); }
static inline mask vec_at_most(vec a, vec b) { return OF_REAL(cmp)(a, b, _CMP_LE_OQ); }
static inline mask vec_equal(vec a, vec b) { return OF_REAL(cmp)(a, b, _CMP_EQ_OQ); }
static inline vec vec_pick(mask m, vec yes, vec no) { return OF_REAL(blendv)(no, yes, m); }

static inline ivec ivec_add(ivec a, ivec b) { return OF_BITS(add)(a, b); }
static inline ivec ivec_sub(ivec a, ivec b) { return OF_BITS(sub)(a, b); }
static inline ivec ivec_and(ivec a, ivec b) { return _mm256_and_si256(a, b); }
static inline ivec ivec_or(ivec a, ivec b) { return _mm256_or_si256(a, b); }
static inline ivec ivec_xor(ivec a, ivec b) { return _mm256_xor_si256(a, b); }
#define ivec_up(i, n) OF_BITS(slli)(i, n)
#define ivec_down(i, n) OF_BITS(srli)(i, n)

/* Halves, then halves of halves: the order of reference/sums.h. */
#if MLP_REAL_BITS == 32
#define HALVES(op)                                                                                                     \
    __m128 four = _mm_##op##_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));                               \
    __m128 two = _mm_##op##_ps(four, _mm_movehl_ps(four, four));                                                       \
    return _mm_cvtss_f32(_mm_##op##_ss(two, _mm_movehdup_ps(two)))
#else
#define HALVES(op)                                                                                                     \
    __m128d two = _mm_##op##_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));                               \
    return _mm_cvtsd_f64(_mm_##op##_sd(two, _mm_unpackhi_pd(two, two)))
#endif
static inline real vec_sum(vec v) { HALVES(add); }
static inline real vec_largest(vec v) { HALVES(max); }
#undef HALVES

/* a0 b0 a1 b1 ... of the lower and of the upper halves; unpack does it in each half of a register. */
static inline vec vec_zip_low(vec a, vec b) {
    return OF_REAL_HALVES(OF_REAL(unpacklo)(a, b), OF_REAL(unpackhi)(a, b), 0x20);
}
static inline vec vec_zip_high(vec a, vec b) {
    return OF_REAL_HALVES(OF_REAL(unpacklo)(a, b), OF_REAL(unpackhi)(a, b), 0x31);
}
