/* losses.c: the loss of each sample, its gradient to y_hat = a^J, and phi^J, its gradient to z^J (eq. 1, section 3).
 *
 * A loss has two entry points. From y_hat: what the formulas of the paper say, for any y_hat; a logarithm of 0 is cut off
 * at the smallest normal number, and one of infinity at the largest number, so that the value stays finite, and the
 * gradient is 0 where that cut is active. From z, with a known output activation: the same loss; the pairs of
 * catalogue/pairs.def never form the rounded a, so that they are exact to a few ulp and finite for every z, and every
 * other pair goes through a.
 *
 * Gradients carry the sample's scale, its share of the batch's mean (samples.c). Sums along a row: sums.h. `c` are the
 * constants of the loss's row in catalogue/losses.def. loss_terms.c has what one output adds, loss_pairs.c the pairs.
 */
#include "loss_terms.c"

/* ------------------------------------------------------------------------------------ the loss and y_hat, any y_hat */

/* What a sample's terms are divided by. */
static real outputs_averaged(const REAL_NAME(mlp_loss) * loss, ptrdiff_t out) {
    return mlp_losses[loss->id].traits & MLP_MEAN_OF_OUTPUTS ? (real)out : 1;
}

static real loss_term(const REAL_NAME(mlp_loss) * loss, real y_hat, real y) {
    switch (loss->id) {
#define LOSS(ID, id, ...)                                                                                              \
    case MLP_##ID: return id##_term(y_hat, y, loss->constants);
#define PAIRED_LOSS(ID, ...)                                                                                           \
    case MLP_##ID: break;
#include "../catalogue/losses.def"
    }
    return 0; /* not reached */
}

static real loss_slope(const REAL_NAME(mlp_loss) * loss, real y_hat, real y) {
    switch (loss->id) {
#define LOSS(ID, id, ...)                                                                                              \
    case MLP_##ID: return id##_slope(y_hat, y, loss->constants);
#define PAIRED_LOSS(ID, ...)                                                                                           \
    case MLP_##ID: break;
#include "../catalogue/losses.def"
    }
    return 0; /* not reached */
}

/* y as the loss takes it. */
static real truth(const REAL_NAME(mlp_loss) * loss, ptrdiff_t out, real y) {
    const unsigned traits = mlp_losses[loss->id].traits;
    if (!(traits & MLP_SMOOTHED)) {
        return y;
    }
    return smoothed(y, traits & MLP_CLASSES ? out : YES_AND_NO, loss->constants);
}

/* ---- losses of pairs of outputs: output k and output out / 2 + k belong to y_k; y_k from out / 2 on is not read, and an output
 * without a partner counts for nothing */

static real paired_term(const REAL_NAME(mlp_loss) * loss, real first, real second, real y) {
    switch (loss->id) {
#define LOSS(ID, ...)                                                                                                  \
    case MLP_##ID: break;
#define PAIRED_LOSS(ID, id, ...)                                                                                       \
    case MLP_##ID: return id##_term(first, second, y, loss->constants);
#include "../catalogue/losses.def"
    }
    return 0; /* not reached */
}

static void paired_slopes(const REAL_NAME(mlp_loss) * loss, real first, real second, real y, real slopes[2]) {
    switch (loss->id) {
#define LOSS(ID, ...)                                                                                                  \
    case MLP_##ID: break;
#define PAIRED_LOSS(ID, id, ...)                                                                                       \
    case MLP_##ID: id##_slopes(first, second, y, loss->constants, slopes); break;
#include "../catalogue/losses.def"
    }
}

static real paired_value(const REAL_NAME(mlp_loss) * loss, ptrdiff_t out, const real *y_hat, const real *y) {
    const ptrdiff_t half = out / 2;
    real lanes[LANES] = {0};
    for (ptrdiff_t k = 0; k < half; k++) {
        lanes[k % LANES] += paired_term(loss, y_hat[k], y_hat[half + k], y[k]);
    }
    return sum_of_lanes(lanes);
}

static void paired_gradient(const REAL_NAME(mlp_loss) * loss, ptrdiff_t out, real *grad_a, const real *y_hat,
                            const real *y, real scale) {
    const ptrdiff_t half = out / 2;
    for (ptrdiff_t k = 0; k < half; k++) {
        real slopes[2] = {0};
        paired_slopes(loss, y_hat[k], y_hat[half + k], y[k], slopes);
        grad_a[k] = scale * slopes[0];
        grad_a[half + k] = scale * slopes[1];
    }
    if (out % 2 == 1) {
        grad_a[out - 1] = 0;
    }
}

/* ---- any of them */

static bool is_paired(const REAL_NAME(mlp_loss) * loss) { return mlp_losses[loss->id].traits & MLP_PAIRED; }

static void loss_value(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *value, const real *y_hat,
                       const real *y) {
    for (ptrdiff_t s = 0; s < n; s++) {
        if (is_paired(loss)) {
            value[s] = paired_value(loss, out, y_hat + s * out, y + s * out);
            continue;
        }
        real lanes[LANES] = {0};
        for (ptrdiff_t k = 0; k < out; k++) {
            lanes[k % LANES] += loss_term(loss, y_hat[s * out + k], truth(loss, out, y[s * out + k]));
        }
        value[s] = sum_of_lanes(lanes) / outputs_averaged(loss, out);
    }
}

static void loss_gradient(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *grad_a, const real *y_hat,
                          const real *y, const real *scale) {
    for (ptrdiff_t s = 0; s < n; s++) {
        if (is_paired(loss)) {
            paired_gradient(loss, out, grad_a + s * out, y_hat + s * out, y + s * out, scale[s]);
            continue;
        }
        real share = scale[s] / outputs_averaged(loss, out);
        for (ptrdiff_t k = 0; k < out; k++) {
            grad_a[s * out + k] = share * loss_slope(loss, y_hat[s * out + k], truth(loss, out, y[s * out + k]));
        }
    }
}

#include "loss_pairs.c"

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
            value[s] = id##_loss(out, z + s * out, a + s * out, y + s * out, loss->constants);                         \
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
            id##_phi(out, phi + s * out, z + s * out, a + s * out, y + s * out, scale[s], loss->constants);            \
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
