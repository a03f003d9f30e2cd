/* pack.inc.h: copies a block of a or b so that micro-tiles read it in one straight line.
 *
 *     b, K rows of N                          packed: panels of `width` columns, one after the other
 *     +---------+---------+----+              +---------+
 *     | 0 1 2 3 | 4 5 6 7 | 8 9|   row 0      | 0 1 2 3 |  row 0 of panel 0
 *     +---------+---------+----+       ->     +---------+
 *     |         |         |    |   row 1      |         |  row 1 of panel 0 ... row K-1, then panel 1
 *     +---------+---------+----+              +---------+
 *
 * Panels are those of the tiles that will read them: of equal width, but for the first `larger`, which are one unit
 * wider, and the last, which may have fewer columns. Where b lies transposed, squares of it turn on the way.
 */

enum { PANEL = TILE_VECS * VEC_LANES }; /* columns of the widest micro-tile */

typedef enum { AS_IT_LIES, TRANSPOSED } orientation;

static ptrdiff_t at_most(ptrdiff_t size, ptrdiff_t limit) { return size < limit ? size : limit; }
static ptrdiff_t at_least(ptrdiff_t size, ptrdiff_t limit) { return size > limit ? size : limit; }

/* `total` things in `count` parts: the first `larger` have size + 1 things, the others size. */
typedef struct {
    ptrdiff_t count, size, larger;
} parts;

static ptrdiff_t divided(ptrdiff_t total, ptrdiff_t size) { return (total + size - 1) / size; }

/* As few parts as can be if none is larger than `largest`. Evenly: 9 are 5 + 4, not 8 + 1. */
static parts divide(ptrdiff_t total, ptrdiff_t largest) {
    const ptrdiff_t count = divided(total, largest);
    return count <= 1 ? (parts){count, total, 0} : (parts){count, total / count, total % count};
}

static ptrdiff_t part_size(parts p, ptrdiff_t i) { return p.size + (i < p.larger); }
static ptrdiff_t part_begin(parts p, ptrdiff_t i) { return p.size * i + at_most(i, p.larger); }

/* Parts first ... first + count - 1, fewer at the end. */
static parts some_parts(parts p, ptrdiff_t first, ptrdiff_t count) {
    return (parts){at_most(count, p.count - first), p.size, at_least(p.larger - first, 0)};
}

/* Behind every packed tile of A lies a gap; where tile t begins if `rows` rows come before it. */
enum { A_GAP = VEC_LANES };
static ptrdiff_t packed_begin(ptrdiff_t rows, ptrdiff_t t, ptrdiff_t depth) { return rows * depth + t * A_GAP; }

/* `width` numbers and what whole vectors have more; only `left` of them are there to be read. */
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
    AHEAD = 16, /* rows that are fetched before they are read: a processor does not foresee where the next one begins */
};

/* Rows of `source`, each cut into panels: part i of `panels` is part_size(panels, i) * unit columns wide. Whole vectors
 * are copied; what that writes beyond a panel's row, the next row writes over, and a gap behind the panel takes the last.
 * Row after row, since a row of the source is contiguous. */
static void pack_as_it_lies(parts panels, ptrdiff_t unit, ptrdiff_t depth, ptrdiff_t columns, real *packed,
                            ptrdiff_t gap, const real *source, ptrdiff_t row) {
    for (ptrdiff_t k = 0; k < depth; k++) {
        const real *from = source + k * row, *const end = from + columns;
        real *panel = packed;
        for (ptrdiff_t j = 0; j < columns && k + AHEAD < depth; j += CACHE_LINE) {
            vec_prefetch(from + AHEAD * row + j);
        }
        for (ptrdiff_t i = 0; i < panels.count; i++) {
            const ptrdiff_t width = part_size(panels, i) * unit;
            if (width == PANEL) {
                copy_vectors(panel + k * width, from, PANEL, end - from);
            } else {
                copy_vectors(panel + k * width, from, width, end - from);
            }
            panel += width * depth + gap;
            from += width;
        }
    }
}

static ALWAYS_INLINE void pack_square(ptrdiff_t rows, ptrdiff_t depth, real *to, ptrdiff_t width, const real *from,
                                      ptrdiff_t row) {
    vec square[VEC_LANES];
    load_transposed(square, rows, depth, from, row);
    EACH (r, VEC_LANES) {
        if (r < depth) {
            vec_store(to + r * width, square[r]);
        }
    }
}

/* One panel from bt, the transpose of b: b[k][j] is bt[j][k]. Squares of VEC_LANES numbers turn in registers. */
static void pack_panel_transposed(ptrdiff_t depth, ptrdiff_t columns, ptrdiff_t width, real *packed, const real *bt,
                                  ptrdiff_t bt_row) {
    for (ptrdiff_t j = 0; j < columns; j += VEC_LANES) {
        const ptrdiff_t rows = at_most(columns - j, VEC_LANES);
        const real *const from = bt + j * bt_row;
        for (ptrdiff_t k = 0; k < depth; k += VEC_LANES) {
            if (rows == VEC_LANES && depth - k >= VEC_LANES) {
                pack_square(VEC_LANES, VEC_LANES, packed + k * width + j, width, from + k, bt_row);
            } else {
                pack_square(rows, at_most(depth - k, VEC_LANES), packed + k * width + j, width, from + k, bt_row);
            }
        }
    }
}

static void pack_transposed(parts panels, ptrdiff_t depth, ptrdiff_t columns, real *packed, const real *bt,
                            ptrdiff_t bt_row) {
    for (ptrdiff_t i = 0, at = 0; i < panels.count; i++) {
        const ptrdiff_t width = part_size(panels, i) * VEC_LANES;
        pack_panel_transposed(depth, columns - at < width ? columns - at : width, width, packed + at * depth,
                              bt + at * bt_row, bt_row);
        at += width;
    }
}
