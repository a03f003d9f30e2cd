/* transpose.inc.h: turns a square of numbers in registers. */

/* Turning a square swaps two numbers that say where something lies, its row and its lane: here one binary digit of each.
 * Rows r and r + distance differ in that digit of theirs; `low` and `high` trade it for one of the lane. */
static ALWAYS_INLINE void exchange(vec square[VEC_LANES], int distance, vec (*low)(vec, vec), vec (*high)(vec, vec)) {
    EACH (pair, VEC_LANES / 2) {
        const int r = pair / distance * 2 * distance + pair % distance;
        const vec a = square[r], b = square[r + distance];
        square[r] = low(a, b);
        square[r + distance] = high(a, b);
    }
}

/* Row r becomes column r. Zipping takes the highest digit of the lane within its block and puts the row's below the lowest;
 * picking every second block takes the lowest digit of the block and puts the row's above the highest. */
static ALWAYS_INLINE void transpose(vec square[VEC_LANES]) {
    enum { BLOCK = 16 / (int)sizeof(real) };
    UNROLL for (int distance = BLOCK / 2; distance > 0; distance /= 2) {
        exchange(square, distance, vec_zip_low, vec_zip_high);
    }
    UNROLL for (int distance = BLOCK; distance < VEC_LANES; distance *= 2) {
        exchange(square, distance, vec_even_blocks, vec_odd_blocks);
    }
}

/* `rows` rows as columns, of `depth` numbers the first VEC_LANES; 0 around them. */
static ALWAYS_INLINE void load_transposed(vec square[VEC_LANES], ptrdiff_t rows, ptrdiff_t depth, const real *from,
                                          ptrdiff_t row) {
    const lane_set some = depth >= VEC_LANES ? ALL_LANES : first_lanes(depth);
    EACH (r, VEC_LANES) {
        square[r] = r < rows ? load_lanes(from + r * row, some) : vec_broadcast(0);
    }
    transpose(square);
}
