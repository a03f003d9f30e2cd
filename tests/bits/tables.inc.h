/* tables.inc.h: embeddings, of numbers of categories and of what is none. */

static void run_embedding_forward(const kernels *k, const job *j, real *const *at) {
    k->embedding_forward(&j->embedding, j->n, at[0], at[1], at[2]);
}

static void run_embedding_backward_tables(const kernels *k, const job *j, real *const *at) {
    k->embedding_backward_tables(&j->embedding, j->n, at[0], at[1], at[2]);
}

static void fill_categories(ptrdiff_t rows, ptrdiff_t width, real *values) {
    for (ptrdiff_t i = 0; i < rows * width; i++) {
        values[i] = random_below(8) ? (real)random_below(8) : wild();
    }
}

/* An embedding of `in` columns, of which about every second has a table. */
static void try_embedding(ptrdiff_t n, ptrdiff_t in, int offset) {
    enum { MOST_TABLES = 4 };
    mlp_table tables[MOST_TABLES];
    mlp_embedding e = {.in = in, .out = in, .table = tables};
    ptrdiff_t parameters = 0;
    for (ptrdiff_t column = random_below(2); column < in && e.tables < MOST_TABLES; column += 1 + random_below(3)) {
        const ptrdiff_t categories = 1 + random_below(9), dim = 1 + random_below(20);
        tables[e.tables++] = (mlp_table){column, column + e.out - in, categories, dim, parameters};
        e.out += dim - 1;
        parameters += categories * dim;
    }
    try_at(&(job){.kernel = "embedding_forward",
                  .run = run_embedding_forward,
                  .n = n,
                  .in = in,
                  .out = e.out,
                  .embedding = e,
                  .operands = {{"y", WRITTEN, n, e.out, NULL},
                               {"x", READ, n, in, fill_categories},
                               {"tables", READ, 1, parameters, fill_wild}}},
           offset);
    try_at(&(job){.kernel = "embedding_backward_tables",
                  .run = run_embedding_backward_tables,
                  .n = n,
                  .in = in,
                  .out = e.out,
                  .embedding = e,
                  .operands = {{"grad_tables", WRITTEN, 1, parameters, NULL},
                               {"grad_y", READ, n, e.out, random_below(4) ? fill_factors : fill_wild},
                               {"x", READ, n, in, fill_categories}}},
           offset);
}
