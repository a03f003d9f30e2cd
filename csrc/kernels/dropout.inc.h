/* dropout.inc.h: reference/dropout.c, sixteen counters side by side: loops over lanes that a compiler turns into vectors. */

typedef uint32_t mask_words[MASK_NUMBERS];

/* The words of the numbers from group * MASK_NUMBERS on, in order. */
static ALWAYS_INLINE void words_of_group(const REAL_NAME(mlp_mask) * m, uint64_t group, mask_words words) {
    uint32_t c0[MASK_COUNTERS], c1[MASK_COUNTERS], c2[MASK_COUNTERS], c3[MASK_COUNTERS];
    uint32_t k0 = m->key[0], k1 = m->key[1];
    for (int l = 0; l < MASK_COUNTERS; l++) {
        const uint64_t index = group * MASK_COUNTERS + (uint64_t)l;
        c0[l] = (uint32_t)index;
        c1[l] = (uint32_t)(index >> 32);
        c2[l] = (uint32_t)m->batch;
        c3[l] = (uint32_t)(m->batch >> 32);
    }
    for (int round = 0; round < MLP_PHILOX_ROUNDS; round++) {
        for (int l = 0; l < MASK_COUNTERS; l++) {
            const uint64_t p0 = (uint64_t)MLP_PHILOX_M0 * c0[l], p1 = (uint64_t)MLP_PHILOX_M1 * c2[l];
            c0[l] = (uint32_t)(p1 >> 32) ^ c1[l] ^ k0;
            c2[l] = (uint32_t)(p0 >> 32) ^ c3[l] ^ k1;
            c1[l] = (uint32_t)p1;
            c3[l] = (uint32_t)p0;
        }
        k0 += MLP_PHILOX_W0;
        k1 += MLP_PHILOX_W1;
    }
    memcpy(words, c0, sizeof c0);
    memcpy(words + MASK_COUNTERS, c1, sizeof c1);
    memcpy(words + 2 * MASK_COUNTERS, c2, sizeof c2);
    memcpy(words + 3 * MASK_COUNTERS, c3, sizeof c3);
}

static ALWAYS_INLINE void drop(ptrdiff_t count, real *y, const real *x, const uint32_t *words, uint32_t threshold,
                               real scale) {
    for (ptrdiff_t i = 0; i < count; i++) {
        const real kept = x[i] * scale;
        y[i] = words[i] >= threshold ? kept : 0;
    }
}

static void fast_dropout(const REAL_NAME(mlp_mask) * m, ptrdiff_t begin, ptrdiff_t count, real *y, const real *x) {
    const ptrdiff_t end = begin + count;
    for (ptrdiff_t i = begin; i < end;) {
        mask_words words;
        const ptrdiff_t group = i / MASK_NUMBERS, first = i % MASK_NUMBERS;
        const ptrdiff_t some = at_most(MASK_NUMBERS - first, end - i);
        words_of_group(m, (uint64_t)group, words);
        if (some == MASK_NUMBERS) {
            drop(MASK_NUMBERS, y, x, words, m->threshold, m->scale);
        } else {
            for (ptrdiff_t k = 0; k < some; k++) { /* %: compilers see that what is read has been written */
                const real kept = x[k] * m->scale;
                y[k] = words[(first + k) % MASK_NUMBERS] >= m->threshold ? kept : 0;
            }
        }
        i += some;
        y += some;
        x += some;
    }
}
