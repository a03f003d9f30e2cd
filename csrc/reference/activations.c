/* activations.c: a = sigma(z), and phi = the gradient to a carried through sigma' to z (eq. 1 and 2, section 3).
 *
 * Each activation is two functions side by side: forward is sigma, backward multiplies a gradient by sigma'. Backward has
 * sigma' from a or from z, as the activation's row in catalogue/activations.def says, and calls its argument so. `c` are the
 * constants of the row. Softmax and its logarithm, whose units depend on each other, work on whole rows: softmax.c.
 *
 * Every sigma is within 4 ulp of the exact value in both types (tests/test_activations.py, tests/exhaustive/).
 */

/* a = z; sigma' = 1 */
static real linear_forward(real z, const real *c) { return (void)c, z; }
static real linear_backward(real grad_a, real a, const real *c) { return (void)a, (void)c, grad_a; }

/* a = max(0, z), where a NaN stays one; sigma' = 1 where z > 0, which is where a > 0, and 0 at the kink */
static real relu_forward(real z, const real *c) { return (void)c, z <= 0 ? 0 : z; }
static real relu_backward(real grad_a, real a, const real *c) { return (void)c, a > 0 ? grad_a : 0; }

/* a = 1 / (1 + e^-z); sigma' = a (1 - a) */
static real sigmoid_forward(real z, const real *c) { return (void)c, real_sigmoid(z); }
static real sigmoid_backward(real grad_a, real a, const real *c) { return (void)c, grad_a * (a * (1 - a)); }

/* a = tanh z; sigma' = 1 - a^2 */
static real tanh_forward(real z, const real *c) { return (void)c, real_tanh(z); }
static real tanh_backward(real grad_a, real a, const real *c) { return (void)c, grad_a * ((1 - a) * (1 + a)); }

/* a = e^z = sigma', at most the largest number: an infinite sigma' times a gradient of 0 would be no number */
static real exponential_forward(real z, const real *c) {
    const real a = real_exp(z);
    return (void)c, a > REAL_LARGEST ? REAL_LARGEST : a;
}
static real exponential_backward(real grad_a, real a, const real *c) { return (void)c, grad_a * a; }

/* ---- like ReLU: straight pieces ----------------------------------------------------------------------------------- */

/* a = min(max(0, z), 6); sigma' = 1 between the kinks, and 0 at them */
static real relu6_forward(real z, const real *c) { return (void)c, z <= 0 ? 0 : z >= 6 ? 6 : z; }
static real relu6_backward(real grad_a, real a, const real *c) { return (void)c, a > 0 && a < 6 ? grad_a : 0; }

/* a = z where z > 0, else slope z; sigma' = 1 where a > 0, else slope */
static real leaky_relu_forward(real z, const real *c) { return z > 0 ? z : c[0] * z; }
static real leaky_relu_backward(real grad_a, real a, const real *c) { return a > 0 ? grad_a : c[0] * grad_a; }

/* a = min(max(-1, z), 1); sigma' = 1 between the kinks, and 0 at them */
static real hard_tanh_forward(real z, const real *c) { return (void)c, z <= -1 ? -1 : z >= 1 ? 1 : z; }
static real hard_tanh_backward(real grad_a, real a, const real *c) { return (void)c, a > -1 && a < 1 ? grad_a : 0; }

/* a = min(max(0, z / 6 + 1/2), 1); sigma' = 1/6 between the kinks, and 0 at them */
static real hard_sigmoid_of(real z) { return z <= -3 ? 0 : z >= 3 ? 1 : real_fma(z, REAL(1.0) / 6, REAL(0.5)); }
static real hard_sigmoid_forward(real z, const real *c) { return (void)c, hard_sigmoid_of(z); }
static real hard_sigmoid_backward(real grad_a, real z, const real *c) {
    return (void)c, z > -3 && z < 3 ? grad_a * (REAL(1.0) / 6) : 0;
}

