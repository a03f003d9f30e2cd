/* descent.inc.h: reference/descent.c in vectors. */

/* SGD without momentum. */
static ALWAYS_INLINE vec descent_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope,
                                          lane_set lanes) {
    (void)i, (void)lanes;
    return vec_fnma(vec_broadcast(u->constants[SGD_RATE]), slope, w);
}

static ALWAYS_INLINE vec momentum_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope,
                                           lane_set lanes) {
    const vec rate = vec_broadcast(u->constants[SGD_RATE]), momentum = vec_broadcast(u->constants[SGD_MOMENTUM]);
    real *const velocity = u->state[0];
    const vec v = vec_flush_tiny(vec_fma(momentum, load_lanes(velocity + i, lanes), slope), REAL_SMALLEST);
    const vec direction = u->constants[SGD_NESTEROV] != 0 ? vec_fma(momentum, v, slope) : v;
    store_lanes(velocity + i, v, lanes);
    return vec_fnma(rate, direction, w);
}

FUSED_VECTOR_RULE(descent)
FUSED_VECTOR_RULE(momentum)

static void fast_sgd_step(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w,
                          const real *grad) {
    (u->state[0] ? fast_momentum_step : fast_descent_step)(u, begin, count, w, grad);
}

static void fast_sgd_online(const REAL_NAME(mlp_update) * u, const online_task *task) {
    (u->state[0] ? fast_momentum_online : fast_descent_online)(u, task);
}

/* ---- by the sign alone ------------------------------------------------------------------------------------------ */

static ALWAYS_INLINE vec lion_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope, lane_set lanes) {
    const real beta1 = u->constants[LION_BETA1], beta2 = u->constants[LION_BETA2];
    real *const m = u->state[0];
    const vec old_m = load_lanes(m + i, lanes);
    const vec direction = vec_fma(vec_broadcast(1 - beta1), slope, vec_mul(vec_broadcast(beta1), old_m));
    const vec new_m = vec_fma(vec_broadcast(1 - beta2), slope, vec_mul(vec_broadcast(beta2), old_m));
    store_lanes(m + i, vec_flush_tiny(new_m, REAL_SMALLEST), lanes);
    return vec_fnma(vec_broadcast(u->constants[LION_RATE]), vec_sign(direction), w);
}

VECTOR_RULE(lion)

static ALWAYS_INLINE vec rprop_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope,
                                        lane_set lanes) {
    const real *const c = u->constants;
    real *const step = u->state[0], *const sign = u->state[1];
    const vec zero = vec_broadcast(0), least = vec_broadcast(c[RPROP_LEAST]), most = vec_broadcast(c[RPROP_MOST]);
    const vec now = vec_sign(slope), agreement = vec_mul(now, load_lanes(sign + i, lanes));
    const vec shorter = vec_select(vec_less(agreement, zero), vec_broadcast(c[RPROP_SHORTER]), vec_broadcast(1));
    const vec factor = vec_select(vec_less(zero, agreement), vec_broadcast(c[RPROP_LONGER]), shorter);
    vec new_step = load_lanes(step + i, lanes);
    new_step = vec_mul(vec_select(vec_less(zero, new_step), new_step, vec_broadcast(c[RPROP_FIRST])), factor);
    new_step = vec_select(vec_less(new_step, least), least, new_step);
    new_step = vec_select(vec_less(most, new_step), most, new_step);
    const vec new_sign = vec_select(vec_less(agreement, zero), zero, now);
    store_lanes(step + i, new_step, lanes);
    store_lanes(sign + i, new_sign, lanes);
    return vec_fnma(new_step, new_sign, w);
}

VECTOR_RULE(rprop)
