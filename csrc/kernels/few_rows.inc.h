/* few_rows.inc.h: a product with so few rows that there is nothing to use a panel of B for twice: one sample's forward,
 * and its phi passed back.
 *
 * A tile would have too few chains of fma to keep the processor busy, and would read B down its columns. Here B streams by
 * as it lies, some of its rows at a time, and every sum waits in C, a strip of which stays in L1. Where B lies transposed,
 * squares of it turn in registers, and nothing is packed.
 */

enum {
    FEW_ROWS = 3,
    DEEPEST = 8,                          /* rows of B at a time */
    STRIP = 8 * 1024 / (int)sizeof(real), /* columns */
};

/* One vector of each of `rows` rows of C: c += a B over `depth` <= DEEPEST rows of B. */
static ALWAYS_INLINE void add_vectors(int rows, int depth, const real *a, ptrdiff_t a_row, const real *b,
                                      ptrdiff_t b_row, real *c, ptrdiff_t c_row, lane_set which) {
    vec of_b[DEEPEST];
    EACH (k, depth) {
        of_b[k] = load_lanes(b + k * b_row, which);
    }
    EACH (r, rows) {
        vec sum = load_lanes(c + r * c_row, which);
        EACH (k, depth) {
            sum = vec_fma(vec_broadcast(a[r * a_row + k]), of_b[k], sum);
        }
        store_lanes(c + r * c_row, sum, which);
    }
}

static ALWAYS_INLINE void add_rows(int rows, int depth, ptrdiff_t columns, const real *a, ptrdiff_t a_row,
                                   const real *b, ptrdiff_t b_row, real *c, ptrdiff_t c_row) {
    ptrdiff_t j = 0;
    for (; j + VEC_LANES <= columns; j += VEC_LANES) {
        add_vectors(rows, depth, a, a_row, b + j, b_row, c + j, c_row, ALL_LANES);
    }
    if (j < columns) {
        add_vectors(rows, depth, a, a_row, b + j, b_row, c + j, c_row, first_lanes(columns - j));
    }
}

static ALWAYS_INLINE void multiply_rows(int rows, int depth, ptrdiff_t K, ptrdiff_t columns, const real *a,
                                        ptrdiff_t a_row, const real *b, ptrdiff_t b_row, real *c, ptrdiff_t c_row) {
    ptrdiff_t k = 0;
    for (; k + depth <= K; k += depth) {
        add_rows(rows, depth, columns, a + k, a_row, b + k * b_row, b_row, c, c_row);
    }
    for (; k < K; k++) {
        add_rows(rows, 1, columns, a + k, a_row, b + k * b_row, b_row, c, c_row);
    }
}

/* C = init + A B for `rows` <= FEW_ROWS rows; A and B as they lie. Row r of the sums begins at init + r * init_row. */
static void multiply_few_rows(ptrdiff_t rows, ptrdiff_t K, ptrdiff_t columns, const real *a, ptrdiff_t a_row,
                              const real *b, ptrdiff_t b_row, real *c, ptrdiff_t c_row, const real *init,
                              ptrdiff_t init_row) {
    for (ptrdiff_t j = 0; j < columns; j += STRIP) {
        const ptrdiff_t width = columns - j < STRIP ? columns - j : STRIP;
        for (ptrdiff_t r = 0; r < rows; r++) {
            if (init) {
                memcpy(c + r * c_row + j, init + r * init_row + j, (size_t)width * sizeof(real));
            } else {
                memset(c + r * c_row + j, 0, (size_t)width * sizeof(real));
            }
        }
        switch (rows) {
        case 1: multiply_rows(1, DEEPEST, K, width, a, a_row, b + j, b_row, c + j, c_row); break;
        case 2: multiply_rows(2, DEEPEST / 2, K, width, a, a_row, b + j, b_row, c + j, c_row); break;
        default: multiply_rows(3, DEEPEST / 2, K, width, a, a_row, b + j, b_row, c + j, c_row);
        }
    }
}

/* c += a b over a square of b, whose `depth` rows are columns of bt. */
static ALWAYS_INLINE void add_square(int rows, ptrdiff_t columns, ptrdiff_t depth, vec sum[FEW_ROWS], const real *a,
                                     ptrdiff_t a_row, const real *bt, ptrdiff_t bt_row) {
    vec square[VEC_LANES];
    load_transposed(square, columns, depth, bt, bt_row);
    EACH (k, VEC_LANES) {
        if (k < depth) {
            EACH (r, rows) {
                sum[r] = vec_fma(vec_broadcast(a[r * a_row + k]), square[k], sum[r]);
            }
        }
    }
}

/* `columns` <= VEC_LANES columns of C. */
static ALWAYS_INLINE void multiply_turned_rows(int rows, ptrdiff_t K, ptrdiff_t columns, const real *a, ptrdiff_t a_row,
                                               const real *bt, ptrdiff_t bt_row, real *c, ptrdiff_t c_row) {
    vec sum[FEW_ROWS];
    EACH (r, rows) {
        sum[r] = vec_broadcast(0);
    }
    ptrdiff_t k = 0;
    for (; columns == VEC_LANES && k + VEC_LANES <= K; k += VEC_LANES) {
        add_square(rows, VEC_LANES, VEC_LANES, sum, a + k, a_row, bt + k, bt_row);
    }
    for (; k < K; k += VEC_LANES) {
        add_square(rows, columns, at_most(K - k, VEC_LANES), sum, a + k, a_row, bt + k, bt_row);
    }
    const lane_set some = columns == VEC_LANES ? ALL_LANES : first_lanes(columns);
    EACH (r, rows) {
        store_lanes(c + r * c_row, sum[r], some);
    }
}

/* C = A B for `rows` <= FEW_ROWS rows; row j of bt is column j of B. */
static void multiply_few_turned(ptrdiff_t rows, ptrdiff_t K, ptrdiff_t columns, const real *a, ptrdiff_t a_row,
                                const real *bt, ptrdiff_t bt_row, real *c, ptrdiff_t c_row) {
    for (ptrdiff_t j = 0; j < columns; j += VEC_LANES) {
        const ptrdiff_t width = at_most(columns - j, VEC_LANES);
        switch (rows) {
        case 1: multiply_turned_rows(1, K, width, a, a_row, bt + j * bt_row, bt_row, c + j, c_row); break;
        case 2: multiply_turned_rows(2, K, width, a, a_row, bt + j * bt_row, bt_row, c + j, c_row); break;
        default: multiply_turned_rows(3, K, width, a, a_row, bt + j * bt_row, bt_row, c + j, c_row);
        }
    }
}
