/* dense.inc.h: reference/dense.c as three products (product/product.inc.h) and a sum over rows. */

/* Single-tile fast path: for tiny layers blocking costs more than the arithmetic. */
static bool is_one_tile(ptrdiff_t M, ptrdiff_t N, ptrdiff_t K) { return M > 0 && M <= MR && N <= NR && K <= MAX_KC; }

static void set_epilogue(product_task *task, const REAL_NAME(mlp_epilogue) * epilogue) {
    if (epilogue) {
        task->epilogue = epilogue->apply;
        task->epilogue_context = epilogue->context;
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
    product_task task = {.M = n, .N = out, .K = in, .a = x, .lda = in, .b = w, .ldb = out, .c = z, .ldc = out};
    task.init = b;
    return task;
}

static void fast_dense_forward(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *z, const real *x, const real *w,
                               const real *b, const REAL_NAME(mlp_epilogue) * epilogue) {
    if (is_one_tile(n, out, in)) {
        micro_kernel_for(NO_TRANSPOSE, n, out)(in, x, in, w, out, z, out, b, 0, out);
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
    product_task task = {.M = in, .N = out, .K = n, .a = x, .lda = in, .b = phi, .ldb = out, .c = grad_w, .ldc = out};
    task.trans_a = TRANSPOSE;
    return task;
}

static void fast_dense_backward_w(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *grad_w, bool discard, const real *phi,
                                  const real *x, const REAL_NAME(mlp_epilogue) * epilogue) {
    if (is_one_tile(in, out, n)) {
        micro_kernel_for(TRANSPOSE, in, out)(n, x, in, phi, out, grad_w, out, NULL, 0, out);
        finish(epilogue, in * out, grad_w);
        return;
    }
    product_task task = grad_w_task(n, in, out, grad_w, phi, x);
    set_epilogue(&task, epilogue);
    task.discard_c = discard;
    product(&task);
}

/* eq. 2 without sigma' */
static product_task grad_x_task(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *grad_x, const real *phi,
                                const real *w) {
    product_task task = {.M = n, .N = in, .K = out, .a = phi, .lda = out, .b = w, .ldb = out, .c = grad_x, .ldc = in};
    task.trans_b = out == 1 ? NO_TRANSPOSE : TRANSPOSE; /* one column is a row */
    return task;
}

static void fast_dense_backward_x(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *grad_x, const real *phi,
                                  const real *w, const REAL_NAME(mlp_epilogue) * epilogue) {
    if (out == 1 && is_one_tile(n, in, out)) {
        micro_kernel_for(NO_TRANSPOSE, n, in)(out, phi, out, w, in, grad_x, in, NULL, 0, in);
        finish(epilogue, n * in, grad_x);
        return;
    }
    product_task task = grad_x_task(n, in, out, grad_x, phi, w);
    set_epilogue(&task, epilogue);
    product(&task);
}
