/* losses.c: the loss of each sample, its gradient to y_hat = a^J, and phi^J, its gradient to z^J (eq. 1, section 3).
 *
 * Two doors lead to the same loss. From y_hat: what the formulas of the paper say, for any y_hat; a logarithm of 0 is
 * cut off at the smallest normal number so that the value stays finite, and the gradient is 0 where that cut is active.
 * From z: the same loss for a known output activation. Sigmoid and softmax with the cross-entropies never form the
 * rounded a there, so that they are exact to a few ulp and finite for every z; every other pair goes through a.
 *
 * Gradients carry the sample's scale, its share of the batch's mean (batch_scale). Sums along a row: sums.h.
 */

/* ------------------------------------------------------------------------------------ the loss and y_hat, any y_hat */

/* log p and log(1 - p), cut off so that they stay finite, and their derivatives to p. */
static real cut_log(real p) { return real_log(p < REAL_SMALLEST ? REAL_SMALLEST : p); }
static real cut_log_of_rest(real p) { return p >= 1 ? real_log(REAL_SMALLEST) : real_log1p(-p); }
static real slope_of_cut_log(real p) { return p < REAL_SMALLEST ? 0 : 1 / p; }
static real slope_of_cut_log_of_rest(real p) { return p >= 1 ? 0 : -1 / (1 - p); }

/* What unit k adds to the loss of its sample. Never written -fma(...): gcc makes of that what gives 0 another sign. */
static real loss_term(mlp_loss loss, real y_hat, real y) {
    switch (loss) {
    case MLP_BCE: return real_fma(-y, cut_log(y_hat), (y - 1) * cut_log_of_rest(y_hat)); /* section 3.2.1 */
    case MLP_CCE: return -y * cut_log(y_hat);                                            /* section 3.3.1 */
    default: return (y_hat - y) * (y_hat - y);                                           /* section 3.1.1 */
    }
}

/* The derivative of loss_term to y_hat. */
static real loss_slope(mlp_loss loss, real y_hat, real y) {
    switch (loss) {
    case MLP_BCE: return real_fma(-y, slope_of_cut_log(y_hat), (y - 1) * slope_of_cut_log_of_rest(y_hat));
    case MLP_CCE: return -y * slope_of_cut_log(y_hat);
    default: return 2 * (y_hat - y);
    }
}

/* MSE is a mean over the outputs, the cross-entropies are sums. */
static real outputs_averaged(mlp_loss loss, ptrdiff_t out) { return loss == MLP_MSE ? (real)out : 1; }

static void loss_value(mlp_loss loss, ptrdiff_t n, ptrdiff_t out, real *value, const real *y_hat, const real *y) {
    for (ptrdiff_t s = 0; s < n; s++) {
        real lanes[LANES] = {0};
        for (ptrdiff_t k = 0; k < out; k++) {
            lanes[k % LANES] += loss_term(loss, y_hat[s * out + k], y[s * out + k]);
        }
        value[s] = sum_of_lanes(lanes) / outputs_averaged(loss, out);
    }
}

static void loss_gradient(mlp_loss loss, ptrdiff_t n, ptrdiff_t out, real *grad_a, const real *y_hat, const real *y,
                          const real *scale) {
    for (ptrdiff_t s = 0; s < n; s++) {
        real share = scale[s] / outputs_averaged(loss, out);
        for (ptrdiff_t k = 0; k < out; k++) {
            grad_a[s * out + k] = share * loss_slope(loss, y_hat[s * out + k], y[s * out + k]);
        }
    }
}

/* ---------------------------------------------------------------------------------- the loss and z, sigmoid outputs */

/* softplus(z) = log(1 + e^z), written so that neither end overflows or cancels. -log sigmoid(z) = softplus(-z). */
static real softplus(real z) { return (z > 0 ? z : 0) + real_log1p(real_exp(-real_abs(z))); }

/* -y log a - (1-y) log(1-a) = softplus(z) - y z, with the large parts of the two taken together first. */
static real sigmoid_bce(real z, real y) { return (z > 0 ? (1 - y) * z : -y * z) + real_log1p(real_exp(-real_abs(z))); }

