/* elementary.inc.h: reference/elementary.h for VEC_LANES numbers at once.
 *
 * Line for line reference/elementary.h, where the method, the constants and the error bounds are; only written in
 * vectors. A change there is a change here.
 */

/* The active lanes of a vector. Full vectors need no mask when `whole` is known after inlining. With no active lane
 * nothing is stored: at the end of a page even a masked store of nothing is slow. */
typedef struct {
    bool whole;
    mask some;
} lane_set;

static const lane_set ALL_LANES = {.whole = true};
static inline lane_set first_lanes(ptrdiff_t n) { return (lane_set){.whole = false, .some = mask_first(n)}; }

/* Those of the VEC_LANES elements from k on that come before `end`. */
static inline lane_set lanes_at(ptrdiff_t k, ptrdiff_t end) {
    return end - k >= VEC_LANES ? ALL_LANES : first_lanes(end - k);
}

static ALWAYS_INLINE vec load_lanes(const real *p, lane_set which) {
    return which.whole ? vec_load(p) : vec_load_masked(p, which.some);
}

static ALWAYS_INLINE void store_lanes(real *p, vec v, lane_set which) {
    if (which.whole) {
        vec_store(p, v);
    } else {
        vec_store_masked(p, v, which.some);
    }
}

/* m in the active lanes, false in the others. */
static ALWAYS_INLINE mask mask_in_lanes(mask m, lane_set which) { return which.whole ? m : mask_and(which.some, m); }

/* v in the active lanes, `other` in the others. */
static ALWAYS_INLINE vec vec_in_lanes(vec v, vec other, lane_set which) {
    return which.whole ? v : vec_select(which.some, v, other);
}

static inline vec vec_abs(vec x) { return ivec_as_vec(ivec_and(vec_as_ivec(x), ivec_broadcast(~bits_of(-(real)0)))); }
static inline vec vec_minus_abs(vec x) {
    return ivec_as_vec(ivec_or(vec_as_ivec(x), ivec_broadcast(bits_of(-(real)0))));
}
static inline vec vec_negative(vec x) {
    return ivec_as_vec(ivec_xor(vec_as_ivec(x), ivec_broadcast(bits_of(-(real)0))));
}

static inline vec vec_power_of_2(ivec biased) { return ivec_as_vec(ivec_shift_left(biased, FRACTION_BITS)); }

static ALWAYS_INLINE vec vec_polynomial(int degree, const real *c, vec x) {
    vec sum = vec_broadcast(c[degree]);
    for (int k = degree - 1; k >= 0; k--) {
        sum = vec_fma(sum, x, vec_broadcast(c[k]));
    }
    return sum;
}

typedef struct {
    ivec k;
    vec p;
} vec_exponential;

static inline vec_exponential vec_exponential_of(vec x) {
    const vec rounder = vec_broadcast((real)((real_bits)3 << (FRACTION_BITS - 1)));
    vec shifted = vec_fma(x, vec_broadcast(LOG2_E), rounder);
    vec k = vec_sub(shifted, rounder);
    vec r = vec_fnma(k, vec_broadcast(LN2_LO), vec_fnma(k, vec_broadcast(LN2_HI), x));
    vec p = vec_fma(vec_mul(r, r), vec_polynomial(EXP_DEGREE, EXP_COEFFICIENTS, r), r);
    return (vec_exponential){.k = ivec_sub(vec_as_ivec(shifted), vec_as_ivec(rounder)), .p = p};
}

static inline vec vec_scaled(vec number, ivec k) {
    ivec biased_twice = ivec_add(k, ivec_broadcast(2 * BIAS)), half = ivec_shift_right(biased_twice, 1);
    return vec_mul(vec_mul(number, vec_power_of_2(half)), vec_power_of_2(ivec_sub(biased_twice, half)));
}

static inline vec vec_exp(vec x) {
    x = vec_select(vec_less(x, vec_broadcast(EXP_LOWEST)), vec_broadcast(EXP_LOWEST), x);
    x = vec_select(vec_less(vec_broadcast(EXP_HIGHEST), x), vec_broadcast(EXP_HIGHEST), x);
    vec_exponential e = vec_exponential_of(x);
    return vec_scaled(vec_add(vec_broadcast(1), e.p), e.k);
}

static inline vec vec_times_1_plus_p(vec number, vec_exponential e) { return vec_fma(number, e.p, number); }

