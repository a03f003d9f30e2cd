/* activations.inc.h: reference/activations.c in vectors. Every activation of the catalogue says here which text it runs: its own
 * vector form, or the reference's. The equations stand in reference/activations.c; a change there is a change here.
 */

/* ---- element by element ----------------------------------------------------------------------------------------- */

static ALWAYS_INLINE void each_forward(vec (*f)(vec z, const real *c), ptrdiff_t count, real *a, const real *z,
                                       const real *c) {
    ptrdiff_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        vec_store(a + i, f(vec_load(z + i), c));
    }
    if (i < count) {
        mask some = mask_first(count - i);
        vec_store_masked(a + i, f(vec_load_masked(z + i, some), c), some);
    }
}

static ALWAYS_INLINE void each_backward(vec (*f)(vec grad_a, vec s, const real *c), ptrdiff_t count, real *phi,
                                        const real *grad_a, const real *s, const real *c) {
    ptrdiff_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        vec_store(phi + i, f(vec_load(grad_a + i), vec_load(s + i), c));
    }
    if (i < count) {
        mask some = mask_first(count - i);
        vec_store_masked(phi + i, f(vec_load_masked(grad_a + i, some), vec_load_masked(s + i, some), c), some);
    }
}

/* The activation runs vec_<id>_forward and vec_<id>_backward. */
#define VECTOR_FORM(id)                                                                                                \
    static void fast_##id##_forward(ptrdiff_t n, ptrdiff_t out, real *a, const real *z, const real *c) {               \
        each_forward(vec_##id##_forward, n * out, a, z, c);                                                            \
    }                                                                                                                  \
    static void fast_##id##_backward(ptrdiff_t n, ptrdiff_t out, real *phi, const real *grad_a, const real *s,         \
                                     const real *c) {                                                                  \
        each_backward(vec_##id##_backward, n * out, phi, grad_a, s, c);                                                \
    }

/* It runs the reference's text, one number after the other. */
#define NO_VECTOR_FORM(id)                                                                                             \
    static void fast_##id##_forward(ptrdiff_t n, ptrdiff_t out, real *a, const real *z, const real *c) {               \
        for (ptrdiff_t i = 0; i < n * out; i++) {                                                                      \
            a[i] = id##_forward(z[i], c);                                                                              \
        }                                                                                                              \
    }                                                                                                                  \
    static void fast_##id##_backward(ptrdiff_t n, ptrdiff_t out, real *phi, const real *grad_a, const real *s,         \
                                     const real *c) {                                                                  \
        for (ptrdiff_t i = 0; i < n * out; i++) {                                                                      \
            phi[i] = id##_backward(grad_a[i], s[i], c);                                                                \
        }                                                                                                              \
    }

static inline vec vec_linear_forward(vec z, const real *c) { return (void)c, z; }
static inline vec vec_linear_backward(vec grad_a, vec a, const real *c) { return (void)a, (void)c, grad_a; }
VECTOR_FORM(linear)

static inline vec vec_relu_forward(vec z, const real *c) {
    return (void)c, vec_select(vec_less_equal(z, vec_broadcast(0)), vec_broadcast(0), z);
}
static inline vec vec_relu_backward(vec grad_a, vec a, const real *c) {
    return (void)c, vec_select(vec_less(vec_broadcast(0), a), grad_a, vec_broadcast(0));
}
VECTOR_FORM(relu)

static inline vec vec_sigmoid_forward(vec z, const real *c) { return (void)c, vec_sigmoid(z); }
static inline vec vec_sigmoid_backward(vec grad_a, vec a, const real *c) {
    return (void)c, vec_mul(grad_a, vec_mul(a, vec_sub(vec_broadcast(1), a)));
}
VECTOR_FORM(sigmoid)

static inline vec vec_exponential_forward(vec z, const real *c) {
    const vec a = vec_exp(z), largest = vec_broadcast(REAL_LARGEST);
    return (void)c, vec_select(vec_less(largest, a), largest, a);
}
static inline vec vec_exponential_backward(vec grad_a, vec a, const real *c) { return (void)c, vec_mul(grad_a, a); }
VECTOR_FORM(exponential)

