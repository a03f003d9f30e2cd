/* measures.inc.h: reference/measures.c in vectors: the largest output of a row. For the other sums the reference's text serves:
 * they are a small part of a batch.
 */

static void fast_count_answers(mlp_answers answers, real threshold, ptrdiff_t n, ptrdiff_t out, double *counts,
                               const real *a, const real *y, const real *weight) {
    if (answers != MLP_ANSWERS_CLASSES) {
        count_answers(answers, threshold, n, out, counts, a, y, weight);
        return;
    }
    for (ptrdiff_t s = 0; s < n; s++) {
        real largest_a, largest_y;
        const ptrdiff_t predicted = fast_first_largest(out, a + s * out, &largest_a),
                        actual = fast_first_largest(out, y + s * out, &largest_y);
        count_answer(counts, predicted, largest_y > 0 ? actual : NONE, weight_of(weight, s));
    }
}
