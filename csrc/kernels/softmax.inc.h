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

/* A term of a sum over a row: of units k to k + VEC_LANES. Each sum has a type of `row` for itself. */
typedef vec row_term(const void *row, ptrdiff_t k, lane_set lanes);

/* The sum of a row's terms, in the order of reference/sums.h. */
static ALWAYS_INLINE real sum_of_row(row_term *term, ptrdiff_t out, const void *row) {
    vec sums[SUMS];
    clear(sums);
    ptrdiff_t k = 0;
    for (; out - k >= LANES; k += LANES) {
        EACH (v, SUMS) {
            sums[v] = vec_add(sums[v], term(row, k + v * VEC_LANES, ALL_LANES));
        }
    }
    for (int v = 0; k < out; v++, k += VEC_LANES) {
        const lane_set lanes = lanes_at(k, out);
        sums[v] = vec_add(sums[v], vec_in_lanes(term(row, k, lanes), vec_broadcast(0), lanes));
    }
    return sum_of_sums(sums);
}

static inline vec vec_larger(vec a, vec b) { return vec_select(vec_less(a, b), b, a); }

/* The largest number of a row; the numbers that are NaN do not count. */
static inline real largest_of_row(ptrdiff_t out, const real *z) {
    const vec lowest = vec_broadcast(-(real)INFINITY);
    vec largest[SUMS]; /* several, so that one does not wait for the other */
    EACH (v, SUMS) {
        largest[v] = lowest;
    }
    ptrdiff_t k = 0;
    for (; out - k >= LANES; k += LANES) {
        EACH (v, SUMS) {
            largest[v] = vec_larger(largest[v], vec_load(z + k + v * VEC_LANES));
        }
    }
    for (; k < out; k += VEC_LANES) {
        const lane_set lanes = lanes_at(k, out);
        largest[0] = vec_larger(largest[0], vec_in_lanes(load_lanes(z + k, lanes), lowest, lanes));
    }
    for (int v = 1; v < SUMS; v++) {
        largest[0] = vec_larger(largest[0], largest[v]);
    }
    return vec_reduce_max(largest[0]);
}

/* Some units of softmax_of: adds e^{z - max} of those that are not the largest to *sum, and returns how many are. */
static ALWAYS_INLINE int add_softmax_lanes(vec *sum, real *e, const real *z, vec max, lane_set lanes) {
    const vec zero = vec_broadcast(0), numbers = load_lanes(z, lanes), term = vec_exp(vec_sub(numbers, max));
    const mask tie = mask_in_lanes(vec_equal(numbers, max), lanes);
    *sum = vec_add(*sum, vec_in_lanes(vec_select(tie, zero, term), zero, lanes));
    if (e) {
        store_lanes(e, vec_select(tie, vec_broadcast(1), term), lanes);
    }
    return mask_count(tie);
}

/* softmax_of, and e^{z - max} of every unit in e (out), unless that is NULL. */
static inline softmax_row fast_softmax_of(ptrdiff_t out, real *e, const real *z) {
    softmax_row row = {.max = largest_of_row(out, z)};
    vec max = vec_broadcast(row.max), sums[SUMS];
    clear(sums);
    int ties = -1;
    ptrdiff_t k = 0;
    for (; out - k >= LANES; k += LANES) {
        EACH (v, SUMS) {
            const ptrdiff_t at = k + v * VEC_LANES;
            ties += add_softmax_lanes(&sums[v], e ? e + at : NULL, z + at, max, ALL_LANES);
        }
    }
    for (int v = 0; k < out; v++, k += VEC_LANES) {
        ties += add_softmax_lanes(&sums[v], e ? e + k : NULL, z + k, max, first_lanes(out - k));
    }
    row.rest = sum_of_sums(sums) + (real)ties;
    return row;
}

static inline void divide_row(ptrdiff_t out, real *a, real divisor) {
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const lane_set lanes = lanes_at(k, out);
        store_lanes(a + k, vec_div(load_lanes(a + k, lanes), vec_broadcast(divisor)), lanes);
    }
}

static void softmax_row_forward(ptrdiff_t out, real *a, const real *z) {
    softmax_row row = fast_softmax_of(out, a, z);
    divide_row(out, a, 1 + row.rest);
}

typedef struct {
    const real *a, *grad_a;
} softmax_terms;

static ALWAYS_INLINE vec term_a_grad_a(const void *row, ptrdiff_t k, lane_set lanes) {
    const softmax_terms *of = row;
    return vec_mul(load_lanes(of->a + k, lanes), load_lanes(of->grad_a + k, lanes));
}

static void softmax_row_backward(ptrdiff_t out, real *phi, const real *grad_a, const real *a) {
    vec mean = vec_broadcast(sum_of_row(term_a_grad_a, out, &(softmax_terms){a, grad_a}));
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const lane_set lanes = lanes_at(k, out);
        const vec centred = vec_sub(load_lanes(grad_a + k, lanes), mean);
        store_lanes(phi + k, vec_mul(load_lanes(a + k, lanes), centred), lanes);
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
        const lane_set lanes = lanes_at(k, out);
        const vec numbers = load_lanes(z + k, lanes);
        const vec below = vec_select(vec_equal(numbers, max), vec_broadcast(0), vec_sub(numbers, max));
        store_lanes(a + k, vec_sub(below, log_sum), lanes);
    }
}

static ALWAYS_INLINE vec term_number(const void *row, ptrdiff_t k, lane_set lanes) {
    return load_lanes((const real *)row + k, lanes);
}

static void log_softmax_row_backward(ptrdiff_t out, real *phi, const real *grad_a, const real *a) {
    const vec total = vec_broadcast(sum_of_row(term_number, out, grad_a));
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const lane_set lanes = lanes_at(k, out);
        const vec share = vec_exp(load_lanes(a + k, lanes)), grad = load_lanes(grad_a + k, lanes);
        const mask is_none = vec_equal(share, vec_broadcast(0));
        store_lanes(phi + k, vec_select(is_none, grad, vec_fnma(share, total, grad)), lanes);
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
