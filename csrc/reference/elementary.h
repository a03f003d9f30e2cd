/* elementary.h: exp, expm1, log, log1p, tanh, erf and the logistic function, mlpcore's own; and, in normal.h, the normal quantile.
 *
 * The C library's differ between systems in their last digit, and a network that trains on two machines must end with
 * the same weights. Here every result follows from +, -, *, /, fma, comparisons and integer operations on the bits of a
 * number, which are the same everywhere; and every line can be done by a vector unit on all its lanes at once: no
 * branch, no loop that depends on the data, no table.
 *
 * Three steps, whatever the function:
 *   1. Reduce: write the argument with an integer k and a small rest. e^x = 2^k e^r with x = k ln2 + r, |r| <= ln2 / 2;
 *      log x = k ln2 + log(1 + f) with x = 2^k (1 + f), 1 + f between sqrt(1/2) and sqrt(2).
 *   2. Approximate the function of the small rest by a polynomial.
 *   3. Put k back: 2^k is nothing but an exponent field, k ln2 is one product.
 * ln2 is the sum LN2_HI + LN2_LO of two numbers. LN2_HI has so few digits that k LN2_HI is exact.
 *
 * The polynomials are minimax polynomials, computed with 50 digits and fitted again after each coefficient was
 * rounded: tests/exhaustive/coefficients.py. Why so: docs/decisions/elementary-functions.md.
 *
 * Largest error in ulp (units in the last place of the exact result; a perfectly rounded one has 0.5), as measured by
 * tests/exhaustive/: over all 2^32 floats, and for double over a million points of each function.
 *
 *               exp    expm1  log    log1p  tanh   erf    sigmoid
 *     float     1.01   1.46   0.84   0.90   1.50   1.32   1.65
 *     double    1.00   1.47   0.77   0.84   1.64   1.22   1.50
 *     promised  1.05   1.75   0.90   0.95   1.75   1.50   1.70
 *
 * Special values are those of C99, Annex F; sigmoid is 0 at -infinity and 1 at infinity.
 */
#include <stdint.h>
#include <string.h>

#if MLP_REAL_BITS == 32
typedef uint32_t real_bits;
enum { FRACTION_BITS = 23, BIAS = 127, EXP_DEGREE = 4, LOG_DEGREE = 2, ERF_DEGREE = 6, TAIL_DEGREE = 10 };
static const real LN2_HI = 0x1.62e4p-1f, LN2_LO = 0x1.7f7d1cp-20f, LOG2_E = 0x1.715476p+0f;
static const real EXP_LOWEST = -104, EXP_HIGHEST = 89; /* e^x is 0 below, infinite above */
static const real TANH_HIGHEST = 10;                   /* tanh x rounds to 1 above       */
static const real EXPM1_LOWEST = -20;                  /* e^x - 1 rounds to -1 below     */
static const real TAIL_MIDDLE = 4, TAIL_HIGHEST = 15;  /* x Phi(-x) is 0 above           */
static const real Z_LOWEST = -120;                     /* x e^x is 0 below               */
static const real EXP_COEFFICIENTS[] = {0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558b6p-5f, 0x1.1239a4p-7f,
                                        0x1.6a4744p-10f};
static const real LOG_COEFFICIENTS[] = {0x1.55557ap-1f, 0x1.995ed6p-2f, 0x1.31e088p-2f};
static const real ERF_COEFFICIENTS[] = {0x1.06eba8p-3f, -0x1.81273ep-2f,  0x1.ce2ce6p-4f, -0x1.b7f71ep-6f,
                                        0x1.53f27p-8f,  -0x1.a354e4p-11f, 0x1.477f5ap-14f};
static const real TAIL_COEFFICIENTS[] = {0x1.82b4bcp-1f,  -0x1.373e3cp-1f, 0x1.8c6d7ap-2f,  -0x1.7dfe86p-3f,
                                         0x1.eedfep-5f,   -0x1.ee800ap-8f, -0x1.cf95dep-9f, 0x1.a936d4p-10f,
                                         0x1.e20e84p-13f, -0x1.73175p-13f, -0x1.5db3a2p-15f};
