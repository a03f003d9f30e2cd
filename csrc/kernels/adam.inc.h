/* adam.inc.h: reference/adam.c in vectors. */

typedef struct {
    vec m, v;
} averages;

static ALWAYS_INLINE averages follow_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec slope, lane_set lanes) {
    const real beta1 = u->constants[ADAM_BETA1], beta2 = u->constants[ADAM_BETA2];
    real *const m = u->state[0], *const v = u->state[1];
    averages now = {.m = vec_mul(vec_broadcast(beta1), load_lanes(m + i, lanes)),
                    .v = vec_mul(vec_broadcast(beta2), load_lanes(v + i, lanes))};
    now.m = vec_flush_tiny(vec_fma(vec_broadcast(1 - beta1), slope, now.m), REAL_SMALLEST);
    now.v = vec_fma(vec_mul(vec_broadcast(1 - beta2), slope), slope, now.v);
    now.v = vec_flush_tiny(now.v, u->constants[ADAM_FLUSH_V]);
    store_lanes(m + i, now.m, lanes);
    store_lanes(v + i, now.v, lanes);
    return now;
}

static ALWAYS_INLINE vec vec_adam_divisor(const REAL_NAME(mlp_update) * u, vec v) {
    return vec_fma(vec_sqrt(v), vec_broadcast(u->constants[ADAM_V_SCALE]), vec_broadcast(u->constants[ADAM_EPSILON]));
}

static ALWAYS_INLINE vec vec_adam_move(const REAL_NAME(mlp_update) * u, vec m) {
    return vec_mul(vec_broadcast(u->constants[ADAM_RATE]), m);
}

static ALWAYS_INLINE vec adam_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope, lane_set lanes) {
    const averages now = follow_lanes(u, i, slope, lanes);
    return vec_sub(w, vec_div(vec_adam_move(u, now.m), vec_adam_divisor(u, now.v)));
}

static ALWAYS_INLINE vec amsgrad_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope,
                                          lane_set lanes) {
    const averages now = follow_lanes(u, i, slope, lanes);
    real *const v_max = u->state[2];
    const vec old_max = load_lanes(v_max + i, lanes);
    const vec new_max = vec_select(vec_less(old_max, now.v), now.v, old_max);
    store_lanes(v_max + i, new_max, lanes);
    return vec_sub(w, vec_div(vec_adam_move(u, now.m), vec_adam_divisor(u, new_max)));
}

static ALWAYS_INLINE vec nadam_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope,
                                        lane_set lanes) {
    const averages now = follow_lanes(u, i, slope, lanes);
    const vec ahead = vec_fma(vec_broadcast(u->constants[ADAM_OTHER]), slope, vec_adam_move(u, now.m));
    return vec_sub(w, vec_div(ahead, vec_adam_divisor(u, now.v)));
}

static ALWAYS_INLINE vec radam_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope,
                                        lane_set lanes) {
    const averages now = follow_lanes(u, i, slope, lanes);
    const vec move = vec_adam_move(u, now.m);
    return vec_sub(w, u->constants[ADAM_OTHER] != 0 ? vec_div(move, vec_adam_divisor(u, now.v)) : move);
}

FUSED_VECTOR_RULE(adam)
VECTOR_RULE(amsgrad)
VECTOR_RULE(nadam)
VECTOR_RULE(radam)

static void fast_adamw_step(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w,
                            const real *grad) {
    fast_adam_step(u, begin, count, w, grad);
}

static void fast_adamw_online(const REAL_NAME(mlp_update) * u, const online_task *task) { fast_adam_online(u, task); }
