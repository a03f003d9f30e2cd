/* loss_terms.inc.h: reference/loss_terms.c in vectors: what one output adds to the loss, and its slope. The equations stand
 * there; a change there is a change here.
 */

static inline vec vec_cut(vec p) {
    const vec smallest = vec_broadcast(REAL_SMALLEST), largest = vec_broadcast(REAL_LARGEST);
    return vec_select(vec_less(p, smallest), smallest, vec_select(vec_less(largest, p), largest, p));
}
static inline vec vec_cut_log(vec p) { return vec_log(vec_cut(p)); }
static inline vec vec_cut_log_of_rest(vec p) {
    const vec lowest = vec_broadcast(-REAL_LARGEST), smallest = vec_log(vec_broadcast(REAL_SMALLEST));
    const vec rest = vec_log1p(vec_negative(vec_select(vec_less(p, lowest), lowest, p)));
    return vec_select(vec_less_equal(vec_broadcast(1), p), smallest, rest);
}
static inline vec vec_slope_of_cut_log(vec p) {
    const mask cut = vec_less(p, vec_broadcast(REAL_SMALLEST));
    return vec_select(cut, vec_broadcast(0), vec_div(vec_broadcast(1), p));
}
static inline vec vec_slope_of_cut_log_of_rest(vec p) {
    const vec one = vec_broadcast(1), slope = vec_div(vec_broadcast(-1), vec_sub(one, p));
    return vec_select(vec_less_equal(one, p), vec_broadcast(0), slope);
}

/* yes where x > 0, no where x < 0, and x itself where it is 0 or NaN */
static inline vec vec_by_sign(vec x, vec yes, vec no) {
    const vec zero = vec_broadcast(0);
    return vec_select(vec_less(zero, x), yes, vec_select(vec_less(x, zero), no, x));
}

/* ---- distances ---------------------------------------------------------------------------------------------------- */

static inline vec vec_mse_term(vec y_hat, vec y, const real *c) {
    const vec miss = vec_sub(y_hat, y);
    return (void)c, vec_mul(miss, miss);
}
static inline vec vec_mse_slope(vec y_hat, vec y, const real *c) {
    return (void)c, vec_mul(vec_broadcast(2), vec_sub(y_hat, y));
}

static inline vec vec_mae_term(vec y_hat, vec y, const real *c) { return (void)c, vec_abs(vec_sub(y_hat, y)); }
static inline vec vec_mae_slope(vec y_hat, vec y, const real *c) {
    return (void)c, vec_by_sign(vec_sub(y_hat, y), vec_broadcast(1), vec_broadcast(-1));
}

static inline vec vec_huber_term(vec y_hat, vec y, const real *c) {
    const vec miss = vec_abs(vec_sub(y_hat, y)), delta = vec_broadcast(c[0]), half = vec_broadcast(REAL(0.5));
    const vec near = vec_mul(vec_mul(half, miss), miss);
    return vec_select(vec_less_equal(miss, delta), near, vec_mul(delta, vec_sub(miss, vec_mul(half, delta))));
}
static inline vec vec_huber_slope(vec y_hat, vec y, const real *c) {
    const vec miss = vec_sub(y_hat, y), delta = vec_broadcast(c[0]), below = vec_broadcast(-c[0]);
    return vec_select(vec_less(delta, miss), delta, vec_select(vec_less(miss, below), below, miss));
}

static inline vec vec_log_cosh_term(vec y_hat, vec y, const real *c) {
    const vec miss = vec_abs(vec_sub(y_hat, y)), one = vec_broadcast(1);
    const vec u = vec_expm1(miss);
    const vec near = vec_log1p(vec_div(vec_mul(u, u), vec_mul(vec_broadcast(2), vec_add(one, u))));
    const vec rest = vec_log1p(vec_exp(vec_mul(vec_broadcast(-2), miss)));
    const vec far = vec_add(miss, vec_sub(rest, vec_broadcast(REAL(0.69314718055994531))));
    return (void)c, vec_select(vec_less_equal(miss, one), near, far);
}
static inline vec vec_log_cosh_slope(vec y_hat, vec y, const real *c) { return (void)c, vec_tanh(vec_sub(y_hat, y)); }

static inline vec vec_quantile_term(vec y_hat, vec y, const real *c) {
    const vec miss = vec_sub(y, y_hat);
    const vec share = vec_select(vec_less(vec_broadcast(0), miss), vec_broadcast(c[0]), vec_broadcast(c[0] - 1));
    return vec_mul(share, miss);
}
static inline vec vec_quantile_slope(vec y_hat, vec y, const real *c) {
    return vec_by_sign(vec_sub(y, y_hat), vec_broadcast(-c[0]), vec_broadcast(1 - c[0]));
}

/* ---- margins ------------------------------------------------------------------------------------------------------ */

