/* metrics.c: what an accuracy counts. A row of outputs that holds a NaN is never right. */

/* The first of the largest numbers of a row; NONE if one of them is a NaN. */
static ptrdiff_t first_largest(ptrdiff_t out, const real *row) {
    ptrdiff_t first = 0;
    bool is_number = row[0] == row[0];
    for (ptrdiff_t k = 1; k < out; k++) {
        is_number = is_number && row[k] == row[k];
        first = row[k] > row[first] ? k : first;
    }
    return is_number ? first : NONE;
}

/* Whether the largest output is where the largest y is. A row of y that is all 0 has no class. */
static ptrdiff_t categorical_accuracy_of(ptrdiff_t out, const real *a, const real *y) {
    const ptrdiff_t answer = first_largest(out, a), class = first_largest(out, y);
    return answer != NONE && answer == class && y[class] > 0;
}

/* How many outputs are on the same side of 1/2 as y. */
static ptrdiff_t binary_accuracy_of(ptrdiff_t out, const real *a, const real *y) {
    ptrdiff_t right = 0;
    for (ptrdiff_t k = 0; k < out; k++) {
        right += a[k] == a[k] && (a[k] > REAL(0.5)) == (y[k] > REAL(0.5));
    }
    return right;
}

/* How many outputs are on the same side of 0 as y. */
static ptrdiff_t sign_accuracy_of(ptrdiff_t out, const real *a, const real *y) {
    ptrdiff_t right = 0;
    for (ptrdiff_t k = 0; k < out; k++) {
        right += a[k] == a[k] && (a[k] > 0) == (y[k] > 0);
    }
    return right;
}

static ptrdiff_t answers_per_row(mlp_metric_id metric, ptrdiff_t out) {
    return mlp_metrics[metric].traits & MLP_PER_OUTPUT ? out : 1;
}

/* The weights of the rows that are right, added up in ascending order; a row with several answers counts in part. */
static double count_correct(mlp_metric_id metric, ptrdiff_t n, ptrdiff_t out, const real *a, const real *y,
                            const real *weight) {
    double correct = 0;
    for (ptrdiff_t s = 0; s < n; s++) {
        ptrdiff_t right = 0;
        switch (metric) {
#define METRIC(ID, id, ...)                                                                                            \
    case MLP_##ID: right = id##_of(out, a + s * out, y + s * out); break;
#include "../catalogue/metrics.def"
        }
        correct += (weight ? (double)weight[s] : 1) * (double)right;
    }
    return correct / (double)answers_per_row(metric, out);
}
