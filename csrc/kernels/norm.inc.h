/* norm.inc.h: reference/norm.c in vectors: along a row as in softmax.inc.h, and of columns sixteen side by side. */

/* ---- along a row ------------------------------------------------------------------------------------------------ */

/* What the terms of a row's sums depend on. */
typedef struct {
    const real *x, *grad_y, *gamma;
    vec mean, inverse;
} norm_row;

static ALWAYS_INLINE vec term_deviation(const void *row, ptrdiff_t k, lane_set lanes) {
    const norm_row *of = row;
    return vec_sub(load_lanes(of->x + k, lanes), of->mean);
}

static ALWAYS_INLINE vec term_square(const void *row, ptrdiff_t k, lane_set lanes) {
    const vec deviation = term_deviation(row, k, lanes);
    return vec_mul(deviation, deviation);
}

static ALWAYS_INLINE vec term_x_hat(const void *row, ptrdiff_t k, lane_set lanes) {
    const norm_row *of = row;
    return vec_mul(term_deviation(row, k, lanes), of->inverse);
}

static ALWAYS_INLINE vec term_g(const void *row, ptrdiff_t k, lane_set lanes) {
    const norm_row *of = row;
    return vec_mul(load_lanes(of->gamma + k, lanes), load_lanes(of->grad_y + k, lanes));
}

static ALWAYS_INLINE vec term_g_x_hat(const void *row, ptrdiff_t k, lane_set lanes) {
    return vec_mul(term_g(row, k, lanes), term_x_hat(row, k, lanes));
}

static void fast_layer_norm_forward(bool centred, ptrdiff_t n, ptrdiff_t out, real *y, real *moments, const real *x,
                                    const real *gamma, const real *beta, real epsilon) {
    for (ptrdiff_t s = 0; s < n; s++, x += out, y += out) {
        norm_row row = {.x = x, .mean = vec_broadcast(0)};
        const real rounded = centred ? sum_of_row(term_number, out, x) / (real)out : 0;
        row.mean = vec_broadcast(rounded);
        const real off = centred ? sum_of_row(term_deviation, out, &row) / (real)out : 0, mean = rounded + off;
        const real variance = sum_of_row(term_square, out, &row) / (real)out - off * off;
        const real inverse = 1 / real_sqrt((variance < 0 ? 0 : variance) + epsilon);
        row.mean = vec_broadcast(mean);
        row.inverse = vec_broadcast(inverse);
        for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
            const lane_set lanes = lanes_at(k, out);
            const vec shift = beta ? load_lanes(beta + k, lanes) : vec_broadcast(0);
            store_lanes(y + k, vec_fma(load_lanes(gamma + k, lanes), term_x_hat(&row, k, lanes), shift), lanes);
        }
        if (moments) {
            moments[2 * s] = mean;
            moments[2 * s + 1] = inverse;
        }
    }
}

static void fast_layer_norm_backward_x(bool centred, ptrdiff_t n, ptrdiff_t out, real *grad_x, const real *grad_y,
                                       const real *x, const real *moments, const real *gamma) {
    for (ptrdiff_t s = 0; s < n; s++, x += out, grad_x += out, grad_y += out) {
        const norm_row row = {.x = x,
                              .grad_y = grad_y,
                              .gamma = gamma,
                              .mean = vec_broadcast(moments[2 * s]),
                              .inverse = vec_broadcast(moments[2 * s + 1])};
        const vec mean_g = vec_broadcast(centred ? sum_of_row(term_g, out, &row) / (real)out : 0);
        const vec mean_g_x_hat = vec_broadcast(sum_of_row(term_g_x_hat, out, &row) / (real)out);
        for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
            const lane_set lanes = lanes_at(k, out);
            const vec g = vec_sub(term_g(&row, k, lanes), mean_g);
            store_lanes(grad_x + k, vec_mul(row.inverse, vec_fnma(term_x_hat(&row, k, lanes), mean_g_x_hat, g)), lanes);
        }
    }
}

/* ---- columns: `width` <= 16 side by side, which compilers turn into vectors; sums in double, as the reference ------ */

enum { SIDE = 16 };

typedef struct {
    ptrdiff_t n, out;
    const real *x, *grad_y, *weight, *row_moments;
    const real *mean, *variance;
    real *grad_gamma, *new_mean, *new_variance;
    real epsilon;
    double total; /* of the weights                                                    */
    double *sum;  /* over all columns; NULL: each by itself */
} columns_task;

typedef void block_of_columns(int width, ptrdiff_t first, const columns_task *t);