static real sigmoid_loss(mlp_loss loss, ptrdiff_t out, const real *z, const real *y) {
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += loss == MLP_BCE ? sigmoid_bce(z[k], y[k]) : y[k] * softplus(-z[k]);
    }
    return sum_of_lanes(lanes);
}

/* BCE: phi = a - y. The paper prints a minus in the second term of the gradient to a; with the right sign,
 * (-y/a + (1-y)/(1-a)) a (1-a) = a - y. CCE: phi = -y (1-a), where 1 - a = sigmoid(-z). */
static void sigmoid_phi(mlp_loss loss, ptrdiff_t out, real *phi, const real *z, const real *a, const real *y,
                        real scale) {
    for (ptrdiff_t k = 0; k < out; k++) {
        phi[k] = scale * (loss == MLP_BCE ? a[k] - y[k] : -y[k] * real_sigmoid(-z[k]));
    }
}

/* ---------------------------------------------------------------------------------- the loss and z, softmax outputs */

/* -log a_k = log(sum over j of e^{z_j}) - z_k = (max - z_k) + log(1 + rest): both terms are >= 0. */
static real softmax_cce(ptrdiff_t out, const real *z, const real *y) {
    softmax_row row = softmax_of(out, z, NONE);
    real log_sum = real_log1p(row.rest);
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += y[k] == 0 ? 0 : y[k] * ((row.max - z[k]) + log_sum);
    }
    return sum_of_lanes(lanes);
}

/* phi = a sum(y) - y, which is the paper's a - y for every y that sums to 1, one-hot or not. */
static void softmax_cce_phi(ptrdiff_t out, real *phi, const real *a, const real *y, real scale) {
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += y[k];
    }
    real total = sum_of_lanes(lanes);
    for (ptrdiff_t k = 0; k < out; k++) {
        phi[k] = scale * real_fma(a[k], total, -y[k]);
    }
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
static real softmax_bce(ptrdiff_t out, const real *z, const real *a, const real *y) {
    if (out == 1) {
        return loss_term(MLP_BCE, a[0], y[0]); /* a = 1 whatever z is */
    }
    softmax_row all = softmax_of(out, z, NONE);
    real log_sum = real_log1p(all.rest);
    ptrdiff_t top = above_one_half(out, a);
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        real minus_log = (all.max - z[k]) + log_sum; /* of a_k, and of 1 - a_k: */
        real minus_log_rest = k == top ? log_sum - log_of_others(out, z, all, top) : -real_log1p(-a[k]);
        lanes[k % LANES] += (y[k] == 0 ? 0 : y[k] * minus_log) + (y[k] == 1 ? 0 : (1 - y[k]) * minus_log_rest);
    }
    return sum_of_lanes(lanes);
}

/* The Jacobian of softmax applied to -y_k/a_k + (1-y_k)/(1-a_k), with every quotient that can overflow cancelled:
 * phi_i = a_i - y_i + sum over k != i of  a_i y_k - (1 - y_k) a_k (a_i / (1 - a_k)).
 * a_i / (1 - a_k) is the probability of i when k is ruled out; for k = top it is the softmax of the others. */
static void softmax_bce_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale) {
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
                real i_without_k = k == top ? real_exp(z[i] - others.max) / (1 + others.rest) : a[i] / (1 - a[k]);
                lanes[k % LANES] += real_fma(a[i], y[k], -(1 - y[k]) * a[k] * i_without_k);
            }
        }
        phi[i] = scale * ((a[i] - y[i]) + sum_of_lanes(lanes));
    }
}

/* ----------------------------------------------------------------------------------------- the loss and z, any pair */

/* Whether the pair is none of the four above. */
static int goes_through_a(mlp_loss loss, mlp_activation sigma) {
    return loss == MLP_MSE || (sigma != MLP_SIGMOID && sigma != MLP_SOFTMAX);
}

