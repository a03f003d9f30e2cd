/* parts.inc.h: what is too large is divided into parts of nearly equal size: 9 rows are 5 + 4, not 8 + 1. */

static ptrdiff_t at_most(ptrdiff_t size, ptrdiff_t limit) { return size < limit ? size : limit; }
static ptrdiff_t at_least(ptrdiff_t size, ptrdiff_t limit) { return size > limit ? size : limit; }

/* `count` parts: the first `larger` of size + 1, the others of `size`. */
typedef struct {
    ptrdiff_t count, size, larger;
} parts;

/* total / size, rounded up. */
static ptrdiff_t divided(ptrdiff_t total, ptrdiff_t size) { return (total + size - 1) / size; }

/* As few parts as possible, none larger than `largest`. */
static parts divide(ptrdiff_t total, ptrdiff_t largest) {
    if (total <= largest) { /* spares the divisions, which a small product would notice */
        return (parts){total > 0, total, 0};
    }
    const ptrdiff_t count = divided(total, largest);
    return (parts){count, total / count, total % count};
}

static ptrdiff_t part_size(parts p, ptrdiff_t i) { return p.size + (i < p.larger); }
static ptrdiff_t part_begin(parts p, ptrdiff_t i) { return p.size * i + at_most(i, p.larger); }

/* Parts first ... first + count - 1, fewer at the end. */
static parts some_parts(parts p, ptrdiff_t first, ptrdiff_t count) {
    return (parts){at_most(count, p.count - first), p.size, at_least(p.larger - first, 0)};
}

/* Columns in parts of whole vectors, but for the last vector of all; sizes count vectors. */
static parts divide_columns(ptrdiff_t columns, ptrdiff_t widest) {
    return divide(divided(columns, VEC_LANES), widest / VEC_LANES);
}
