/* narrow.inc.h: softmax and cross-entropy of rows of at most LANES units, such as ten classes, for VEC_LANES samples side
 * by side. Row by row, most of a register would be empty and every sum would end in halving one.
 *
 * A block of rows is turned, so that vector k holds unit k of every sample. Then the 16 partial sums of reference/sums.h
 * are the vectors themselves, and adding their halves is adding vectors.
 */

/* part_of and below_max of the reference; but a share of 0 leaves nothing of NaN either. */
static inline vec vec_part_of(vec share, vec z) {
    return vec_select(vec_equal(share, vec_broadcast(0)), vec_broadcast(0), vec_mul(share, z));
}
static inline vec vec_below_max(vec max, vec z) {
    return vec_select(vec_equal(z, max), vec_broadcast(0), vec_sub(max, z));
}

/* smoothed of the reference, with the constants c. */
typedef struct {
    vec keep, spread;
} smoothing;

static ALWAYS_INLINE smoothing smoothing_of(ptrdiff_t answers, const real *c) {
    return (smoothing){vec_broadcast(1 - c[0]), vec_broadcast(c[0] / (real)answers)};
}
static inline vec vec_smoothed(vec y, smoothing by) { return vec_fma(by.keep, y, by.spread); }

typedef vec units[LANES];

static bool is_narrow(ptrdiff_t n, ptrdiff_t out) { return out > 1 && out <= LANES && n >= VEC_LANES / 2; }

static ptrdiff_t rows_together(ptrdiff_t n) { return n < VEC_LANES ? n : VEC_LANES; }

/* `rows` <= VEC_LANES rows of `out` units; what lies beyond them is 0. */
static ALWAYS_INLINE void turn_in(ptrdiff_t rows, ptrdiff_t out, units c, const real *from) {
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        load_transposed(c + k, rows, out - k, from + k, out);
    }
}

static ALWAYS_INLINE void turn_out(ptrdiff_t rows, ptrdiff_t out, real *to, const units c) {
    for (ptrdiff_t k = 0; k < out; k += VEC_LANES) {
        const mask some = mask_first(out - k);
        vec square[VEC_LANES];
        for (int r = 0; r < VEC_LANES; r++) {
            square[r] = c[k + r];
        }
        transpose(square);
        for (int r = 0; r < VEC_LANES && r < rows; r++) {
            vec_store_masked(to + r * out + k, square[r], some);
        }
    }
}

/* sum_of_lanes for every sample. Lanes from `out` on are 0, and adding them would change nothing, since no sum that begins
 * at 0 is -0. */
static ALWAYS_INLINE vec sum_of_units(ptrdiff_t out, units terms) {
    for (ptrdiff_t k = 0; k < out; k++) {
        terms[k] = vec_add(vec_broadcast(0), terms[k]);
    }
    for (ptrdiff_t half = LANES / 2; half > 0; half /= 2) {
        for (ptrdiff_t k = 0; k < half && k + half < out; k++) {
            terms[k] = vec_add(terms[k], terms[k + half]);
        }
    }
    return terms[0];
}

typedef struct {
    vec max, rest;
} narrow_softmax;

/* softmax_of, and e^{z - max} of every unit in e. */
static ALWAYS_INLINE narrow_softmax softmax_of_units(ptrdiff_t out, units e, const units z) {
    narrow_softmax s = {.max = vec_broadcast(-(real)INFINITY)};
    for (ptrdiff_t k = 0; k < out; k++) {
        s.max = vec_select(vec_less(s.max, z[k]), z[k], s.max);
    }
    vec ties = vec_broadcast(-1);
    units terms;
    for (ptrdiff_t k = 0; k < out; k++) {
        const mask tie = vec_equal(z[k], s.max);
        const vec term = vec_exp(vec_sub(z[k], s.max));
        ties = vec_add(ties, vec_select(tie, vec_broadcast(1), vec_broadcast(0)));
        terms[k] = vec_select(tie, vec_broadcast(0), term);
        e[k] = vec_select(tie, vec_broadcast(1), term);
    }
    s.rest = vec_add(sum_of_units(out, terms), ties);
    return s;
}