#else
typedef uint64_t real_bits;
enum { FRACTION_BITS = 52, BIAS = 1023, EXP_DEGREE = 9, LOG_DEGREE = 6, ERF_DEGREE = 12, TAIL_DEGREE = 21 };
static const real LN2_HI = 0x1.62e42fefa4p-1, LN2_LO = -0x1.8432a1b0e2634p-43, LOG2_E = 0x1.71547652b82fep+0;
static const real EXP_LOWEST = -746, EXP_HIGHEST = 710;
static const real TANH_HIGHEST = 20;
static const real EXPM1_LOWEST = -40;
static const real TAIL_MIDDLE = 5, TAIL_HIGHEST = 39;
static const real Z_LOWEST = -760;
static const real EXP_COEFFICIENTS[] = {
    0x1.000000000000ap-1,  0x1.5555555555506p-3,  0x1.55555555506cep-5,  0x1.111111112530dp-7,  0x1.6c16c184761c5p-10,
    0x1.a01a0136999c6p-13, 0x1.a019995627678p-16, 0x1.71df0c12c7d25p-19, 0x1.28ae0f4acac8dp-22, 0x1.ada54826ca8d8p-26};
static const real LOG_COEFFICIENTS[] = {0x1.5555555555592p-1, 0x1.999999997fee9p-2, 0x1.24924941e54cbp-2,
                                        0x1.c71c5210862f5p-3, 0x1.74663dc56e86ap-3, 0x1.39a1d209a9101p-3,
                                        0x1.2f04a5087718bp-3};
static const real ERF_COEFFICIENTS[] = {0x1.06eba8214db69p-3,   -0x1.812746b0379fdp-2,  0x1.ce2f21a04360fp-4,
                                        -0x1.b82ce312ab093p-6,  0x1.565bcd126d153p-8,   -0x1.c02db4921013bp-11,
                                        0x1.f9a3341d57118p-14,  -0x1.f4d31d25920bcp-17, 0x1.b9ed6c3b7436bp-20,
                                        -0x1.5f8e14f238a85p-23, 0x1.fc0ab3e2b66d8p-27,  -0x1.4521b1390b4e6p-30,
                                        0x1.25d176fdf515cp-34};
static const real TAIL_COEFFICIENTS[] = {
    0x1.89d3abe1f95aep-1,  -0x1.54ad03f27ca18p-1, 0x1.fb31653876f7dp-2,   -0x1.410ed5f875a29p-2,
    0x1.51f6329f01ac4p-3,  -0x1.1b1c254c9978bp-4, 0x1.54b4d4f4af569p-6,   -0x1.88590eafaa872p-9,
    -0x1.a25037c7ad09p-11, 0x1.1daf1e27addf5p-11, -0x1.f21465cb81b68p-15, -0x1.a17123c63a5d5p-15,
    0x1.17dd2180c7366p-16, 0x1.0b2fc7d092fb2p-18, -0x1.73aa48a2ad7f2p-19, -0x1.6a86385827b7cp-22,
    0x1.d0ab6a89bcdb5p-22, 0x1.75f91f7a18a95p-25, -0x1.18b7ff11988c5p-24, -0x1.5dfb4d9f031bfp-27,
    0x1.ee20daf591e84p-28, 0x1.144f5e67fd777p-29};
#endif

