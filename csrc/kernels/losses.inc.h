/* losses.inc.h: reference/losses.c in vectors, for the pairs that people train with: MSE, sigmoid with BCE, softmax with
 * CCE. The other pairs, and a loss of a bare y_hat, run the reference's own text.
 */

/* --------------------------------------------------------------------------------- the value of each sample, a sum */

static inline vec squared_miss(vec y_hat, vec y, row_facts facts) {
    vec miss = vec_sub(y_hat, y);
    return (void)facts, vec_mul(miss, miss);
}

static inline vec vec_sigmoid_bce(vec z, vec y, row_facts facts) {
    vec right = vec_mul(vec_sub(vec_all(1), y), z), left = vec_mul(vec_negative(y), z);
    vec large = vec_pick(vec_less(vec_all(0), z), right, left);
    return (void)facts, vec_add(large, vec_log1p(vec_exp(vec_minus_abs(z))));
}

static inline vec vec_softmax_cce(vec z, vec y, row_facts facts) {
    vec minus_log = vec_add(vec_sub(facts.max, z), facts.log_sum);
    return vec_pick(vec_equal(y, vec_all(0)), vec_all(0), vec_mul(y, minus_log));
}

static void fast_output_loss(mlp_loss loss, mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, real *value,
                             const real *z, const real *a, const real *y) {
    const row_facts none = {0};
    if (loss == MLP_MSE) {
        for (ptrdiff_t s = 0; s < n; s++) {
            value[s] = row_sum(out, squared_miss, a + s * out, y + s * out, none) / (real)out;
        }
    } else if (loss == MLP_BCE && sigma == MLP_SIGMOID) {
        for (ptrdiff_t s = 0; s < n; s++) {
            value[s] = row_sum(out, vec_sigmoid_bce, z + s * out, y + s * out, none);
        }
    } else if (loss == MLP_CCE && sigma == MLP_SOFTMAX) {
        for (ptrdiff_t s = 0; s < n; s++) {
            softmax_row row = fast_softmax_of(out, NULL, z + s * out);
            row_facts facts = {.max = vec_all(row.max), .log_sum = vec_all(real_log1p(row.rest))};
            value[s] = row_sum(out, vec_softmax_cce, z + s * out, y + s * out, facts);
        }
    } else {
        output_loss(loss, sigma, n, out, value, z, a, y);
    }
}

/* ------------------------------------------------------------------------------ phi^J of each unit, times a scale */

static inline vec vec_mse_slope(vec y_hat, vec y, vec share) {
    return vec_mul(share, vec_mul(vec_all(2), vec_sub(y_hat, y)));
}

static inline vec vec_sigmoid_bce_phi(vec a, vec y, vec scale) { return vec_mul(scale, vec_sub(a, y)); }

static inline vec only_y(vec a, vec y, row_facts facts) { return (void)a, (void)facts, y; }

/* y_k = f(a_k, b_k, x) along a row */
static ALWAYS_INLINE void each_of_row(vec (*f)(vec, vec, vec), ptrdiff_t out, real *y, const real *a, const real *b,
                                      vec x) {
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        mask some = mask_first(out - k);
        vec_store_some(y + k, f(vec_load_some(a + k, some), vec_load_some(b + k, some), x), some);
    }
}

static void softmax_cce_phi_of_row(ptrdiff_t out, real *phi, const real *a, const real *y, real scale) {
    vec total = vec_all(row_sum(out, only_y, a, y, (row_facts){0}));
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        mask some = mask_first(out - k);
        vec miss = vec_fma(vec_load_some(a + k, some), total, vec_negative(vec_load_some(y + k, some)));
        vec_store_some(phi + k, vec_mul(vec_all(scale), miss), some);
    }
}

static void fast_output_phi(mlp_loss loss, mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, real *phi, const real *z,
                            const real *a, const real *y, const real *scale) {
    if (loss == MLP_MSE) {
        for (ptrdiff_t s = 0; s < n; s++) {
            vec share = vec_all(scale[s] / (real)out);
            each_of_row(vec_mse_slope, out, phi + s * out, a + s * out, y + s * out, share);
        }
        fast_activation_backward(sigma, n, out, phi, a, phi);
    } else if (loss == MLP_BCE && sigma == MLP_SIGMOID) {
        for (ptrdiff_t s = 0; s < n; s++) {
            each_of_row(vec_sigmoid_bce_phi, out, phi + s * out, a + s * out, y + s * out, vec_all(scale[s]));
        }
    } else if (loss == MLP_CCE && sigma == MLP_SOFTMAX) {
        for (ptrdiff_t s = 0; s < n; s++) {
            softmax_cce_phi_of_row(out, phi + s * out, a + s * out, y + s * out, scale[s]);
        }
    } else {
        output_phi(loss, sigma, n, out, phi, z, a, y, scale);
    }
}
