/* dropout.c: what training draws for each number on its way. dropout: y = mask x / (1 - rate) (Srivastava et al. 2014), forward
 * with x = a, backward with x = the gradient to y. alpha_dropout: y = a (mask x + (1 - mask) alpha') + b (Klambauer et al. 2017),
 * of which backward is dropout with a for 1 / (1 - rate).
 *
 * The mask is never stored: number i is kept if its random word is at least rate * 2^32, and the word is a function of the
 * layer's key, of the batch and of i alone. So backward computes the mask again, in any order and on any thread. A block of
 * Philox gives four words: sixteen counters serve 64 numbers in a row, number u of them taking word u / 16 of counter u % 16,
 * which is how a vector unit computes sixteen blocks side by side.
 */
enum { MASK_COUNTERS = 16, MASK_NUMBERS = 4 * MASK_COUNTERS };

static uint32_t random_word(const mlp_words *words, ptrdiff_t i) {
    const uint64_t group = (uint64_t)(i / MASK_NUMBERS), number = (uint64_t)(i % MASK_NUMBERS);
    const uint64_t index = group * MASK_COUNTERS + number % MASK_COUNTERS;
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)words->batch,
                                 (uint32_t)(words->batch >> 32)};
    uint32_t block[4];
    mlp_philox(block, counter, words->key);
    return block[number / MASK_COUNTERS];
}

static void dropout(const REAL_NAME(mlp_mask) * m, ptrdiff_t begin, ptrdiff_t count, real *y, const real *x) {
    for (ptrdiff_t i = 0; i < count; i++) {
        y[i] = random_word(&m->words, begin + i) >= m->threshold ? x[i] * m->scale : 0;
    }
}

static void alpha_dropout(const REAL_NAME(mlp_mask) * m, ptrdiff_t begin, ptrdiff_t count, real *y, const real *x) {
    for (ptrdiff_t i = 0; i < count; i++) {
        const bool kept = random_word(&m->words, begin + i) >= m->threshold;
        y[i] = kept ? real_fma(x[i], m->scale, m->shift) : m->dropped;
    }
}
