/* norm.c: normalised numbers, whose mean is 0 and whose variance is 1, times a factor and plus a shift that are learned:
 *
 *     x_hat = (x - mean) / sqrt(variance + epsilon)        y = gamma x_hat + beta
 *
 * LayerNorm takes mean and variance of each row (Ba et al. 2016), BatchNorm those of each column of a batch (Ioffe & Szegedy
 * 2015). RMSNorm is LayerNorm with 0 for the mean and without beta (Zhang & Sennrich 2019): `centred` is false, beta NULL.
 *
 * A mean is rounded. What it is off by is the mean of the deviations from it, by which it and the variance are corrected (Chan,
 * Golub & LeVeque 1983): so numbers that are all the same have exactly that mean.
 */

/* ---- a row: LayerNorm and RMSNorm ------------------------------------------------------------------------------- */

/* The mean of a row, and 1 / sqrt(variance + epsilon). */
typedef struct {
    real mean, inverse;
} row_moments;

static row_moments moments_of_row(bool centred, ptrdiff_t out, const real *x, real epsilon) {
    real lanes[LANES] = {0}, deviations[LANES] = {0}, squares[LANES] = {0};
    for (ptrdiff_t k = 0; k < out; k++) {
        lanes[k % LANES] += x[k];
    }
    const real mean = centred ? sum_of_lanes(lanes) / (real)out : 0;
    for (ptrdiff_t k = 0; k < out; k++) {
        const real deviation = x[k] - mean;
        deviations[k % LANES] += deviation;
        squares[k % LANES] += deviation * deviation;
    }
    const real off = centred ? sum_of_lanes(deviations) / (real)out : 0;
    const real variance = sum_of_lanes(squares) / (real)out - off * off;
    return (row_moments){.mean = mean + off, .inverse = 1 / real_sqrt((variance < 0 ? 0 : variance) + epsilon)};
}

/* y_k = gamma_k x_hat_k + beta_k; the moments of each row go to `moments` (n, 2), unless that is NULL */
static void layer_norm_forward(bool centred, ptrdiff_t n, ptrdiff_t out, real *y, real *moments, const real *x,
                               const real *gamma, const real *beta, real epsilon) {
    for (ptrdiff_t s = 0; s < n; s++, x += out, y += out) {
        const row_moments row = moments_of_row(centred, out, x, epsilon);
        for (ptrdiff_t k = 0; k < out; k++) {
            y[k] = real_fma(gamma[k], (x[k] - row.mean) * row.inverse, beta ? beta[k] : 0);
        }
        if (moments) {
            moments[2 * s] = row.mean;
            moments[2 * s + 1] = row.inverse;
        }
    }
}

/* With g_k = gamma_k grad_y_k, of y_k = gamma_k x_hat_k + beta_k:
 * grad_x_k = (g_k - mean(g) - x_hat_k mean(g x_hat)) / sqrt(variance + epsilon); not centred: without mean(g) */
static void layer_norm_backward_x(bool centred, ptrdiff_t n, ptrdiff_t out, real *grad_x, const real *grad_y,
                                  const real *x, const real *moments, const real *gamma) {
    for (ptrdiff_t s = 0; s < n; s++, x += out, grad_x += out, grad_y += out) {
        const real mean = moments[2 * s], inverse = moments[2 * s + 1];
        real lanes[LANES] = {0}, lanes_of_x_hat[LANES] = {0};
        for (ptrdiff_t k = 0; k < out; k++) {
            const real g = gamma[k] * grad_y[k];
            lanes[k % LANES] += g;
            lanes_of_x_hat[k % LANES] += g * ((x[k] - mean) * inverse);
        }
        const real mean_g = centred ? sum_of_lanes(lanes) / (real)out : 0;
        const real mean_g_x_hat = sum_of_lanes(lanes_of_x_hat) / (real)out;
        for (ptrdiff_t k = 0; k < out; k++) {
            const real x_hat = (x[k] - mean) * inverse;
            grad_x[k] = inverse * real_fma(-x_hat, mean_g_x_hat, gamma[k] * grad_y[k] - mean_g);
        }
    }
}

