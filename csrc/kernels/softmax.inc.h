/* softmax.inc.h: reference/softmax.c in vectors. The sums of a row run through LANES = 16 partial sums, which are SUMS registers.
 */

enum { SUMS = LANES / VEC_LANES };

static inline void clear(vec sums[SUMS]) {
    for (int v = 0; v < SUMS; v++) {
        sums[v] = vec_broadcast(0);
    }
}

/* sum_of_lanes of registers. */
static inline real sum_of_sums(vec sums[SUMS]) {
    for (int half = SUMS / 2; half > 0; half /= 2) {
        for (int v = 0; v < half; v++) {
            sums[v] = vec_add(sums[v], sums[v + half]);
        }
    }
    return vec_reduce_add(sums[0]);
}

/* What the terms of a sum may depend on beside their two numbers: the row's largest, the log of its sum, how y is smoothed. */
typedef struct {
    vec max, log_sum;
    smoothing by;
} row_facts;

/* The sum over a row of term(a_k, b_k), in the order of reference/sums.h. */
static ALWAYS_INLINE real row_sum(ptrdiff_t out, vec (*term)(vec a, vec b, row_facts facts), const real *a,
                                  const real *b, row_facts facts) {
    vec sums[SUMS];
    clear(sums);
    for (ptrdiff_t begin = 0; begin < out; begin += LANES) {
        for (int v = 0; v < SUMS; v++) {
            ptrdiff_t k = begin + v * VEC_LANES;
            mask some = mask_first(out - k);
            vec number = term(vec_load_masked(a + k, some), vec_load_masked(b + k, some), facts);
            sums[v] = vec_add(sums[v], vec_select(some, number, vec_broadcast(0)));
        }
    }
    return sum_of_sums(sums);
}

/* The largest number of a row; the numbers that are NaN do not count. */
static inline real largest_of_row(ptrdiff_t out, const real *z) {
    vec largest = vec_broadcast(-(real)INFINITY);
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        mask some = mask_first(out - k);
        vec numbers = vec_select(some, vec_load_masked(z + k, some), largest);
        largest = vec_select(vec_less(largest, numbers), numbers, largest);
    }
    return vec_reduce_max(largest);
}

/* softmax_of, and e^{z - max} of every unit in e (out), unless that is NULL. */
static inline softmax_row fast_softmax_of(ptrdiff_t out, real *e, const real *z) {
    softmax_row row = {.max = largest_of_row(out, z)};
    vec max = vec_broadcast(row.max), sums[SUMS];
    clear(sums);
    int ties = -1;
    for (ptrdiff_t begin = 0; begin < out; begin += LANES) {
        for (int v = 0; v < SUMS; v++) {
            ptrdiff_t k = begin + v * VEC_LANES;
            mask some = mask_first(out - k);
            vec numbers = vec_load_masked(z + k, some);
            mask tie = mask_and(some, vec_equal(numbers, max));
            vec term = vec_exp(vec_sub(numbers, max));
            ties += mask_count(tie);
            sums[v] = vec_add(sums[v], vec_select(some, vec_select(tie, vec_broadcast(0), term), vec_broadcast(0)));
            if (e) {
                vec_store_masked(e + k, vec_select(tie, vec_broadcast(1), term), some);
            }
        }
    }
    row.rest = sum_of_sums(sums) + (real)ties;
    return row;
}

static inline void divide_row(ptrdiff_t out, real *a, real divisor) {
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        mask some = mask_first(out - k);
        vec_store_masked(a + k, vec_div(vec_load_masked(a + k, some), vec_broadcast(divisor)), some);
    }
}

static void softmax_row_forward(ptrdiff_t out, real *a, const real *z) {
    softmax_row row = fast_softmax_of(out, a, z);
    divide_row(out, a, 1 + row.rest);
}

static inline vec product_of(vec a, vec grad_a, row_facts facts) { return (void)facts, vec_mul(a, grad_a); }

static void softmax_row_backward(ptrdiff_t out, real *phi, const real *grad_a, const real *a) {
    vec mean = vec_broadcast(row_sum(out, product_of, a, grad_a, (row_facts){0}));
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        mask some = mask_first(out - k);
        vec centred = vec_sub(vec_load_masked(grad_a + k, some), mean);
        vec_store_masked(phi + k, vec_mul(vec_load_masked(a + k, some), centred), some);
    }
}

static void fast_softmax_forward(ptrdiff_t n, ptrdiff_t out, real *a, const real *z, const real *c) {
    (void)c;
    for (ptrdiff_t s = 0, rows; s < n; s += rows) {
        if (is_narrow(n - s, out)) {
            rows = rows_together(n - s);
            narrow_softmax_forward(rows, out, a + s * out, z + s * out);
        } else {
            rows = 1;
            softmax_row_forward(out, a + s * out, z + s * out);
        }
    }
}

static void fast_softmax_backward(ptrdiff_t n, ptrdiff_t out, real *phi, const real *grad_a, const real *a,
                                  const real *c) {
    (void)c;
    for (ptrdiff_t s = 0; s < n; s++) {
        softmax_row_backward(out, phi + s * out, grad_a + s * out, a + s * out);
    }
}

/* ---- log_softmax ------------------------------------------------------------------------------------------------- */

static void log_softmax_row_forward(ptrdiff_t out, real *a, const real *z) {
    const softmax_row row = fast_softmax_of(out, NULL, z);
    const vec max = vec_broadcast(row.max), log_sum = vec_broadcast(real_log1p(row.rest));
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const mask some = mask_first(out - k);
        const vec numbers = vec_load_masked(z + k, some);
        const vec below = vec_select(vec_equal(numbers, max), vec_broadcast(0), vec_sub(numbers, max));
        vec_store_masked(a + k, vec_sub(below, log_sum), some);
    }
}

static inline vec second_of(vec a, vec grad_a, row_facts facts) { return (void)a, (void)facts, grad_a; }

static void log_softmax_row_backward(ptrdiff_t out, real *phi, const real *grad_a, const real *a) {
    const vec total = vec_broadcast(row_sum(out, second_of, a, grad_a, (row_facts){0}));
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const mask some = mask_first(out - k);
        const vec share = vec_exp(vec_load_masked(a + k, some)), grad = vec_load_masked(grad_a + k, some);
        const mask is_none = vec_equal(share, vec_broadcast(0));
        vec_store_masked(phi + k, vec_select(is_none, grad, vec_fnma(share, total, grad)), some);
    }
}

static void fast_log_softmax_forward(ptrdiff_t n, ptrdiff_t out, real *a, const real *z, const real *c) {
    (void)c;
    for (ptrdiff_t s = 0; s < n; s++) {
        log_softmax_row_forward(out, a + s * out, z + s * out);
    }
}

static void fast_log_softmax_backward(ptrdiff_t n, ptrdiff_t out, real *phi, const real *grad_a, const real *a,
                                      const real *c) {
    (void)c;
    for (ptrdiff_t s = 0; s < n; s++) {
        log_softmax_row_backward(out, phi + s * out, grad_a + s * out, a + s * out);
    }
}
