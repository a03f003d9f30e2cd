/* dropout.inc.h: reference/dropout.c, as many counters side by side as registers hold, each word of theirs in the lower half
 * of 64 bits. */
enum { MASK_WIDES = 2, MASK_SIDE = MASK_WIDES * WIDE_LANES }; /* vectors of each word, and how many counters they are */
typedef uint32_t mask_words[MASK_NUMBERS];
static const uint64_t COUNTER_NUMBERS[MASK_COUNTERS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

/* The words of the numbers from group * MASK_NUMBERS on, in order. The upper halves hold what products leave there;
 * wide_mul and the stores read the lower ones. */
static ALWAYS_INLINE void words_of_group(const mlp_words *w, uint64_t group, mask_words words) {
    const wide m0 = wide_broadcast(MLP_PHILOX_M0), m1 = wide_broadcast(MLP_PHILOX_M1);
    const wide start = wide_broadcast(group * MASK_COUNTERS); /* its last bits are 0: xor adds */
    for (int first = 0; first < MASK_COUNTERS; first += MASK_SIDE) {
        wide c[4][MASK_WIDES];
        EACH (v, MASK_WIDES) {
            c[0][v] = wide_xor(wide_load(COUNTER_NUMBERS + first + v * WIDE_LANES), start);
            c[1][v] = wide_high(c[0][v]);
            c[2][v] = wide_broadcast(w->batch);
            c[3][v] = wide_high(c[2][v]);
        }
        uint32_t k0 = w->key[0], k1 = w->key[1];
        UNROLL for (int round = 0; round < MLP_PHILOX_ROUNDS; round++) {
            const wide key0 = wide_broadcast(k0), key1 = wide_broadcast(k1);
            EACH (v, MASK_WIDES) {
                const wide p0 = wide_mul(m0, c[0][v]), p1 = wide_mul(m1, c[2][v]);
                c[0][v] = wide_xor(wide_xor(wide_high(p1), c[1][v]), key0);
                c[2][v] = wide_xor(wide_xor(wide_high(p0), c[3][v]), key1);
                c[1][v] = p1;
                c[3][v] = p0;
            }
            k0 += MLP_PHILOX_W0;
            k1 += MLP_PHILOX_W1;
        }
        EACH (i, 4) {
            uint64_t stored[MASK_SIDE];
            EACH (v, MASK_WIDES) {
                wide_store(stored + v * WIDE_LANES, c[i][v]);
            }
            for (int l = 0; l < MASK_SIDE; l++) {
                words[i * MASK_COUNTERS + first + l] = (uint32_t)stored[l];
            }
        }
    }
}

/* A number of `yes` where its word is kept, else of `no`, chosen by their bits: gcc makes vectors of this for AVX2. */
static ALWAYS_INLINE real if_kept(const REAL_NAME(mlp_mask) * m, uint32_t word, real yes, real no) {
    const real_bits kept = -(real_bits)(word >= m->threshold);
    return real_of((bits_of(yes) & kept) | (bits_of(no) & ~kept));
}

/* One of the two operations on numbers with these words. */
static ALWAYS_INLINE void mask_words_of(bool alpha, const REAL_NAME(mlp_mask) * m, ptrdiff_t count, real *y,
                                        const real *x, const uint32_t *words) {
    for (ptrdiff_t i = 0; i < count; i++) {
        y[i] = alpha ? if_kept(m, words[i], real_fma(x[i], m->scale, m->shift), m->dropped)
                     : if_kept(m, words[i], x[i] * m->scale, 0);
    }
}

static ALWAYS_INLINE void mask_numbers(bool alpha, const REAL_NAME(mlp_mask) * given, ptrdiff_t begin, ptrdiff_t count,
                                       real *y, const real *x) {
    const REAL_NAME(mlp_mask) m = *given; /* which y cannot change */
    const ptrdiff_t end = begin + count;
    for (ptrdiff_t i = begin; i < end;) {
        mask_words words;
        const ptrdiff_t group = i / MASK_NUMBERS;
        const ptrdiff_t first = (ptrdiff_t)((size_t)i % MASK_NUMBERS); /* unsigned: gcc sees that it is not below 0 */
        const ptrdiff_t some = at_most(MASK_NUMBERS - first, end - i);
        words_of_group(&m.words, (uint64_t)group, words);
        if (some == MASK_NUMBERS) { /* a loop of constant length */
            mask_words_of(alpha, &m, MASK_NUMBERS, y, x, words);
        } else {
            mask_words_of(alpha, &m, some, y, x, words + first);
        }
        i += some;
        y += some;
        x += some;
    }
}

static void fast_dropout(const REAL_NAME(mlp_mask) * m, ptrdiff_t begin, ptrdiff_t count, real *y, const real *x) {
    mask_numbers(false, m, begin, count, y, x);
}

static void fast_alpha_dropout(const REAL_NAME(mlp_mask) * m, ptrdiff_t begin, ptrdiff_t count, real *y,
                               const real *x) {
    mask_numbers(true, m, begin, count, y, x);
}
