/* loss_pairs.c: the loss of a row and phi^J from z, for the pairs of catalogue/pairs.def. `c` are the constants of the loss's row. */

enum { SOFTPLUS_IS_EXP = -40 }; /* below it log(1 + e^z) rounds to e^z */

/* ---------------------------------------------------------------------------------- the loss and z, sigmoid outputs */

/* softplus(z) = log(1 + e^z), written so that neither end overflows or cancels. -log sigmoid(z) = softplus(-z). */
static real softplus(real z) { return (z > 0 ? z : 0) + real_log1p(real_exp(-real_abs(z))); }

/* share * z, where a share of 0 leaves nothing of an infinite z; of NaN it leaves NaN. */
static real part_of(real share, real z) { return share == 0 && z == z ? 0 : share * z; }

/* -y log a - (1-y) log(1-a) = softplus(z) - y z, with the large parts of the two taken together first. */
static real sigmoid_bce(real z, real y) {
    return (z > 0 ? part_of(1 - y, z) : part_of(-y, z)) + real_log1p(real_exp(-real_abs(z)));
}

/* BCE: phi = a - y. The paper prints a minus in the second term of the gradient to a; with the right sign,
 * (-y/a + (1-y)/(1-a)) a (1-a) = a - y. */
static real sigmoid_bce_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    (void)a;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += sigmoid_bce(z[k], smoothed(y[k], YES_AND_NO, c));
    }
    return sum_of_lanes(lanes);
}

static void sigmoid_bce_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale,
                            const real *c) {
    (void)z;
    for (ptrdiff_t k = 0; k < out; k++) {
        phi[k] = scale * (a[k] - smoothed(y[k], YES_AND_NO, c));
    }
}

/* CCE: phi = -y (1 - a), where 1 - a = sigmoid(-z). The sign stands before 1 - a: where processors have the instruction,
 * gcc makes one of the fma in `smoothed` and a sign before it, and where the two terms of that cancel, its 0 has the other sign. */
static real sigmoid_cce_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    (void)a;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += part_of(smoothed(y[k], out, c), softplus(-z[k]));
    }
    return sum_of_lanes(lanes);
}

static void sigmoid_cce_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale,
                            const real *c) {
    (void)a;
    for (ptrdiff_t k = 0; k < out; k++) {
        phi[k] = scale * (smoothed(y[k], out, c) * -real_sigmoid(-z[k]));
    }
}

/* KL divergence: y (log y - log a), and phi as CCE, since y log y does not move. */
static real sigmoid_kl_divergence_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    (void)a, (void)c;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += part_of(y[k], cut_log(y[k]) + softplus(-z[k]));
    }
    return sum_of_lanes(lanes);
}

static void sigmoid_kl_divergence_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale,
                                      const real *c) {
    (void)a, (void)c;
    for (ptrdiff_t k = 0; k < out; k++) {
        phi[k] = scale * (-y[k] * real_sigmoid(-z[k]));
    }
}

/* Focal loss: share missed^gamma bce with missed = a (1 - y) + (1 - a) y, where 1 - a = sigmoid(-z).
 * phi = share missed^gamma (gamma (1 - 2y) a (1 - a) bce / missed + a - y), and a - y = a (1 - y) - (1 - a) y. */
static real sigmoid_focal_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        const real missed = real_fma(a[k], 1 - y[k], real_sigmoid(-z[k]) * y[k]);
        lanes[k % LANES] += part_of(focal_share(y[k], c[1]) * real_power(missed, c[0]), sigmoid_bce(z[k], y[k]));
    }
    return sum_of_lanes(lanes);
}

static void sigmoid_focal_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale,
                              const real *c) {
    for (ptrdiff_t k = 0; k < out; k++) {
        const real rest = real_sigmoid(-z[k]), missed = real_fma(a[k], 1 - y[k], rest * y[k]);
        const real turn = missed > 0 ? c[0] * (1 - 2 * y[k]) * (a[k] * rest / missed) : 0;
        const real inner = part_of(turn, sigmoid_bce(z[k], y[k])) + real_fma(a[k], 1 - y[k], -rest * y[k]);
        phi[k] = scale * (focal_share(y[k], c[1]) * real_power(missed, c[0]) * inner);
    }
}

/* ---------------------------------------------------------------------------------- the loss and z, softplus outputs */

/* Poisson: far below 0, where a = log(1 + e^z) is about to underflow, log a is z and sigma'(z) / a is 1. */
static real softplus_poisson_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    (void)c;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += a[k] - part_of(y[k], z[k] < SOFTPLUS_IS_EXP ? z[k] : cut_log(a[k]));
    }
    return sum_of_lanes(lanes);
}

/* (1 - y / a) sigma'(z) with sigma'(z) = sigmoid(z) */
static void softplus_poisson_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale,
                                 const real *c) {
    (void)c;
    for (ptrdiff_t k = 0; k < out; k++) {
        const real slope = real_sigmoid(z[k]);
        phi[k] = scale * real_fma(-y[k], z[k] < SOFTPLUS_IS_EXP ? 1 : slope / a[k], slope);
    }
}

/* ------------------------------------------------------------------------------ the loss and z, exponential outputs */

/* Poisson: log a = z, which has all the digits that e^z has lost where it underflows. */
static real exponential_poisson_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    (void)c;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += a[k] - part_of(y[k], z[k]);
    }
    return sum_of_lanes(lanes);
}

/* (1 - y / a) sigma'(z) with sigma'(z) = a */
static void exponential_poisson_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale,
                                    const real *c) {
    (void)z, (void)c;
    for (ptrdiff_t k = 0; k < out; k++) {
        phi[k] = scale * (a[k] - y[k]);
    }
}

