/* transpose.inc.h: transposes a square of VEC_LANES by VEC_LANES elements in registers. */

/* To transpose is to swap an element's row number with its lane number. One exchange swaps one binary digit of the two:
 * rows r and r + distance differ in that digit of the row; `low` and `high` exchange it for a digit of the lane. */
static ALWAYS_INLINE void exchange(vec square[VEC_LANES], int distance, vec (*low)(vec, vec), vec (*high)(vec, vec)) {
    EACH (pair, VEC_LANES / 2) {
        const int r = pair / distance * 2 * distance + pair % distance;
        const vec a = square[r], b = square[r + distance];
        square[r] = low(a, b);
        square[r + distance] = high(a, b);
    }
}

/* Row r becomes column r. Zipping removes the highest digit of the lane within its block and inserts the row's below
 * the lowest; taking every second block removes the lowest digit of the block and inserts the row's above the
 * highest. */
static ALWAYS_INLINE void transpose(vec square[VEC_LANES]) {
    enum { BLOCK = 16 / (int)sizeof(real) };
    UNROLL for (int distance = BLOCK / 2; distance > 0; distance /= 2) {
        exchange(square, distance, vec_zip_low, vec_zip_high);
    }
    UNROLL for (int distance = BLOCK; distance < VEC_LANES; distance *= 2) {
        exchange(square, distance, vec_even_blocks, vec_odd_blocks);
    }
}

/* Loads `rows` rows as columns: the first VEC_LANES of the `depth` elements of each. The rest of the square is 0. */
static ALWAYS_INLINE void load_transposed(vec square[VEC_LANES], ptrdiff_t rows, ptrdiff_t depth, const real *from,
                                          ptrdiff_t ld) {
    const lane_set some = lanes_at(0, depth);
    EACH (r, VEC_LANES) {
        square[r] = r < rows ? load_lanes(from + r * ld, some) : vec_broadcast(0);
    }
    transpose(square);
}
