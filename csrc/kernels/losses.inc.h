/* losses.inc.h: reference/losses.c in vectors. Every loss and every pair of the catalogue says here which text it runs: its
 * own vector form, or the reference's.
 */

#include "loss_terms.inc.h"

/* The loss runs the reference's text. */
#define NO_VECTOR_LOSS(id)                                                                                             \
    static void fast_##id##_value(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *value,           \
                                  const real *y_hat, const real *y) {                                                  \
        loss_value(loss, n, out, value, y_hat, y);                                                                     \
    }                                                                                                                  \
    static void fast_##id##_gradient(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *grad_a,       \
                                     const real *y_hat, const real *y, const real *scale) {                            \
        loss_gradient(loss, n, out, grad_a, y_hat, y, scale);                                                          \
    }

/* The pair does. */
#define NO_VECTOR_PAIR(id)                                                                                             \
    static void fast_##id##_loss(const real *c, ptrdiff_t n, ptrdiff_t out, real *value, const real *z, const real *a, \
                                 const real *y) {                                                                      \
        for (ptrdiff_t s = 0; s < n; s++) {                                                                            \
            value[s] = id##_loss(out, z + s * out, a + s * out, y + s * out, c);                                       \
        }                                                                                                              \
    }                                                                                                                  \
    static void fast_##id##_phi(const real *c, ptrdiff_t n, ptrdiff_t out, real *phi, const real *z, const real *a,    \
                                const real *y, const real *scale) {                                                    \
        for (ptrdiff_t s = 0; s < n; s++) {                                                                            \
            id##_phi(out, phi + s * out, z + s * out, a + s * out, y + s * out, scale[s], c);                          \
        }                                                                                                              \
    }

/* ---- element by element ----------------------------------------------------------------------------------------- */

/* y as the loss takes it; `answers` among which it is smoothed, 0: it is not. */
static ALWAYS_INLINE vec vec_truth(vec y, ptrdiff_t answers, const real *c) {
    return answers > 0 ? vec_smoothed(y, smoothing_of(answers, c)) : y;
}

typedef vec pair_term(vec a, vec y, const real *c);

/* term(a, y) of a row, with y smoothed. */
typedef struct {
    pair_term *term;
    const real *a, *y, *c;
    ptrdiff_t answers;
} loss_terms;

static ALWAYS_INLINE vec term_of_loss(const void *row, ptrdiff_t k, lane_set lanes) {
    const loss_terms *of = row;
    return of->term(load_lanes(of->a + k, lanes), vec_truth(load_lanes(of->y + k, lanes), of->answers, of->c), of->c);
}

/* The sum of each row's terms, divided by `divisor`; rows of one number side by side. (A sum begins at 0, which is how -0
 * becomes 0.) */
static ALWAYS_INLINE void sum_of_each_row(pair_term *term, ptrdiff_t n, ptrdiff_t out, real *value, const real *a,
                                          const real *y, ptrdiff_t answers, real divisor, const real *c) {
    if (out > 1) {
        for (ptrdiff_t s = 0; s < n; s++) {
            const loss_terms row = {.term = term, .a = a + s * out, .y = y + s * out, .c = c, .answers = answers};
            value[s] = sum_of_row(term_of_loss, out, &row) / divisor;
        }
        return;
    }
    for (ptrdiff_t s = 0; s < n; s += VEC_LANES) {
        const mask some = mask_first(n - s);
        const vec of_y = vec_truth(vec_load_masked(y + s, some), answers, c);
        const vec number = term(vec_load_masked(a + s, some), of_y, c);
        vec_store_masked(value + s, vec_div(vec_add(number, vec_broadcast(0)), vec_broadcast(divisor)), some);
    }
}

/* grad = scale_s / divisor times slope(a, y) for each number of row s; rows of one number side by side. */
static ALWAYS_INLINE void each_of_rows(pair_term *slope, ptrdiff_t n, ptrdiff_t out, real *grad, const real *a,
                                       const real *y, ptrdiff_t answers, const real *scale, real divisor,
                                       const real *c) {
    if (out > 1) {
        for (ptrdiff_t s = 0; s < n; s++) {
            const vec share = vec_broadcast(scale[s] / divisor);
            for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
                const lane_set lanes = lanes_at(k, out);
                const vec of_y = vec_truth(load_lanes(y + s * out + k, lanes), answers, c);
                const vec result = slope(load_lanes(a + s * out + k, lanes), of_y, c);
                store_lanes(grad + s * out + k, vec_mul(share, result), lanes);
            }
        }
        return;
    }
    for (ptrdiff_t s = 0; s < n; s += VEC_LANES) {
        const mask some = mask_first(n - s);
        const vec share = vec_div(vec_load_masked(scale + s, some), vec_broadcast(divisor));
        const vec of_y = vec_truth(vec_load_masked(y + s, some), answers, c);
        const vec result = slope(vec_load_masked(a + s, some), of_y, c);
        vec_store_masked(grad + s, vec_mul(share, result), some);
    }
}

