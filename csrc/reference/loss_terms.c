/* loss_terms.c: what one output adds to the loss of its sample, as a function of y_hat and y, and the derivative to y_hat.
 *
 * A loss is two functions side by side, term and slope. `c` are the constants of its row in catalogue/losses.def. A NaN in
 * y_hat makes the term NaN. Never written -fma(...): gcc turns that into an instruction that gives 0 another sign.
 */

/* log p and log(1 - p), cut off at both ends so that they stay finite, and their derivatives to p. */
static real cut_log(real p) {
    return real_log(p < REAL_SMALLEST ? REAL_SMALLEST : p > REAL_LARGEST ? REAL_LARGEST : p);
}
static real cut_log_of_rest(real p) {
    return p >= 1 ? real_log(REAL_SMALLEST) : real_log1p(p < -REAL_LARGEST ? REAL_LARGEST : -p);
}
static real slope_of_cut_log(real p) { return p < REAL_SMALLEST ? 0 : 1 / p; }
static real slope_of_cut_log_of_rest(real p) { return p >= 1 ? 0 : -1 / (1 - p); }

/* y, of which the share c[0] is spread over all answers: the classes of a row, or yes and no       (Szegedy et al. 2016) */
enum { YES_AND_NO = 2 };

static real smoothed(real y, ptrdiff_t answers, const real *c) { return real_fma(1 - c[0], y, c[0] / (real)answers); }

/* ---- distances: the mean over the outputs ------------------------------------------------------------------------- */

/* (y_hat - y)^2                                                                                       (section 3.1.1) */
static real mse_term(real y_hat, real y, const real *c) { return (void)c, (y_hat - y) * (y_hat - y); }
static real mse_slope(real y_hat, real y, const real *c) { return (void)c, 2 * (y_hat - y); }

/* |y_hat - y|; its slope is 0 at the kink */
static real mae_term(real y_hat, real y, const real *c) { return (void)c, real_abs(y_hat - y); }
static real mae_slope(real y_hat, real y, const real *c) {
    const real miss = y_hat - y;
    return (void)c, miss > 0 ? 1 : miss < 0 ? -1 : miss;
}

/* miss^2 / 2 up to a miss of delta = c[0], and from there on the straight line that continues it */
static real huber_term(real y_hat, real y, const real *c) {
    const real miss = real_abs(y_hat - y);
    return miss <= c[0] ? REAL(0.5) * miss * miss : c[0] * (miss - REAL(0.5) * c[0]);
}
static real huber_slope(real y_hat, real y, const real *c) {
    const real miss = y_hat - y;
    return miss > c[0] ? c[0] : miss < -c[0] ? -c[0] : miss;
}

/* log cosh miss. cosh x - 1 = u^2 / (2 (1 + u)) with u = e^x - 1 keeps the digits of a small miss; for a large one it is
 * x + log(1 + e^-2x) - log 2. The slope is tanh miss. */
static real log_cosh_term(real y_hat, real y, const real *c) {
    const real miss = real_abs(y_hat - y);
    const real u = real_expm1(miss);
    return (void)c, miss <= 1 ? real_log1p(u * u / (2 * (1 + u)))
                              : miss + (real_log1p(real_exp(-2 * miss)) - REAL(0.69314718055994531));
}
static real log_cosh_slope(real y_hat, real y, const real *c) { return (void)c, real_tanh(y_hat - y); }

/* quantile * miss where y_hat is too small by miss = y - y_hat, (1 - quantile) times it where it is too large. The best
 * y_hat is the quantile of y, quantile = c[0]. Its slope is 0 at the kink. */
static real quantile_term(real y_hat, real y, const real *c) {
    const real miss = y - y_hat;
    return miss > 0 ? c[0] * miss : (c[0] - 1) * miss;
}
static real quantile_slope(real y_hat, real y, const real *c) {
    const real miss = y - y_hat;
    return miss > 0 ? -c[0] : miss < 0 ? 1 - c[0] : miss;
}

/* ---- margins, y = -1 or 1: the mean over the outputs ---------------------------------------------------------------- */

/* max(0, 1 - y y_hat); its slope is 0 at the kink */
static real hinge_term(real y_hat, real y, const real *c) {
    const real lack = real_fma(-y, y_hat, 1);
    return (void)c, lack <= 0 ? 0 : lack;
}
static real hinge_slope(real y_hat, real y, const real *c) { return (void)c, real_fma(-y, y_hat, 1) <= 0 ? 0 : -y; }