static inline vec vec_expm1(vec x) {
    const vec half = vec_broadcast(REAL(0.5));
    vec near = vec_select(vec_less(x, vec_broadcast(EXPM1_LOWEST)), vec_broadcast(EXPM1_LOWEST), x);
    near = vec_select(vec_less(vec_broadcast(EXP_HIGHEST), near), vec_broadcast(EXP_HIGHEST), near);
    vec_exponential e = vec_exponential_of(near);
    vec s = vec_power_of_2(ivec_add(e.k, ivec_broadcast(BIAS - 1)));
    vec y = vec_mul(vec_broadcast(2), vec_fma(s, e.p, vec_sub(s, half)));
    return vec_select(vec_less(vec_abs(x), vec_broadcast(4 * REAL_SMALLEST)), x, y);
}

/* From e = e^{-|x|}. */
static inline vec vec_sigmoid_from(vec x, vec e) {
    vec left = vec_fnma(e, vec_div(e, vec_add(vec_broadcast(1), e)), e);
    return vec_select(vec_less(vec_broadcast(0), x), vec_sub(vec_broadcast(1), left), left);
}

static inline vec vec_sigmoid(vec x) { return vec_sigmoid_from(x, vec_exp(vec_minus_abs(x))); }

static inline vec vec_tanh(vec x) {
    const vec one = vec_broadcast(1), half = vec_broadcast(REAL(0.5));
    vec magnitude = vec_abs(x);
    magnitude = vec_select(vec_less(vec_broadcast(TANH_HIGHEST), magnitude), vec_broadcast(TANH_HIGHEST), magnitude);
    vec_exponential e = vec_exponential_of(vec_mul(vec_broadcast(-2), magnitude));
    vec s = vec_power_of_2(ivec_add(e.k, ivec_broadcast(BIAS)));
    vec sp = vec_mul(s, e.p);
    vec t = vec_div(vec_sub(vec_sub(one, s), sp), vec_add(vec_add(one, s), sp));
    vec residual = vec_fnma(sp, t, vec_sub(vec_fnma(vec_add(one, s), t, vec_sub(one, s)), sp));
    t = vec_fma(residual, vec_fma(half, t, half), t);
    return ivec_as_vec(ivec_or(vec_as_ivec(t), ivec_and(vec_as_ivec(x), ivec_broadcast(bits_of(-(real)0)))));
}

static inline vec vec_times_normal_tail(vec number, vec x) {
    const vec middle = vec_broadcast(TAIL_MIDDLE), highest = vec_broadcast(TAIL_HIGHEST);
    const vec minus_half = vec_broadcast(REAL(-0.5));
    x = vec_select(vec_less(highest, x), highest, x);
    const vec square = vec_mul(x, x), lost = vec_fma(x, x, vec_negative(square));
    const vec divisor = vec_add(x, middle), divisor_lost = vec_sub(x, vec_sub(divisor, middle));
    const vec inverse = vec_div(vec_broadcast(1), divisor), t = vec_mul(vec_sub(x, middle), inverse);
    const vec dividend = vec_mul(number, vec_polynomial(TAIL_DEGREE, TAIL_COEFFICIENTS, t));
    const vec quotient = vec_mul(dividend, inverse);
    const vec remainder = vec_fnma(quotient, divisor_lost, vec_fnma(quotient, divisor, dividend));
    const vec low = vec_fma(remainder, inverse, vec_mul(vec_mul(minus_half, lost), quotient));
    const vec_exponential e = vec_exponential_of(vec_mul(minus_half, square));
    return vec_scaled(vec_add(quotient, vec_fma(quotient, e.p, vec_times_1_plus_p(low, e))), e.k);
}

static inline vec vec_erf(vec x) {
    const vec one = vec_broadcast(1);
    vec magnitude = vec_abs(x), square = vec_mul(magnitude, magnitude);
    vec near = vec_fma(magnitude, vec_polynomial(ERF_DEGREE, ERF_COEFFICIENTS, square), magnitude);
    vec root_2 = vec_broadcast(REAL(1.4142135623730951));
    vec far = vec_sub(one, vec_times_normal_tail(vec_broadcast(2), vec_mul(root_2, magnitude)));
    vec y = vec_select(vec_less(magnitude, one), near, far);
    return ivec_as_vec(ivec_or(vec_as_ivec(y), ivec_and(vec_as_ivec(x), ivec_broadcast(bits_of(-(real)0)))));
}

typedef struct {
    ivec biased_k;
    vec f;
} vec_logarithm;

