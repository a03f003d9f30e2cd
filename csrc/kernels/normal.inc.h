/* normal.inc.h: reference/normal.h for VEC_LANES numbers at once. The middle and the near tail are one quotient whose
 * coefficients are chosen lane by lane; the far tail, p below 1.4e-11, is computed only where a lane has it. */

static ALWAYS_INLINE vec vec_coefficient(mask first, real of_first, real of_others) {
    return vec_select(first, vec_broadcast(of_first), vec_broadcast(of_others));
}

static ALWAYS_INLINE vec vec_quotient_at(mask first, const quantile_quotient *q, const quantile_quotient *others,
                                         vec r) {
    vec over = vec_coefficient(first, q->over[0], others->over[0]);
    vec under = vec_coefficient(first, q->under[0], others->under[0]);
    EACH (k, QUANTILE_DEGREE) {
        over = vec_add(vec_mul(over, r), vec_coefficient(first, q->over[k + 1], others->over[k + 1]));
        under = vec_add(vec_mul(under, r), vec_coefficient(first, q->under[k + 1], others->under[k + 1]));
    }
    return vec_div(over, under);
}

static inline vec vec_normal_quantile(vec p) {
    const vec q = vec_sub(p, vec_broadcast(REAL(0.5))), infinite = vec_broadcast((real)INFINITY);
    const mask middle = vec_less_equal(vec_abs(q), vec_broadcast(REAL(0.425)));
    const mask left = vec_less(q, vec_broadcast(0));
    const vec r = vec_sqrt(vec_negative(vec_log(vec_select(left, p, vec_sub(vec_broadcast(1), p)))));
    const vec r_middle = vec_sub(vec_broadcast(REAL(0.180625)), vec_mul(q, q));
    const vec r_near = vec_sub(r, vec_broadcast(REAL(1.6)));
    const vec quotient =
        vec_quotient_at(middle, &QUANTILE_MIDDLE, &QUANTILE_NEAR_TAIL, vec_select(middle, r_middle, r_near));
    vec tail = quotient;
    const mask far = vec_less(vec_broadcast(5), r);
    if (mask_lane(far) >= 0) {
        const vec r_far = vec_sub(r, vec_broadcast(5));
        tail = vec_select(far, vec_quotient_at(far, &QUANTILE_FAR_TAIL, &QUANTILE_FAR_TAIL, r_far), tail);
        tail = vec_select(vec_equal(r, infinite), infinite, tail);
    }
    return vec_select(middle, vec_mul(q, quotient), vec_select(left, vec_negative(tail), tail));
}
