/* steps.c: what mlpcore.to_c needs and the reference has not, in the words of csrc/reference, whose texts it is read with. */

/* y = x */
static void copy(ptrdiff_t count, real *y, const real *x) {
    for (ptrdiff_t i = 0; i < count; i++) {
        y[i] = x[i];
    }
}

/* y = skip + branch, which may be y */
static void add(ptrdiff_t count, real *y, const real *skip, const real *branch) {
    for (ptrdiff_t i = 0; i < count; i++) {
        y[i] = skip[i] + branch[i];
    }
}

/* The category 0 ... categories - 1 that x is, or -1 */
static ptrdiff_t category_of(real x, ptrdiff_t categories) {
    if (!(x >= 0 && x < (real)categories)) {
        return -1;
    }
    const ptrdiff_t category = (ptrdiff_t)x;
    return (real)category == x ? category : -1;
}

/* z_i = b_i + scales_i (sum over k of q_{i,k} x_k), where w_{i,k} = scales_i q_{i,k}; b NULL: 0 */
static void dense_int8_forward(ptrdiff_t in, ptrdiff_t out, real *z, const real *x, const int8_t *q, const real *scales,
                               const real *b) {
    for (ptrdiff_t i = 0; i < out; i++) {
        real sum = 0;
        for (ptrdiff_t k = 0; k < in; k++) {
            sum = real_fma(x[k], (real)q[k * out + i], sum);
        }
        z[i] = real_fma(scales[i], sum, b ? b[i] : 0);
    }
}
