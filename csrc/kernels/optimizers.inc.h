/* optimizers.inc.h: reference/optimizers.c in vectors, one straight pass over the weights and their state. */

static inline vec vec_settled(vec average) {
    return vec_pick(vec_less(vec_abs(average), vec_all(NEGLIGIBLE)), vec_all(0), average);
}

static ALWAYS_INLINE void sgd_of_some(const REAL_NAME(mlp_sgd) * step, real *w, real *velocity, const real *grad,
                                      mask some) {
    const vec rate = vec_all(step->rate), momentum = vec_all(step->momentum);
    vec slope = vec_load_some(grad, some), direction = slope;
    if (velocity) {
        vec v = vec_settled(vec_fma(momentum, vec_load_some(velocity, some), slope));
        vec_store_some(velocity, v, some);
        direction = step->nesterov ? vec_fma(momentum, v, slope) : v;
    }
    vec_store_some(w, vec_fnma(rate, direction, vec_load_some(w, some)), some);
}

static void fast_sgd_step(ptrdiff_t count, const REAL_NAME(mlp_sgd) * step, real *w, real *velocity, const real *grad) {
    for (ptrdiff_t i = 0; i < count; i += VEC_LANES) {
        sgd_of_some(step, w + i, velocity ? velocity + i : NULL, grad + i, mask_first(count - i));
    }
}

static ALWAYS_INLINE void adam_of_some(const REAL_NAME(mlp_adam) * step, real *w, real *m, real *v, const real *grad,
                                       mask some) {
    vec slope = vec_load_some(grad, some);
    vec new_m = vec_mul(vec_all(step->beta1), vec_load_some(m, some));
    vec new_v = vec_mul(vec_all(step->beta2), vec_load_some(v, some));
    new_m = vec_settled(vec_fma(vec_all(1 - step->beta1), slope, new_m));
    new_v = vec_settled(vec_fma(vec_mul(vec_all(1 - step->beta2), slope), slope, new_v));
    vec root = vec_fma(vec_sqrt(new_v), vec_all(step->v_scale), vec_all(step->epsilon));
    vec move = vec_div(vec_mul(vec_all(step->rate), new_m), root);
    vec_store_some(m, new_m, some);
    vec_store_some(v, new_v, some);
    vec_store_some(w, vec_sub(vec_load_some(w, some), move), some);
}

static void fast_adam_step(ptrdiff_t count, const REAL_NAME(mlp_adam) * step, real *w, real *m, real *v,
                           const real *grad) {
    for (ptrdiff_t i = 0; i < count; i += VEC_LANES) {
        adam_of_some(step, w + i, m + i, v + i, grad + i, mask_first(count - i));
    }
}