static ALWAYS_INLINE void each_block(block_of_columns *f, const columns_task *t) {
    ptrdiff_t i = 0;
    for (; t->out - i >= SIDE; i += SIDE) {
        f(SIDE, i, t);
    }
    if (t->out - i >= SIDE / 2) {
        f(SIDE / 2, i, t);
        i += SIDE / 2;
    }
    if (t->out - i >= SIDE / 4) {
        f(SIDE / 4, i, t);
        i += SIDE / 4;
    }
    for (; i < t->out; i++) {
        f(1, i, t);
    }
}

static ALWAYS_INLINE void gamma_of_block(int width, ptrdiff_t first, const columns_task *t) {
    double sums[SIDE];
    EACH (i, width) {
        sums[i] = 0;
    }
    for (ptrdiff_t s = 0; s < t->n; s++) {
        const real *x = t->x + s * t->out + first, *grad_y = t->grad_y + s * t->out + first;
        const real mean = t->row_moments[2 * s], inverse = t->row_moments[2 * s + 1];
        EACH (i, width) {
            sums[i] += (double)grad_y[i] * (double)((x[i] - mean) * inverse);
        }
    }
    EACH (i, width) {
        t->grad_gamma[first + i] = (real)sums[i];
    }
}

static void fast_layer_norm_backward_gamma(ptrdiff_t n, ptrdiff_t out, real *grad_gamma, const real *grad_y,
                                           const real *x, const real *moments) {
    each_block(gamma_of_block,
               &(columns_task){
                   .n = n, .out = out, .grad_gamma = grad_gamma, .grad_y = grad_y, .x = x, .row_moments = moments});
}

/* `weighted` is known when inlined. Three loops: compilers make vectors of each, and not of all in one. */
static ALWAYS_INLINE void moments_of_columns(int width, bool weighted, ptrdiff_t first, const columns_task *t) {
    double sums[SIDE], deviations[SIDE], squares[SIDE], centre[SIDE];
    EACH (i, width) {
        sums[i] = deviations[i] = squares[i] = 0;
    }
    for (ptrdiff_t s = 0; s < t->n; s++) {
        const real *x = t->x + s * t->out + first;
        const double weight = weighted ? (double)t->weight[s] : 1;
        EACH (i, width) {
            sums[i] += weight * (double)x[i];
        }
    }
    EACH (i, width) {
        centre[i] = t->total > 0 ? sums[i] / t->total : 0;
    }
    for (ptrdiff_t s = 0; s < t->n; s++) {
        const real *x = t->x + s * t->out + first;
        const double weight = weighted ? (double)t->weight[s] : 1;
        EACH (i, width) {
            deviations[i] += weight * ((double)x[i] - centre[i]);
        }
    }
    for (ptrdiff_t s = 0; s < t->n; s++) {
        const real *x = t->x + s * t->out + first;
        const double weight = weighted ? (double)t->weight[s] : 1;
        EACH (i, width) {
            const double deviation = (double)x[i] - centre[i];
            squares[i] += weight * deviation * deviation;
        }
    }
    EACH (i, width) {
        const double off = t->total > 0 ? deviations[i] / t->total : 0;
        const double variance = (t->total > 0 ? squares[i] / t->total : 0) - off * off;
        t->new_mean[first + i] = (real)(centre[i] + off);
        t->new_variance[first + i] = (real)(variance < 0 ? 0 : variance);
    }
}

static ALWAYS_INLINE void moments_of_block(int width, ptrdiff_t first, const columns_task *t) {
    if (t->weight) {
        moments_of_columns(width, true, first, t);
    } else {
        moments_of_columns(width, false, first, t);
    }
}

static void fast_batch_norm_moments(ptrdiff_t n, ptrdiff_t out, real *mean, real *variance, const real *x,
                                    const real *weight) {
    each_block(moments_of_block, &(columns_task){.n = n,
                                                 .out = out,
                                                 .new_mean = mean,
                                                 .new_variance = variance,
                                                 .x = x,
                                                 .weight = weight,
                                                 .total = batch_weight(n, weight)});
}

/* What is written goes row by row, some columns at a time whose constants stay in L1: writing down a column would take longer. */
enum { COLUMNS_AT_ONCE = 256 };

