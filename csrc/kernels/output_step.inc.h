/* output_step.inc.h: output_step of reference/losses.c in vectors: the activation, the loss, phi^J and the count of what is right
 * in one, as training wants them.
 */

/* The place of the 1 in a row that is otherwise 0, as rows made of class indices are; NONE for other rows. */
static ptrdiff_t only_class_of(ptrdiff_t out, const real *y) {
    ptrdiff_t zeros = 0, class = NONE;
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const lane_set lanes = lanes_at(k, out);
        const vec numbers = load_lanes(y + k, lanes);
        const int lane = mask_lane(mask_in_lanes(vec_equal(numbers, vec_broadcast(1)), lanes));
        zeros += mask_count(mask_in_lanes(vec_equal(numbers, vec_broadcast(0)), lanes));
        class = lane >= 0 ? k + lane : class;
    }
    return zeros == out - 1 ? class : NONE;
}

/* softmax_cce of row s of some, whose one class counts whole: all sums over the row have one term, the value is -log of that
 * a, and phi is a, less 1 there. `a` holds e^(z - max). Returns whether the class has the largest a. */
static bool one_class_step(ptrdiff_t out, ptrdiff_t class, const softmax_rows *rows, ptrdiff_t s, real *a, real *value,
                           real *phi, const real *z, real scale) {
    const vec sum = vec_broadcast(1 + rows->rest[s]), share = vec_broadcast(scale);
    vec largest = vec_broadcast(0); /* of a, unless one is NaN, and then all are */
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const lane_set lanes = lanes_at(k, out);
        const vec of_a = vec_div(load_lanes(a + k, lanes), sum);
        store_lanes(a + k, of_a, lanes);
        store_lanes(phi + k, vec_mul(share, of_a), lanes);
        largest = vec_larger(largest, vec_in_lanes(of_a, largest, lanes));
    }
    phi[class] = scale * (a[class] - 1);
    *value = (below_max(rows->max[s], z[class]) + rows->log_sum[s]) + 0 * rows->log_sum[s]; /* see value_of_row */
    return a[class] == vec_reduce_max(largest) && first_place_of(a[class], out, a) == class;
}

/* What each row's e^z adds up to is found once, for a and for the value. */
static double softmax_cce_step(ptrdiff_t n, ptrdiff_t out, real *a, real *value, real *phi, const real *z,
                               const real *y, const real *scale, const real *c) {
    ptrdiff_t right = 0;
    for (ptrdiff_t begin = 0, count; begin < n; begin += count) {
        const ptrdiff_t at = begin * out;
        if (is_narrow(n - begin, out)) {
            count = rows_together(n - begin);
            right +=
                narrow_softmax_cce_step(count, out, a + at, value + begin, phi + at, z + at, y + at, scale + begin, c);
            continue;
        }
        count = rows_from(begin, n);
        softmax_rows rows = softmax_of_rows(count, out, a + at, z + at);
        for (ptrdiff_t s = 0; s < count; s++) {
            const ptrdiff_t row = at + s * out, class = c[0] == 0 ? only_class_of(out, y + row) : NONE;
            if (class != NONE) {
                right += one_class_step(out, class, &rows, s, a + row, value + begin + s, phi + row, z + row,
                                        scale[begin + s]);
                continue;
            }
            divide_row(out, a + row, 1 + rows.rest[s]);
            value[begin + s] = value_of_row(term_softmax_cce, out, &rows, s, z + row, y + row, c);
            phi_of_softmax_cce(out, phi + row, a + row, y + row, scale[begin + s], c);
            right += is_row_correct(out, a + row, y + row);
        }
    }
    return (double)right;
}

/* On the same side of 1/2; a NaN is on none. */
static inline mask vec_same_side(vec a, vec y) {
    const vec half = vec_broadcast(REAL(0.5)), one = vec_broadcast(1), zero = vec_broadcast(0);
    const mask same = vec_equal(vec_select(vec_less(half, a), one, zero), vec_select(vec_less(half, y), one, zero));
    return mask_and(same, vec_equal(a, a));
}

/* One output: e^{-|z|} is found once, for a and for the value. */
static double sigmoid_bce_step(ptrdiff_t n, real *a, real *value, real *phi, const real *z, const real *y,
                               const real *scale, const real *c) {
    const smoothing by = smoothing_of(YES_AND_NO, c);
    ptrdiff_t right = 0;
    for (ptrdiff_t s = 0; s < n; s += VEC_LANES) {
        const mask some = mask_first(n - s);
        const vec of_z = vec_load_masked(z + s, some), given = vec_load_masked(y + s, some);
        const vec of_y = vec_smoothed(given, by);
        const vec e = vec_exp(vec_minus_abs(of_z)), of_a = vec_sigmoid_from(of_z, e);
        vec_store_masked(a + s, of_a, some);
        vec_store_masked(value + s, vec_add(vec_sigmoid_bce_from(of_z, of_y, e), vec_broadcast(0)), some);
        vec_store_masked(phi + s, vec_mul(vec_load_masked(scale + s, some), vec_sub(of_a, of_y)), some);
        right += mask_count(mask_and(some, vec_same_side(of_a, given)));
    }
    return (double)right;
}

/* Both count what is right by the rule that belongs to them, each row once. */
static double fast_output_step(const REAL_NAME(mlp_loss) * loss, const REAL_NAME(mlp_activation) * sigma,
                               mlp_metric_id metric, ptrdiff_t n, ptrdiff_t out, real *a, real *value, real *phi,
                               const real *z, const real *y, const real *scale, const real *weight) {
    const mlp_pair_id pair = pair_of(loss->id, sigma->id);
    double right;
    if (pair == MLP_SOFTMAX_CCE && out > 1) {
        right = softmax_cce_step(n, out, a, value, phi, z, y, scale, loss->constants);
        if (metric == MLP_CATEGORICAL_ACCURACY && !weight) {
            return right;
        }
    } else if (pair == MLP_SIGMOID_BCE && out == 1) {
        right = sigmoid_bce_step(n, a, value, phi, z, y, scale, loss->constants);
        if (metric == MLP_BINARY_ACCURACY && !weight) {
            return right;
        }
    } else {
        fast_activation_forward(sigma, n, out, a, z);
        fast_output_loss(loss, sigma, n, out, value, z, a, y);
        fast_output_phi(loss, sigma, n, out, phi, z, a, y, scale);
    }
    return fast_count_correct(metric, n, out, a, y, weight);
}
