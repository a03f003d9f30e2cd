/* dense_update.c: the gradient of a layer's weights and an optimizer's step with it, one after the other. Training asks
 * for both at once, so that a fast kernel can step with the numbers of grad_w that it has just computed.
 */

/* grad_w as dense_backward (eq. 3), then w as sgd_step or adam_step. SGD: m is the velocity, NULL without momentum. */
static void dense_update(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, const REAL_NAME(mlp_step) * step, real *w, real *m,
                         real *v, real *grad_w, const real *phi, const real *x) {
    dense_backward_w(n, in, out, grad_w, phi, x);
    if (step->algorithm == MLP_ADAM) {
        adam_step(in * out, &step->adam, w, m, v, grad_w);
    } else {
        sgd_step(in * out, &step->sgd, w, m, grad_w);
    }
}