/* The loss is vec_<id>_term and vec_<id>_slope, of y_hat and y; SMOOTHED: of y that is smoothed among so many answers. */
#define SMOOTHED_VECTOR_LOSS(id, answers)                                                                              \
    static void fast_##id##_value(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *value,           \
                                  const real *y_hat, const real *y) {                                                  \
        const real divisor = outputs_averaged(loss, out);                                                              \
        sum_of_each_row(vec_##id##_term, n, out, value, y_hat, y, answers, divisor, loss->constants);                  \
    }                                                                                                                  \
    static void fast_##id##_gradient(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *grad_a,       \
                                     const real *y_hat, const real *y, const real *scale) {                            \
        const real divisor = outputs_averaged(loss, out);                                                              \
        each_of_rows(vec_##id##_slope, n, out, grad_a, y_hat, y, answers, scale, divisor, loss->constants);            \
    }
#define VECTOR_LOSS(id) SMOOTHED_VECTOR_LOSS(id, 0)

/* The pair is, of z and y. */
#define SMOOTHED_VECTOR_PAIR(id, answers)                                                                              \
    static void fast_##id##_loss(const real *c, ptrdiff_t n, ptrdiff_t out, real *value, const real *z, const real *a, \
                                 const real *y) {                                                                      \
        (void)a;                                                                                                       \
        sum_of_each_row(vec_##id##_term, n, out, value, z, y, answers, 1, c);                                          \
    }                                                                                                                  \
    static void fast_##id##_phi(const real *c, ptrdiff_t n, ptrdiff_t out, real *phi, const real *z, const real *a,    \
                                const real *y, const real *scale) {                                                    \
        (void)a;                                                                                                       \
        each_of_rows(vec_##id##_slope, n, out, phi, z, y, answers, scale, 1, c);                                       \
    }
#define VECTOR_PAIR(id) SMOOTHED_VECTOR_PAIR(id, 0)

VECTOR_LOSS(mse)
SMOOTHED_VECTOR_LOSS(bce, YES_AND_NO)
SMOOTHED_VECTOR_LOSS(cce, out)
VECTOR_LOSS(mae)
VECTOR_LOSS(huber)
VECTOR_LOSS(log_cosh)
VECTOR_LOSS(quantile)
VECTOR_LOSS(kl_divergence)
VECTOR_LOSS(poisson)
VECTOR_LOSS(hinge)
VECTOR_LOSS(squared_hinge)
VECTOR_LOSS(focal)
NO_VECTOR_LOSS(gaussian_nll)
SMOOTHED_VECTOR_PAIR(sigmoid_cce, out)
VECTOR_PAIR(sigmoid_kl_divergence)
VECTOR_PAIR(sigmoid_focal)
VECTOR_PAIR(softplus_poisson)
VECTOR_PAIR(exponential_poisson)
NO_VECTOR_PAIR(softmax_bce)

static void fast_sigmoid_bce_loss(const real *c, ptrdiff_t n, ptrdiff_t out, real *value, const real *z, const real *a,
                                  const real *y) {
    (void)a;
    sum_of_each_row(vec_sigmoid_bce_term, n, out, value, z, y, YES_AND_NO, 1, c);
}

static inline vec vec_a_less_y(vec a, vec y, const real *c) { return (void)c, vec_sub(a, y); }

static void fast_sigmoid_bce_phi(const real *c, ptrdiff_t n, ptrdiff_t out, real *phi, const real *z, const real *a,
                                 const real *y, const real *scale) {
    (void)z;
    each_of_rows(vec_a_less_y, n, out, phi, a, y, YES_AND_NO, scale, 1, c);
}

/* ---- softmax outputs -------------------------------------------------------------------------------------------- */

/* What the terms of a row depend on: its largest z, the log of its sum, how y is smoothed. */
typedef struct {
    const real *z, *y;
    vec max, log_sum;
    smoothing by;
} output_terms;

static ALWAYS_INLINE vec term_y(const void *row, ptrdiff_t k, lane_set lanes) {
    const output_terms *of = row;
    return vec_smoothed(load_lanes(of->y + k, lanes), of->by);
}

/* -log_softmax of z. */
static ALWAYS_INLINE vec vec_log_loss(const output_terms *of, ptrdiff_t k, lane_set lanes) {
    return vec_add(vec_below_max(of->max, load_lanes(of->z + k, lanes)), of->log_sum);
}

static ALWAYS_INLINE vec term_softmax_cce(const void *row, ptrdiff_t k, lane_set lanes) {
    return vec_part_of(term_y(row, k, lanes), vec_log_loss(row, k, lanes));
}

static ALWAYS_INLINE vec term_softmax_kl_divergence(const void *row, ptrdiff_t k, lane_set lanes) {
    const output_terms *of = row;
    const vec y = load_lanes(of->y + k, lanes);
    return vec_part_of(y, vec_add(vec_cut_log(y), vec_log_loss(row, k, lanes)));
}

/* What softmax_of finds out about some rows, one number a row: their logarithms cost little side by side. */
enum { ROWS_TOGETHER = 16 };

typedef struct {
    real max[ROWS_TOGETHER], rest[ROWS_TOGETHER], log_sum[ROWS_TOGETHER];
} softmax_rows;

/* `count` <= ROWS_TOGETHER rows; e as in fast_softmax_of. */
static inline softmax_rows softmax_of_rows(ptrdiff_t count, ptrdiff_t out, real *e, const real *z) {
    softmax_rows rows = {0};
    for (ptrdiff_t s = 0; s < count; s++) {
        softmax_row row = fast_softmax_of(out, e ? e + s * out : NULL, z + s * out);
        rows.max[s] = row.max;
        rows.rest[s] = row.rest;
    }
    each(vec_log1p, ROWS_TOGETHER, rows.log_sum, rows.rest);
    return rows;
}

/* log_sum is NaN where any z is, and finite otherwise: 0 times it makes the value NaN that y = 0 would hide. */
static ALWAYS_INLINE real value_of_row(row_term *term, ptrdiff_t out, const softmax_rows *rows, ptrdiff_t s,
                                       const real *z, const real *y, const real *c) {
    const output_terms row = {.z = z,
                              .y = y,
                              .max = vec_broadcast(rows->max[s]),
                              .log_sum = vec_broadcast(rows->log_sum[s]),
                              .by = smoothing_of(out, c)};
    return sum_of_row(term, out, &row) + 0 * rows->log_sum[s];
}

static inline ptrdiff_t rows_from(ptrdiff_t begin, ptrdiff_t n) {
    return n - begin < ROWS_TOGETHER ? n - begin : ROWS_TOGETHER;
}

static ALWAYS_INLINE void value_of_rows(row_term *term, ptrdiff_t n, ptrdiff_t out, real *value, const real *z,
                                        const real *y, const real *c) {
    for (ptrdiff_t begin = 0; begin < n; begin += ROWS_TOGETHER) {
        softmax_rows rows = softmax_of_rows(rows_from(begin, n), out, NULL, z + begin * out);
        for (ptrdiff_t s = 0; s < rows_from(begin, n); s++) {
            ptrdiff_t at = (begin + s) * out;
            value[begin + s] = value_of_row(term, out, &rows, s, z + at, y + at, c);
        }
    }
}

static void fast_softmax_cce_loss(const real *c, ptrdiff_t n, ptrdiff_t out, real *value, const real *z, const real *a,
                                  const real *y) {
    (void)a;
    value_of_rows(term_softmax_cce, n, out, value, z, y, c);
}

static void fast_softmax_kl_divergence_loss(const real *c, ptrdiff_t n, ptrdiff_t out, real *value, const real *z,
                                            const real *a, const real *y) {
    (void)a;
    value_of_rows(term_softmax_kl_divergence, n, out, value, z, y, c);
}

static void phi_of_softmax_cce(ptrdiff_t out, real *phi, const real *a, const real *y, real scale, const real *c) {
    const smoothing by = smoothing_of(out, c);
    const vec total = vec_broadcast(sum_of_row(term_y, out, &(output_terms){.y = y, .by = by}));
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const lane_set lanes = lanes_at(k, out);
        const vec of_y = vec_smoothed(load_lanes(y + k, lanes), by);
        const vec miss = vec_fma(load_lanes(a + k, lanes), total, vec_sub(vec_broadcast(0), of_y));
        store_lanes(phi + k, vec_mul(vec_broadcast(scale), miss), lanes);
    }
}

