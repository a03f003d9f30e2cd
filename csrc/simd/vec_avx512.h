/* vec_avx512.h: 32 registers of 64 bytes (AVX-512 F, and DQ for the bits of float). See vec.h. */
#include "vec.h"

#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx2,fma")
#endif

/* 24 accumulators, 3 vectors of b and 1 of a */
#define TILE_ROWS 8
#define TILE_VECS 3
#define ONLINE_ROWS 8

typedef __m512i ivec;
#if MLP_REAL_BITS == 32
typedef __m512 vec;
typedef __mmask16 mask;
enum { VEC_LANES = 16 };
#define OF_REAL(name) _mm512_##name##_ps
#define OF_REAL_MASK(name) _mm512_##name##_ps_mask
#define OF_BITS(name) _mm512_##name##_epi32
static inline vec ivec_as_vec(ivec i) { return _mm512_castsi512_ps(i); }
static inline ivec vec_as_ivec(vec v) { return _mm512_castps_si512(v); }
static inline ivec ivec_broadcast(uint32_t bits) { return _mm512_set1_epi32((int)bits); }
#else
typedef __m512d vec;
typedef __mmask8 mask;
enum { VEC_LANES = 8 };
#define OF_REAL(name) _mm512_##name##_pd
#define OF_REAL_MASK(name) _mm512_##name##_pd_mask
#define OF_BITS(name) _mm512_##name##_epi64
static inline vec ivec_as_vec(ivec i) { return _mm512_castsi512_pd(i); }
static inline ivec vec_as_ivec(vec v) { return _mm512_castpd_si512(v); }
static inline ivec ivec_broadcast(uint64_t bits) { return _mm512_set1_epi64((long long)bits); }
#endif

#define OF_REGISTER(name) _mm512_##name##_si512
#define OF_WIDTH(name) _mm512_##name
#define SET_WIDE _mm512_set1_epi64

#include "vec_x86.h"

static inline mask mask_first(ptrdiff_t n) {
    return n >= VEC_LANES ? (mask)((1u << VEC_LANES) - 1) : n <= 0 ? 0 : (mask)((1u << n) - 1);
}
static inline mask mask_and(mask m, mask n) { return (mask)(m & n); }
static inline int mask_count(mask m) { return __builtin_popcount(m); }
static inline int mask_lane(mask m) { return m ? __builtin_ctz(m) : -1; }

static inline vec vec_load_masked(const real *p, mask m) { return OF_REAL(maskz_loadu)(m, p); }
static inline void vec_store_masked(real *p, vec v, mask m) { OF_REAL(mask_storeu)(p, m, v); }

static inline vec vec_select(mask m, vec yes, vec no) { return OF_REAL(mask_blend)(m, no, yes); }

/* 64 bytes: the halves of the register first. */
#if MLP_REAL_BITS == 32
#define HALVES(op)                                                                                                     \
    __m256 eight = _mm256_##op##_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));                          \
    HALVES_OF_32_BYTES(op, eight)
#else
#define HALVES(op)                                                                                                     \
    __m256d eight = _mm256_##op##_pd(_mm512_castpd512_pd256(v), _mm512_extractf64x4_pd(v, 1));                         \
    HALVES_OF_32_BYTES(op, eight)
#endif
static inline real vec_reduce_add(vec v) { HALVES(add); }
static inline real vec_reduce_max(vec v) { HALVES(max); }
#undef HALVES

static inline vec vec_even_blocks(vec a, vec b) {
    return ivec_as_vec(_mm512_shuffle_i64x2(vec_as_ivec(a), vec_as_ivec(b), 0x88));
}
static inline vec vec_odd_blocks(vec a, vec b) {
    return ivec_as_vec(_mm512_shuffle_i64x2(vec_as_ivec(a), vec_as_ivec(b), 0xdd));
}
