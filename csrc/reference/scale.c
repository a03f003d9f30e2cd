/* scale.c: one learned number for each column: a factor, or PReLU's slope below 0. */

/* y_k = s_k x_k, and backward grad_x_k = s_k grad_y_k                                       (Holzmüller et al. 2024) */
static void scale(ptrdiff_t n, ptrdiff_t out, real *y, const real *x, const real *factor) {
    for (ptrdiff_t s = 0; s < n; s++) {
        for (ptrdiff_t k = 0; k < out; k++) {
            y[s * out + k] = factor[k] * x[s * out + k];
        }
    }
}

/* Of y_k = s_k x_k: grad_s_k = sum over the samples of grad_y_k x_k, in double */
static void scale_backward_s(ptrdiff_t n, ptrdiff_t out, real *grad_s, const real *grad_y, const real *x) {
    for (ptrdiff_t k = 0; k < out; k++) {
        double sum = 0;
        for (ptrdiff_t s = 0; s < n; s++) {
            sum += (double)grad_y[s * out + k] * (double)x[s * out + k];
        }
        grad_s[k] = (real)sum;
    }
}

/* a_k = z_k where z_k > 0, else alpha_k z_k; `shared`: all units have alpha[0]                         (He et al. 2015) */
static void prelu_forward(bool shared, ptrdiff_t n, ptrdiff_t out, real *a, const real *z, const real *alpha) {
    for (ptrdiff_t s = 0; s < n; s++) {
        for (ptrdiff_t k = 0; k < out; k++) {
            const real number = z[s * out + k];
            a[s * out + k] = number > 0 ? number : alpha[shared ? 0 : k] * number;
        }
    }
}

/* phi_k = grad_a_k where z_k > 0, else alpha_k grad_a_k */
static void prelu_backward_z(bool shared, ptrdiff_t n, ptrdiff_t out, real *phi, const real *grad_a, const real *z,
                             const real *alpha) {
    for (ptrdiff_t s = 0; s < n; s++) {
        for (ptrdiff_t k = 0; k < out; k++) {
            const real gradient = grad_a[s * out + k];
            phi[s * out + k] = z[s * out + k] > 0 ? gradient : alpha[shared ? 0 : k] * gradient;
        }
    }
}

/* grad_alpha_k = sum over the samples of grad_a_k min(z_k, 0), in double; `shared`: then over the units */
static void prelu_backward_alpha(bool shared, ptrdiff_t n, ptrdiff_t out, real *grad_alpha, const real *grad_a,
                                 const real *z) {
    double total = 0;
    for (ptrdiff_t k = 0; k < out; k++) {
        double sum = 0;
        for (ptrdiff_t s = 0; s < n; s++) {
            const real number = z[s * out + k];
            sum += (double)grad_a[s * out + k] * (double)(number > 0 ? 0 : number);
        }
        total += sum;
        if (!shared) {
            grad_alpha[k] = (real)sum;
        }
    }
    if (shared) {
        grad_alpha[0] = (real)total;
    }
}
