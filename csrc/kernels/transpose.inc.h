/* transpose.inc.h: turns a square of numbers in registers. */

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