/* ---------------------------------------------------------------------------------- the loss and z, softmax outputs */

/* max - z, which is 0 for the largest z, be it infinite. */
static real below_max(real max, real z) { return z == max ? 0 : max - z; }

/* -log a_k = log(sum over j of e^{z_j}) - z_k = (max - z_k) + log(1 + rest): both terms are >= 0. */
static real softmax_cce_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    (void)a;
    softmax_row row = softmax_of(out, z, NONE);
    real log_sum = real_log1p(row.rest);
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += part_of(smoothed(y[k], out, c), below_max(row.max, z[k]) + log_sum);
    }
    return sum_of_lanes(lanes);
}

/* phi = a sum(y) - y, which is the paper's a - y for every y that sums to 1, one-hot or not. */
static void softmax_cce_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale,
                            const real *c) {
    (void)z;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += smoothed(y[k], out, c);
    }
    real total = sum_of_lanes(lanes);
    for (ptrdiff_t k = 0; k < out; k++) {
        phi[k] = scale * real_fma(a[k], total, 0 - smoothed(y[k], out, c)); /* no sign before it: see sigmoid_cce */
    }
}

static const real NOT_SMOOTHED[MLP_HYPERS] = {0};

/* KL divergence: y (log y - log a), and phi as CCE. */
static real softmax_kl_divergence_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    (void)a, (void)c;
    softmax_row row = softmax_of(out, z, NONE);
    real log_sum = real_log1p(row.rest);
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += part_of(y[k], cut_log(y[k]) + (below_max(row.max, z[k]) + log_sum));
    }
    return sum_of_lanes(lanes);
}

static void softmax_kl_divergence_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale,
                                      const real *c) {
    (void)c;
    softmax_cce_phi(out, phi, z, a, y, scale, NOT_SMOOTHED);
}

/* Of log_softmax a is the logarithm of what softmax gives, and the cross-entropies are those of softmax: -sum of y_k a_k, which
 * is the negative log-likelihood of a class. */
static real log_softmax_cce_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    return softmax_cce_loss(out, z, a, y, c);
}

static void log_softmax_cce_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale,
                                const real *c) {
    (void)a;
    softmax_forward(out, phi, z, c);
    softmax_cce_phi(out, phi, z, phi, y, scale, c);
}

static real log_softmax_kl_divergence_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    return softmax_kl_divergence_loss(out, z, a, y, c);
}

static void log_softmax_kl_divergence_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y,
                                          real scale, const real *c) {
    (void)c;
    log_softmax_cce_phi(out, phi, z, a, y, scale, NOT_SMOOTHED);
}

/* Softmax with BCE needs 1 - a_k, which loses its digits where a_k is nearly 1. Only one k can have a_k > 1/2, called
 * top; without it the row is a softmax of its own, the others, and 1 - a_top = rest / (1 + rest). */
static ptrdiff_t above_one_half(ptrdiff_t out, const real *a) {
    ptrdiff_t top = NONE;
    for (ptrdiff_t k = 0; k < out; k++) {
        top = a[k] > REAL(0.5) ? k : top;
    }
    return top;
}

/* log rest, where `all.rest` itself may have underflowed */
static real log_of_others(ptrdiff_t out, const real *z, softmax_row all, ptrdiff_t top) {
    if (all.rest >= REAL_SMALLEST) {
        return real_log(all.rest);
    }
    softmax_row others = softmax_of(out, z, top);
    return (others.max - all.max) + real_log1p(others.rest);
}

/* -sum over k of y_k log a_k + (1 - y_k) log(1 - a_k) */
static real softmax_bce_loss(ptrdiff_t out, const real *z, const real *a, const real *y, const real *c) {
    if (out == 1) {
        return bce_term(a[0], smoothed(y[0], YES_AND_NO, c), c); /* a = 1 whatever z is */
    }
    softmax_row all = softmax_of(out, z, NONE);
    real log_sum = real_log1p(all.rest);
    ptrdiff_t top = above_one_half(out, a);
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        real minus_log = below_max(all.max, z[k]) + log_sum; /* of a_k, and of 1 - a_k: */
        real minus_log_rest = k == top ? log_sum - log_of_others(out, z, all, top) : -real_log1p(-a[k]);
        const real yes = smoothed(y[k], YES_AND_NO, c);
        lanes[k % LANES] += part_of(yes, minus_log) + part_of(1 - yes, minus_log_rest);
    }
    return sum_of_lanes(lanes);
}

/* The Jacobian of softmax applied to -y_k/a_k + (1-y_k)/(1-a_k), with every quotient that can overflow cancelled:
 * phi_i = a_i - y_i + sum over k != i of  a_i y_k - (1 - y_k) a_k (a_i / (1 - a_k)).
 * a_i / (1 - a_k) is the probability of i when k is ruled out; for k = top it is the softmax of the others. */
static void softmax_bce_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale,
                            const real *c) {
    if (out == 1) {
        phi[0] = 0; /* a = 1 whatever z is */
        return;
    }
    ptrdiff_t top = above_one_half(out, a);
    softmax_row others = softmax_of(out, z, top);
    for (ptrdiff_t i = 0; i < out; i++) {
        real lanes[LANES] = {0};
        for (ptrdiff_t k = 0; k < out; k++) {
            if (k != i) {
                real i_without_k =
                    k == top ? real_exp(-below_max(others.max, z[i])) / (1 + others.rest) : a[i] / (1 - a[k]);
                const real yes = smoothed(y[k], YES_AND_NO, c);
                lanes[k % LANES] += real_fma(a[i], yes, -(1 - yes) * a[k] * i_without_k);
            }
        }
        phi[i] = scale * ((a[i] - smoothed(y[i], YES_AND_NO, c)) + sum_of_lanes(lanes));
    }
}
