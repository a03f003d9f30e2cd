/* noise.inc.h: reference/noise.c, with the words of dropout.inc.h. */
static void fast_gaussian_noise(const mlp_words *words, real stddev, ptrdiff_t begin, ptrdiff_t count, real *y,
                                const real *x) {
    const ptrdiff_t end = begin + count;
    for (ptrdiff_t i = begin; i < end;) {
        mask_words drawn;
        real p[MASK_NUMBERS];
        const ptrdiff_t first = (ptrdiff_t)((size_t)i % MASK_NUMBERS), some = at_most(MASK_NUMBERS - first, end - i);
        words_of_group(words, (uint64_t)(i / MASK_NUMBERS), drawn);
        for (int u = 0; u < MASK_NUMBERS; u++) {
            p[u] = probability_of_word(drawn[u]);
        }
        for (ptrdiff_t u = 0; u < some; u += VEC_LANES) {
            const lane_set lanes = lanes_at(u, some);
            const vec z = vec_normal_quantile(load_lanes(p + first + u, lanes));
            store_lanes(y + u, vec_fma(vec_broadcast(stddev), z, load_lanes(x + u, lanes)), lanes);
        }
        i += some;
        y += some;
        x += some;
    }
}