static inline real_bits bits_of(real x) {
    real_bits bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline real real_of(real_bits bits) {
    real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^(biased - BIAS) for biased in 1 ... 2 BIAS: an exponent field and no fraction; 0 for biased = 0. */
static inline real power_of_2(real_bits biased) { return real_of(biased << FRACTION_BITS); }

/* c[0] + c[1] x + ... + c[degree] x^degree */
static inline real polynomial(int degree, const real *c, real x) {
    real sum = c[degree];
    for (int k = degree - 1; k >= 0; k--) {
        sum = real_fma(sum, x, c[k]);
    }
    return sum;
}

/* e^x = 2^k (1 + p); k wraps around where it is negative. */
typedef struct {
    real_bits k;
    real p;
} exponential;

/* Any x for which e^x is neither 0 nor infinite. p = e^r - 1 = r + r^2 P(r). */
static inline exponential exponential_of(real x) {
    const real rounder = (real)((real_bits)3 << (FRACTION_BITS - 1)); /* so large that its last digit counts ones */
    real shifted = real_fma(x, LOG2_E, rounder);                      /* hence rounds x / ln2 to an integer, k    */
    real k = shifted - rounder;
    real r = real_fma(-k, LN2_LO, real_fma(-k, LN2_HI, x));
    real p = real_fma(r * r, polynomial(EXP_DEGREE, EXP_COEFFICIENTS, r), r);
    return (exponential){.k = bits_of(shifted) - bits_of(rounder), .p = p};
}

/* number 2^k. The result may be subnormal and 2^k beyond the range of an exponent field: so two halves, and only the second
 * product rounds. */
static inline real scaled(real number, real_bits k) {
    real_bits biased_twice = k + 2 * BIAS, half = biased_twice >> 1;
    return number * power_of_2(half) * power_of_2(biased_twice - half);
}

/* e^x */
static inline real real_exp(real x) {
    x = x < EXP_LOWEST ? EXP_LOWEST : x;
    x = x > EXP_HIGHEST ? EXP_HIGHEST : x;
    exponential e = exponential_of(x);
    return scaled(1 + e.p, e.k);
}

/* number (1 + p): e^x times a number is that, scaled by k. */
static inline real times_1_plus_p(real number, exponential e) { return real_fma(number, e.p, number); }

/* e^x - 1 = 2 ((s - 1/2) + s p) with s = 2^(k-1), which is never too large. No digit is lost near 0, where s is 1/2. */
static inline real real_expm1(real x) {
    real near = x < EXPM1_LOWEST ? EXPM1_LOWEST : x;
    near = near > EXP_HIGHEST ? EXP_HIGHEST : near;
    exponential e = exponential_of(near);
    real s = power_of_2(e.k + BIAS - 1);
    real y = 2 * real_fma(s, e.p, s - REAL(0.5));
    return real_abs(x) < 4 * REAL_SMALLEST ? x : y; /* a subnormal cannot be halved, and the sign of 0 stays */
}

/* sigma(x) = 1 / (1 + e^-x). With e = e^-|x|, which cannot overflow, it is left = e / (1 + e) for x <= 0, 1 - left for
 * x > 0. Written as left = e - e left, it feels the roundings of 1 + e and of the quotient only in the smaller term. */
static inline real real_sigmoid(real x) {
    real e = real_exp(-real_abs(x));
    real left = real_fma(-e, e / (1 + e), e);
    return x > 0 ? 1 - left : left;
}

/* tanh |x| = t = (1 - e) / (1 + e) with e = e^-2|x| = s + s p, s = 2^k; the sign is x's. No digit is lost near 0, where
 * s = 1 and 1 - e is -p. One step of Newton's method makes up for the roundings of both sums and of the quotient: the
 * residual (1 - e) - t (1 + e) is divided by 1 + e = 2 / (1 + t). */
static inline real real_tanh(real x) {
    real magnitude = real_abs(x);
    magnitude = magnitude > TANH_HIGHEST ? TANH_HIGHEST : magnitude;
    exponential e = exponential_of(-2 * magnitude);
    real s = power_of_2(e.k + BIAS);
    real sp = s * e.p;
    real t = (1 - s - sp) / (1 + s + sp);
    real residual = real_fma(-sp, t, real_fma(-(1 + s), t, 1 - s) - sp);
    t = real_fma(residual, real_fma(REAL(0.5), t, REAL(0.5)), t);
    return real_of(bits_of(t) | (bits_of(x) & bits_of(-(real)0)));
}

/* number Phi(-x) for x >= 0, where Phi is the distribution function of the normal distribution:
 *     Phi(-x) = e^(-x^2 / 2) G(t) / (x + m) with t = (x - m) / (x + m), m = TAIL_MIDDLE, and a smooth G.
 * Three roundings are made up for by `low`, which is added at the end: of x^2 (e^(-lost / 2) = 1 - lost / 2), of x + m and of
 * the quotient. `number` is multiplied in before the result can become subnormal. */
static inline real times_normal_tail(real number, real x) {
    x = x > TAIL_HIGHEST ? TAIL_HIGHEST : x;
    const real square = x * x, lost = real_fma(x, x, -square);
    const real divisor = x + TAIL_MIDDLE, divisor_lost = x - (divisor - TAIL_MIDDLE), inverse = 1 / divisor;
    const real dividend = number * polynomial(TAIL_DEGREE, TAIL_COEFFICIENTS, (x - TAIL_MIDDLE) * inverse);
    const real quotient = dividend * inverse;
    const real remainder = real_fma(-quotient, divisor_lost, real_fma(-quotient, divisor, dividend));
    const real low = real_fma(remainder, inverse, REAL(-0.5) * lost * quotient);
    const exponential e = exponential_of(REAL(-0.5) * square);
    return scaled(quotient + real_fma(quotient, e.p, times_1_plus_p(low, e)), e.k);
}

/* erf |x| = |x| + |x| P(x^2) up to 1, and 1 - 2 Phi(-sqrt(2) |x|) above; the sign is x's. */
static inline real real_erf(real x) {
    real magnitude = real_abs(x);
    real near = real_fma(magnitude, polynomial(ERF_DEGREE, ERF_COEFFICIENTS, magnitude * magnitude), magnitude);
    real far = 1 - times_normal_tail(2, REAL(1.4142135623730951) * magnitude);
    return real_of(bits_of(magnitude < 1 ? near : far) | (bits_of(x) & bits_of(-(real)0)));
}

/* x = 2^(biased_k - BIAS) (1 + f) for a normal x > 0, 1 + f between sqrt(1/2) and sqrt(2). */
typedef struct {
    real_bits biased_k;
    real f;
} logarithm;

static inline logarithm logarithm_of(real x) {
    const real sqrt_half = REAL(0.70710678118654752);
    real_bits one = (real_bits)BIAS << FRACTION_BITS;
    real_bits biased_k = (bits_of(x) - bits_of(sqrt_half) + one) >> FRACTION_BITS;
    return (logarithm){.biased_k = biased_k, .f = real_of(bits_of(x) - (biased_k << FRACTION_BITS) + one) - 1};
}

/* The integer that biased_k stands for: as the last digits of 2^FRACTION_BITS it becomes a number without conversion. */
static inline real unbiased(real_bits biased_k) {
    const real digits = (real)((real_bits)1 << FRACTION_BITS);
    return real_of(bits_of(digits) | biased_k) - (digits + BIAS);
}

/* k ln2 + log(1 + f + f_lo), f_lo being what f lacks. With s = f / (2 + f),
 *     log(1 + f) = log((1 + s) / (1 - s)) = 2s + s R(s^2) = f - (f^2/2 - s (f^2/2 + R(s^2))),
 * and the last form takes a small number from an exact one. k LN2_HI + f is added without loss as sum + sum_lo. */
static inline real log_of(real k, real f, real f_lo) {
    real s = f / (2 + f);
    real z = s * s;
    real half_square = REAL(0.5) * f * f;
    real r = z * polynomial(LOG_DEGREE, LOG_COEFFICIENTS, z);
    real sum = real_fma(k, LN2_HI, f);
    real sum_lo = f - real_fma(-k, LN2_HI, sum);
    real small = real_fma(k, LN2_LO, sum_lo + f_lo);
    return sum - (half_square - real_fma(s, half_square + r, small));
}

/* y = log x for x > 0; the values of log x for all other x. */
static inline real log_special(real x, real y) {
    y = x < (real)INFINITY ? y : x;
    y = x > 0 ? y : (real)NAN;
    return x == 0 ? -(real)INFINITY : y;
}

/* log x. A subnormal x is made normal first. */
static inline real real_log(real x) {
    const real up = (real)((real_bits)1 << FRACTION_BITS);
    int subnormal = x < REAL_SMALLEST;
    logarithm l = logarithm_of(subnormal ? x * up : x);
    real k = unbiased(l.biased_k) - (subnormal ? (real)FRACTION_BITS : 0);
    return log_special(x, log_of(k, l.f, 0));
}

/* log(1 + x) = log(u + c), where u is 1 + x rounded and c what was rounded away; 2^-k c belongs to f.
 * (Half of c is multiplied by twice 2^-k, because 2^-k alone can be below the exponent field.) */
static inline real real_log1p(real x) {
    real u = 1 + x;
    real large = x > 1 ? x : 1, small = x > 1 ? 1 : x;
    real c = small - (u - large);
    logarithm l = logarithm_of(u);
    real scaled = REAL(0.5) * c * power_of_2(2 * BIAS + 1 - l.biased_k);
    real f = l.f + scaled;
    real f_lo = scaled - (f - l.f);
    real y = log_special(u, log_of(unbiased(l.biased_k), f, f_lo));
    return u == 1 ? x : y;
}

#include "normal.h"

static void elementary(mlp_elementary_id function, ptrdiff_t count, real *y, const real *x) {
    for (ptrdiff_t i = 0; i < count; i++) {
        switch (function) {
#define ELEMENTARY(ID, id, ...)                                                                                        \
    case MLP_ELEMENTARY_##ID: y[i] = real_##id(x[i]); break;
#include "../catalogue/elementaries.def"
        }
    }
}
