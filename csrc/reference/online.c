/* online.c: training with one sample a batch. grad_w is one product for each weight (eq. 3), which the optimizer's step uses at
 * once: one pass over w, and no grad_w in memory. The next sample's z needs just the weights that this pass has at hand.
 */

/* z begins as b, or as 0 without one. */
static void begin_sums(const REAL_NAME(mlp_next_sample) * next, ptrdiff_t out) {
    if (next->b) {
        memcpy(next->z, next->b, (size_t)out * sizeof(real));
    } else {
        memset(next->z, 0, (size_t)out * sizeof(real));
    }
}

/* w_{i,k} takes a step with phi_i x_k. Then it is multiplied by x_k of the next sample, if there is one: z as in dense.c. */
static void dense_update_online(ptrdiff_t in, ptrdiff_t out, const REAL_NAME(mlp_update) * u, ptrdiff_t begin, real *w,
                                const real *phi, const real *x, const REAL_NAME(mlp_next_sample) * next) {
    if (next) {
        begin_sums(next, out);
    }
    for (ptrdiff_t k = 0; k < in; k++) {
        for (ptrdiff_t i = 0; i < out; i++) {
            const real grad = real_fma(phi[i], x[k], 0);
            update(u, begin + k * out + i, 1, w, &grad);
            if (next) {
                next->z[i] = real_fma(next->x[k], w[begin + k * out + i], next->z[i]);
            }
        }
    }
}
