/* pack.inc.h: copies a block of A or B into panels, which the micro-kernel reads from beginning to end.
 *
 *     B, K rows of N                          packed: panels of `width` columns, one after the other
 *     +---------+---------+----+              +---------+
 *     | 0 1 2 3 | 4 5 6 7 | 8 9|   row 0      | 0 1 2 3 |  row 0 of panel 0
 *     +---------+---------+----+       ->     +---------+
 *     |         |         |    |   row 1      |         |  row 1 of panel 0 ... row K-1, then panel 1
 *     +---------+---------+----+              +---------+
 *
 * A panel of B is as wide as the micro-tile that reads it: all have the same width, but for the first `larger`, which
 * are one vector wider, and the last, which may have fewer columns. If B is transposed in memory, squares of it are
 * transposed in registers on the way. A is packed only where it is transposed: a panel of it is the rows of one
 * micro-tile.
 */

/* A gap follows every panel of A. Panel t begins at packed_begin(rows, t, depth) if `rows` rows come before it. */
enum { A_GAP = VEC_LANES };
static ptrdiff_t packed_begin(ptrdiff_t rows, ptrdiff_t t, ptrdiff_t depth) { return rows * depth + t * A_GAP; }

/* Copies `width` elements, rounded up to whole vectors; only `left` may be read. */
static ALWAYS_INLINE void copy_vectors(real *to, const real *from, ptrdiff_t width, ptrdiff_t left) {
    if (left >= divided(width, VEC_LANES) * VEC_LANES) {
        for (ptrdiff_t j = 0; j < width; j += VEC_LANES) {
            vec_store(to + j, vec_load(from + j));
        }
    } else {
        for (ptrdiff_t j = 0; j < width; j += VEC_LANES) {
            vec_store(to + j, vec_load_masked(from + j, mask_first(left - j)));
        }
    }
}

enum {
    CACHE_LINE = 64 / (int)sizeof(real),
    PREFETCH_DISTANCE = 16, /* rows: hardware does not prefetch lines that are a leading dimension apart */
};

/* Packs `depth` rows of `source`. Panel i is part_size(panels, i) * unit columns wide. Whole vectors are copied: what
 * that writes beyond a panel's row, the next row overwrites; behind the last row lies the gap. Rows are the outer loop,
 * since a row of the source is contiguous. */
static void pack_panels(parts panels, ptrdiff_t unit, ptrdiff_t depth, ptrdiff_t columns, real *packed, ptrdiff_t gap,
                        const real *source, ptrdiff_t ld) {
    for (ptrdiff_t k = 0; k < depth; k++) {
        const real *from = source + k * ld, *const end = from + columns;
        real *panel = packed;
        for (ptrdiff_t j = 0; j < columns && k + PREFETCH_DISTANCE < depth; j += CACHE_LINE) {
            vec_prefetch(from + PREFETCH_DISTANCE * ld + j);
        }
        for (ptrdiff_t i = 0; i < panels.count; i++) {
            const ptrdiff_t width = part_size(panels, i) * unit;
            if (width == NR) {
                copy_vectors(panel + k * width, from, NR, end - from);
            } else {
                copy_vectors(panel + k * width, from, width, end - from);
            }
            panel += width * depth + gap;
            from += width;
        }
    }
}

static ALWAYS_INLINE void pack_square(ptrdiff_t rows, ptrdiff_t depth, real *to, ptrdiff_t width, const real *bt,
                                      ptrdiff_t ldb) {
    vec square[VEC_LANES];
    load_transposed(square, rows, depth, bt, ldb);
    EACH (r, VEC_LANES) {
        if (r < depth) {
            vec_store(to + r * width, square[r]);
        }
    }
}

/* One panel from bt, the transpose of B: b[k][j] is bt[j][k]. */
static void pack_panel_transposed(ptrdiff_t depth, ptrdiff_t columns, ptrdiff_t width, real *packed, const real *bt,
                                  ptrdiff_t ldb) {
    for (ptrdiff_t j = 0; j < columns; j += VEC_LANES) {
        const ptrdiff_t rows = at_most(columns - j, VEC_LANES);
        const real *const from = bt + j * ldb;
        for (ptrdiff_t k = 0; k < depth; k += VEC_LANES) {
            if (rows == VEC_LANES && depth - k >= VEC_LANES) {
                pack_square(VEC_LANES, VEC_LANES, packed + k * width + j, width, from + k, ldb);
            } else {
                pack_square(rows, at_most(depth - k, VEC_LANES), packed + k * width + j, width, from + k, ldb);
            }
        }
    }
}

static void pack_panels_transposed(parts panels, ptrdiff_t depth, ptrdiff_t columns, real *packed, const real *bt,
                                   ptrdiff_t ldb) {
    for (ptrdiff_t i = 0, at = 0; i < panels.count; i++) {
        const ptrdiff_t width = part_size(panels, i) * VEC_LANES;
        pack_panel_transposed(depth, at_most(columns - at, width), width, packed + at * depth, bt + at * ldb, ldb);
        at += width;
    }
}