static inline vec vec_tanh_forward(vec z, const real *c) { return (void)c, vec_tanh(z); }
static inline vec vec_tanh_backward(vec grad_a, vec a, const real *c) {
    const vec one = vec_broadcast(1);
    return (void)c, vec_mul(grad_a, vec_mul(vec_sub(one, a), vec_add(one, a)));
}
VECTOR_FORM(tanh)

/* ---- like ReLU: straight pieces ----------------------------------------------------------------------------------- */

/* low where z <= low, high where z >= high. */
static ALWAYS_INLINE vec vec_bounded(vec z, real low, real high) {
    const vec bound = vec_select(vec_less_equal(vec_broadcast(high), z), vec_broadcast(high), z);
    return vec_select(vec_less_equal(z, vec_broadcast(low)), vec_broadcast(low), bound);
}

/* inside where low < s < high, else 0 */
static ALWAYS_INLINE vec vec_between(vec s, real low, real high, vec inside) {
    const mask between = mask_and(vec_less(vec_broadcast(low), s), vec_less(s, vec_broadcast(high)));
    return vec_select(between, inside, vec_broadcast(0));
}

static ALWAYS_INLINE mask is_positive(vec z) { return vec_less(vec_broadcast(0), z); }

static inline vec vec_relu6_forward(vec z, const real *c) { return (void)c, vec_bounded(z, 0, 6); }
static inline vec vec_relu6_backward(vec grad_a, vec a, const real *c) { return (void)c, vec_between(a, 0, 6, grad_a); }
VECTOR_FORM(relu6)

static inline vec vec_leaky_relu_forward(vec z, const real *c) {
    return vec_select(is_positive(z), z, vec_mul(vec_broadcast(c[0]), z));
}
static inline vec vec_leaky_relu_backward(vec grad_a, vec a, const real *c) {
    return vec_select(is_positive(a), grad_a, vec_mul(vec_broadcast(c[0]), grad_a));
}
VECTOR_FORM(leaky_relu)

static inline vec vec_hard_tanh_forward(vec z, const real *c) { return (void)c, vec_bounded(z, -1, 1); }
static inline vec vec_hard_tanh_backward(vec grad_a, vec a, const real *c) {
    return (void)c, vec_between(a, -1, 1, grad_a);
}
VECTOR_FORM(hard_tanh)

static inline vec vec_hard_sigmoid_of(vec z) {
    const vec line = vec_fma(z, vec_broadcast(REAL(1.0) / 6), vec_broadcast(REAL(0.5)));
    const vec upper = vec_select(vec_less_equal(vec_broadcast(3), z), vec_broadcast(1), line);
    return vec_select(vec_less_equal(z, vec_broadcast(-3)), vec_broadcast(0), upper);
}
static inline vec vec_hard_sigmoid_forward(vec z, const real *c) { return (void)c, vec_hard_sigmoid_of(z); }
static inline vec vec_hard_sigmoid_backward(vec grad_a, vec z, const real *c) {
    return (void)c, vec_between(z, -3, 3, vec_mul(grad_a, vec_broadcast(REAL(1.0) / 6)));
}
VECTOR_FORM(hard_sigmoid)

static inline vec vec_hard_swish_forward(vec z, const real *c) {
    const mask is_low = vec_less_equal(z, vec_broadcast(-3));
    return (void)c, vec_select(is_low, vec_broadcast(0), vec_mul(z, vec_hard_sigmoid_of(z)));
}
static inline vec vec_hard_swish_backward(vec grad_a, vec z, const real *c) {
    const vec slope = vec_fma(z, vec_broadcast(REAL(1.0) / 3), vec_broadcast(REAL(0.5)));
    const vec upper = vec_select(vec_less_equal(vec_broadcast(3), z), grad_a, vec_mul(grad_a, slope));
    return (void)c, vec_select(vec_less_equal(z, vec_broadcast(-3)), vec_broadcast(0), upper);
}
VECTOR_FORM(hard_swish)

/* ---- like ReLU: e^z below 0 --------------------------------------------------------------------------------------- */

