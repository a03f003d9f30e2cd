/* activations.c: a = sigma(z), and phi = the gradient to a carried through sigma' to z (eq. 1 and 2, section 3).
 *
 * Backward needs only a: every sigma' here can be written in a, so a layer keeps a and may forget z.
 * Softmax is the one activation whose units depend on each other; it works on whole rows.
 */

static real relu(real z) { return z <= 0 ? 0 : z; } /* a NaN is neither, and stays one */

/* What softmax and its losses need to know of a row: its largest element, and how much the others add to e^max.
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
static void softmax_forward(ptrdiff_t out, real *a, const real *z) {
    softmax_row row = softmax_of(out, z, NONE);
    for (ptrdiff_t i = 0; i < out; i++) {
        a[i] = (z[i] == row.max ? 1 : real_exp(z[i] - row.max)) / (1 + row.rest);
    }
}

/* Softmax's Jacobian is da_k/dz_i = a_k ((i = k) - a_i), hence phi_i = a_i (grad_i - sum over k of a_k grad_k). */
static void softmax_backward(ptrdiff_t out, real *phi, const real *a, const real *grad_a) {
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += a[k] * grad_a[k];
    }
    real mean = sum_of_lanes(lanes);
    for (ptrdiff_t i = 0; i < out; i++) {
        phi[i] = a[i] * (grad_a[i] - mean);
    }
}

static void activation_forward(mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, real *a, const real *z) {
    switch (sigma) {
    case MLP_RELU:
        for (ptrdiff_t i = 0; i < n * out; i++) {
            a[i] = relu(z[i]);
        }
        break;
    case MLP_SIGMOID:
        for (ptrdiff_t i = 0; i < n * out; i++) {
            a[i] = real_sigmoid(z[i]);
        }
        break;
    case MLP_TANH:
        for (ptrdiff_t i = 0; i < n * out; i++) {
            a[i] = real_tanh(z[i]);
        }
        break;
    case MLP_SOFTMAX:
        for (ptrdiff_t s = 0; s < n; s++) {
            softmax_forward(out, a + s * out, z + s * out);
        }
        break;
    default: /* MLP_LINEAR */
        for (ptrdiff_t i = 0; i < n * out; i++) {
            a[i] = z[i];
        }
    }
}

static void activation_backward(mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, real *phi, const real *a,
                                const real *grad_a) {
    switch (sigma) {
    case MLP_RELU: /* sigma'(z) = 1 where z > 0, which is where a > 0; at the kink it is 0 */
        for (ptrdiff_t i = 0; i < n * out; i++) {
            phi[i] = a[i] > 0 ? grad_a[i] : 0;
        }
        break;
    case MLP_SIGMOID: /* sigma' = a (1 - a) */
        for (ptrdiff_t i = 0; i < n * out; i++) {
            phi[i] = grad_a[i] * (a[i] * (1 - a[i]));
        }
        break;
    case MLP_TANH: /* sigma' = 1 - a^2 */
        for (ptrdiff_t i = 0; i < n * out; i++) {
            phi[i] = grad_a[i] * ((1 - a[i]) * (1 + a[i]));
        }
        break;
    case MLP_SOFTMAX:
        for (ptrdiff_t s = 0; s < n; s++) {
            softmax_backward(out, phi + s * out, a + s * out, grad_a + s * out);
        }
        break;
    default: /* MLP_LINEAR */
        for (ptrdiff_t i = 0; i < n * out; i++) {
            phi[i] = grad_a[i];
        }
    }
}
