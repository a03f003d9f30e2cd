/* scale.inc.h: reference/scale.c in vectors. */

/* y_k = f(x_k, other_k, c_k) of every row, where c (out) is the same for all; `shared`: for all of a row too. */
static ALWAYS_INLINE void each_with_column(vec (*f)(vec x, vec other, vec c), bool shared, ptrdiff_t n, ptrdiff_t out,
                                           real *y, const real *x, const real *other, const real *c) {
    const ptrdiff_t rows = shared ? 1 : n, width = shared ? n * out : out;
    for (ptrdiff_t s = 0; s < rows; s++, y += width, x += width, other += width) {
        for (ptrdiff_t k = 0; k < width; k += VEC_LANES) {
            const lane_set lanes = lanes_at(k, width);
            const vec of_column = shared ? vec_broadcast(c[0]) : load_lanes(c + k, lanes);
            store_lanes(y + k, f(load_lanes(x + k, lanes), load_lanes(other + k, lanes), of_column), lanes);
        }
    }
}

static ALWAYS_INLINE vec scaled_by_column(vec x, vec other, vec factor) { return (void)other, vec_mul(factor, x); }

static ALWAYS_INLINE vec bent_by_column(vec z, vec number, vec alpha) {
    return vec_select(vec_less(vec_broadcast(0), z), number, vec_mul(alpha, number));
}

static void fast_scale(ptrdiff_t n, ptrdiff_t out, real *y, const real *x, const real *factor) {
    each_with_column(scaled_by_column, false, n, out, y, x, x, factor);
}

static void fast_prelu_forward(bool shared, ptrdiff_t n, ptrdiff_t out, real *a, const real *z, const real *alpha) {
    each_with_column(bent_by_column, shared, n, out, a, z, z, alpha);
}

static void fast_prelu_backward_z(bool shared, ptrdiff_t n, ptrdiff_t out, real *phi, const real *grad_a, const real *z,
                                  const real *alpha) {
    each_with_column(bent_by_column, shared, n, out, phi, z, grad_a, alpha);
}

/* ---- sums over the samples, as those of norm.inc.h: what is asked for is columns_task's grad_gamma ----------------- */

static ALWAYS_INLINE void s_of_block(int width, ptrdiff_t first, const columns_task *t) {
    double sums[SIDE];
    EACH (i, width) {
        sums[i] = 0;
    }
    for (ptrdiff_t s = 0; s < t->n; s++) {
        const real *x = t->x + s * t->out + first, *grad_y = t->grad_y + s * t->out + first;
        EACH (i, width) {
            sums[i] += (double)grad_y[i] * (double)x[i];
        }
    }
    EACH (i, width) {
        t->grad_gamma[first + i] = (real)sums[i];
    }
}

static void fast_scale_backward_s(ptrdiff_t n, ptrdiff_t out, real *grad_s, const real *grad_y, const real *x) {
    each_block(s_of_block, &(columns_task){.n = n, .out = out, .grad_gamma = grad_s, .grad_y = grad_y, .x = x});
}

static ALWAYS_INLINE void alpha_of_block(int width, ptrdiff_t first, const columns_task *t) {
    double sums[SIDE];
    real below[SIDE]; /* min(z, 0) */
    EACH (i, width) {
        sums[i] = 0;
    }
    for (ptrdiff_t s = 0; s < t->n; s++) {
        const real *z = t->x + s * t->out + first, *grad_a = t->grad_y + s * t->out + first;
        if (width == SIDE) {
            EACH (v, SUMS) {
                const vec zero = vec_broadcast(0), number = vec_load(z + v * VEC_LANES);
                vec_store(below + v * VEC_LANES, vec_select(vec_less(zero, number), zero, number));
            }
        } else {
            EACH (i, width) {
                below[i] = z[i] > 0 ? 0 : z[i];
            }
        }
        EACH (i, width) {
            sums[i] += (double)grad_a[i] * (double)below[i];
        }
    }
    EACH (i, width) {
        if (t->sum) {
            *t->sum += sums[i];
        } else {
            t->grad_gamma[first + i] = (real)sums[i];
        }
    }
}

static void fast_prelu_backward_alpha(bool shared, ptrdiff_t n, ptrdiff_t out, real *grad_alpha, const real *grad_a,
                                      const real *z) {
    double total = 0;
    each_block(
        alpha_of_block,
        &(columns_task){
            .n = n, .out = out, .grad_gamma = grad_alpha, .grad_y = grad_a, .x = z, .sum = shared ? &total : NULL});
    if (shared) {
        grad_alpha[0] = (real)total;
    }
}
