/* losses.c: the loss of each sample, its gradient to y_hat = a^J, and phi^J, its gradient to z^J (eq. 1, section 3).
 *
 * A loss has two entry points. From y_hat: what the formulas of the paper say, for any y_hat; a logarithm of 0 is cut off
 * at the smallest normal number, and one of infinity at the largest number, so that the value stays finite, and the
 * gradient is 0 where that cut is active. From z, with a known output activation: the same loss; the pairs of
 * catalogue/pairs.def never form the rounded a, so that they are exact to a few ulp and finite for every z, and every
 * other pair goes through a.
 *
 * Gradients carry the sample's scale, its share of the batch's mean (samples.c). Sums along a row: sums.h. `c` are the
 * constants of the loss's row in catalogue/losses.def.
 */

/* ------------------------------------------------------------------------------------ the loss and y_hat, any y_hat */

/* log p and log(1 - p), cut off at both ends so that they stay finite, and their derivatives to p. */
static real cut_log(real p) {
    return real_log(p < REAL_SMALLEST ? REAL_SMALLEST : p > REAL_LARGEST ? REAL_LARGEST : p);
}
static real cut_log_of_rest(real p) {
    return p >= 1 ? real_log(REAL_SMALLEST) : real_log1p(p < -REAL_LARGEST ? REAL_LARGEST : -p);
}
static real slope_of_cut_log(real p) { return p < REAL_SMALLEST ? 0 : 1 / p; }
static real slope_of_cut_log_of_rest(real p) { return p >= 1 ? 0 : -1 / (1 - p); }

/* A loss is two functions side by side: what unit k adds to the loss of its sample, and the derivative of that to y_hat.
 * Never written -fma(...): gcc turns that into an instruction that gives 0 another sign. */

/* (y_hat - y)^2                                                                                       (section 3.1.1) */
static real mse_term(real y_hat, real y, const real *c) { return (void)c, (y_hat - y) * (y_hat - y); }
static real mse_slope(real y_hat, real y, const real *c) { return (void)c, 2 * (y_hat - y); }

/* -y log y_hat - (1 - y) log(1 - y_hat)                                                               (section 3.2.1) */
static real bce_term(real y_hat, real y, const real *c) {
    return (void)c, real_fma(-y, cut_log(y_hat), (y - 1) * cut_log_of_rest(y_hat));
}
static real bce_slope(real y_hat, real y, const real *c) {
    return (void)c, real_fma(-y, slope_of_cut_log(y_hat), (y - 1) * slope_of_cut_log_of_rest(y_hat));
}

/* -y log y_hat                                                                                        (section 3.3.1) */
static real cce_term(real y_hat, real y, const real *c) { return (void)c, -y * cut_log(y_hat); }
static real cce_slope(real y_hat, real y, const real *c) { return (void)c, -y * slope_of_cut_log(y_hat); }

/* What a sample's terms are divided by. */
static real outputs_averaged(mlp_loss_id loss, ptrdiff_t out) {
    return mlp_losses[loss].traits & MLP_MEAN_OF_OUTPUTS ? (real)out : 1;
}

static real loss_term(const REAL_NAME(mlp_loss) * loss, real y_hat, real y) {
    switch (loss->id) {
#define LOSS(ID, id, ...)                                                                                              \
    case MLP_##ID: return id##_term(y_hat, y, loss->constants);
#include "../catalogue/losses.def"
    }
    return 0; /* not reached */
}

static real loss_slope(const REAL_NAME(mlp_loss) * loss, real y_hat, real y) {
    switch (loss->id) {
#define LOSS(ID, id, ...)                                                                                              \
    case MLP_##ID: return id##_slope(y_hat, y, loss->constants);
#include "../catalogue/losses.def"
    }
    return 0; /* not reached */
}

static void loss_value(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *value, const real *y_hat,
                       const real *y) {
    for (ptrdiff_t s = 0; s < n; s++) {
        real lanes[LANES] = {0};
        for (ptrdiff_t k = 0; k < out; k++) {
            lanes[k % LANES] += loss_term(loss, y_hat[s * out + k], y[s * out + k]);
        }
        value[s] = sum_of_lanes(lanes) / outputs_averaged(loss->id, out);
    }
}

static void loss_gradient(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *grad_a, const real *y_hat,
                          const real *y, const real *scale) {
    for (ptrdiff_t s = 0; s < n; s++) {
        real share = scale[s] / outputs_averaged(loss->id, out);
        for (ptrdiff_t k = 0; k < out; k++) {
            grad_a[s * out + k] = share * loss_slope(loss, y_hat[s * out + k], y[s * out + k]);
        }
    }
}

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
static real sigmoid_bce_loss(ptrdiff_t out, const real *z, const real *a, const real *y) {
    (void)a;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += sigmoid_bce(z[k], y[k]);
    }
    return sum_of_lanes(lanes);
}

static void sigmoid_bce_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale) {
    (void)z;
    for (ptrdiff_t k = 0; k < out; k++) {
        phi[k] = scale * (a[k] - y[k]);
    }
}

/* CCE: phi = -y (1 - a), where 1 - a = sigmoid(-z). */
static real sigmoid_cce_loss(ptrdiff_t out, const real *z, const real *a, const real *y) {
    (void)a;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += part_of(y[k], softplus(-z[k]));
    }
    return sum_of_lanes(lanes);
}

