/* softmax.c: the activations whose units depend on each other: softmax (section 3.3) and its logarithm, a row at a time. */

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

/* a_i = z_i - log(sum over k of e^{z_k}) = (z_i - max) - log(1 + rest) */
static void log_softmax_forward(ptrdiff_t out, real *a, const real *z, const real *c) {
    (void)c;
    softmax_row row = softmax_of(out, z, NONE);
    const real log_sum = real_log1p(row.rest);
    for (ptrdiff_t i = 0; i < out; i++) {
        a[i] = (z[i] == row.max ? 0 : z[i] - row.max) - log_sum;
    }
}

/* Its Jacobian is da_k/dz_i = (i = k) - e^{a_i}, hence phi_i = grad_i - e^{a_i} (sum over k of grad_k), where the sum may be
 * infinite if e^{a_i} is 0. */
static void log_softmax_backward(ptrdiff_t out, real *phi, const real *grad_a, const real *a, const real *c) {
    (void)c;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += grad_a[k];
    }
    const real total = sum_of_lanes(lanes);
    for (ptrdiff_t i = 0; i < out; i++) {
        const real share = real_exp(a[i]);
        phi[i] = share == 0 ? grad_a[i] : real_fma(-share, total, grad_a[i]);
    }
}
