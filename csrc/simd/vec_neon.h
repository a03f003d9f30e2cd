/* vec_neon.h: 32 registers of 16 bytes (AArch64, where they are always there: the page asks for no target, and its stubs
 * need no vec_end.h). See vec.h. */
#include "vec.h"

#include <arm_neon.h>

/* 18 accumulators; with 21 clang keeps some in memory */
#define TILE_ROWS 6
#define TILE_VECS 3
#define ONLINE_ROWS 8

#if MLP_REAL_BITS == 32
typedef float32x4_t vec;
typedef uint32x4_t ivec;
enum { VEC_LANES = 4 };
#define OF_REAL(name) v##name##_f32
#define OF_BITS(name) v##name##_u32
#define FOR_ALL_BUT_THE_LAST(do_it) do_it(0) do_it(1) do_it(2)
static inline vec ivec_as_vec(ivec i) { return vreinterpretq_f32_u32(i); }
static inline ivec vec_as_ivec(vec v) { return vreinterpretq_u32_f32(v); }
static inline ivec ivec_broadcast(uint32_t bits) { return vdupq_n_u32(bits); }
static const uint32_t LANE_NUMBERS[] = {0, 1, 2, 3};
#define SMALLEST(i) vminvq_u32(i)
#else
typedef float64x2_t vec;
typedef uint64x2_t ivec;
enum { VEC_LANES = 2 };
#define OF_REAL(name) v##name##_f64
#define OF_BITS(name) v##name##_u64
#define FOR_ALL_BUT_THE_LAST(do_it) do_it(0)
static inline vec ivec_as_vec(ivec i) { return vreinterpretq_f64_u64(i); }
static inline ivec vec_as_ivec(vec v) { return vreinterpretq_u64_f64(v); }
static inline ivec ivec_broadcast(uint64_t bits) { return vdupq_n_u64(bits); }
static const uint64_t LANE_NUMBERS[] = {0, 1};
#define SMALLEST(i) vminv_u32(vmovn_u64(i))
#endif
typedef ivec mask; /* all bits of a lane, or none */

static inline mask mask_first(ptrdiff_t n) {
    n = n > VEC_LANES ? VEC_LANES : n < 0 ? 0 : n;
    return OF_BITS(cgtq)(ivec_broadcast((uint32_t)n), OF_BITS(ld1q)(LANE_NUMBERS));
}
static inline mask mask_and(mask m, mask n) { return OF_BITS(andq)(m, n); }
static inline int mask_count(mask m) { return (int)OF_BITS(addvq)(OF_BITS(shrq_n)(m, MLP_REAL_BITS - 1)); }
/* The smallest of the numbers of the lanes that say yes; with a no, a lane's number becomes all ones, which is -1. */
static inline int mask_lane(mask m) { return (int)SMALLEST(OF_BITS(ornq)(OF_BITS(ld1q)(LANE_NUMBERS), m)); }

static inline vec vec_broadcast(real x) { return OF_REAL(dupq_n)(x); }
static inline vec vec_load(const real *p) { return OF_REAL(ld1q)(p); }
static inline void vec_store(real *p, vec v) { OF_REAL(st1q)(p, v); }
static inline void vec_prefetch(const real *p) { __builtin_prefetch(p); }

/* There are no masked loads and stores. What is loaded and stored are the first lanes, so that the last lane tells
 * whether it is a whole register; if not, it goes lane by lane. */
