/* pack.inc.h: copies a block of b so that a micro-tile reads it in one straight line.
 *
 *     b, K rows of N                          packed: panels of `width` columns, one after the other
 *     +---------+---------+----+              +---------+
 *     | 0 1 2 3 | 4 5 6 7 | 8 9|   row 0      | 0 1 2 3 |  row 0 of panel 0
 *     +---------+---------+----+       ->     +---------+
 *     |         |         |    |   row 1      |         |  row 1 of panel 0 ... row K-1, then panel 1
 *     +---------+---------+----+              +---------+
 *
 * The only place that transposes: b may lie in memory as its transpose.
 */

/* One panel: K rows of `columns` <= width numbers, each row `width` long in `packed`; the lanes beyond are not written. */
static void pack_panel_as_it_lies(ptrdiff_t K, ptrdiff_t columns, ptrdiff_t width, real *packed, const real *b,
                                  ptrdiff_t b_row) {
    ptrdiff_t full = columns / VEC_LANES * VEC_LANES;
    mask last = mask_first(columns - full);
    for (ptrdiff_t k = 0; k < K; k++) {
        for (ptrdiff_t j = 0; j < full; j += VEC_LANES) {
            vec_store(packed + j, vec_load(b + j));
        }
        if (full < columns) {
            vec_store_some(packed + full, vec_load_some(b + full, last), last);
        }
        packed += width;
        b += b_row;
    }
}

/* Row r of the square becomes column r: zipping row r with row r + VEC_LANES/2 moves one binary digit of every number's
 * position from its row to its lane; after log2(VEC_LANES) rounds all have changed places. */
static ALWAYS_INLINE void transpose(vec square[VEC_LANES]) {
    for (int round = 1; round < VEC_LANES; round *= 2) {
        vec zipped[VEC_LANES];
        for (int r = 0; r < VEC_LANES / 2; r++) {
            zipped[2 * r] = vec_zip_low(square[r], square[r + VEC_LANES / 2]);
            zipped[2 * r + 1] = vec_zip_high(square[r], square[r + VEC_LANES / 2]);
        }
        for (int r = 0; r < VEC_LANES; r++) {
            square[r] = zipped[r];
        }
    }
}

/* The same from bt, the transpose of b: b[k][j] is bt[j][k]. Squares of VEC_LANES numbers turn in registers. */
static void pack_panel_transposed(ptrdiff_t K, ptrdiff_t columns, ptrdiff_t width, real *packed, const real *bt,
                                  ptrdiff_t bt_row) {
    for (ptrdiff_t j = 0; j < columns; j += VEC_LANES) {
        ptrdiff_t rows = columns - j < VEC_LANES ? columns - j : VEC_LANES;
        for (ptrdiff_t k = 0; k < K; k += VEC_LANES) {
            ptrdiff_t depth = K - k < VEC_LANES ? K - k : VEC_LANES;
            mask some = mask_first(depth);
            vec square[VEC_LANES];
            for (int r = 0; r < VEC_LANES; r++) {
                square[r] = r < rows ? vec_load_some(bt + (j + r) * bt_row + k, some) : vec_all(0);
            }
            transpose(square);
            for (int r = 0; r < VEC_LANES && r < depth; r++) {
                vec_store(packed + (k + r) * width + j, square[r]);
            }
        }
    }
}

typedef enum { AS_IT_LIES, TRANSPOSED } orientation;

static void pack_panel(orientation b_lies, ptrdiff_t K, ptrdiff_t columns, ptrdiff_t width, real *packed, const real *b,
                       ptrdiff_t b_row) {
    if (b_lies == TRANSPOSED) {
        pack_panel_transposed(K, columns, width, packed, b, b_row);
    } else {
        pack_panel_as_it_lies(K, columns, width, packed, b, b_row);
    }
}
