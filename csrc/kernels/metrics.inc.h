/* metrics.inc.h: reference/metrics.c in vectors, for the rule that looks for the largest of a row. */

/* first_largest, and that number in *largest. */
static ptrdiff_t fast_first_largest(ptrdiff_t out, const real *row, real *largest) {
    ptrdiff_t numbers = 0;
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        mask some = mask_first(out - k);
        vec values = vec_load_masked(row + k, some);
        numbers += mask_count(mask_and(some, vec_equal(values, values)));
    }
    *largest = largest_of_row(out, row);
    for (ptrdiff_t k = 0; k < out && numbers == out; k += VEC_LANES) {
        mask some = mask_first(out - k);
        int lane = mask_lane(mask_and(some, vec_equal(vec_load_masked(row + k, some), vec_broadcast(*largest))));
        if (lane >= 0) {
            return k + lane;
        }
    }
    return NONE;
}

static bool is_row_correct(ptrdiff_t out, const real *a, const real *y) {
    real largest_a, largest_y;
    const ptrdiff_t answer = fast_first_largest(out, a, &largest_a);
    return answer != NONE && answer == fast_first_largest(out, y, &largest_y) && largest_y > 0;
}

static double fast_count_correct(mlp_metric_id metric, ptrdiff_t n, ptrdiff_t out, const real *a, const real *y,
                                 const real *weight) {
    if (metric != MLP_CATEGORICAL_ACCURACY) {
        return count_correct(metric, n, out, a, y, weight);
    }
    double correct = 0;
    for (ptrdiff_t s = 0, rows; s < n; s += rows) {
        const real *of_a = a + s * out, *of_y = y + s * out;
        if (!weight && is_narrow(n - s, out)) {
            rows = rows_together(n - s);
            correct += narrow_count_correct(rows, out, of_a, of_y);
        } else {
            rows = 1;
            correct += (weight ? (double)weight[s] : 1) * (double)is_row_correct(out, of_a, of_y);
        }
    }
    return correct;
}
