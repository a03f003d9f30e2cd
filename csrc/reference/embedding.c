/* embedding.c: y = x with a row of a table in place of each column that tells a category (Bengio et al. 2003). Column `column` of
 * x holds numbers of categories, 0 ... categories - 1; category k is replaced by row k of the table, `dim` numbers that are
 * learned. The other columns are handed on, in their order.
 *
 * Backward, row k of a table's gradient is the sum of the gradients to the numbers that came from it, over the samples of
 * category k in their order; 0 if there are none. A category has no gradient.
 *
 * Whoever calls makes sure that x holds categories. What is none counts as the nearest, so that no number reads or writes
 * beyond a table.
 */
static inline ptrdiff_t row_of_category(real x, ptrdiff_t categories) {
    if (!(x > 0)) {
        return 0;
    }
    const ptrdiff_t row = x < (real)categories ? (ptrdiff_t)x : categories;
    return row < categories ? row : categories - 1;
}

static void embedding_forward(const mlp_embedding *e, ptrdiff_t n, real *y, const real *x, const real *params) {
    for (ptrdiff_t s = 0; s < n; s++) {
        ptrdiff_t i = 0, k = 0; /* columns of x and y */
        for (ptrdiff_t t = 0; t < e->tables; t++) {
            const mlp_table *table = &e->table[t];
            while (i < table->column) {
                y[s * e->out + k++] = x[s * e->in + i++];
            }
            const real *row =
                params + table->begin + row_of_category(x[s * e->in + i++], table->categories) * table->dim;
            for (ptrdiff_t j = 0; j < table->dim; j++) {
                y[s * e->out + k++] = row[j];
            }
        }
        while (i < e->in) {
            y[s * e->out + k++] = x[s * e->in + i++];
        }
    }
}

static void embedding_backward_tables(const mlp_embedding *e, ptrdiff_t n, real *grads, const real *grad_y,
                                      const real *x) {
    for (ptrdiff_t t = 0; t < e->tables; t++) {
        const mlp_table *table = &e->table[t];
        for (ptrdiff_t j = 0; j < table->categories * table->dim; j++) {
            grads[table->begin + j] = 0;
        }
        for (ptrdiff_t s = 0; s < n; s++) {
            const ptrdiff_t k = row_of_category(x[s * e->in + table->column], table->categories);
            for (ptrdiff_t j = 0; j < table->dim; j++) {
                grads[table->begin + k * table->dim + j] += grad_y[s * e->out + table->first + j];
            }
        }
    }
}
