/* sums.h: the order in which a row of numbers is added up.
 *
 * Sixteen partial sums, lane l taking the terms l, l+16, l+32, ...; then the upper half of the lanes is added to the
 * lower half until one is left. A vector unit adds this way too, whether its registers hold 2, 4, 8 or 16 numbers, so
 * that this order is the same on every machine; and it loses fewer digits than one long chain.
 *
 *     real lanes[LANES] = {0};
 *     for (ptrdiff_t k = 0; k < out; k++) lanes[k % LANES] += term(k);
 *     real sum = sum_of_lanes(lanes);
 */
enum { LANES = 16 };

static inline real sum_of_lanes(real lanes[LANES]) {
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            lanes[l] += lanes[l + half];
        }
    }
    return lanes[0];
}
