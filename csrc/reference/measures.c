/* measures.c: the sums over all samples that metrics are computed from (net/metrics.c), in ascending order of the rows and in
 * double. What a row counts is its weight, or 1.
 */

static double weight_of(const real *weight, ptrdiff_t s) { return weight ? (double)weight[s] : 1; }

/* The class of a row, where its largest y is. A row of y that is all 0 has none. */
static ptrdiff_t class_of(ptrdiff_t out, const real *y) {
    const ptrdiff_t class = first_largest(out, y);
    return class != NONE && y[class] > 0 ? class : NONE;
}

/* Whether the class of a row is among its k largest outputs; of equal ones the first comes first. */
static bool is_in_top_k(ptrdiff_t k, ptrdiff_t out, const real *a, const real *y) {
    const ptrdiff_t class = class_of(out, y);
    if (class == NONE || first_largest(out, a) == NONE) {
        return false;
    }
    ptrdiff_t before = 0;
    for (ptrdiff_t j = 0; j < out; j++) {
        before += a[j] > a[class] || (a[j] == a[class] && j < class);
    }
    return before < k;
}

static double count_top_k(ptrdiff_t k, ptrdiff_t n, ptrdiff_t out, const real *a, const real *y, const real *weight) {
    double right = 0;
    for (ptrdiff_t s = 0; s < n; s++) {
        right += weight_of(weight, s) * (double)is_in_top_k(k, out, a + s * out, y + s * out);
    }
    return right;
}

/* One answer: `predicted` where it should be `actual`; NONE: no class. */
static void count_answer(double *counts, ptrdiff_t predicted, ptrdiff_t actual, double weight) {
    if (actual != NONE) {
        counts[MLP_COUNTS * actual + MLP_ACTUAL] += weight;
    }
    if (predicted != NONE) {
        counts[MLP_COUNTS * predicted + MLP_PREDICTED] += weight;
        counts[MLP_COUNTS * predicted + MLP_RIGHT] += predicted == actual ? weight : 0;
    }
}

/* Class 0 or 1 by the side of the threshold that the only output is on. */
static ptrdiff_t side_of(real x, real threshold) { return x == x ? x > threshold : NONE; }

static void count_answers(mlp_answers answers, real threshold, ptrdiff_t n, ptrdiff_t out, double *counts,
                          const real *a, const real *y, const real *weight) {
    for (ptrdiff_t s = 0; s < n; s++) {
        const real *of_a = a + s * out, *of_y = y + s * out;
        const double w = weight_of(weight, s);
        switch (answers) {
        case MLP_ANSWERS_BINARY:
            count_answer(counts, side_of(of_a[0], threshold), side_of(of_y[0], threshold), w);
            break;
        case MLP_ANSWERS_CLASSES: count_answer(counts, first_largest(out, of_a), class_of(out, of_y), w); break;
        case MLP_ANSWERS_LABELS:
            for (ptrdiff_t k = 0; k < out; k++) {
                count_answer(counts, of_a[k] > threshold ? k : NONE, of_y[k] > threshold ? k : NONE, w);
            }
            break;
        case MLP_ANSWERS_NUMBERS: break;
        }
    }
}

static void add_errors(ptrdiff_t n, ptrdiff_t out, double *errors, const real *a, const real *y, const real *weight) {
    for (ptrdiff_t s = 0; s < n; s++) {
        for (ptrdiff_t k = 0; k < out; k++) {
            const double error = (double)a[s * out + k] - (double)y[s * out + k];
            errors[MLP_ERRORS * k + MLP_ABSOLUTE] += weight_of(weight, s) * fabs(error);
            errors[MLP_ERRORS * k + MLP_SQUARES] += weight_of(weight, s) * (error * error);
        }
    }
}