/* grad_gamma_k = sum over the samples of grad_y_k x_hat_k, in double. grad_beta is the sum of grad_y: dense_backward_b. */
static void layer_norm_backward_gamma(ptrdiff_t n, ptrdiff_t out, real *grad_gamma, const real *grad_y, const real *x,
                                      const real *moments) {
    for (ptrdiff_t k = 0; k < out; k++) {
        double sum = 0;
        for (ptrdiff_t s = 0; s < n; s++) {
            const real x_hat = (x[s * out + k] - moments[2 * s]) * moments[2 * s + 1];
            sum += (double)grad_y[s * out + k] * (double)x_hat;
        }
        grad_gamma[k] = (real)sum;
    }
}

/* ---- a column: BatchNorm ---------------------------------------------------------------------------------------- */

/* Mean and variance of each column, in which row s counts weight_s; weight NULL: 1. Rows that all weigh 0 have none: 0. */
static void batch_norm_moments(ptrdiff_t n, ptrdiff_t out, real *mean, real *variance, const real *x,
                               const real *weight) {
    const double total = batch_weight(n, weight);
    for (ptrdiff_t k = 0; k < out; k++) {
        double sum = 0, deviations = 0, squares = 0;
        for (ptrdiff_t s = 0; s < n; s++) {
            sum += (weight ? (double)weight[s] : 1) * (double)x[s * out + k];
        }
        const double centre = total > 0 ? sum / total : 0;
        for (ptrdiff_t s = 0; s < n; s++) {
            const double deviation = (double)x[s * out + k] - centre;
            const double weighted = (weight ? (double)weight[s] : 1) * deviation;
            deviations += weighted;
            squares += weighted * deviation;
        }
        const double off = total > 0 ? deviations / total : 0, square = total > 0 ? squares / total : 0;
        mean[k] = (real)(centre + off);
        variance[k] = (real)(square - off * off < 0 ? 0 : square - off * off);
    }
}

/* y_k = gamma_k (x_k - mean_k) / sqrt(variance_k + epsilon) + beta_k */
static void batch_norm_forward(ptrdiff_t n, ptrdiff_t out, real *y, const real *x, const real *mean,
                               const real *variance, const real *gamma, const real *beta, real epsilon) {
    for (ptrdiff_t k = 0; k < out; k++) {
        const real factor = gamma[k] * (1 / real_sqrt(variance[k] + epsilon));
        for (ptrdiff_t s = 0; s < n; s++) {
            y[s * out + k] = real_fma(x[s * out + k] - mean[k], factor, beta[k]);
        }
    }
}

/* Of y_k = gamma_k x_hat_k + beta_k: grad_beta_k = sum of grad_y_k, grad_gamma_k = sum of grad_y_k x_hat_k, in double.
 * grad_x_k = gamma_k / sqrt(variance_k + epsilon) (grad_y_k - share_s (grad_beta_k + x_hat_k grad_gamma_k)), where share_s is
 * what row s counts in the moments: 0 if they do not follow from the rows. grad_x may be NULL. */
static void batch_norm_backward(ptrdiff_t n, ptrdiff_t out, real *grad_x, real *grad_gamma, real *grad_beta,
                                const real *grad_y, const real *x, const real *mean, const real *variance,
                                const real *gamma, real epsilon, const real *share) {
    for (ptrdiff_t k = 0; k < out; k++) {
        const real inverse = 1 / real_sqrt(variance[k] + epsilon);
        double sum = 0, sum_of_x_hat = 0;
        for (ptrdiff_t s = 0; s < n; s++) {
            const real x_hat = (x[s * out + k] - mean[k]) * inverse;
            sum += (double)grad_y[s * out + k];
            sum_of_x_hat += (double)grad_y[s * out + k] * (double)x_hat;
        }
        grad_beta[k] = (real)sum;
        grad_gamma[k] = (real)sum_of_x_hat;
        for (ptrdiff_t s = 0; grad_x && s < n; s++) {
            const real x_hat = (x[s * out + k] - mean[k]) * inverse;
            const real moved = real_fma(x_hat, grad_gamma[k], grad_beta[k]);
            grad_x[s * out + k] = gamma[k] * inverse * real_fma(-share[s], moved, grad_y[s * out + k]);
        }
    }
}
