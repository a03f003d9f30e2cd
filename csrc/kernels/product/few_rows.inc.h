/* few_rows.inc.h: a product with so few rows that no panel of B would be used twice: the forward pass of one sample,
 * and its phi passed back.
 *
 * A micro-tile of so few rows has too few independent chains of fma, and reads B down its columns. Here B is read in
 * the order of memory, some rows at a time, and the sums are kept in C, a strip of which stays in L1. If B is
 * transposed, squares of it are transposed in registers. Nothing is packed.
 */

enum {
    FEW_ROWS = 3,
    MAX_DEPTH = 8,                        /* rows of B at a time */
    STRIP = 8 * 1024 / (int)sizeof(real), /* columns */
};

/* One vector of each of `rows` rows of C: c += a B over `depth` <= MAX_DEPTH rows of B. */
static ALWAYS_INLINE void add_vectors(int rows, int depth, const real *a, ptrdiff_t lda, const real *b, ptrdiff_t ldb,
                                      real *c, ptrdiff_t ldc, lane_set which) {
    vec of_b[MAX_DEPTH];
    EACH (k, depth) {
        of_b[k] = load_lanes(b + k * ldb, which);
    }
    EACH (r, rows) {
        vec sum = load_lanes(c + r * ldc, which);
        EACH (k, depth) {
            sum = vec_fma(vec_broadcast(a[r * lda + k]), of_b[k], sum);
        }
        store_lanes(c + r * ldc, sum, which);
    }
}

static ALWAYS_INLINE void add_rows(int rows, int depth, ptrdiff_t columns, const real *a, ptrdiff_t lda, const real *b,
                                   ptrdiff_t ldb, real *c, ptrdiff_t ldc) {
    ptrdiff_t j = 0;
    for (; j + VEC_LANES <= columns; j += VEC_LANES) {
        add_vectors(rows, depth, a, lda, b + j, ldb, c + j, ldc, ALL_LANES);
    }
    if (j < columns) {
        add_vectors(rows, depth, a, lda, b + j, ldb, c + j, ldc, first_lanes(columns - j));
    }
}

static ALWAYS_INLINE void multiply_rows(int rows, int depth, ptrdiff_t K, ptrdiff_t columns, const real *a,
                                        ptrdiff_t lda, const real *b, ptrdiff_t ldb, real *c, ptrdiff_t ldc) {
    ptrdiff_t k = 0;
    for (; k + depth <= K; k += depth) {
        add_rows(rows, depth, columns, a + k, lda, b + k * ldb, ldb, c, ldc);
    }
    for (; k < K; k++) {
        add_rows(rows, 1, columns, a + k, lda, b + k * ldb, ldb, c, ldc);
    }
}

/* C = init + A B for `rows` <= FEW_ROWS rows; neither A nor B transposed. */
static void multiply_few_rows(ptrdiff_t rows, ptrdiff_t K, ptrdiff_t columns, const real *a, ptrdiff_t lda,
                              const real *b, ptrdiff_t ldb, real *c, ptrdiff_t ldc, const real *init,
                              ptrdiff_t ld_init) {
    for (ptrdiff_t j = 0; j < columns; j += STRIP) {
        const ptrdiff_t width = at_most(columns - j, STRIP);
        for (ptrdiff_t r = 0; r < rows; r++) {
            if (init) {
                memcpy(c + r * ldc + j, init + r * ld_init + j, (size_t)width * sizeof(real));
            } else {
                memset(c + r * ldc + j, 0, (size_t)width * sizeof(real));
            }
        }
        if (rows == 1) {
            multiply_rows(1, MAX_DEPTH, K, width, a, lda, b + j, ldb, c + j, ldc);
        } else if (rows == 2) {
            multiply_rows(2, MAX_DEPTH / 2, K, width, a, lda, b + j, ldb, c + j, ldc);
        } else {
            multiply_rows(3, MAX_DEPTH / 2, K, width, a, lda, b + j, ldb, c + j, ldc);
        }
    }
}

/* c += a b over a square of B, whose `depth` rows are columns of bt. */
static ALWAYS_INLINE void add_square(int rows, ptrdiff_t columns, ptrdiff_t depth, vec sum[FEW_ROWS], const real *a,
                                     ptrdiff_t lda, const real *bt, ptrdiff_t ldb) {
    vec square[VEC_LANES];
    load_transposed(square, columns, depth, bt, ldb);
    EACH (k, VEC_LANES) {
        if (k < depth) {
            EACH (r, rows) {
                sum[r] = vec_fma(vec_broadcast(a[r * lda + k]), square[k], sum[r]);
            }
        }
    }
}

/* `columns` <= VEC_LANES columns of C. */
static ALWAYS_INLINE void multiply_rows_transposed(int rows, ptrdiff_t K, ptrdiff_t columns, const real *a,
                                                   ptrdiff_t lda, const real *bt, ptrdiff_t ldb, real *c,
                                                   ptrdiff_t ldc) {
    vec sum[FEW_ROWS];
    EACH (r, rows) {
        sum[r] = vec_broadcast(0);
    }
    ptrdiff_t k = 0;
    for (; columns == VEC_LANES && k + VEC_LANES <= K; k += VEC_LANES) {
        add_square(rows, VEC_LANES, VEC_LANES, sum, a + k, lda, bt + k, ldb);
    }
    for (; k < K; k += VEC_LANES) {
        add_square(rows, columns, at_most(K - k, VEC_LANES), sum, a + k, lda, bt + k, ldb);
    }
    const lane_set some = lanes_at(0, columns);
    EACH (r, rows) {
        store_lanes(c + r * ldc, sum[r], some);
    }
}

/* C = A B for `rows` <= FEW_ROWS rows; row j of bt is column j of B, and init is 0. */
static void multiply_few_rows_transposed(ptrdiff_t rows, ptrdiff_t K, ptrdiff_t columns, const real *a, ptrdiff_t lda,
                                         const real *bt, ptrdiff_t ldb, real *c, ptrdiff_t ldc) {
    for (ptrdiff_t j = 0; j < columns; j += VEC_LANES) {
        const ptrdiff_t width = at_most(columns - j, VEC_LANES);
        if (rows == 1) {
            multiply_rows_transposed(1, K, width, a, lda, bt + j * ldb, ldb, c + j, ldc);
        } else if (rows == 2) {
            multiply_rows_transposed(2, K, width, a, lda, bt + j * ldb, ldb, c + j, ldc);
        } else {
            multiply_rows_transposed(3, K, width, a, lda, bt + j * ldb, ldb, c + j, ldc);
        }
    }
}

static void multiply_few(const product_task *task, const region *part) {
    const ptrdiff_t rows = part->m_end - part->m, columns = part->n_end - part->n;
    const real *const a = a_at(task, part->m, 0), *const b = b_at(task, 0, part->n);
    real *const to = task->c + part->m * task->ldc + part->n;
    if (task->trans_b == TRANSPOSE) {
        multiply_few_rows_transposed(rows, task->K, columns, a, task->lda, b, task->ldb, to, task->ldc);
    } else {
        const real *const init = task->init ? task->init + part->m * task->ld_init + part->n : NULL;
        multiply_few_rows(rows, task->K, columns, a, task->lda, b, task->ldb, to, task->ldc, init, task->ld_init);
    }
    if (task->epilogue) {
        run_epilogue(task, part, to, task->ldc);
    }
}
