/* online.c: training with one sample a batch. grad_w is one product for each weight (eq. 3), which the optimizer's step uses at
 * once: one pass over w, and no grad_w in memory.
 */

/* w_{i,k} takes a step with phi_i x_k. */
static void dense_update_online(ptrdiff_t in, ptrdiff_t out, const REAL_NAME(mlp_update) * u, ptrdiff_t begin, real *w,
                                const real *phi, const real *x) {
    for (ptrdiff_t k = 0; k < in; k++) {
        for (ptrdiff_t i = 0; i < out; i++) {
            const real grad = real_fma(phi[i], x[k], 0);
            update(u, begin + k * out + i, 1, w, &grad);
        }
    }
}
