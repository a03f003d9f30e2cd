/* layer.c: what training asks of one layer, as the operations of the chapters before, one after the other. They are asked
 * for together so that a fast kernel can go on with numbers that it has just computed.
 */

/* z = x w + b and a = sigma(z); a may be z. */
static void layer_forward(mlp_activation sigma, ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *z, real *a,
                          const real *x, const real *w, const real *b) {
    dense_forward(n, in, out, z, x, w, b);
    activation_forward(sigma, n, out, a, z);
}

/* phi_below (n, in) from phi (n, out), where x is the a of the layer below and sigma its activation          (eq. 2) */
static void layer_backward(mlp_activation sigma, ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *phi_below,
                           const real *phi, const real *x, const real *w) {
    dense_backward_x(n, in, out, phi_below, phi, w);
    activation_backward(sigma, n, in, phi_below, x, phi_below);
}

/* grad_w (eq. 3), and an optimizer's step of w with it. SGD: m is the velocity, NULL without momentum. Without `keep`
 * nobody looks at grad_w afterwards: it is room that a kernel may use or not. */
static void layer_update(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, const REAL_NAME(mlp_step) * step, real *w, real *m,
                         real *v, real *grad_w, bool keep, const real *phi, const real *x) {
    (void)keep;
    dense_backward_w(n, in, out, grad_w, phi, x);
    if (step->algorithm == MLP_ADAM) {
        adam_step(in * out, &step->adam, w, m, v, grad_w);
    } else {
        sgd_step(in * out, &step->sgd, w, m, grad_w);
    }
}
