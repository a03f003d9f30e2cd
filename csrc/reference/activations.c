/* activations.c: a = sigma(z), and phi = the gradient to a carried through sigma' to z (eq. 1 and 2, section 3).
 *
 * Each activation is two functions side by side: forward is sigma, backward multiplies a gradient by sigma'. Backward has
 * sigma' from a or from z, as the activation's row in catalogue/activations.def says, and calls its argument so. `c` are the
 * constants of the row. Softmax is the one activation whose units depend on each other; it works on whole rows.
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

/* The summary of a row for softmax and its losses: its largest element, and the sum of the others relative to e^max.
 * sum over k of e^{z_k} = e^max (1 + rest). Keeping the 1 apart saves the digits of a small rest. One element can be left
 * out of the row (`skipped`, or NONE). */
typedef struct {
    real max, rest;
} softmax_row;

enum { NONE = -1 };

static softmax_row softmax_of(ptrdiff_t out, const real *z, ptrdiff_t skipped) {
    softmax_row row = {.max = -(real)INFINITY};
    for (ptrdiff_t k = 0; k < out; k++) {
        row.max = k != skipped && z[k] > row.max ? z[k] : row.max;
    }
    real lanes[LANES] = {0};
    real ties = -1; /* how many besides the first equal the largest */
    for (ptrdiff_t k = 0; k < out; k++) {
        if (k == skipped) {
            continue;
        }
        if (z[k] == row.max) {
            ties += 1;
        } else {
            lanes[k % LANES] += real_exp(z[k] - row.max);
        }
    }
    row.rest = sum_of_lanes(lanes) + ties;
    return row;
}

/* a_i = e^{z_i} / sum over k of e^{z_k}                                                                 (section 3.3) */
static void softmax_forward(ptrdiff_t out, real *a, const real *z, const real *c) {
    (void)c;
    softmax_row row = softmax_of(out, z, NONE);
    for (ptrdiff_t i = 0; i < out; i++) {
        a[i] = (z[i] == row.max ? 1 : real_exp(z[i] - row.max)) / (1 + row.rest);
    }
}

/* Softmax's Jacobian is da_k/dz_i = a_k ((i = k) - a_i), hence phi_i = a_i (grad_i - sum over k of a_k grad_k). */
static void softmax_backward(ptrdiff_t out, real *phi, const real *grad_a, const real *a, const real *c) {
    (void)c;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += a[k] * grad_a[k];
    }
    real mean = sum_of_lanes(lanes);
    for (ptrdiff_t i = 0; i < out; i++) {
        phi[i] = a[i] * (grad_a[i] - mean);
    }
}

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