/* a = z hard_sigmoid(z); sigma' = z / 3 + 1/2 between -3 and 3, where a = z^2 / 6 + z / 2 */
static real hard_swish_forward(real z, const real *c) { return (void)c, z <= -3 ? 0 : z * hard_sigmoid_of(z); }
static real hard_swish_backward(real grad_a, real z, const real *c) {
    const real slope = real_fma(z, REAL(1.0) / 3, REAL(0.5));
    return (void)c, z <= -3 ? 0 : z >= 3 ? grad_a : grad_a * slope;
}

/* ---- like ReLU: e^z below 0 --------------------------------------------------------------------------------------- */

/* a = z where z > 0, else alpha (e^z - 1); sigma' = 1 where a > 0, else alpha e^z = a + alpha */
static real elu_forward(real z, const real *c) { return z > 0 ? z : c[0] * real_expm1(z); }
static real elu_backward(real grad_a, real a, const real *c) { return a > 0 ? grad_a : grad_a * (a + c[0]); }

/* a = lambda elu(z) with alpha and lambda for which mean 0 and variance 1 are a fixed point; sigma' likewise */
static const double SELU_ALPHA = 1.6732632423543772848, SELU_LAMBDA = 1.0507009873554804934;
static real selu_forward(real z, const real *c) {
    (void)c;
    return z > 0 ? (real)SELU_LAMBDA * z : (real)(SELU_LAMBDA * SELU_ALPHA) * real_expm1(z);
}
static real selu_backward(real grad_a, real a, const real *c) {
    (void)c;
    return grad_a * (a > 0 ? (real)SELU_LAMBDA : a + (real)(SELU_LAMBDA * SELU_ALPHA));
}

/* a = z where z > 0, else alpha (e^(z / alpha) - 1); sigma' = 1 where a > 0, else e^(z / alpha) = a / alpha + 1 */
static real celu_forward(real z, const real *c) { return z > 0 ? z : c[0] * real_expm1(z / c[0]); }
static real celu_backward(real grad_a, real a, const real *c) { return a > 0 ? grad_a : grad_a * (a / c[0] + 1); }

/* a = log(1 + e^z) = max(0, z) + log(1 + e^-|z|); sigma' = 1 / (1 + e^-z) */
static real softplus_forward(real z, const real *c) {
    const real rest = real_log1p(real_exp(-real_abs(z)));
    return (void)c, z > 0 ? z + rest : rest;
}
static real softplus_backward(real grad_a, real z, const real *c) { return (void)c, grad_a * real_sigmoid(z); }

/* a = z / (1 + |z|); sigma' = 1 / (1 + |z|)^2. At infinity a is +-1. */
static real softsign_forward(real z, const real *c) {
    const real whole = 1 + real_abs(z);
    return (void)c, real_abs(z) < (real)INFINITY ? z / whole : z > 0 ? 1 : z < 0 ? -1 : z;
}
static real softsign_backward(real grad_a, real z, const real *c) {
    const real part = 1 / (1 + real_abs(z));
    return (void)c, grad_a * (part * part);
}

/* ---- z times a share of 0 ... 1 ------------------------------------------------------------------------------------
 *
 * Far below 0 the share would be subnormal, where digits are lost, though a is not yet: so z is multiplied into the factor of
 * e^z before it is scaled (`scaled`, elementary.h). Below Z_LOWEST a is 0. */

/* e^-|z|, for a share that is computed from it. */
static exponential share_of(real z) {
    const real below = -real_abs(z);
    return exponential_of(below < Z_LOWEST ? Z_LOWEST : below);
}

/* a = z s, s = 1 / (1 + e^-z); sigma' = s + z s (1 - s) */
static real silu_forward(real z, const real *c) {
    const exponential e = share_of(z);
    const real part = 1 / (1 + scaled(1 + e.p, e.k)), low = z < Z_LOWEST ? Z_LOWEST : z;
    return (void)c, z > 0 ? z * part : scaled(times_1_plus_p(low * part, e), e.k);
}
static real silu_backward(real grad_a, real z, const real *c) {
    const real bounded = z < Z_LOWEST ? Z_LOWEST : z > -Z_LOWEST ? -Z_LOWEST : z; /* beyond, s is 0 or 1 */
    return (void)c, grad_a * (real_sigmoid(z) * real_fma(bounded, real_sigmoid(-z), 1));
}