static inline vec vec_load_masked(const real *p, mask m) {
    if (OF_BITS(getq_lane)(m, VEC_LANES - 1)) {
        return vec_load(p);
    }
    vec v = vec_broadcast(0);
#define LOAD_LANE(l) v = OF_BITS(getq_lane)(m, l) ? OF_REAL(ld1q_lane)(p + (l), v, l) : v;
    FOR_ALL_BUT_THE_LAST(LOAD_LANE)
#undef LOAD_LANE
    return v;
}
static inline void vec_store_masked(real *p, vec v, mask m) {
    if (OF_BITS(getq_lane)(m, VEC_LANES - 1)) {
        vec_store(p, v);
        return;
    }
#define STORE_LANE(l)                                                                                                  \
    if (OF_BITS(getq_lane)(m, l)) {                                                                                    \
        OF_REAL(st1q_lane)(p + (l), v, l);                                                                             \
    }
    FOR_ALL_BUT_THE_LAST(STORE_LANE)
#undef STORE_LANE
}

static inline vec vec_add(vec a, vec b) { return OF_REAL(addq)(a, b); }
static inline vec vec_sub(vec a, vec b) { return OF_REAL(subq)(a, b); }
static inline vec vec_mul(vec a, vec b) { return OF_REAL(mulq)(a, b); }
static inline vec vec_div(vec a, vec b) { return OF_REAL(divq)(a, b); }
static inline vec vec_sqrt(vec a) { return OF_REAL(sqrtq)(a); }
static inline vec vec_fma(vec a, vec b, vec c) { return OF_REAL(fmaq)(c, a, b); }
static inline vec vec_fnma(vec a, vec b, vec c) { return OF_REAL(fmsq)(c, a, b); }

static inline mask vec_less(vec a, vec b) { return OF_REAL(cltq)(a, b); }
static inline mask vec_less_equal(vec a, vec b) { return OF_REAL(cleq)(a, b); }
static inline mask vec_equal(vec a, vec b) { return OF_REAL(ceqq)(a, b); }
static inline vec vec_select(mask m, vec yes, vec no) { return OF_REAL(bslq)(m, yes, no); }

static inline ivec ivec_add(ivec a, ivec b) { return OF_BITS(addq)(a, b); }
static inline ivec ivec_sub(ivec a, ivec b) { return OF_BITS(subq)(a, b); }
static inline ivec ivec_and(ivec a, ivec b) { return OF_BITS(andq)(a, b); }
static inline ivec ivec_or(ivec a, ivec b) { return OF_BITS(orrq)(a, b); }
static inline ivec ivec_xor(ivec a, ivec b) { return OF_BITS(eorq)(a, b); }
#define ivec_shift_left(i, n) OF_BITS(shlq_n)(i, n)
#define ivec_shift_right(i, n) OF_BITS(shrq_n)(i, n)

typedef uint64x2_t wide;
enum { WIDE_LANES = 2 };
static inline wide wide_load(const uint64_t *p) { return vld1q_u64(p); }
static inline void wide_store(uint64_t *p, wide w) { vst1q_u64(p, w); }
static inline wide wide_broadcast(uint64_t bits) { return vdupq_n_u64(bits); }
static inline wide wide_mul(wide a, wide b) { return vmull_u32(vmovn_u64(a), vmovn_u64(b)); }
static inline wide wide_xor(wide a, wide b) { return veorq_u64(a, b); }
static inline wide wide_high(wide a) { return vshrq_n_u64(a, 32); }

/* Halves, then halves of halves: the order of reference/sums.h. vaddvq would add neighbours first. */
#if MLP_REAL_BITS == 32
static inline real vec_reduce_add(vec v) { return vpadds_f32(vadd_f32(vget_low_f32(v), vget_high_f32(v))); }
#else
static inline real vec_reduce_add(vec v) { return vpaddd_f64(v); }
#endif
static inline real vec_reduce_max(vec v) { return OF_REAL(maxvq)(v); }

static inline vec vec_zip_low(vec a, vec b) { return OF_REAL(zip1q)(a, b); }
static inline vec vec_zip_high(vec a, vec b) { return OF_REAL(zip2q)(a, b); }

/* A register is one block. */
static inline vec vec_even_blocks(vec a, vec b) { return (void)b, a; }
static inline vec vec_odd_blocks(vec a, vec b) { return (void)a, b; }