static inline vec_logarithm vec_logarithm_of(vec x) {
    const ivec one = ivec_broadcast((real_bits)BIAS << FRACTION_BITS);
    const ivec sqrt_half = ivec_broadcast(bits_of(REAL(0.70710678118654752)));
    ivec biased_k = ivec_shift_right(ivec_add(ivec_sub(vec_as_ivec(x), sqrt_half), one), FRACTION_BITS);
    vec fraction = ivec_as_vec(ivec_add(ivec_sub(vec_as_ivec(x), ivec_shift_left(biased_k, FRACTION_BITS)), one));
    return (vec_logarithm){.biased_k = biased_k, .f = vec_sub(fraction, vec_broadcast(1))};
}

static inline vec vec_unbiased(ivec biased_k) {
    const real digits = (real)((real_bits)1 << FRACTION_BITS);
    return vec_sub(ivec_as_vec(ivec_or(ivec_broadcast(bits_of(digits)), biased_k)), vec_broadcast(digits + BIAS));
}

static inline vec vec_log_of(vec k, vec f, vec f_lo) {
    vec s = vec_div(f, vec_add(vec_broadcast(2), f));
    vec z = vec_mul(s, s);
    vec half_square = vec_mul(vec_mul(vec_broadcast(REAL(0.5)), f), f);
    vec r = vec_mul(z, vec_polynomial(LOG_DEGREE, LOG_COEFFICIENTS, z));
    vec sum = vec_fma(k, vec_broadcast(LN2_HI), f);
    vec sum_lo = vec_sub(f, vec_fnma(k, vec_broadcast(LN2_HI), sum));
    vec small = vec_fma(k, vec_broadcast(LN2_LO), vec_add(sum_lo, f_lo));
    return vec_sub(sum, vec_sub(half_square, vec_fma(s, vec_add(half_square, r), small)));
}

static inline vec vec_log_special(vec x, vec y) {
    y = vec_select(vec_less(x, vec_broadcast((real)INFINITY)), y, x);
    y = vec_select(vec_less(vec_broadcast(0), x), y, vec_broadcast((real)NAN));
    return vec_select(vec_equal(x, vec_broadcast(0)), vec_broadcast(-(real)INFINITY), y);
}

static inline vec vec_log(vec x) {
    const vec up = vec_broadcast((real)((real_bits)1 << FRACTION_BITS));
    mask subnormal = vec_less(x, vec_broadcast(REAL_SMALLEST));
    vec_logarithm l = vec_logarithm_of(vec_select(subnormal, vec_mul(x, up), x));
    vec k =
        vec_sub(vec_unbiased(l.biased_k), vec_select(subnormal, vec_broadcast((real)FRACTION_BITS), vec_broadcast(0)));
    return vec_log_special(x, vec_log_of(k, l.f, vec_broadcast(0)));
}

static inline vec vec_log1p(vec x) {
    const vec one = vec_broadcast(1);
    vec u = vec_add(one, x);
    mask above = vec_less(one, x);
    vec large = vec_select(above, x, one), small = vec_select(above, one, x);
    vec c = vec_sub(small, vec_sub(u, large));
    vec_logarithm l = vec_logarithm_of(u);
    vec scale = vec_power_of_2(ivec_sub(ivec_broadcast(2 * BIAS + 1), l.biased_k));
    vec scaled = vec_mul(vec_mul(vec_broadcast(REAL(0.5)), c), scale);
    vec f = vec_add(l.f, scaled);
    vec f_lo = vec_sub(scaled, vec_sub(f, l.f));
    vec y = vec_log_special(u, vec_log_of(vec_unbiased(l.biased_k), f, f_lo));
    return vec_select(vec_equal(u, one), x, y);
}

#include "normal.inc.h"

/* y = f(x) for count numbers; after inlining there is no call in the loop. */
static ALWAYS_INLINE void each(vec (*f)(vec), ptrdiff_t count, real *y, const real *x) {
    ptrdiff_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        vec_store(y + i, f(vec_load(x + i)));
    }
    if (i < count) {
        mask some = mask_first(count - i);
        vec_store_masked(y + i, f(vec_load_masked(x + i, some)), some);
    }
}

static void fast_elementary(mlp_elementary_id function, ptrdiff_t count, real *y, const real *x) {
    switch (function) {
#define ELEMENTARY(ID, id, ...)                                                                                        \
    case MLP_ELEMENTARY_##ID: each(vec_##id, count, y, x); break;
#include "../catalogue/elementaries.def"
    }
}
