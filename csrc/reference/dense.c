/* dense.c: a layer's linear part, z = w x + b, and its three gradients (section 2 of the paper).
 *
 * One sample is one row, so for a whole batch Z = X Wᵀ + b. `w` is stored input after input: w[k*out + i] is w_{i,k},
 * the weight that unit i gives to input k. Each sum is one chain of fused multiply-adds in ascending order: that order is
 * the definition of the result. The activation is not here: see activations.c.
 */

/* What is to be done with a result, all of it at once. */
static void run_epilogue(const REAL_NAME(mlp_epilogue) * epilogue, ptrdiff_t count, const real *result) {
    if (epilogue) {
        epilogue->apply(epilogue->context, 0, count, result);
    }
}

/* z_i = b_i + sum over k of w_{i,k} x_k; b NULL: 0                                                      (section 1.2) */
static void dense_forward(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *z, const real *x, const real *w,
                          const real *b, const REAL_NAME(mlp_epilogue) * epilogue) {
    for (ptrdiff_t s = 0; s < n; s++) {
        for (ptrdiff_t i = 0; i < out; i++) {
            real sum = b ? b[i] : 0;
            for (ptrdiff_t k = 0; k < in; k++) {
                sum = real_fma(x[s * in + k], w[k * out + i], sum);
            }
            z[s * out + i] = sum;
        }
    }
    run_epilogue(epilogue, n * out, z);
}

/* dL/dx_k = sum over i of phi_i w_{i,k}: eq. 2 up to sigma' of the layer below, which is the epilogue. */
static void dense_backward_x(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *grad_x, const real *phi, const real *w,
                             const REAL_NAME(mlp_epilogue) * epilogue) {
    for (ptrdiff_t s = 0; s < n; s++) {
        for (ptrdiff_t k = 0; k < in; k++) {
            real sum = 0;
            for (ptrdiff_t i = 0; i < out; i++) {
                sum = real_fma(phi[s * out + i], w[k * out + i], sum);
            }
            grad_x[s * in + k] = sum;
        }
    }
    run_epilogue(epilogue, n * in, grad_x);
}

/* dL/dw_{i,k} = phi_i x_k, summed over the samples. `discard`: nobody looks at grad_w after the epilogue.       (eq. 3) */
static void dense_backward_w(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *grad_w, bool discard, const real *phi,
                             const real *x, const REAL_NAME(mlp_epilogue) * epilogue) {
    (void)discard;
    for (ptrdiff_t k = 0; k < in; k++) {
        for (ptrdiff_t i = 0; i < out; i++) {
            real sum = 0;
            for (ptrdiff_t s = 0; s < n; s++) {
                sum = real_fma(phi[s * out + i], x[s * in + k], sum);
            }
            grad_w[k * out + i] = sum;
        }
    }
    run_epilogue(epilogue, in * out, grad_w);
}

/* dL/db_i = phi_i, summed over the samples, in double so that a long batch loses no digits                    (eq. 4) */
static void dense_backward_b(ptrdiff_t n, ptrdiff_t out, real *grad_b, const real *phi) {
    for (ptrdiff_t i = 0; i < out; i++) {
        double sum = 0;
        for (ptrdiff_t s = 0; s < n; s++) {
            sum += (double)phi[s * out + i];
        }
        grad_b[i] = (real)sum;
    }
}