static void fast_softmax_cce_phi(const real *c, ptrdiff_t n, ptrdiff_t out, real *phi, const real *z, const real *a,
                                 const real *y, const real *scale) {
    (void)z;
    for (ptrdiff_t s = 0; s < n; s++) {
        phi_of_softmax_cce(out, phi + s * out, a + s * out, y + s * out, scale[s], c);
    }
}

static void fast_softmax_kl_divergence_phi(const real *c, ptrdiff_t n, ptrdiff_t out, real *phi, const real *z,
                                           const real *a, const real *y, const real *scale) {
    (void)c;
    fast_softmax_cce_phi(NOT_SMOOTHED, n, out, phi, z, a, y, scale);
}

static void fast_log_softmax_cce_loss(const real *c, ptrdiff_t n, ptrdiff_t out, real *value, const real *z,
                                      const real *a, const real *y) {
    fast_softmax_cce_loss(c, n, out, value, z, a, y);
}

static void fast_log_softmax_cce_phi(const real *c, ptrdiff_t n, ptrdiff_t out, real *phi, const real *z, const real *a,
                                     const real *y, const real *scale) {
    (void)a;
    fast_softmax_forward(n, out, phi, z, c);
    fast_softmax_cce_phi(c, n, out, phi, z, phi, y, scale);
}