static void narrow_softmax_forward(ptrdiff_t rows, ptrdiff_t out, real *a, const real *z) {
    units of_z, of_a;
    turn_in(rows, out, of_z, z);
    const vec sum = vec_add(vec_broadcast(1), softmax_of_units(out, of_a, of_z).rest);
    for (ptrdiff_t k = 0; k < out; k++) {
        of_a[k] = vec_div(of_a[k], sum);
    }
    turn_out(rows, out, a, of_a);
}

/* Of every sample: the largest number, the place of the first one, as a number, and whether there is no NaN. */
typedef struct {
    vec largest, first;
    mask is_number;
} narrow_largest;

static ALWAYS_INLINE narrow_largest first_largest_of_units(ptrdiff_t out, const units c) {
    narrow_largest l = {.largest = c[0], .first = vec_broadcast(0), .is_number = vec_equal(c[0], c[0])};
    for (ptrdiff_t k = 1; k < out; k++) {
        const mask larger = vec_less(l.largest, c[k]);
        l.largest = vec_select(larger, c[k], l.largest);
        l.first = vec_select(larger, vec_broadcast((real)k), l.first);
        l.is_number = mask_and(l.is_number, vec_equal(c[k], c[k]));
    }
    return l;
}

static ALWAYS_INLINE int count_correct_units(ptrdiff_t rows, ptrdiff_t out, const units a, const units y) {
    const narrow_largest of_a = first_largest_of_units(out, a), of_y = first_largest_of_units(out, y);
    const mask numbers = mask_and(mask_and(of_a.is_number, of_y.is_number), vec_less(vec_broadcast(0), of_y.largest));
    return mask_count(mask_and(mask_and(mask_first(rows), numbers), vec_equal(of_a.first, of_y.first)));
}

/* softmax, the value and phi of CCE (softmax_cce and softmax_cce_phi of the reference), and how many are right. */
static int narrow_softmax_cce_step(ptrdiff_t rows, ptrdiff_t out, real *a, real *value, real *phi, const real *z,
                                   const real *y, const real *scale, const real *c) {
    const mask some = mask_first(rows);
    units of_z, of_a, of_y, terms;
    turn_in(rows, out, of_z, z);
    turn_in(rows, out, of_y, y);
    const smoothing by = smoothing_of(out, c);
    const narrow_softmax s = softmax_of_units(out, of_a, of_z);
    const vec sum = vec_add(vec_broadcast(1), s.rest), log_sum = vec_log1p(s.rest);
    for (ptrdiff_t k = 0; k < out; k++) {
        terms[k] = vec_part_of(vec_smoothed(of_y[k], by), vec_add(vec_below_max(s.max, of_z[k]), log_sum));
        of_a[k] = vec_div(of_a[k], sum);
    }
    /* log_sum: see value_of_row. */
    vec_store_masked(value, vec_fma(vec_broadcast(0), log_sum, sum_of_units(out, terms)), some);
    turn_out(rows, out, a, of_a);
    const int right = count_correct_units(rows, out, of_a, of_y);

    for (ptrdiff_t k = 0; k < out; k++) {
        terms[k] = of_y[k] = vec_smoothed(of_y[k], by);
    }
    const vec total = sum_of_units(out, terms), share = vec_load_masked(scale, some);
    for (ptrdiff_t k = 0; k < out; k++) {
        of_a[k] = vec_mul(share, vec_fma(of_a[k], total, vec_sub(vec_broadcast(0), of_y[k])));
    }
    turn_out(rows, out, phi, of_a);
    return right;
}

static int narrow_count_correct(ptrdiff_t rows, ptrdiff_t out, const real *a, const real *y) {
    units of_a, of_y;
    of_a[0] = of_y[0] = vec_broadcast(0); /* for compilers, which do not know that out > 0 */
    turn_in(rows, out, of_a, a);
    turn_in(rows, out, of_y, y);
    return count_correct_units(rows, out, of_a, of_y);
}