static inline vec vec_elu_forward(vec z, const real *c) {
    return vec_select(is_positive(z), z, vec_mul(vec_broadcast(c[0]), vec_expm1(z)));
}
static inline vec vec_elu_backward(vec grad_a, vec a, const real *c) {
    return vec_select(is_positive(a), grad_a, vec_mul(grad_a, vec_add(a, vec_broadcast(c[0]))));
}
VECTOR_FORM(elu)

static inline vec vec_selu_forward(vec z, const real *c) {
    const vec below = vec_mul(vec_broadcast((real)(SELU_LAMBDA * SELU_ALPHA)), vec_expm1(z));
    return (void)c, vec_select(is_positive(z), vec_mul(vec_broadcast((real)SELU_LAMBDA), z), below);
}
static inline vec vec_selu_backward(vec grad_a, vec a, const real *c) {
    const vec below = vec_add(a, vec_broadcast((real)(SELU_LAMBDA * SELU_ALPHA)));
    return (void)c, vec_mul(grad_a, vec_select(is_positive(a), vec_broadcast((real)SELU_LAMBDA), below));
}
VECTOR_FORM(selu)

static inline vec vec_celu_forward(vec z, const real *c) {
    const vec alpha = vec_broadcast(c[0]);
    return vec_select(is_positive(z), z, vec_mul(alpha, vec_expm1(vec_div(z, alpha))));
}
static inline vec vec_celu_backward(vec grad_a, vec a, const real *c) {
    const vec below = vec_add(vec_div(a, vec_broadcast(c[0])), vec_broadcast(1));
    return vec_select(is_positive(a), grad_a, vec_mul(grad_a, below));
}
VECTOR_FORM(celu)

static inline vec vec_softplus_forward(vec z, const real *c) {
    const vec rest = vec_log1p(vec_exp(vec_minus_abs(z)));
    return (void)c, vec_select(is_positive(z), vec_add(z, rest), rest);
}
static inline vec vec_softplus_backward(vec grad_a, vec z, const real *c) {
    return (void)c, vec_mul(grad_a, vec_sigmoid(z));
}
VECTOR_FORM(softplus)

static inline vec vec_softsign_forward(vec z, const real *c) {
    const vec magnitude = vec_abs(z), one = vec_broadcast(1);
    const vec below = vec_select(vec_less(z, vec_broadcast(0)), vec_broadcast(-1), z);
    const vec limit = vec_select(is_positive(z), one, below);
    const mask finite = vec_less(magnitude, vec_broadcast((real)INFINITY));
    return (void)c, vec_select(finite, vec_div(z, vec_add(one, magnitude)), limit);
}
static inline vec vec_softsign_backward(vec grad_a, vec z, const real *c) {
    const vec part = vec_div(vec_broadcast(1), vec_add(vec_broadcast(1), vec_abs(z)));
    return (void)c, vec_mul(grad_a, vec_mul(part, part));
}
VECTOR_FORM(softsign)

/* ---- z times a share of 0 ... 1 ------------------------------------------------------------------------------------ */

static inline vec vec_at_least(vec x, real low) {
    return vec_select(vec_less(x, vec_broadcast(low)), vec_broadcast(low), x);
}

static inline vec_exponential vec_share_of(vec z) {
    return vec_exponential_of(vec_at_least(vec_minus_abs(z), Z_LOWEST));
}

static inline vec vec_silu_forward(vec z, const real *c) {
    const vec one = vec_broadcast(1), low = vec_at_least(z, Z_LOWEST);
    const vec_exponential e = vec_share_of(z);
    const vec part = vec_div(one, vec_add(one, vec_scaled(vec_add(one, e.p), e.k)));
    const vec below = vec_scaled(vec_times_1_plus_p(vec_mul(low, part), e), e.k);
    return (void)c, vec_select(is_positive(z), vec_mul(z, part), below);
}
static inline vec vec_silu_backward(vec grad_a, vec z, const real *c) {
    const vec low = vec_at_least(z, Z_LOWEST), highest = vec_broadcast(-Z_LOWEST);
    const vec bounded = vec_select(vec_less(highest, low), highest, low);
    const vec bend = vec_fma(bounded, vec_sigmoid(vec_negative(z)), vec_broadcast(1));
    return (void)c, vec_mul(grad_a, vec_mul(vec_sigmoid(z), bend));
}
VECTOR_FORM(silu)