static void output_loss(mlp_loss loss, mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, real *value, const real *z,
                        const real *a, const real *y) {
    if (goes_through_a(loss, sigma)) {
        loss_value(loss, n, out, value, a, y);
        return;
    }
    for (ptrdiff_t s = 0; s < n; s++) {
        if (sigma == MLP_SIGMOID) {
            value[s] = sigmoid_loss(loss, out, z + s * out, y + s * out);
        } else if (loss == MLP_CCE) {
            value[s] = softmax_cce(out, z + s * out, y + s * out);
        } else {
            value[s] = softmax_bce(out, z + s * out, a + s * out, y + s * out);
        }
    }
}

/* phi^J = gradient to a through sigma'(z^J) (eq. 1), except for the four pairs above. */
static void output_phi(mlp_loss loss, mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, real *phi, const real *z,
                       const real *a, const real *y, const real *scale) {
    if (goes_through_a(loss, sigma)) {
        loss_gradient(loss, n, out, phi, a, y, scale);
        activation_backward(sigma, n, out, phi, a, phi);
        return;
    }
    for (ptrdiff_t s = 0; s < n; s++) {
        ptrdiff_t row = s * out;
        if (sigma == MLP_SIGMOID) {
            sigmoid_phi(loss, out, phi + row, z + row, a + row, y + row, scale[s]);
        } else if (loss == MLP_CCE) {
            softmax_cce_phi(out, phi + row, a + row, y + row, scale[s]);
        } else {
            softmax_bce_phi(out, phi + row, z + row, a + row, y + row, scale[s]);
        }
    }
}

/* --------------------------------------------------------------------------------------------- from sample to batch */

/* The sum of the weights; without weights each sample has 1. */
static double batch_weight(ptrdiff_t n, const real *weight) {
    if (!weight) {
        return (double)n;
    }
    double total = 0;
    for (ptrdiff_t s = 0; s < n; s++) {
        total += (double)weight[s];
    }
    return total;
}

/* scale_s = weight_s / sum of the weights, without weights 1/n; a batch whose weights are all 0 counts for nothing. */
static void batch_scale(ptrdiff_t n, real *scale, const real *weight) {
    double total = batch_weight(n, weight);
    for (ptrdiff_t s = 0; s < n; s++) {
        scale[s] = total > 0 ? (real)((weight ? (double)weight[s] : 1) / total) : 0;
    }
}

/* sum of weight_s value_s / sum of weight_s; without weights the plain mean. */
static double batch_mean(ptrdiff_t n, const real *value, const real *weight) {
    double total = batch_weight(n, weight);
    double sum = 0;
    for (ptrdiff_t s = 0; s < n; s++) {
        sum += (weight ? (double)weight[s] : 1) * (double)value[s];
    }
    return total > 0 ? sum / total : 0;
}

static ptrdiff_t first_largest(ptrdiff_t out, const real *row) {
    ptrdiff_t first = 0;
    for (ptrdiff_t k = 1; k < out; k++) {
        first = row[k] > row[first] ? k : first;
    }
    return first;
}

/* What an accuracy counts. With several outputs and BCE each output is a question of its own, else a row is one. */
static double rows_right(mlp_loss loss, ptrdiff_t n, ptrdiff_t out, const real *a, const real *y) {
    ptrdiff_t right = 0;
    if (loss == MLP_BCE || out == 1) {
        for (ptrdiff_t i = 0; i < n * out; i++) {
            right += (a[i] > REAL(0.5)) == (y[i] > REAL(0.5));
        }
        return (double)right / (double)out;
    }
    for (ptrdiff_t s = 0; s < n; s++) {
        right += first_largest(out, a + s * out) == first_largest(out, y + s * out);
    }
    return (double)right;
}

/* ------------------------------------------------------------------------------------------- all of it, for training */

static double output_step(mlp_loss loss, mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, real *a, real *value,
                          real *phi, const real *z, const real *y, const real *scale) {
    activation_forward(sigma, n, out, a, z);
    output_loss(loss, sigma, n, out, value, z, a, y);
    output_phi(loss, sigma, n, out, phi, z, a, y, scale);
    return rows_right(loss, n, out, a, y);
}