/* max(0, 1 - y y_hat)^2 */
static real squared_hinge_term(real y_hat, real y, const real *c) {
    const real lack = hinge_term(y_hat, y, c);
    return lack * lack;
}
static real squared_hinge_slope(real y_hat, real y, const real *c) { return -2 * y * hinge_term(y_hat, y, c); }

/* ---- likelihoods: the sum over the outputs -------------------------------------------------------------------------- */

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

/* y log(y / y_hat). Where the two are near each other, y - y_hat is exact and keeps the digits. */
static real kl_divergence_term(real y_hat, real y, const real *c) {
    const real p = y_hat < REAL_SMALLEST ? REAL_SMALLEST : y_hat > REAL_LARGEST ? REAL_LARGEST : y_hat;
    const real miss = y - p;
    return (void)c, y * (real_abs(miss) <= REAL(0.5) * p ? real_log1p(miss / p) : cut_log(y / p));
}
static real kl_divergence_slope(real y_hat, real y, const real *c) { return cce_slope(y_hat, y, c); }

/* y_hat - y log y_hat: minus the logarithm of the Poisson distribution with mean y_hat, without log y!, which no weight
 * changes */
static real poisson_term(real y_hat, real y, const real *c) { return (void)c, real_fma(-y, cut_log(y_hat), y_hat); }
static real poisson_slope(real y_hat, real y, const real *c) {
    return (void)c, real_fma(-y, slope_of_cut_log(y_hat), 1);
}

/* x^exponent for x and exponent >= 0: products, and for what is left of an exponent that is not whole e^(left log x). */
static real real_power(real x, real exponent) {
    real product = 1;
    for (; exponent >= 1; exponent -= 1) {
        product *= x;
    }
    return exponent > 0 ? product * real_exp(exponent * real_log(x)) : product;
}

/* How much a sample of class y counts: alpha for y = 1, 1 - alpha for y = 0. */
static real focal_share(real y, real alpha) { return real_fma(alpha, y, (1 - alpha) * (1 - y)); }

/* share(y) missed^gamma bce(y_hat, y) with gamma = c[0], alpha = c[1], where missed = y_hat + y - 2 y_hat y is the probability
 * of the other answer; y_hat counts there as at most 1 and at least 0. */
static real focal_missed(real y_hat, real y) {
    const real p = y_hat < 0 ? 0 : y_hat > 1 ? 1 : y_hat;
    return real_fma(1 - 2 * y, p, y);
}
static real focal_term(real y_hat, real y, const real *c) {
    return focal_share(y, c[1]) * real_power(focal_missed(y_hat, y), c[0]) * bce_term(y_hat, y, c);
}
static real focal_slope(real y_hat, real y, const real *c) {
    const real missed = focal_missed(y_hat, y), turn = y_hat > 0 && y_hat < 1 ? 1 - 2 * y : 0;
    const real of_power = missed > 0 ? c[0] * turn * (bce_term(y_hat, y, c) / missed) : 0;
    return focal_share(y, c[1]) * real_power(missed, c[0]) * (of_power + bce_slope(y_hat, y, c));
}

/* (log v + (mean - y)^2 / v) / 2: minus the logarithm of the normal distribution with that mean and the variance v, without the
 * log(2 pi) / 2 that no weight changes. The outputs are the mean and log v, which any number can be; v is at least epsilon =
 * c[0], so that no sample that is hit exactly makes the loss fall without end. */
static real cut_log_variance(real log_variance, const real *c) {
    const real least = real_log(c[0]);
    return log_variance < least ? least : log_variance;
}
static real gaussian_nll_term(real mean, real log_variance, real y, const real *c) {
    const real log_v = cut_log_variance(log_variance, c), miss = mean - y;
    return REAL(0.5) * real_fma(miss * real_exp(-log_v), miss, log_v);
}
static void gaussian_nll_slopes(real mean, real log_variance, real y, const real *c, real slopes[2]) {
    const real log_v = cut_log_variance(log_variance, c), miss = mean - y, share = miss * real_exp(-log_v);
    slopes[0] = share;
    slopes[1] = log_variance < log_v ? 0 : REAL(0.5) * real_fma(-share, miss, 1);
}
