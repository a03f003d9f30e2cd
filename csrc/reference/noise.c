/* noise.c: y = x + stddev z, where z is a standard normal number. Backward passes the gradient on as it is.
 *
 * z is the normal quantile of a number p between 0 and 1, which is made of the number's random word (dropout.c): k + 1/2 steps
 * of 2^-32, or of 2^-23 in float, whose digits hold no more. p and 1 - p are exact, so z is as often above 0 as below; the
 * largest |z| is 6.3, in float 5.3.
 */
static inline real probability_of_word(uint32_t word) {
#if MLP_REAL_BITS == 32
    const real_bits k = word >> 9;
    const real half_a_step = REAL(0x1p-24);
#else
    const real_bits k = (real_bits)word << 20;
    const real half_a_step = REAL(0x1p-33);
#endif
    return real_of(bits_of(1) | k) - (1 - half_a_step); /* 1 + k steps, with k as the last digits */
}

static void gaussian_noise(const mlp_words *words, real stddev, ptrdiff_t begin, ptrdiff_t count, real *y,
                           const real *x) {
    for (ptrdiff_t i = 0; i < count; i++) {
        y[i] = real_fma(stddev, real_normal_quantile(probability_of_word(random_word(words, begin + i))), x[i]);
    }
}
