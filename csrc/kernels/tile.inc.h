/* tile.inc.h: the micro-tile of a product, ROWS rows by VECS vectors of c held in registers while k runs.
 *
 *     c[r][j] = init[r][j] + sum over k of a[r][k] b[k][j]         one chain of fma a number, k ascending
 *
 * tiles.inc.h reads this text once for every ROWS and VECS, so that the bounds below are constants and every loop over
 * them unrolls into registers. Of b's and c's last vector only the lanes in `last` are touched.
 */
#define TILE_PASTE(form, rows, vecs) tile_##form##_##rows##x##vecs
#define TILE_EXPAND(form, rows, vecs) TILE_PASTE(form, rows, vecs)
#define TILE(form) TILE_EXPAND(form, ROWS, VECS)

static ALWAYS_INLINE void TILE(any)(ptrdiff_t K, const real *a, ptrdiff_t a_row, ptrdiff_t a_step, const real *b,
                                    ptrdiff_t b_step, real *c, ptrdiff_t c_row, const real *init, ptrdiff_t init_row,
                                    lane_set last) {
    vec sum[ROWS][VECS];
    EACH (r, ROWS) {
        EACH (v, VECS) {
            sum[r][v] = vec_all(0);
            if (init) {
                sum[r][v] = load_lanes(init + r * init_row + v * VEC_LANES, v < VECS - 1 ? ALL_LANES : last);
            }
        }
    }
    TWICE
    for (ptrdiff_t k = 0; k < K; k++) {
        vec of_b[VECS];
        EACH (v, VECS) {
            of_b[v] = load_lanes(b + v * VEC_LANES, v < VECS - 1 ? ALL_LANES : last);
        }
        EACH (r, ROWS) {
            vec of_a = vec_all(a[r * a_row]);
            EACH (v, VECS) {
                sum[r][v] = vec_fma(of_a, of_b[v], sum[r][v]);
            }
        }
        a += a_step;
        b += b_step;
    }
    EACH (r, ROWS) {
        EACH (v, VECS) {
            store_lanes(c + r * c_row + v * VEC_LANES, sum[r][v], v < VECS - 1 ? ALL_LANES : last);
        }
    }
}

/* Most tiles have whole vectors only, and a mask in the loop over k would cost them a twentieth of their speed. */
static ALWAYS_INLINE void TILE(either)(ptrdiff_t K, const real *a, ptrdiff_t a_row, ptrdiff_t a_step, const real *b,
                                       ptrdiff_t b_step, real *c, ptrdiff_t c_row, const real *init, ptrdiff_t init_row,
                                       mask last) {
    if (mask_count(last) == VEC_LANES) {
        TILE(any)(K, a, a_row, a_step, b, b_step, c, c_row, init, init_row, ALL_LANES);
    } else {
        TILE(any)(K, a, a_row, a_step, b, b_step, c, c_row, init, init_row, (lane_set){.some = last});
    }
}

/* a as it lies in the forward product: a row of it is contiguous. */
static void TILE(rows)(ptrdiff_t K, const real *a, ptrdiff_t a_row, const real *b, ptrdiff_t b_step, real *c,
                       ptrdiff_t c_row, const real *init, ptrdiff_t init_row, mask last) {
    TILE(either)(K, a, a_row, 1, b, b_step, c, c_row, init, init_row, last);
}

/* a transposed, as in grad_w = phiᵀ x: a column of it is contiguous. */
static void TILE(columns)(ptrdiff_t K, const real *a, ptrdiff_t a_step, const real *b, ptrdiff_t b_step, real *c,
                          ptrdiff_t c_row, const real *init, ptrdiff_t init_row, mask last) {
    TILE(either)(K, a, 1, a_step, b, b_step, c, c_row, init, init_row, last);
}

#undef TILE
#undef TILE_EXPAND
#undef TILE_PASTE
