/* optimizers.inc.h: reference/optimizers.c in vectors, one straight pass over the weights and their state. */

static inline vec vec_settled(vec average) {
    return vec_pick(vec_less(vec_abs(average), vec_all(NEGLIGIBLE)), vec_all(0), average);
}

static ALWAYS_INLINE void sgd_of_some(const REAL_NAME(mlp_sgd) * step, real *w, real *velocity, const real *grad,
                                      lane_set some) {
    const vec rate = vec_all(step->rate), momentum = vec_all(step->momentum);
    vec slope = load_lanes(grad, some), direction = slope;
    if (velocity) {
        vec v = vec_settled(vec_fma(momentum, load_lanes(velocity, some), slope));
        store_lanes(velocity, v, some);
        direction = step->nesterov ? vec_fma(momentum, v, slope) : v;
    }
    store_lanes(w, vec_fnma(rate, direction, load_lanes(w, some)), some);
}

/* What the threads that share a step need to know: the weights from here on, and what goes with them. */
typedef struct {
    const void *step;
    ptrdiff_t count;
    real *w, *m, *v; /* SGD: m is the velocity or NULL, v is not used */
    const real *grad;
} shared_step;

enum {
    STEP_CHUNK = 32 * 1024 / (int)sizeof(real),
    STEP_WORTH_SHARING = 64 * 1024, /* weights; fewer are done before another thread has begun */
};

/* Runs work on each chunk of a step. */
static void share_step(shared_step shared, mlp_work *work) {
    ptrdiff_t chunks = (shared.count + STEP_CHUNK - 1) / STEP_CHUNK;
    if (shared.count >= STEP_WORTH_SHARING) {
        mlp_parallel(chunks, work, &shared);
        return;
    }
    for (ptrdiff_t chunk = 0; chunk < chunks; chunk++) {
        work(&shared, chunk);
    }
}

static ptrdiff_t chunk_end(const shared_step *shared, ptrdiff_t begin) {
    return begin + STEP_CHUNK < shared->count ? begin + STEP_CHUNK : shared->count;
}

static void sgd_chunk(void *context, ptrdiff_t chunk) {
    const shared_step *s = context;
    const REAL_NAME(mlp_sgd) step = *(const REAL_NAME(mlp_sgd) *)s->step; /* a copy that no store can change */
    ptrdiff_t i = chunk * STEP_CHUNK, end = chunk_end(s, i);
    for (; i + VEC_LANES <= end; i += VEC_LANES) {
        sgd_of_some(&step, s->w + i, s->m ? s->m + i : NULL, s->grad + i, ALL_LANES);
    }
    if (i < end) {
        sgd_of_some(&step, s->w + i, s->m ? s->m + i : NULL, s->grad + i, first_lanes(end - i));
    }
}

static void fast_sgd_step(ptrdiff_t count, const REAL_NAME(mlp_sgd) * step, real *w, real *velocity, const real *grad) {
    share_step((shared_step){.step = step, .count = count, .w = w, .m = velocity, .grad = grad}, sgd_chunk);
}

static ALWAYS_INLINE void adam_of_some(const REAL_NAME(mlp_adam) * step, real *w, real *m, real *v, const real *grad,
                                       lane_set some) {
    vec slope = load_lanes(grad, some);
    vec new_m = vec_mul(vec_all(step->beta1), load_lanes(m, some));
    vec new_v = vec_mul(vec_all(step->beta2), load_lanes(v, some));
    new_m = vec_settled(vec_fma(vec_all(1 - step->beta1), slope, new_m));
    new_v = vec_settled(vec_fma(vec_mul(vec_all(1 - step->beta2), slope), slope, new_v));
    vec root = vec_fma(vec_sqrt(new_v), vec_all(step->v_scale), vec_all(step->epsilon));
    vec move = vec_div(vec_mul(vec_all(step->rate), new_m), root);
    store_lanes(m, new_m, some);
    store_lanes(v, new_v, some);
    store_lanes(w, vec_sub(load_lanes(w, some), move), some);
}

static void adam_chunk(void *context, ptrdiff_t chunk) {
    const shared_step *s = context;
    const REAL_NAME(mlp_adam) step = *(const REAL_NAME(mlp_adam) *)s->step; /* a copy that no store can change */
    ptrdiff_t i = chunk * STEP_CHUNK, end = chunk_end(s, i);
    for (; i + VEC_LANES <= end; i += VEC_LANES) {
        adam_of_some(&step, s->w + i, s->m + i, s->v + i, s->grad + i, ALL_LANES);
    }
    if (i < end) {
        adam_of_some(&step, s->w + i, s->m + i, s->v + i, s->grad + i, first_lanes(end - i));
    }
}

static void fast_adam_step(ptrdiff_t count, const REAL_NAME(mlp_adam) * step, real *w, real *m, real *v,
                           const real *grad) {
    share_step((shared_step){.step = step, .count = count, .w = w, .m = m, .v = v, .grad = grad}, adam_chunk);
}