static void sigmoid_cce_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale) {
    (void)a;
    for (ptrdiff_t k = 0; k < out; k++) {
        phi[k] = scale * (-y[k] * real_sigmoid(-z[k]));
    }
}

/* ---------------------------------------------------------------------------------- the loss and z, softmax outputs */

/* max - z, which is 0 for the largest z, be it infinite. */
static real below_max(real max, real z) { return z == max ? 0 : max - z; }

/* -log a_k = log(sum over j of e^{z_j}) - z_k = (max - z_k) + log(1 + rest): both terms are >= 0. */
static real softmax_cce_loss(ptrdiff_t out, const real *z, const real *a, const real *y) {
    (void)a;
    softmax_row row = softmax_of(out, z, NONE);
    real log_sum = real_log1p(row.rest);
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += part_of(y[k], below_max(row.max, z[k]) + log_sum);
    }
    return sum_of_lanes(lanes);
}

/* phi = a sum(y) - y, which is the paper's a - y for every y that sums to 1, one-hot or not. */
static void softmax_cce_phi(ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, real scale) {
    (void)z;
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
static real softmax_bce_loss(ptrdiff_t out, const real *z, const real *a, const real *y) {
    if (out == 1) {
        return bce_term(a[0], y[0], NULL); /* a = 1 whatever z is */
    }
    softmax_row all = softmax_of(out, z, NONE);
    real log_sum = real_log1p(all.rest);
    ptrdiff_t top = above_one_half(out, a);
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        real minus_log = below_max(all.max, z[k]) + log_sum; /* of a_k, and of 1 - a_k: */
        real minus_log_rest = k == top ? log_sum - log_of_others(out, z, all, top) : -real_log1p(-a[k]);
        lanes[k % LANES] += part_of(y[k], minus_log) + part_of(1 - y[k], minus_log_rest);
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
                real i_without_k =
                    k == top ? real_exp(-below_max(others.max, z[i])) / (1 + others.rest) : a[i] / (1 - a[k]);
                lanes[k % LANES] += real_fma(a[i], y[k], -(1 - y[k]) * a[k] * i_without_k);
            }
        }
        phi[i] = scale * ((a[i] - y[i]) + sum_of_lanes(lanes));
    }
}

/* ----------------------------------------------------------------------------------------- the loss and z, any pair */

/* The row of catalogue/pairs.def for the two, if there is one. */
static mlp_pair_id pair_of(mlp_loss_id loss, mlp_activation_id sigma) {
#define PAIR(ID, id, LOSS_ID, ACTIVATION_ID, ...)                                                                      \
    if (loss == MLP_##LOSS_ID && sigma == MLP_##ACTIVATION_ID) {                                                       \
        return MLP_##ID;                                                                                               \
    }
#include "../catalogue/pairs.def"
    return MLP_THROUGH_A;
}

static void output_loss(const REAL_NAME(mlp_loss) * loss, const REAL_NAME(mlp_activation) * sigma, ptrdiff_t n,
                        ptrdiff_t out, real *value, const real *z, const real *a, const real *y) {
    switch (pair_of(loss->id, sigma->id)) {
    case MLP_THROUGH_A: loss_value(loss, n, out, value, a, y); break;
#define PAIR(ID, id, ...)                                                                                              \
    case MLP_##ID:                                                                                                     \
        for (ptrdiff_t s = 0; s < n; s++) {                                                                            \
            value[s] = id##_loss(out, z + s * out, a + s * out, y + s * out);                                          \
        }                                                                                                              \
        break;
#include "../catalogue/pairs.def"
    }
}

/* phi^J = gradient to a through sigma'(z^J) (eq. 1), except for the pairs that have their own. */
static void output_phi(const REAL_NAME(mlp_loss) * loss, const REAL_NAME(mlp_activation) * sigma, ptrdiff_t n,
                       ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, const real *scale) {
    switch (pair_of(loss->id, sigma->id)) {
    case MLP_THROUGH_A:
        loss_gradient(loss, n, out, phi, a, y, scale);
        activation_backward(sigma, n, out, phi, mlp_derivative_needs_z(sigma->id) ? z : a, phi);
        break;
#define PAIR(ID, id, ...)                                                                                              \
    case MLP_##ID:                                                                                                     \
        for (ptrdiff_t s = 0; s < n; s++) {                                                                            \
            id##_phi(out, phi + s * out, z + s * out, a + s * out, y + s * out, scale[s]);                             \
        }                                                                                                              \
        break;
#include "../catalogue/pairs.def"
    }
}

/* ------------------------------------------------------------------------------------------- all of it, for training */

static double output_step(const REAL_NAME(mlp_loss) * loss, const REAL_NAME(mlp_activation) * sigma,
                          mlp_metric_id metric, ptrdiff_t n, ptrdiff_t out, real *a, real *value, real *phi,
                          const real *z, const real *y, const real *scale, const real *weight) {
    activation_forward(sigma, n, out, a, z);
    output_loss(loss, sigma, n, out, value, z, a, y);
    output_phi(loss, sigma, n, out, phi, z, a, y, scale);
    return count_correct(metric, n, out, a, y, weight);
}
