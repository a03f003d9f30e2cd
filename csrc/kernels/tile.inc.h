/* tile.inc.h: the micro-tile of a product, ROWS rows by VECS vectors of c held in registers while k runs.
 *
 *     c[r][j] = init[r][j] + sum over k of a[r][k] b[k][j]         one chain of fma a number, k ascending
 *
 * tiles.inc.h reads this text once for every ROWS and VECS, so that the bounds below are constants and every loop over
 * them unrolls into registers. The last vector ends with the last column, which may be inside the vector before: numbers
 * computed twice are the same, and no mask is needed. Only fewer columns than one vector has need one.
 */
#define TILE_PASTE(form, rows, vecs) tile_##form##_##rows##x##vecs
#define TILE_EXPAND(form, rows, vecs) TILE_PASTE(form, rows, vecs)
#define TILE(form) TILE_EXPAND(form, ROWS, VECS)

/* Where vector v begins if the last one begins at `last`. */
#define AT(v) ((v) < VECS - 1 ? (v) * VEC_LANES : last)

static ALWAYS_INLINE void TILE(any)(ptrdiff_t K, const real *a, ptrdiff_t a_row, ptrdiff_t a_step, const real *b,
                                    ptrdiff_t b_step, real *c, ptrdiff_t c_row, const real *init, ptrdiff_t init_row,
                                    ptrdiff_t last, lane_set lanes) {
    vec sum[ROWS][VECS];
    EACH (r, ROWS) {
        EACH (v, VECS) {
            sum[r][v] = init ? load_lanes(init + r * init_row + AT(v), lanes) : vec_broadcast(0);
        }
    }
    TWICE
    for (ptrdiff_t k = 0; k < K; k++) {
        vec of_b[VECS];
        EACH (v, VECS) {
            of_b[v] = load_lanes(b + AT(v), lanes);
        }
        EACH (r, ROWS) {
            vec of_a = vec_broadcast(a[r * a_row]);
            EACH (v, VECS) {
                sum[r][v] = vec_fma(of_a, of_b[v], sum[r][v]);
            }
        }
        a += a_step;
        b += b_step;
    }
    EACH (r, ROWS) {
        EACH (v, VECS) {
            store_lanes(c + r * c_row + AT(v), sum[r][v], lanes);
        }
    }
}

static ALWAYS_INLINE void TILE(either)(ptrdiff_t K, const real *a, ptrdiff_t a_row, ptrdiff_t a_step, const real *b,
                                       ptrdiff_t b_step, real *c, ptrdiff_t c_row, const real *init, ptrdiff_t init_row,
                                       ptrdiff_t columns) {
#if VECS == 1
    if (columns < VEC_LANES) {
        TILE(any)(K, a, a_row, a_step, b, b_step, c, c_row, init, init_row, 0, first_lanes(columns));
        return;
    }
#endif
    TILE(any)(K, a, a_row, a_step, b, b_step, c, c_row, init, init_row, columns - VEC_LANES, ALL_LANES);
}

/* a as it lies in the forward product: a row of it is contiguous. */
static void TILE(rows)(ptrdiff_t K, const real *a, ptrdiff_t a_row, const real *b, ptrdiff_t b_step, real *c,
                       ptrdiff_t c_row, const real *init, ptrdiff_t init_row, ptrdiff_t columns) {
    TILE(either)(K, a, a_row, 1, b, b_step, c, c_row, init, init_row, columns);
}

/* a transposed, as in grad_w = phiᵀ x: a column of it is contiguous. */
static void TILE(columns)(ptrdiff_t K, const real *a, ptrdiff_t a_step, const real *b, ptrdiff_t b_step, real *c,
                          ptrdiff_t c_row, const real *init, ptrdiff_t init_row, ptrdiff_t columns) {
    TILE(either)(K, a, 1, a_step, b, b_step, c, c_row, init, init_row, columns);
}

#undef AT
#undef TILE
#undef TILE_EXPAND
#undef TILE_PASTE