/* a = z tanh(log(1 + e^z)) = z e^z (e^z + 2) / (e^2z + 2 e^z + 2). With f = e^-|z|, which is not too large, that is
 * z (1 - lack) above 0 and z f (1 - lack) below, and lack, at most 2/5, is 2 f^2 / (1 + 2 f + 2 f^2) and
 * f (1 + f) / (2 + 2 f + f^2). sigma' = a / z + 4 z e^z (1 + e^z) / (e^2z + 2 e^z + 2)^2. */
static real mish_forward(real z, const real *c) {
    const exponential e = share_of(z);
    const real f = scaled(1 + e.p, e.k), low = z < Z_LOWEST ? Z_LOWEST : z;
    const real whole = z > 0 ? real_fma(2 * f, f, real_fma(2, f, 1)) : real_fma(f, f, real_fma(2, f, 2));
    const real share = 1 - (z > 0 ? 2 * f * f : real_fma(f, f, f)) / whole;
    return (void)c, z > 0 ? z * share : scaled(times_1_plus_p(low * share, e), e.k);
}
static real mish_backward(real grad_a, real z, const real *c) {
    const real f = real_exp(-real_abs(z)), bounded = real_abs(z) < -Z_LOWEST ? z : 0; /* far from 0 f is 0 */
    const real whole = z > 0 ? real_fma(2 * f, f, real_fma(2, f, 1)) : real_fma(f, f, real_fma(2, f, 2));
    const real share = (z > 0 ? real_fma(2, f, 1) : f * (f + 2)) / whole;
    const real bend = 4 * f * (1 + f) * (z > 0 ? f : 1) / (whole * whole);
    return (void)c, grad_a * real_fma(bounded, bend, share);
}

/* a = z Phi(z), Phi the distribution function of the normal distribution; sigma' = Phi(z) + z e^(-z^2 / 2) / sqrt(2 pi).
 * Near 0 Phi(z) = 1/2 + erf(z / sqrt(2)) / 2 = 1/2 + z (1 + P(z^2 / 2)) / sqrt(8), which rounds less often. */
static real gelu_forward(real z, const real *c) {
    const real magnitude = real_abs(z), low = z < -TAIL_HIGHEST ? -TAIL_HIGHEST : z;
    const real slope = 1 + polynomial(ERF_DEGREE, ERF_COEFFICIENTS, REAL(0.5) * z * z);
    const real near = z * real_fma(REAL(0.35355339059327376) * z, slope, REAL(0.5));
    const real tail = times_normal_tail(z > 0 ? 1 : low, magnitude);
    return (void)c, magnitude < 1 ? near : z > 0 ? z * (1 - tail) : tail;
}
static real gelu_backward(real grad_a, real z, const real *c) {
    const real magnitude = real_abs(z), bounded = magnitude < TAIL_HIGHEST ? z : TAIL_HIGHEST;
    const real tail = times_normal_tail(1, magnitude);
    const real density = REAL(0.39894228040143268) * real_exp(REAL(-0.5) * bounded * bounded);
    return (void)c, grad_a * real_fma(bounded, density, z > 0 ? 1 - tail : tail);
}

/* a = z s, s = 1 / (1 + e^-t), t = 2 sqrt(2 / pi) (z + 0.044715 z^3); that is z / 2 (1 + tanh(t / 2)).
 * sigma' = s + z s (1 - s) t'. An error of t is a relative one of e^t: so t is the sum of `t` and `low`. */
#if MLP_REAL_BITS == 32
static const real GELU_SCALE = 0x1.988454p+0f, GELU_SCALE_LOW = -0x1.857936p-25f; /* sqrt(8 / pi) */
static const real GELU_CUBE = 0x1.6e4e26p-5f, GELU_CUBE_LOW = 0x1.a9003ep-30f;    /* 0.044715     */
static const real GELU_HIGHEST = 12;                                              /* t is beyond Z_LOWEST */
#else
static const real GELU_SCALE = 0x1.9884533d43651p+0, GELU_SCALE_LOW = -0x1.cbc0d30ebfd15p-54;
static const real GELU_CUBE = 0x1.6e4e26d4801f7p-5, GELU_CUBE_LOW = 0x1.441355475a31ap-59;
static const real GELU_HIGHEST = 22;
#endif
typedef struct {
    real t, low;
} gelu_argument;