static inline vec vec_mish_forward(vec z, const real *c) {
    const vec one = vec_broadcast(1), two = vec_broadcast(2), low = vec_at_least(z, Z_LOWEST);
    const mask above = is_positive(z);
    const vec_exponential e = vec_share_of(z);
    const vec f = vec_scaled(vec_add(one, e.p), e.k), twice = vec_mul(two, f);
    const vec whole = vec_select(above, vec_fma(twice, f, vec_fma(two, f, one)), vec_fma(f, f, vec_fma(two, f, two)));
    const vec lack = vec_div(vec_select(above, vec_mul(twice, f), vec_fma(f, f, f)), whole);
    const vec share = vec_sub(one, lack);
    const vec below = vec_scaled(vec_times_1_plus_p(vec_mul(low, share), e), e.k);
    return (void)c, vec_select(above, vec_mul(z, share), below);
}
static inline vec vec_mish_backward(vec grad_a, vec z, const real *c) {
    const vec one = vec_broadcast(1), two = vec_broadcast(2), f = vec_exp(vec_minus_abs(z));
    const vec bounded = vec_select(vec_less(vec_abs(z), vec_broadcast(-Z_LOWEST)), z, vec_broadcast(0));
    const mask above = is_positive(z);
    const vec whole =
        vec_select(above, vec_fma(vec_mul(two, f), f, vec_fma(two, f, one)), vec_fma(f, f, vec_fma(two, f, two)));
    const vec part = vec_select(above, vec_fma(two, f, one), vec_mul(f, vec_add(f, two)));
    const vec share = vec_div(part, whole);
    const vec bend = vec_mul(vec_mul(vec_mul(vec_broadcast(4), f), vec_add(one, f)), vec_select(above, f, one));
    return (void)c, vec_mul(grad_a, vec_fma(bounded, vec_div(bend, vec_mul(whole, whole)), share));
}
VECTOR_FORM(mish)

static inline vec vec_gelu_forward(vec z, const real *c) {
    const vec one = vec_broadcast(1), half = vec_broadcast(REAL(0.5));
    const vec magnitude = vec_abs(z), low = vec_at_least(z, -TAIL_HIGHEST);
    const vec half_square = vec_mul(vec_mul(half, z), z);
    const vec slope = vec_add(one, vec_polynomial(ERF_DEGREE, ERF_COEFFICIENTS, half_square));
    const vec near = vec_mul(z, vec_fma(vec_mul(vec_broadcast(REAL(0.35355339059327376)), z), slope, half));
    const vec tail = vec_times_normal_tail(vec_select(is_positive(z), one, low), magnitude);
    const vec far = vec_select(is_positive(z), vec_mul(z, vec_sub(one, tail)), tail);
    return (void)c, vec_select(vec_less(magnitude, one), near, far);
}
static inline vec vec_gelu_backward(vec grad_a, vec z, const real *c) {
    const vec one = vec_broadcast(1), magnitude = vec_abs(z), highest = vec_broadcast(TAIL_HIGHEST);
    const vec bounded = vec_select(vec_less(magnitude, highest), z, highest);
    const vec tail = vec_times_normal_tail(one, magnitude);
    const vec exponent = vec_mul(vec_mul(vec_broadcast(REAL(-0.5)), bounded), bounded);
    const vec density = vec_mul(vec_broadcast(REAL(0.39894228040143268)), vec_exp(exponent));
    const vec share = vec_select(is_positive(z), vec_sub(one, tail), tail);
    return (void)c, vec_mul(grad_a, vec_fma(bounded, density, share));
}
VECTOR_FORM(gelu)

typedef struct {
    vec t, low;
} vec_gelu_argument;

