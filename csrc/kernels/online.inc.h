/* online.inc.h: reference/online.c in vectors. Some rows of w at a time: their part of grad_w stays in L1, where the step
 * reads it.
 */
enum { ONLINE_ROOM = 512 }; /* numbers of grad_w */

/* grad (rows, out) = phi_i x_k for the rows k of w. */
static ALWAYS_INLINE void grad_of_rows(ptrdiff_t rows, ptrdiff_t out, real *grad, const real *phi, const real *x) {
    for (ptrdiff_t k = 0; k < rows; k++) {
        const vec of_x = vec_broadcast(x[k]);
        for (ptrdiff_t i = 0; i < out;
             i += VEC_LANES) { /* what a row's last vector has too much, the next row writes over */
            const vec of_phi = vec_load(phi + i);
            vec_store(grad + k * out + i, vec_fma(of_phi, of_x, vec_broadcast(0)));
        }
    }
}

static void fast_dense_update_online(ptrdiff_t in, ptrdiff_t out, const REAL_NAME(mlp_update) * u, ptrdiff_t begin,
                                     real *w, const real *phi, const real *x) {
    _Alignas(64) real grad[ONLINE_ROOM + VEC_LANES];
    _Alignas(64) real phi_part[ONLINE_ROOM + VEC_LANES];
    for (ptrdiff_t i = 0; i < out; i += ONLINE_ROOM) { /* almost always once */
        const ptrdiff_t width = at_most(out - i, ONLINE_ROOM), rows = out <= ONLINE_ROOM ? ONLINE_ROOM / width : 1;
        memcpy(phi_part, phi + i, (size_t)width * sizeof(real));
        memset(phi_part + width, 0, VEC_LANES * sizeof(real));
        for (ptrdiff_t k = 0; k < in; k += rows) {
            const ptrdiff_t now = at_most(rows, in - k);
            grad_of_rows(now, width, grad, phi_part, x + k);
            RULES[u->rule](u, begin + k * out + i, now * width, w, grad);
        }
    }
}
