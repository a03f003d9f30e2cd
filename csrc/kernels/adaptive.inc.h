/* adaptive.inc.h: reference/adaptive.c in vectors. */

/* rho average + (1 - rho) x y */
static ALWAYS_INLINE vec vec_followed(real rho, vec average, vec x, vec y) {
    return vec_fma(vec_mul(vec_broadcast(1 - rho), x), y, vec_mul(vec_broadcast(rho), average));
}

static ALWAYS_INLINE vec adagrad_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope,
                                          lane_set lanes) {
    real *const v = u->state[0];
    const vec new_v = vec_fma(slope, slope, load_lanes(v + i, lanes));
    store_lanes(v + i, new_v, lanes);
    const vec divisor = vec_add(vec_sqrt(new_v), vec_broadcast(u->constants[ADAGRAD_EPSILON]));
    return vec_sub(w, vec_div(vec_mul(vec_broadcast(u->constants[ADAGRAD_RATE]), slope), divisor));
}

/* v, or the variance. */
static ALWAYS_INLINE vec rmsprop_size(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec v, vec slope, lane_set lanes) {
    const real rho = u->constants[RMSPROP_RHO];
    real *const mean = u->state[2];
    if (!mean) {
        return v;
    }
    vec new_mean = vec_mul(vec_broadcast(rho), load_lanes(mean + i, lanes));
    new_mean = vec_flush_tiny(vec_fma(vec_broadcast(1 - rho), slope, new_mean), REAL_SMALLEST);
    store_lanes(mean + i, new_mean, lanes);
    const vec variance = vec_fnma(new_mean, new_mean, v), zero = vec_broadcast(0);
    return u->constants[RMSPROP_CENTERED] != 0 ? vec_select(vec_less(variance, zero), zero, variance) : v;
}

static ALWAYS_INLINE vec rmsprop_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope,
                                          lane_set lanes) {
    const real *const c = u->constants;
    real *const v = u->state[0], *const velocity = u->state[1];
    const vec new_v =
        vec_flush_tiny(vec_followed(c[RMSPROP_RHO], load_lanes(v + i, lanes), slope, slope), c[RMSPROP_FLUSH_V]);
    store_lanes(v + i, new_v, lanes);
    const vec root = vec_sqrt(rmsprop_size(u, i, new_v, slope, lanes));
    vec direction = vec_div(slope, vec_add(root, vec_broadcast(c[RMSPROP_EPSILON])));
    if (velocity) {
        direction = vec_fma(vec_broadcast(c[RMSPROP_MOMENTUM]), load_lanes(velocity + i, lanes), direction);
        direction = vec_flush_tiny(direction, REAL_SMALLEST);
        store_lanes(velocity + i, direction, lanes);
    }
    return vec_fnma(vec_broadcast(c[RMSPROP_RATE]), direction, w);
}

static ALWAYS_INLINE vec adadelta_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope,
                                           lane_set lanes) {
    const real *const c = u->constants, rho = c[ADADELTA_RHO];
    const vec epsilon = vec_broadcast(c[ADADELTA_EPSILON]);
    real *const v = u->state[0], *const of_moves = u->state[1];
    const vec new_v = vec_flush_tiny(vec_followed(rho, load_lanes(v + i, lanes), slope, slope), c[ADADELTA_FLUSH]);
    const vec old_moves = load_lanes(of_moves + i, lanes);
    const vec ratio = vec_div(vec_sqrt(vec_add(old_moves, epsilon)), vec_sqrt(vec_add(new_v, epsilon)));
    const vec delta = vec_mul(ratio, slope);
    store_lanes(v + i, new_v, lanes);
    store_lanes(of_moves + i, vec_flush_tiny(vec_followed(rho, old_moves, delta, delta), c[ADADELTA_FLUSH]), lanes);
    return vec_fnma(vec_broadcast(c[ADADELTA_RATE]), delta, w);
}

VECTOR_RULE(adagrad)
VECTOR_RULE(rmsprop)
VECTOR_RULE(adadelta)
