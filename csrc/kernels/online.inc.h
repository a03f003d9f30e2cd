/* online.inc.h: reference/online.c in vectors: grad_w of one sample goes from registers into the step. Rows of few units would
 * leave most of a register empty: several of them make a row of grad_w, which stays in L1.
 */
enum { ONLINE_ROOM = 512, NARROW_ROW = 2 * VEC_LANES };

/* grad (rows, out) = phi_i x_k for some rows of w; what a row's last vector has too much, the next row writes over. */
static ALWAYS_INLINE void grad_of_rows(ptrdiff_t rows, ptrdiff_t out, real *grad, const vec of_phi[2], const real *x) {
    for (ptrdiff_t k = 0; k < rows; k++) {
        const vec of_x = vec_broadcast(x[k]);
        for (ptrdiff_t i = 0; i < out; i += VEC_LANES) {
            vec_store(grad + k * out + i, vec_fma(of_phi[i / VEC_LANES], of_x, vec_broadcast(0)));
        }
    }
}

static void update_narrow_rows(ptrdiff_t in, ptrdiff_t out, const REAL_NAME(mlp_update) * u, ptrdiff_t begin, real *w,
                               const real *phi, const real *x) {
    _Alignas(64) real grad[ONLINE_ROOM + VEC_LANES];
    const ptrdiff_t rows = ONLINE_ROOM / out;
    const vec of_phi[2] = {vec_load_masked(phi, mask_first(out)),
                           out > VEC_LANES ? vec_load_masked(phi + VEC_LANES, mask_first(out - VEC_LANES))
                                           : vec_broadcast(0)};
    for (ptrdiff_t k = 0; k < in; k += rows) {
        const ptrdiff_t now = at_most(rows, in - k);
        grad_of_rows(now, out, grad, of_phi, x + k);
        RULES[u->rule].step(u, begin + k * out, now * out, w, grad);
    }
}

static void fast_dense_update_online(ptrdiff_t in, ptrdiff_t out, const REAL_NAME(mlp_update) * u, ptrdiff_t begin,
                                     real *w, const real *phi, const real *x) {
    if (out == 1) { /* a column is a row */
        RULES[u->rule].online(u, 1, in, begin, w, x, phi);
    } else if (out < NARROW_ROW && out % VEC_LANES) {
        update_narrow_rows(in, out, u, begin, w, phi, x);
    } else {
        RULES[u->rule].online(u, in, out, begin, w, phi, x);
    }
}
