/* sort.c: rows in the order of their scores. */

/* The bits of a number that is no NaN, as an integer in the same order; those of 0 and -0 are equal. */
static uint64_t ascending_bits(real x) {
#if MLP_REAL_BITS == 32
    typedef uint32_t bits_of_real;
#else
    typedef uint64_t bits_of_real;
#endif
    const bits_of_real sign = (bits_of_real)1 << (MLP_REAL_BITS - 1);
    const real number = x + 0; /* -0 becomes 0 */
    bits_of_real bits;
    memcpy(&bits, &number, sizeof bits);
    return bits & sign ? (bits_of_real)~bits : (bits_of_real)(bits | sign);
}

/* Radix sort from the lowest byte of the keys to the highest: n items, with room for as many. Equal ones keep their order. Returns
 * where they lie in the end. */
static mlp_ranked *sort_by_key(ptrdiff_t n, mlp_ranked *items, mlp_ranked *room, mlp_poller *poller, ptrdiff_t done,
                               bool *stop) {
    enum { BYTES = MLP_REAL_BITS / 8, VALUES = 256 };
    ptrdiff_t count[BYTES][VALUES] = {{0}};
    for (ptrdiff_t i = 0; i < n; i++) {
        for (int byte = 0; byte < BYTES; byte++) {
            count[byte][items[i].key >> 8 * byte & 0xff]++;
        }
    }
    for (int byte = 0; byte < BYTES && !*stop; byte++) {
        ptrdiff_t place[VALUES], next = 0; /* of the next item with this value of the byte */
        for (int value = 0; value < VALUES; value++) {
            place[value] = next;
            next += count[byte][value];
        }
        for (ptrdiff_t i = 0; i < n; i++) {
            room[place[items[i].key >> 8 * byte & 0xff]++] = items[i];
        }
        mlp_ranked *sorted = room;
        room = items;
        items = sorted;
        *stop = mlp_should_stop(poller, done);
    }
    return items;
}
