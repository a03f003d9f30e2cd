/* embedding.inc.h: reference/embedding.c with whole runs of columns copied, and rows added in vectors. */

/* y = x of a few numbers; a call of memcpy would take longer. */
static ALWAYS_INLINE void copy_numbers(ptrdiff_t count, real *y, const real *x) {
    ptrdiff_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        vec_store(y + i, vec_load(x + i));
    }
    for (; i < count; i++) {
        y[i] = x[i];
    }
}

static void fast_embedding_forward(const mlp_embedding *e, ptrdiff_t n, real *y, const real *x, const real *params) {
    for (ptrdiff_t s = 0; s < n; s++, x += e->in, y += e->out) {
        ptrdiff_t i = 0, k = 0;
        for (ptrdiff_t t = 0; t < e->tables; t++) {
            const mlp_table *table = &e->table[t];
            copy_numbers(table->column - i, y + k, x + i);
            i = table->column;
            k = table->first + table->dim;
            const ptrdiff_t row = row_of_category(x[i++], table->categories);
            copy_numbers(table->dim, y + table->first, params + table->begin + row * table->dim);
        }
        copy_numbers(e->in - i, y + k, x + i);
    }
}

static ALWAYS_INLINE void add_numbers(ptrdiff_t count, real *sums, const real *x) {
    ptrdiff_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        vec_store(sums + i, vec_add(vec_load(sums + i), vec_load(x + i)));
    }
    for (; i < count; i++) {
        sums[i] += x[i];
    }
}

static void fast_embedding_backward_tables(const mlp_embedding *e, ptrdiff_t n, real *grads, const real *grad_y,
                                           const real *x) {
    for (ptrdiff_t t = 0; t < e->tables; t++) {
        const mlp_table *table = &e->table[t];
        real *const own = grads + table->begin;
        memset(own, 0, (size_t)(table->categories * table->dim) * sizeof *own);
        for (ptrdiff_t s = 0; s < n; s++) {
            const ptrdiff_t row = row_of_category(x[s * e->in + table->column], table->categories);
            add_numbers(table->dim, own + row * table->dim, grad_y + s * e->out + table->first);
        }
    }
}