static inline vec vec_hinge_term(vec y_hat, vec y, const real *c) {
    const vec lack = vec_fma(vec_negative(y), y_hat, vec_broadcast(1)), zero = vec_broadcast(0);
    return (void)c, vec_select(vec_less_equal(lack, zero), zero, lack);
}
static inline vec vec_hinge_slope(vec y_hat, vec y, const real *c) {
    const vec lack = vec_fma(vec_negative(y), y_hat, vec_broadcast(1)), zero = vec_broadcast(0);
    return (void)c, vec_select(vec_less_equal(lack, zero), zero, vec_negative(y));
}

static inline vec vec_squared_hinge_term(vec y_hat, vec y, const real *c) {
    const vec lack = vec_hinge_term(y_hat, y, c);
    return vec_mul(lack, lack);
}
static inline vec vec_squared_hinge_slope(vec y_hat, vec y, const real *c) {
    return vec_mul(vec_mul(vec_broadcast(-2), y), vec_hinge_term(y_hat, y, c));
}

/* ---- likelihoods -------------------------------------------------------------------------------------------------- */

static inline vec vec_bce_term(vec y_hat, vec y, const real *c) {
    const vec rest = vec_mul(vec_sub(y, vec_broadcast(1)), vec_cut_log_of_rest(y_hat));
    return (void)c, vec_fma(vec_negative(y), vec_cut_log(y_hat), rest);
}
static inline vec vec_bce_slope(vec y_hat, vec y, const real *c) {
    const vec rest = vec_mul(vec_sub(y, vec_broadcast(1)), vec_slope_of_cut_log_of_rest(y_hat));
    return (void)c, vec_fma(vec_negative(y), vec_slope_of_cut_log(y_hat), rest);
}

static inline vec vec_cce_term(vec y_hat, vec y, const real *c) {
    return (void)c, vec_mul(vec_negative(y), vec_cut_log(y_hat));
}
static inline vec vec_cce_slope(vec y_hat, vec y, const real *c) {
    return (void)c, vec_mul(vec_negative(y), vec_slope_of_cut_log(y_hat));
}

static inline vec vec_kl_divergence_term(vec y_hat, vec y, const real *c) {
    const vec p = vec_cut(y_hat), miss = vec_sub(y, p);
    const mask near = vec_less_equal(vec_abs(miss), vec_mul(vec_broadcast(REAL(0.5)), p));
    return (void)c, vec_mul(y, vec_select(near, vec_log1p(vec_div(miss, p)), vec_cut_log(vec_div(y, p))));
}
static inline vec vec_kl_divergence_slope(vec y_hat, vec y, const real *c) { return vec_cce_slope(y_hat, y, c); }

static inline vec vec_poisson_term(vec y_hat, vec y, const real *c) {
    return (void)c, vec_fma(vec_negative(y), vec_cut_log(y_hat), y_hat);
}
static inline vec vec_poisson_slope(vec y_hat, vec y, const real *c) {
    return (void)c, vec_fma(vec_negative(y), vec_slope_of_cut_log(y_hat), vec_broadcast(1));
}

static inline vec vec_power(vec x, real exponent) {
    vec product = vec_broadcast(1);
    for (; exponent >= 1; exponent -= 1) {
        product = vec_mul(product, x);
    }
    return exponent > 0 ? vec_mul(product, vec_exp(vec_mul(vec_broadcast(exponent), vec_log(x)))) : product;
}
static inline vec vec_focal_share(vec y, real alpha) {
    const vec rest = vec_mul(vec_broadcast(1 - alpha), vec_sub(vec_broadcast(1), y));
    return vec_fma(vec_broadcast(alpha), y, rest);
}
static inline vec vec_focal_turn(vec y) { return vec_sub(vec_broadcast(1), vec_mul(vec_broadcast(2), y)); }
static inline vec vec_focal_missed(vec y_hat, vec y) {
    const vec zero = vec_broadcast(0), one = vec_broadcast(1);
    const vec p = vec_select(vec_less(y_hat, zero), zero, vec_select(vec_less(one, y_hat), one, y_hat));
    return vec_fma(vec_focal_turn(y), p, y);
}
static inline vec vec_focal_term(vec y_hat, vec y, const real *c) {
    const vec power_of_missed = vec_power(vec_focal_missed(y_hat, y), c[0]);
    return vec_mul(vec_mul(vec_focal_share(y, c[1]), power_of_missed), vec_bce_term(y_hat, y, c));
}
static inline vec vec_focal_slope(vec y_hat, vec y, const real *c) {
    const vec zero = vec_broadcast(0), missed = vec_focal_missed(y_hat, y);
    const mask inside = mask_and(vec_less(zero, y_hat), vec_less(y_hat, vec_broadcast(1)));
    const vec turn = vec_mul(vec_broadcast(c[0]), vec_select(inside, vec_focal_turn(y), zero));
    const vec of_power = vec_mul(turn, vec_div(vec_bce_term(y_hat, y, c), missed));
    const vec inner = vec_add(vec_select(vec_less(zero, missed), of_power, zero), vec_bce_slope(y_hat, y, c));
    return vec_mul(vec_mul(vec_focal_share(y, c[1]), vec_power(missed, c[0])), inner);
}