static gelu_argument gelu_argument_of(real z) {
    const real square = z * z, square_low = real_fma(z, z, -square);
    const real product = GELU_CUBE * square;
    const real product_low =
        real_fma(GELU_CUBE, square_low, real_fma(GELU_CUBE_LOW, square, real_fma(GELU_CUBE, square, -product)));
    const real sum = 1 + product, of_product = sum - 1; /* what of the product is in the sum, whichever is larger */
    const real sum_low = (1 - (sum - of_product)) + (product - of_product) + product_low;
    const real scaled_z = GELU_SCALE * z, scaled_low = real_fma(GELU_SCALE, z, -scaled_z) + GELU_SCALE_LOW * z;
    const real t = scaled_z * sum;
    return (gelu_argument){.t = t,
                           .low = real_fma(scaled_z, sum_low, real_fma(scaled_low, sum, real_fma(scaled_z, sum, -t)))};
}

static real gelu_tanh_forward(real z, const real *c) {
    const real bounded = z < -GELU_HIGHEST ? -GELU_HIGHEST : z > GELU_HIGHEST ? GELU_HIGHEST : z;
    const gelu_argument g = gelu_argument_of(bounded);
    const exponential e = share_of(g.t);
    const real part = 1 / (1 + scaled(1 + e.p, e.k));
    const real below = real_fma(bounded * part, g.low, bounded * part);
    return (void)c, z > 0 ? z * part : scaled(times_1_plus_p(below, e), e.k);
}
static real gelu_tanh_backward(real grad_a, real z, const real *c) {
    const real bounded = z < -GELU_HIGHEST ? -GELU_HIGHEST : z > GELU_HIGHEST ? GELU_HIGHEST : z;
    const real t = gelu_argument_of(bounded).t, s = real_sigmoid(t), rest = real_sigmoid(-t);
    const real slope = GELU_SCALE * real_fma(3 * GELU_CUBE * bounded, bounded, 1);
    return (void)c, grad_a * real_fma(bounded * s, rest * slope, s);
}

#include "softmax.c"

/* Every row of the catalogue finds its two functions by its id. */
static void activation_forward(const REAL_NAME(mlp_activation) * sigma, ptrdiff_t n, ptrdiff_t out, real *a,
                               const real *z) {
    switch (sigma->id) {
#define UNIT(ID, id, ...)                                                                                              \
    case MLP_##ID:                                                                                                     \
        for (ptrdiff_t i = 0; i < n * out; i++) {                                                                      \
            a[i] = id##_forward(z[i], sigma->constants);                                                               \
        }                                                                                                              \
        break;
#define ROW(ID, id, ...)                                                                                               \
    case MLP_##ID:                                                                                                     \
        for (ptrdiff_t s = 0; s < n; s++) {                                                                            \
            id##_forward(out, a + s * out, z + s * out, sigma->constants);                                             \
        }                                                                                                              \
        break;
#include "../catalogue/activations.def"
    }
}

static void activation_backward(const REAL_NAME(mlp_activation) * sigma, ptrdiff_t n, ptrdiff_t out, real *phi,
                                const real *s, const real *grad_a) {
    switch (sigma->id) {
#define UNIT(ID, id, ...)                                                                                              \
    case MLP_##ID:                                                                                                     \
        for (ptrdiff_t i = 0; i < n * out; i++) {                                                                      \
            phi[i] = id##_backward(grad_a[i], s[i], sigma->constants);                                                 \
        }                                                                                                              \
        break;
#define ROW(ID, id, ...)                                                                                               \
    case MLP_##ID:                                                                                                     \
        for (ptrdiff_t r = 0; r < n; r++) {                                                                            \
            id##_backward(out, phi + r * out, grad_a + r * out, s + r * out, sigma->constants);                        \
        }                                                                                                              \
        break;
#include "../catalogue/activations.def"
    }
}
