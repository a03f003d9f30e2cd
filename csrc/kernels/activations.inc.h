/* activations.inc.h: reference/activations.c in vectors. Rows of softmax run through LANES = 16 partial sums, which are
 * SUMS registers here.
 */

static inline vec vec_relu(vec z) { return vec_select(vec_less_equal(z, vec_broadcast(0)), vec_broadcast(0), z); }
static inline vec vec_same(vec z) { return z; }

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

/* What the terms of a sum may depend on beside their two numbers: the row's largest, and the log of its sum. */
typedef struct {
    vec max, log_sum;
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

static void fast_softmax_forward(ptrdiff_t out, real *a, const real *z) {
    softmax_row row = fast_softmax_of(out, a, z);
    divide_row(out, a, 1 + row.rest);
}

static inline vec product_of(vec a, vec grad_a, row_facts facts) { return (void)facts, vec_mul(a, grad_a); }

static void fast_softmax_backward(ptrdiff_t out, real *phi, const real *a, const real *grad_a) {
    vec mean = vec_broadcast(row_sum(out, product_of, a, grad_a, (row_facts){0}));
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        mask some = mask_first(out - k);
        vec centred = vec_sub(vec_load_masked(grad_a + k, some), mean);
        vec_store_masked(phi + k, vec_mul(vec_load_masked(a + k, some), centred), some);
    }
}

static void fast_activation_forward(mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, real *a, const real *z) {
    switch (sigma) {
    case MLP_RELU: each(vec_relu, n * out, a, z); break;
    case MLP_SIGMOID: each(vec_sigmoid, n * out, a, z); break;
    case MLP_TANH: each(vec_tanh, n * out, a, z); break;
    case MLP_SOFTMAX:
        for (ptrdiff_t s = 0, rows; s < n; s += rows) {
            if (is_narrow(n - s, out)) {
                rows = rows_together(n - s);
                narrow_softmax_forward(rows, out, a + s * out, z + s * out);
            } else {
                rows = 1;
                fast_softmax_forward(out, a + s * out, z + s * out);
            }
        }
        break;
    default: each(vec_same, n * out, a, z);
    }
}

/* grad_a times sigma', which is a function of a. */
static inline vec through_relu(vec a, vec grad_a) {
    return vec_select(vec_less(vec_broadcast(0), a), grad_a, vec_broadcast(0));
}
static inline vec through_sigmoid(vec a, vec grad_a) {
    return vec_mul(grad_a, vec_mul(a, vec_sub(vec_broadcast(1), a)));
}
static inline vec through_tanh(vec a, vec grad_a) {
    return vec_mul(grad_a, vec_mul(vec_sub(vec_broadcast(1), a), vec_add(vec_broadcast(1), a)));
}
static inline vec through_linear(vec a, vec grad_a) { return (void)a, grad_a; }

static ALWAYS_INLINE void each_of_two(vec (*f)(vec, vec), ptrdiff_t count, real *y, const real *a, const real *b) {
    ptrdiff_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        vec_store(y + i, f(vec_load(a + i), vec_load(b + i)));
    }
    if (i < count) {
        mask some = mask_first(count - i);
        vec_store_masked(y + i, f(vec_load_masked(a + i, some), vec_load_masked(b + i, some)), some);
    }
}

static void fast_activation_backward(mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, real *phi, const real *a,
                                     const real *grad_a) {
    switch (sigma) {
    case MLP_RELU: each_of_two(through_relu, n * out, phi, a, grad_a); break;
    case MLP_SIGMOID: each_of_two(through_sigmoid, n * out, phi, a, grad_a); break;
    case MLP_TANH: each_of_two(through_tanh, n * out, phi, a, grad_a); break;
    case MLP_SOFTMAX:
        for (ptrdiff_t s = 0; s < n; s++) {
            fast_softmax_backward(out, phi + s * out, a + s * out, grad_a + s * out);
        }
        break;
    default: each_of_two(through_linear, n * out, phi, a, grad_a);
    }
}
