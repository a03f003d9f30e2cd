/* optimizers.inc.h: reference/optimizers.c in vectors, one straight pass over the weights and their state. */

static inline vec vec_flush_tiny(vec average) {
    return vec_select(vec_less(vec_abs(average), vec_broadcast(FLUSH_THRESHOLD)), vec_broadcast(0), average);
}

static ALWAYS_INLINE void sgd_of_some(const REAL_NAME(mlp_sgd) * step, real *w, real *velocity, const real *grad,
                                      lane_set some) {
    const vec rate = vec_broadcast(step->rate), momentum = vec_broadcast(step->momentum);
    vec slope = load_lanes(grad, some), direction = slope;
    if (velocity) {
        vec v = vec_flush_tiny(vec_fma(momentum, load_lanes(velocity, some), slope));
        store_lanes(velocity, v, some);
        direction = step->nesterov ? vec_fma(momentum, v, slope) : v;
    }
    store_lanes(w, vec_fnma(rate, direction, load_lanes(w, some)), some);
}

static ALWAYS_INLINE void adam_of_some(const REAL_NAME(mlp_adam) * step, real *w, real *m, real *v, const real *grad,
                                       lane_set some) {
    vec slope = load_lanes(grad, some);
    vec new_m = vec_mul(vec_broadcast(step->beta1), load_lanes(m, some));
    vec new_v = vec_mul(vec_broadcast(step->beta2), load_lanes(v, some));
    new_m = vec_flush_tiny(vec_fma(vec_broadcast(1 - step->beta1), slope, new_m));
    new_v = vec_flush_tiny(vec_fma(vec_mul(vec_broadcast(1 - step->beta2), slope), slope, new_v));
    vec root = vec_fma(vec_sqrt(new_v), vec_broadcast(step->v_scale), vec_broadcast(step->epsilon));
    vec move = vec_div(vec_mul(vec_broadcast(step->rate), new_m), root);
    store_lanes(m, new_m, some);
    store_lanes(v, new_v, some);
    store_lanes(w, vec_sub(load_lanes(w, some), move), some);
}

/* What is to be done with some weights: w, m and v lie like grad. SGD: m is the velocity or NULL, v is not used. One of
 * sgd and adam is NULL. */
typedef struct {
    const REAL_NAME(mlp_sgd) * sgd;
    const REAL_NAME(mlp_adam) * adam;
    ptrdiff_t count;
    real *w, *m, *v;
    const real *grad;
} step_task;

/* A step of weights i ... end - 1. The optimizer's numbers are copied, so that no store can change them. */
static void step_of_some(const step_task *task, ptrdiff_t i, ptrdiff_t end) {
    real *const w = task->w, *const m = task->m, *const v = task->v;
    const real *const grad = task->grad;
    if (task->adam) {
        const REAL_NAME(mlp_adam) adam = *task->adam;
        for (; i + VEC_LANES <= end; i += VEC_LANES) {
            adam_of_some(&adam, w + i, m + i, v + i, grad + i, ALL_LANES);
        }
        if (i < end) {
            adam_of_some(&adam, w + i, m + i, v + i, grad + i, first_lanes(end - i));
        }
    } else {
        const REAL_NAME(mlp_sgd) sgd = *task->sgd;
        for (; i + VEC_LANES <= end; i += VEC_LANES) {
            sgd_of_some(&sgd, w + i, m ? m + i : NULL, grad + i, ALL_LANES);
        }
        if (i < end) {
            sgd_of_some(&sgd, w + i, m ? m + i : NULL, grad + i, first_lanes(end - i));
        }
    }
}

enum {
    STEP_CHUNK = 32 * 1024 / (int)sizeof(real),
    STEP_WORTH_SHARING = 64 * 1024, /* weights; fewer are done before another thread has begun */
};

static void step_of_chunk(void *context, ptrdiff_t chunk) {
    const step_task *task = context;
    step_of_some(task, chunk * STEP_CHUNK, at_most((chunk + 1) * STEP_CHUNK, task->count));
}

static void step_of_all(step_task task) {
    if (task.count >= STEP_WORTH_SHARING) {
        mlp_parallel(divided(task.count, STEP_CHUNK), step_of_chunk, &task);
    } else {
        step_of_some(&task, 0, task.count);
    }
}

static void fast_sgd_step(ptrdiff_t count, const REAL_NAME(mlp_sgd) * step, real *w, real *velocity, const real *grad) {
    step_of_all((step_task){.sgd = step, .count = count, .w = w, .m = velocity, .grad = grad});
}

static void fast_adam_step(ptrdiff_t count, const REAL_NAME(mlp_adam) * step, real *w, real *m, real *v,
                           const real *grad) {
    step_of_all((step_task){.adam = step, .count = count, .w = w, .m = m, .v = v, .grad = grad});
}
