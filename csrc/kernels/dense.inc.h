/* dense.inc.h: reference/dense.c as three products (product.inc.h) and a sum over columns. */

/* A product that is one tile is spared the loops: for a net of a few units they would take longer than the arithmetic. */
static bool is_one_tile(ptrdiff_t M, ptrdiff_t N, ptrdiff_t K) {
    return M > 0 && M <= TILE_ROWS && N <= PANEL && K <= K_BLOCK;
}

static tile_function *tile_for(ptrdiff_t M, ptrdiff_t N, tile_function *const functions[3][8]) {
    return functions[divided(N, VEC_LANES) - 1][M - 1];
}

static void set_epilogue(product_task *task, const REAL_NAME(mlp_epilogue) * epilogue) {
    if (epilogue) {
        task->then = epilogue->apply;
        task->context = epilogue->context;
    }
}

/* What is to be done with a whole result. */
static void finish(const REAL_NAME(mlp_epilogue) * epilogue, ptrdiff_t count, const real *result) {
    if (epilogue) {
        epilogue->apply(epilogue->context, 0, count, result);
    }
}

static product_task forward_task(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *z, const real *x, const real *w,
                                 const real *b) {
    return (product_task){
        .M = n, .N = out, .K = in, .a = x, .a_row = in, .b = w, .b_row = out, .init = b, .c = z, .c_row = out};
}

static void fast_dense_forward(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *z, const real *x, const real *w,
                               const real *b, const REAL_NAME(mlp_epilogue) * epilogue) {
    if (is_one_tile(n, out, in)) {
        tile_for(n, out, TILES_OF_ROWS)(in, x, in, w, out, z, out, b, 0, out);
        finish(epilogue, n * out, z);
        return;
    }
    product_task task = forward_task(n, in, out, z, x, w, b);
    set_epilogue(&task, epilogue);
    product(&task);
}

/* `width` <= 16 columns side by side, which compilers turn into vectors; in double, as the reference. */
static ALWAYS_INLINE void sum_of_columns(int width, ptrdiff_t n, ptrdiff_t out, real *sum, const real *phi) {
    double sums[16];
    EACH (i, width) {
        sums[i] = 0;
    }
    for (ptrdiff_t s = 0; s < n; s++) {
        EACH (i, width) {
            sums[i] += (double)phi[s * out + i];
        }
    }
    EACH (i, width) {
        sum[i] = (real)sums[i];
    }
}

/* Sixteen columns at a time; the rest in eights, fours and ones. */
static void fast_dense_backward_b(ptrdiff_t n, ptrdiff_t out, real *sum, const real *phi) {
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

static void fast_dense_backward_w(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *grad_w, bool discard, const real *phi,
                                  const real *x, const REAL_NAME(mlp_epilogue) * epilogue) {
    if (is_one_tile(in, out, n)) {
        tile_for(in, out, TILES_OF_COLUMNS)(n, x, in, phi, out, grad_w, out, NULL, 0, out);
        finish(epilogue, in * out, grad_w);
        return;
    }
    product_task task = grad_w_task(n, in, out, grad_w, phi, x);
    set_epilogue(&task, epilogue);
    task.passing = discard;
    product(&task);
}

/* eq. 2 without sigma' */
static product_task grad_x_task(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *grad_x, const real *phi,
                                const real *w) {
    return (product_task){.M = n,
                          .N = in,
                          .K = out,
                          .a = phi,
                          .a_row = out,
                          .b = w,
                          .b_row = out,
                          .b_lies = out == 1 ? AS_IT_LIES : TRANSPOSED, /* one column is a row */
                          .c = grad_x,
                          .c_row = in};
}

static void fast_dense_backward_x(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *grad_x, const real *phi,
                                  const real *w, const REAL_NAME(mlp_epilogue) * epilogue) {
    if (out == 1 && is_one_tile(n, in, out)) {
        tile_for(n, in, TILES_OF_ROWS)(out, phi, out, w, in, grad_x, in, NULL, 0, in);
        finish(epilogue, n * in, grad_x);
        return;
    }
    product_task task = grad_x_task(n, in, out, grad_x, phi, w);
    set_epilogue(&task, epilogue);
    product(&task);
}
