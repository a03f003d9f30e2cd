/* vec_avx512.h: 32 registers of 64 bytes (AVX-512 F, and DQ for the bits of float). See vec.h. */
#include "vec.h"

#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx2,fma")
#endif

enum { TILE_ROWS = 8, TILE_VECS = 3 }; /* 24 accumulators, 3 vectors of b and 1 of a */

typedef __m512i ivec;
#if MLP_REAL_BITS == 32
typedef __m512 vec;
typedef __mmask16 mask;
enum { VEC_LANES = 16 };
#define OF_REAL(name) _mm512_##name##_ps
#define OF_REAL_MASK(name) _mm512_##name##_ps_mask
#define OF_BITS(name) _mm512_##name##_epi32
static inline vec vec_of(ivec i) { return _mm512_castsi512_ps(i); }
static inline ivec ivec_of(vec v) { return _mm512_castps_si512(v); }
static inline ivec ivec_all(uint32_t bits) { return _mm512_set1_epi32((int)bits); }
#else
typedef __m512d vec;
typedef __mmask8 mask;
enum { VEC_LANES = 8 };
#define OF_REAL(name) _mm512_##name##_pd
#define OF_REAL_MASK(name) _mm512_##name##_pd_mask
#define OF_BITS(name) _mm512_##name##_epi64
static inline vec vec_of(ivec i) { return _mm512_castsi512_pd(i); }
static inline ivec ivec_of(vec v) { return _mm512_castpd_si512(v); }
static inline ivec ivec_all(uint64_t bits) { return _mm512_set1_epi64((long long)bits); }
#endif

static inline mask mask_first(ptrdiff_t n) {
    return n >= VEC_LANES ? (mask)((1u << VEC_LANES) - 1) : n <= 0 ? 0 : (mask)((1u << n) - 1);
}
static inline mask mask_and(mask m, mask n) { return (mask)(m & n); }
static inline int mask_count(mask m) { return __builtin_popcount(m); }
static inline int mask_lane(mask m) { return m ? __builtin_ctz(m) : -1; }

static inline vec vec_all(real x) { return OF_REAL(set1)(x); }
static inline vec vec_load(const real *p) { return OF_REAL(loadu)(p); }
static inline void vec_store(real *p, vec v) { OF_REAL(storeu)(p, v); }
static inline vec vec_load_some(const real *p, mask m) { return OF_REAL(maskz_loadu)(m, p); }
static inline void vec_store_some(real *p, vec v, mask m) { OF_REAL(mask_storeu)(p, m, v); }

static inline vec vec_add(vec a, vec b) { return OF_REAL(add)(a, b); }
static inline vec vec_sub(vec a, vec b) { return OF_REAL(sub)(a, b); }
static inline vec vec_mul(vec a, vec b) { return OF_REAL(mul)(a, b); }
static inline vec vec_div(vec a, vec b) { return OF_REAL(div)(a, b); }
static inline vec vec_sqrt(vec a) { return OF_REAL(sqrt)(a); }
static inline vec vec_fma(vec a, vec b, vec c) { return OF_REAL(fmadd)(a, b, c); }
static inline vec vec_fnma(vec a, vec b, vec c) { return OF_REAL(fnmadd)(a, b, c); }

static inline mask vec_less(vec a, vec b) { return OF_REAL_MASK(cmp)(a, b, _CMP_LT_OQ); }
static inline mask vec_at_most(vec a, vec b) { return OF_REAL_MASK(cmp)(a, b, _CMP_LE_OQ); }
static inline mask vec_equal(vec a, vec b) { return OF_REAL_MASK(cmp)(a, b, _CMP_EQ_OQ); }
static inline vec vec_pick(mask m, vec yes, vec no) { return OF_REAL(mask_blend)(m, no, yes); }

static inline ivec ivec_add(ivec a, ivec b) { return OF_BITS(add)(a, b); }
static inline ivec ivec_sub(ivec a, ivec b) { return OF_BITS(sub)(a, b); }
static inline ivec ivec_and(ivec a, ivec b) { return _mm512_and_si512(a, b); }
static inline ivec ivec_or(ivec a, ivec b) { return _mm512_or_si512(a, b); }
static inline ivec ivec_xor(ivec a, ivec b) { return _mm512_xor_si512(a, b); }
#define ivec_up(i, n) OF_BITS(slli)(i, n)
#define ivec_down(i, n) OF_BITS(srli)(i, n)

/* Halves, then halves of halves: the order of reference/sums.h. */
#if MLP_REAL_BITS == 32
#define HALVES(op)                                                                                                     \
    __m256 eight = _mm256_##op##_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));                          \
    __m128 four = _mm_##op##_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));                       \
    __m128 two = _mm_##op##_ps(four, _mm_movehl_ps(four, four));                                                       \
    return _mm_cvtss_f32(_mm_##op##_ss(two, _mm_movehdup_ps(two)))
#else
#define HALVES(op)                                                                                                     \
    __m256d four = _mm256_##op##_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd(v, 1));                          \
    __m128d two = _mm_##op##_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));                         \
    return _mm_cvtsd_f64(_mm_##op##_sd(two, _mm_unpackhi_pd(two, two)))
#endif
static inline real vec_sum(vec v) { HALVES(add); }
static inline real vec_largest(vec v) { HALVES(max); }
#undef HALVES

/* a0 b0 a1 b1 ... of the lower and of the upper halves */
#if MLP_REAL_BITS == 32
static inline vec vec_zip_low(vec a, vec b) {
    ivec order = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    return _mm512_permutex2var_ps(a, order, b);
}
static inline vec vec_zip_high(vec a, vec b) {
    ivec order = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    return _mm512_permutex2var_ps(a, order, b);
}
#else
static inline vec vec_zip_low(vec a, vec b) {
    return _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), b);
}
static inline vec vec_zip_high(vec a, vec b) {
    return _mm512_permutex2var_pd(a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15), b);
}
#endif
