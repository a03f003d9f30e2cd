/* dense.inc.h: reference/dense.c as three products (product.inc.h) and a sum over columns. */

static void fast_dense_forward(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *z, const real *x, const real *w,
                               const real *b) {
    product(&(product_task){
        .M = n, .N = out, .K = in, .a = x, .a_row = in, .b = w, .b_row = out, .init = b, .c = z, .c_row = out});
}

/* `width` columns side by side, which compilers turn into vectors; in double, as the reference. */
static ALWAYS_INLINE void sum_of_columns(ptrdiff_t width, ptrdiff_t n, ptrdiff_t out, real *sum, const real *phi) {
    double sums[16] = {0};
    for (ptrdiff_t s = 0; s < n; s++) {
        for (ptrdiff_t i = 0; i < width; i++) {
            sums[i] += (double)phi[s * out + i];
        }
    }
    for (ptrdiff_t i = 0; i < width; i++) {
        sum[i] = (real)sums[i];
    }
}

/* Sixteen columns at a time; the rest in eights, fours and ones. */
static void sum_of_rows(ptrdiff_t n, ptrdiff_t out, real *sum, const real *phi) {
    ptrdiff_t i = 0;
    for (; out - i >= 16; i += 16) {
        sum_of_columns(16, n, out, sum + i, phi + i);
    }
    if (out - i >= 8) {
        sum_of_columns(8, n, out, sum + i, phi + i);
        i += 8;
    }
    if (out - i >= 4) {
        sum_of_columns(4, n, out, sum + i, phi + i);
        i += 4;
    }
    for (; i < out; i++) {
        sum_of_columns(1, n, out, sum + i, phi + i);
    }
}

/* eq. 3 */
static product_task grad_w_task(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *grad_w, const real *phi,
                                const real *x) {
    return (product_task){.M = in,
                          .N = out,
                          .K = n,
                          .a = x,
                          .a_row = in,
                          .a_lies = TRANSPOSED,
                          .b = phi,
                          .b_row = out,
                          .c = grad_w,
                          .c_row = out};
}

static void fast_dense_backward(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *grad_x, real *grad_w, real *grad_b,
                                const real *phi, const real *x, const real *w) {
    if (grad_x) {
        product(&(product_task){.M = n,
                                .N = in,
                                .K = out,
                                .a = phi,
                                .a_row = out,
                                .b = w,
                                .b_row = out,
                                .b_lies = out == 1 ? AS_IT_LIES : TRANSPOSED, /* one column is a row */
                                .c = grad_x,
                                .c_row = in});
    }
    if (grad_w) {
        const product_task task = grad_w_task(n, in, out, grad_w, phi, x);
        product(&task);
    }
    if (grad_b) {
        sum_of_rows(n, out, grad_b, phi);
    }
}