static void fast_batch_norm_forward(ptrdiff_t n, ptrdiff_t out, real *y, const real *x, const real *mean,
                                    const real *variance, const real *gamma, const real *beta, real epsilon) {
    for (ptrdiff_t first = 0; first < out; first += COLUMNS_AT_ONCE) {
        const ptrdiff_t columns = at_most(COLUMNS_AT_ONCE, out - first);
        real factor[COLUMNS_AT_ONCE];
        for (ptrdiff_t k = 0; k < columns; k++) {
            factor[k] = gamma[first + k] * (1 / real_sqrt(variance[first + k] + epsilon));
        }
        for (ptrdiff_t s = 0; s < n; s++) {
            const real *from = x + s * out + first;
            for (ptrdiff_t k = 0; k < columns; k += VEC_LANES) {
                const lane_set lanes = lanes_at(k, columns);
                const vec deviation = vec_sub(load_lanes(from + k, lanes), load_lanes(mean + first + k, lanes));
                const vec shift = load_lanes(beta + first + k, lanes);
                store_lanes(y + s * out + first + k, vec_fma(deviation, load_lanes(factor + k, lanes), shift), lanes);
            }
        }
    }
}

/* x_hat of a block of a row; whole registers are written out, since compilers do not see them here. */
static ALWAYS_INLINE void x_hat_of_block(int width, real x_hat[SIDE], const real *x, const real *mean,
                                         const real *inverse) {
    if (width == SIDE) {
        EACH (v, SUMS) {
            const int i = v * VEC_LANES;
            vec_store(x_hat + i, vec_mul(vec_sub(vec_load(x + i), vec_load(mean + i)), vec_load(inverse + i)));
        }
    } else {
        EACH (i, width) {
            x_hat[i] = (x[i] - mean[i]) * inverse[i];
        }
    }
}

/* grad_gamma. */
static ALWAYS_INLINE void x_hat_sums_of_block(int width, ptrdiff_t first, const columns_task *t) {
    double sums[SIDE];
    real mean[SIDE], inverse[SIDE], x_hat[SIDE];
    EACH (i, width) {
        mean[i] = t->mean[first + i];
        inverse[i] = 1 / real_sqrt(t->variance[first + i] + t->epsilon);
        sums[i] = 0;
    }
    for (ptrdiff_t s = 0; s < t->n; s++) {
        const real *x = t->x + s * t->out + first, *grad_y = t->grad_y + s * t->out + first;
        x_hat_of_block(width, x_hat, x, mean, inverse);
        EACH (i, width) {
            sums[i] += (double)grad_y[i] * (double)x_hat[i];
        }
    }
    EACH (i, width) {
        t->grad_gamma[first + i] = (real)sums[i];
    }
}

static void fast_batch_norm_backward(ptrdiff_t n, ptrdiff_t out, real *grad_x, real *grad_gamma, real *grad_beta,
                                     const real *grad_y, const real *x, const real *mean, const real *variance,
                                     const real *gamma, real epsilon, const real *share) {
    fast_dense_backward_b(n, out, grad_beta, grad_y);
    each_block(x_hat_sums_of_block, &(columns_task){.n = n,
                                                    .out = out,
                                                    .grad_gamma = grad_gamma,
                                                    .grad_y = grad_y,
                                                    .x = x,
                                                    .mean = mean,
                                                    .variance = variance,
                                                    .epsilon = epsilon});
    for (ptrdiff_t first = 0; grad_x && first < out; first += COLUMNS_AT_ONCE) {
        const ptrdiff_t columns = at_most(COLUMNS_AT_ONCE, out - first);
        real inverse[COLUMNS_AT_ONCE];
        for (ptrdiff_t k = 0; k < columns; k++) {
            inverse[k] = 1 / real_sqrt(variance[first + k] + epsilon);
        }
        for (ptrdiff_t s = 0; s < n; s++) {
            const ptrdiff_t row = s * out + first;
            const vec of_row = vec_broadcast(share[s]);
            for (ptrdiff_t k = 0; k < columns; k += VEC_LANES) {
                const lane_set lanes = lanes_at(k, columns);
                const vec deviation = vec_sub(load_lanes(x + row + k, lanes), load_lanes(mean + first + k, lanes));
                const vec scale = load_lanes(inverse + k, lanes), x_hat = vec_mul(deviation, scale);
                const vec moved =
                    vec_fma(x_hat, load_lanes(grad_gamma + first + k, lanes), load_lanes(grad_beta + first + k, lanes));
                const vec inner = vec_fnma(of_row, moved, load_lanes(grad_y + row + k, lanes));
                const vec factor = vec_mul(load_lanes(gamma + first + k, lanes), scale);
                store_lanes(grad_x + row + k, vec_mul(factor, inner), lanes);
            }
        }
    }
}