static inline vec_gelu_argument vec_gelu_argument_of(vec z) {
    const vec scale = vec_broadcast(GELU_SCALE), scale_low = vec_broadcast(GELU_SCALE_LOW);
    const vec cube = vec_broadcast(GELU_CUBE), cube_low = vec_broadcast(GELU_CUBE_LOW);
    const vec square = vec_mul(z, z), square_low = vec_fma(z, z, vec_negative(square));
    const vec product = vec_mul(cube, square);
    const vec lost = vec_fma(cube, square, vec_negative(product));
    const vec product_low = vec_fma(cube, square_low, vec_fma(cube_low, square, lost));
    const vec one = vec_broadcast(1), sum = vec_add(one, product), of_product = vec_sub(sum, one);
    const vec sum_low =
        vec_add(vec_add(vec_sub(one, vec_sub(sum, of_product)), vec_sub(product, of_product)), product_low);
    const vec scaled_z = vec_mul(scale, z);
    const vec scaled_low = vec_add(vec_fma(scale, z, vec_negative(scaled_z)), vec_mul(scale_low, z));
    const vec t = vec_mul(scaled_z, sum);
    const vec of_lows = vec_fma(scaled_low, sum, vec_fma(scaled_z, sum, vec_negative(t)));
    return (vec_gelu_argument){.t = t, .low = vec_fma(scaled_z, sum_low, of_lows)};
}

static inline vec vec_gelu_bounded(vec z) {
    const vec highest = vec_broadcast(GELU_HIGHEST), low = vec_at_least(z, -GELU_HIGHEST);
    return vec_select(vec_less(highest, low), highest, low);
}

static inline vec vec_gelu_tanh_forward(vec z, const real *c) {
    const vec one = vec_broadcast(1), bounded = vec_gelu_bounded(z);
    const vec_gelu_argument g = vec_gelu_argument_of(bounded);
    const vec_exponential e = vec_share_of(g.t);
    const vec part = vec_div(one, vec_add(one, vec_scaled(vec_add(one, e.p), e.k)));
    const vec share = vec_mul(bounded, part), below = vec_fma(share, g.low, share);
    return (void)c, vec_select(is_positive(z), vec_mul(z, part), vec_scaled(vec_times_1_plus_p(below, e), e.k));
}
static inline vec vec_gelu_tanh_backward(vec grad_a, vec z, const real *c) {
    const vec bounded = vec_gelu_bounded(z), t = vec_gelu_argument_of(bounded).t;
    const vec s = vec_sigmoid(t), rest = vec_sigmoid(vec_negative(t));
    const vec bend = vec_fma(vec_mul(vec_broadcast(3 * GELU_CUBE), bounded), bounded, vec_broadcast(1));
    const vec slope = vec_mul(vec_broadcast(GELU_SCALE), bend);
    return (void)c, vec_mul(grad_a, vec_fma(vec_mul(bounded, s), vec_mul(rest, slope), s));
}
VECTOR_FORM(gelu_tanh)

#include "softmax.inc.h"

/* ---- any of them ------------------------------------------------------------------------------------------------ */

static const struct {
    void (*forward)(ptrdiff_t n, ptrdiff_t out, real *a, const real *z, const real *c);
    void (*backward)(ptrdiff_t n, ptrdiff_t out, real *phi, const real *grad_a, const real *s, const real *c);
} ACTIVATIONS[] = {
#define UNIT(ID, id, ...) [MLP_##ID] = {fast_##id##_forward, fast_##id##_backward},
#define ROW(ID, id, ...) [MLP_##ID] = {fast_##id##_forward, fast_##id##_backward},
#include "../catalogue/activations.def"
};

static void fast_activation_forward(const REAL_NAME(mlp_activation) * sigma, ptrdiff_t n, ptrdiff_t out, real *a,
                                    const real *z) {
    ACTIVATIONS[sigma->id].forward(n, out, a, z, sigma->constants);
}

static void fast_activation_backward(const REAL_NAME(mlp_activation) * sigma, ptrdiff_t n, ptrdiff_t out, real *phi,
                                     const real *s, const real *grad_a) {
    ACTIVATIONS[sigma->id].backward(n, out, phi, grad_a, s, sigma->constants);
}
