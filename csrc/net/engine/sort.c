/* sort.c: rows in the order of their scores, and how long work over all rows asks whether to go on. */

enum { WATCHED_ROWS = 1 << 15 };

/* The poller of work over all rows, and what it says. */
typedef struct {
    mlp_poller poller;
    ptrdiff_t done;
    bool stop;
} row_watch;

static row_watch watch_rows(const mlp_interrupt *interrupt, ptrdiff_t done) {
    enum { WORK_OF_A_ROW = 8 };
    return (row_watch){.poller = mlp_poller_new(interrupt, (double)WATCHED_ROWS * WORK_OF_A_ROW), .done = done};
}

/* To be asked before row i: polls now and then. */
static inline bool stopped(row_watch *watch, ptrdiff_t i) {
    if (i % WATCHED_ROWS == 0 && !watch->stop) {
        watch->stop = mlp_should_stop(&watch->poller, watch->done);
    }
    return watch->stop;
}

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
 * where they lie in the end; in no order, if the watch stopped it. */
static mlp_ranked *sort_by_key(ptrdiff_t n, mlp_ranked *items, mlp_ranked *room, row_watch *watch) {
    enum { BYTES = MLP_REAL_BITS / 8, VALUES = 256 };
    ptrdiff_t count[BYTES][VALUES] = {{0}};
    for (ptrdiff_t i = 0; i < n && !stopped(watch, i); i++) {
        for (int byte = 0; byte < BYTES; byte++) {
            count[byte][items[i].key >> 8 * byte & 0xff]++;
        }
    }
    for (int byte = 0; byte < BYTES; byte++) {
        ptrdiff_t place[VALUES], next = 0; /* of the next item with this value of the byte */
        for (int value = 0; value < VALUES; value++) {
            place[value] = next;
            next += count[byte][value];
        }
        for (ptrdiff_t i = 0; i < n && !stopped(watch, i); i++) {
            room[place[items[i].key >> 8 * byte & 0xff]++] = items[i];
        }
        mlp_ranked *sorted = room;
        room = items;
        items = sorted;
    }
    return items;
}
