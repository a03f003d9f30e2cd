/* vec_avx2.h: 16 registers of 32 bytes (AVX2 and FMA). See vec.h; what both pages share is in
 * vec_x86.h. */
#include "vec.h"

#include <immintrin.h>
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

/* 12 accumulators, 2 vectors of b and 1 of a */
#define TILE_ROWS 6
#define TILE_VECS 2
#define ONLINE_ROWS 4

typedef __m256i ivec;
#if MLP_REAL_BITS == 32
typedef __m256 vec;
enum { VEC_LANES = 8 };
#define OF_REAL(name) _mm256_##name##_ps
#define OF_REAL_HALVES _mm256_permute2f128_ps
#define OF_BITS(name) _mm256_##name##_epi32
static inline vec ivec_as_vec(ivec i) { return _mm256_castsi256_ps(i); }
static inline ivec vec_as_ivec(vec v) { return _mm256_castps_si256(v); }
static inline ivec ivec_broadcast(uint32_t bits) { return _mm256_set1_epi32((int)bits); }
static const int32_t LANE_NUMBERS[] = {0, 1, 2, 3, 4, 5, 6, 7};
#define ivec_greater _mm256_cmpgt_epi32
#else
typedef __m256d vec;
enum { VEC_LANES = 4 };
#define OF_REAL(name) _mm256_##name##_pd
#define OF_REAL_HALVES _mm256_permute2f128_pd
#define OF_BITS(name) _mm256_##name##_epi64
static inline vec ivec_as_vec(ivec i) { return _mm256_castsi256_pd(i); }
static inline ivec vec_as_ivec(vec v) { return _mm256_castpd_si256(v); }
static inline ivec ivec_broadcast(uint64_t bits) { return _mm256_set1_epi64x((long long)bits); }
static const int64_t LANE_NUMBERS[] = {0, 1, 2, 3};
#define ivec_greater _mm256_cmpgt_epi64
#endif
typedef vec mask; /* all bits of a lane, or none */

#define OF_REGISTER(name) _mm256_##name##_si256
#define OF_WIDTH(name) _mm256_##name
#define SET_WIDE _mm256_set1_epi64x
#define OF_REAL_MASK(name) OF_REAL(name)

#include "vec_x86.h"

static inline mask mask_first(ptrdiff_t n) {
    ivec lane = _mm256_loadu_si256((const __m256i *)LANE_NUMBERS);
    n = n > VEC_LANES ? VEC_LANES : n < 0 ? 0 : n;
    return ivec_as_vec(ivec_greater(ivec_broadcast((uint32_t)n), lane));
}
static inline mask mask_and(mask m, mask n) { return OF_REAL (and)(m, n); }
static inline unsigned mask_bits(mask m) { return (unsigned)OF_REAL(movemask)(m); }
static inline int mask_count(mask m) { return __builtin_popcount(mask_bits(m)); }
static inline int mask_lane(mask m) { return mask_bits(m) ? __builtin_ctz(mask_bits(m)) : -1; }

static inline vec vec_load_masked(const real *p, mask m) { return OF_REAL(maskload)(p, vec_as_ivec(m)); }

/* Halves, quarters, eighths: AMD's processors take 20 cycles for a maskstore, which on Intel's is one. */
static inline void vec_store_masked(real *p, vec v, mask m) {
    const int count = mask_count(m);
    if (count == VEC_LANES) {
        vec_store(p, v);
        return;
    }
#if MLP_REAL_BITS == 32
    __m128 part = _mm256_castps256_ps128(v);
    if (count & 4) {
        _mm_storeu_ps(p, part);
        part = _mm256_extractf128_ps(v, 1);
        p += 4;
    }
    if (count & 2) {
        _mm_storel_pi((__m64 *)p, part);
        part = _mm_movehl_ps(part, part);
        p += 2;
    }
    if (count & 1) {
        _mm_store_ss(p, part);
    }
#else
    __m128d part = _mm256_castpd256_pd128(v);
    if (count & 2) {
        _mm_storeu_pd(p, part);
        part = _mm256_extractf128_pd(v, 1);
        p += 2;
    }
    if (count & 1) {
        _mm_store_sd(p, part);
    }
#endif
}

static inline vec vec_select(mask m, vec yes, vec no) { return OF_REAL(blendv)(no, yes, m); }

static inline real vec_reduce_add(vec v) { HALVES_OF_32_BYTES(add, v); }
static inline real vec_reduce_max(vec v) { HALVES_OF_32_BYTES(max, v); }

static inline vec vec_even_blocks(vec a, vec b) { return OF_REAL_HALVES(a, b, 0x20); }
static inline vec vec_odd_blocks(vec a, vec b) { return OF_REAL_HALVES(a, b, 0x31); }
