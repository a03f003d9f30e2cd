/* metrics.inc.h: reference/metrics.c in vectors. Every metric of the catalogue says here which text it runs: its own vector form,
 * or the reference's.
 */

/* The metric runs the reference's text. */
#define NO_VECTOR_METRIC(id)                                                                                           \
    static double fast_##id##_count(mlp_metric_id metric, ptrdiff_t n, ptrdiff_t out, const real *a, const real *y,    \
                                    const real *weight) {                                                              \
        return count_correct(metric, n, out, a, y, weight);                                                            \
    }

/* Where a number stands first in a row. */
static ptrdiff_t first_place_of(real number, ptrdiff_t out, const real *row) {
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const lane_set lanes = lanes_at(k, out);
        const int lane = mask_lane(mask_in_lanes(vec_equal(load_lanes(row + k, lanes), vec_broadcast(number)), lanes));
        if (lane >= 0) {
            return k + lane;
        }
    }
    return NONE;
}

/* first_largest, and that number in *largest. */
static ptrdiff_t fast_first_largest(ptrdiff_t out, const real *row, real *largest) {
    ptrdiff_t numbers = 0;
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const lane_set lanes = lanes_at(k, out);
        const vec values = load_lanes(row + k, lanes);
        numbers += mask_count(mask_in_lanes(vec_equal(values, values), lanes));
    }
    *largest = largest_of_row(out, row);
    return numbers == out ? first_place_of(*largest, out, row) : NONE;
}

static bool is_row_correct(ptrdiff_t out, const real *a, const real *y) {
    real largest_a, largest_y;
    const ptrdiff_t answer = fast_first_largest(out, a, &largest_a);
    return answer != NONE && answer == fast_first_largest(out, y, &largest_y) && largest_y > 0;
}

static double fast_categorical_accuracy_count(mlp_metric_id metric, ptrdiff_t n, ptrdiff_t out, const real *a,
                                              const real *y, const real *weight) {
    (void)metric;
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

NO_VECTOR_METRIC(binary_accuracy)
NO_VECTOR_METRIC(sign_accuracy)

static double fast_count_correct(mlp_metric_id metric, ptrdiff_t n, ptrdiff_t out, const real *a, const real *y,
                                 const real *weight) {
    switch (metric) {
#define METRIC(ID, id, ...)                                                                                            \
    case MLP_##ID: return fast_##id##_count(metric, n, out, a, y, weight);
#include "../catalogue/metrics.def"
    }
    return 0; /* not reached */
}