static void fast_log_softmax_kl_divergence_loss(const real *c, ptrdiff_t n, ptrdiff_t out, real *value, const real *z,
                                                const real *a, const real *y) {
    fast_softmax_kl_divergence_loss(c, n, out, value, z, a, y);
}

static void fast_log_softmax_kl_divergence_phi(const real *c, ptrdiff_t n, ptrdiff_t out, real *phi, const real *z,
                                               const real *a, const real *y, const real *scale) {
    (void)c;
    fast_log_softmax_cce_phi(NOT_SMOOTHED, n, out, phi, z, a, y, scale);
}

/* ---- any of them ------------------------------------------------------------------------------------------------ */

static const struct {
    void (*value)(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *value, const real *y_hat,
                  const real *y);
    void (*gradient)(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *grad_a, const real *y_hat,
                     const real *y, const real *scale);
} LOSSES[] = {
#define LOSS(ID, id, ...) [MLP_##ID] = {fast_##id##_value, fast_##id##_gradient},
#include "../catalogue/losses.def"
};

static void fast_loss_value(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *value,
                            const real *y_hat, const real *y) {
    LOSSES[loss->id].value(loss, n, out, value, y_hat, y);
}

static void fast_loss_gradient(const REAL_NAME(mlp_loss) * loss, ptrdiff_t n, ptrdiff_t out, real *grad_a,
                               const real *y_hat, const real *y, const real *scale) {
    LOSSES[loss->id].gradient(loss, n, out, grad_a, y_hat, y, scale);
}

static void fast_output_loss(const REAL_NAME(mlp_loss) * loss, const REAL_NAME(mlp_activation) * sigma, ptrdiff_t n,
                             ptrdiff_t out, real *value, const real *z, const real *a, const real *y) {
    switch (pair_of(loss->id, sigma->id)) {
    case MLP_THROUGH_A: fast_loss_value(loss, n, out, value, a, y); break;
#define PAIR(ID, id, ...)                                                                                              \
    case MLP_##ID: fast_##id##_loss(loss->constants, n, out, value, z, a, y); break;
#include "../catalogue/pairs.def"
    }
}

static void fast_output_phi(const REAL_NAME(mlp_loss) * loss, const REAL_NAME(mlp_activation) * sigma, ptrdiff_t n,
                            ptrdiff_t out, real *phi, const real *z, const real *a, const real *y, const real *scale) {
    switch (pair_of(loss->id, sigma->id)) {
    case MLP_THROUGH_A:
        fast_loss_gradient(loss, n, out, phi, a, y, scale);
        fast_activation_backward(sigma, n, out, phi, mlp_derivative_needs_z(sigma->id) ? z : a, phi);
        break;
#define PAIR(ID, id, ...)                                                                                              \
    case MLP_##ID: fast_##id##_phi(loss->constants, n, out, phi, z, a, y, scale); break;
#include "../catalogue/pairs.def"
    }
}