/* ---- pairs, from z: reference/loss_pairs.c -------------------------------------------------------------------------- */

/* part_of of the reference, to the bit; vec_part_of gives 0 for a share of 0 of NaN. */
static inline vec vec_part_of_number(vec share, vec z) {
    const mask nothing = mask_and(vec_equal(share, vec_broadcast(0)), vec_equal(z, z));
    return vec_select(nothing, vec_broadcast(0), vec_mul(share, z));
}

/* From e = e^{-|z|}. */
static inline vec vec_softplus_from(vec z, vec e) {
    const vec zero = vec_broadcast(0);
    return vec_add(vec_select(vec_less(zero, z), z, zero), vec_log1p(e));
}

static inline vec vec_sigmoid_bce_from(vec z, vec y, vec e) {
    const vec share = vec_select(vec_less(vec_broadcast(0), z), vec_sub(vec_broadcast(1), y), vec_negative(y));
    return vec_add(vec_part_of(share, z), vec_log1p(e));
}
static inline vec vec_sigmoid_bce_term(vec z, vec y, const real *c) {
    return (void)c, vec_sigmoid_bce_from(z, y, vec_exp(vec_minus_abs(z)));
}

static inline vec vec_sigmoid_cce_term(vec z, vec y, const real *c) {
    return (void)c, vec_part_of_number(y, vec_softplus_from(vec_negative(z), vec_exp(vec_minus_abs(z))));
}
static inline vec vec_sigmoid_cce_slope(vec z, vec y, const real *c) {
    return (void)c, vec_mul(vec_negative(y), vec_sigmoid(vec_negative(z)));
}

static inline vec vec_sigmoid_kl_divergence_term(vec z, vec y, const real *c) {
    const vec minus_log = vec_softplus_from(vec_negative(z), vec_exp(vec_minus_abs(z)));
    return (void)c, vec_part_of_number(y, vec_add(vec_cut_log(y), minus_log));
}
static inline vec vec_sigmoid_kl_divergence_slope(vec z, vec y, const real *c) {
    return vec_sigmoid_cce_slope(z, y, c);
}

static inline vec vec_sigmoid_focal_term(vec z, vec y, const real *c) {
    const vec a = vec_sigmoid(z), rest = vec_sigmoid(vec_negative(z));
    const vec missed = vec_fma(a, vec_sub(vec_broadcast(1), y), vec_mul(rest, y));
    const vec share = vec_mul(vec_focal_share(y, c[1]), vec_power(missed, c[0]));
    return vec_part_of_number(share, vec_sigmoid_bce_term(z, y, c));
}
static inline vec vec_sigmoid_focal_slope(vec z, vec y, const real *c) {
    const vec zero = vec_broadcast(0), a = vec_sigmoid(z), rest = vec_sigmoid(vec_negative(z));
    const vec one_less_y = vec_sub(vec_broadcast(1), y), missed = vec_fma(a, one_less_y, vec_mul(rest, y));
    const vec quotient = vec_div(vec_mul(a, rest), missed);
    const vec turn = vec_mul(vec_mul(vec_broadcast(c[0]), vec_focal_turn(y)), quotient);
    const vec of_power =
        vec_part_of_number(vec_select(vec_less(zero, missed), turn, zero), vec_sigmoid_bce_term(z, y, c));
    const vec inner = vec_add(of_power, vec_fma(a, one_less_y, vec_mul(vec_negative(rest), y)));
    return vec_mul(vec_mul(vec_focal_share(y, c[1]), vec_power(missed, c[0])), inner);
}

static inline vec vec_softplus_poisson_term(vec z, vec y, const real *c) {
    const vec a = vec_softplus_forward(z, c);
    const mask far_below = vec_less(z, vec_broadcast(SOFTPLUS_IS_EXP));
    return vec_sub(a, vec_part_of_number(y, vec_select(far_below, z, vec_cut_log(a))));
}
static inline vec vec_softplus_poisson_slope(vec z, vec y, const real *c) {
    const vec slope = vec_sigmoid(z), quotient = vec_div(slope, vec_softplus_forward(z, c));
    const mask far_below = vec_less(z, vec_broadcast(SOFTPLUS_IS_EXP));
    return vec_fma(vec_negative(y), vec_select(far_below, vec_broadcast(1), quotient), slope);
}

static inline vec vec_exponential_poisson_term(vec z, vec y, const real *c) {
    return vec_sub(vec_exponential_forward(z, c), vec_part_of_number(y, z));
}
static inline vec vec_exponential_poisson_slope(vec z, vec y, const real *c) {
    return vec_sub(vec_exponential_forward(z, c), y);
}
