/* dense.inc.h: reference/dense.c as three products (product.inc.h) and a sum over columns. */

static void fast_dense_forward(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *z, const real *x, const real *w,
                               const real *b) {
    product(&(product_task){
        .M = n, .N = out, .K = in, .a = x, .a_row = in, .b = w, .b_row = out, .init = b, .c = z, .c_row = out});
}

enum { SUM_BLOCK = 16 };

/* In double, as the reference. SUM_BLOCK columns side by side, which compilers turn into vectors; the last few one by
 * one. */
static void sum_of_rows(ptrdiff_t n, ptrdiff_t out, real *sum, const real *phi) {
    ptrdiff_t begin = 0;
    for (; begin + SUM_BLOCK <= out; begin += SUM_BLOCK) {
        double sums[SUM_BLOCK] = {0};
        for (ptrdiff_t s = 0; s < n; s++) {
            for (ptrdiff_t i = 0; i < SUM_BLOCK; i++) {
                sums[i] += (double)phi[s * out + begin + i];
            }
        }
        for (ptrdiff_t i = 0; i < SUM_BLOCK; i++) {
            sum[begin + i] = (real)sums[i];
        }
    }
    for (ptrdiff_t i = begin; i < out; i++) {
        double one = 0;
        for (ptrdiff_t s = 0; s < n; s++) {
            one += (double)phi[s * out + i];
        }
        sum[i] = (real)one;
    }
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
                                .b_lies = TRANSPOSED,
                                .c = grad_x,
                                .c_row = in});
    }
    if (grad_w) {
        product(&(product_task){.M = in,
                                .N = out,
                                .K = n,
                                .a = x,
                                .a_row = in,
                                .a_lies = TRANSPOSED,
                                .b = phi,
                                .b_row = out,
                                .c = grad_w,
                                .c_row = out});
    }
    if (grad_b) {
        sum_of_rows(n, out, grad_b, phi);
    }
}
