/* dropout.c: y = mask x / (1 - rate), forward with x = a, backward with x = the gradient to y (Srivastava et al. 2014).
 *
 * The mask is never stored: number i is kept if its random word is at least rate * 2^32, and the word is a function of the
 * layer's key, of the batch and of i alone. So backward computes the mask again, in any order and on any thread. A block of
 * Philox gives four words: sixteen counters serve 64 numbers in a row, number u of them taking word u / 16 of counter u % 16,
 * which is how a vector unit computes sixteen blocks side by side.
 */
enum { MASK_COUNTERS = 16, MASK_NUMBERS = 4 * MASK_COUNTERS };

static uint32_t mask_word(const REAL_NAME(mlp_mask) * m, ptrdiff_t i) {
    const uint64_t group = (uint64_t)(i / MASK_NUMBERS), number = (uint64_t)(i % MASK_NUMBERS);
    const uint64_t index = group * MASK_COUNTERS + number % MASK_COUNTERS;
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), (uint32_t)m->batch,
                                 (uint32_t)(m->batch >> 32)};
    uint32_t block[4];
    mlp_philox(block, counter, m->key);
    return block[number / MASK_COUNTERS];
}

static void dropout(const REAL_NAME(mlp_mask) * m, ptrdiff_t begin, ptrdiff_t count, real *y, const real *x) {
    for (ptrdiff_t i = 0; i < count; i++) {
        y[i] = mask_word(m, begin + i) >= m->threshold ? x[i] * m->scale : 0;
    }
}
