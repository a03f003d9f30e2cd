/* optimizers.inc.h: reference/optimizers.c in vectors, one straight pass over the weights and their state. Every optimizer of
 * the catalogue says here which text it runs: its own vector form, or the reference's.
 */

static inline vec vec_flush_tiny(vec average, real threshold) {
    return vec_select(vec_less(vec_abs(average), vec_broadcast(threshold)), vec_broadcast(0), average);
}

static ALWAYS_INLINE vec vec_adjusted(const REAL_NAME(mlp_update) * u, vec grad, vec w) {
    const vec high = vec_broadcast(u->clip_value), low = vec_broadcast(-u->clip_value), zero = vec_broadcast(0);
    grad = vec_mul(grad, vec_broadcast(u->grad_scale));
    grad = vec_select(vec_less(high, grad), high, grad);
    grad = vec_select(vec_less(grad, low), low, grad);
    const vec sign =
        vec_select(vec_less(zero, w), vec_broadcast(1), vec_select(vec_less(w, zero), vec_broadcast(-1), zero));
    return vec_fma(vec_broadcast(u->l2), w, vec_fma(vec_broadcast(u->l1), sign, grad));
}

/* A rule's vector form: a step of some lanes of w, from w[i] on, with the gradient `slope`; returns what w is now. `adjusts` is
 * known when inlined. */
typedef vec rule_of_lanes(const REAL_NAME(mlp_update) * u, bool adjusts, ptrdiff_t i, real *w, vec slope,
                          lane_set lanes);

/* SGD without momentum. */
static ALWAYS_INLINE vec descent_of_lanes(const REAL_NAME(mlp_update) * u, bool adjusts, ptrdiff_t i, real *w,
                                          vec slope, lane_set lanes) {
    const vec old_w = load_lanes(w + i, lanes);
    slope = adjusts ? vec_adjusted(u, slope, old_w) : slope;
    const vec new_w = vec_fnma(vec_broadcast(u->constants[SGD_RATE]), slope, old_w);
    store_lanes(w + i, new_w, lanes);
    return new_w;
}

static ALWAYS_INLINE vec momentum_of_lanes(const REAL_NAME(mlp_update) * u, bool adjusts, ptrdiff_t i, real *w,
                                           vec slope, lane_set lanes) {
    const vec rate = vec_broadcast(u->constants[SGD_RATE]), momentum = vec_broadcast(u->constants[SGD_MOMENTUM]);
    real *const velocity = u->state[0];
    const vec old_w = load_lanes(w + i, lanes);
    slope = adjusts ? vec_adjusted(u, slope, old_w) : slope;
    const vec v = vec_flush_tiny(vec_fma(momentum, load_lanes(velocity + i, lanes), slope), REAL_SMALLEST);
    const vec direction = u->constants[SGD_NESTEROV] != 0 ? vec_fma(momentum, v, slope) : v;
    const vec new_w = vec_fnma(rate, direction, old_w);
    store_lanes(velocity + i, v, lanes);
    store_lanes(w + i, new_w, lanes);
    return new_w;
}

static ALWAYS_INLINE vec adam_of_lanes(const REAL_NAME(mlp_update) * u, bool adjusts, ptrdiff_t i, real *w, vec slope,
                                       lane_set lanes) {
    const real beta1 = u->constants[ADAM_BETA1], beta2 = u->constants[ADAM_BETA2];
    real *const m = u->state[0], *const v = u->state[1];
    const vec old_w = load_lanes(w + i, lanes);
    slope = adjusts ? vec_adjusted(u, slope, old_w) : slope;
    vec new_m = vec_mul(vec_broadcast(beta1), load_lanes(m + i, lanes));
    vec new_v = vec_mul(vec_broadcast(beta2), load_lanes(v + i, lanes));
    new_m = vec_flush_tiny(vec_fma(vec_broadcast(1 - beta1), slope, new_m), REAL_SMALLEST);
    new_v = vec_fma(vec_mul(vec_broadcast(1 - beta2), slope), slope, new_v);
    new_v = vec_flush_tiny(new_v, u->constants[ADAM_FLUSH_V]);
    const vec root =
        vec_fma(vec_sqrt(new_v), vec_broadcast(u->constants[ADAM_V_SCALE]), vec_broadcast(u->constants[ADAM_EPSILON]));
    const vec move = vec_div(vec_mul(vec_broadcast(u->constants[ADAM_RATE]), new_m), root);
    store_lanes(m + i, new_m, lanes);
    store_lanes(v + i, new_v, lanes);
    const vec new_w = vec_sub(old_w, move);
    store_lanes(w + i, new_w, lanes);
    return new_w;
}

static ALWAYS_INLINE void each_weight(rule_of_lanes *rule, const REAL_NAME(mlp_update) * u, bool adjusts,
                                      ptrdiff_t begin, ptrdiff_t count, real *w, const real *grad) {
    ptrdiff_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        rule(u, adjusts, begin + i, w, vec_load(grad + i), ALL_LANES);
    }
    if (i < count) {
        const lane_set some = first_lanes(count - i);
        rule(u, adjusts, begin + i, w, load_lanes(grad + i, some), some);
    }
}

/* ---- one sample a batch (reference/online.c) ---------------------------------------------------------------------- */

/* What is done to some columns of w (in, out), whose first weight is number `begin`: grad_w goes from registers into the step, and
 * the new w from there into z of the next sample, if there is one. z holds b before. */
typedef struct {
    ptrdiff_t in, out, begin, columns;
    real *w;
    const real *phi, *x, *next_x;
    real *next_z;
} online_task;

/* Some lanes of rows k ... k + rows - 1. */
static ALWAYS_INLINE void update_lanes_of_rows(rule_of_lanes *rule, const REAL_NAME(mlp_update) * u, bool adjusts,
                                               bool has_next, int rows, const online_task *task, ptrdiff_t k,
                                               ptrdiff_t i, lane_set lanes) {
    const vec phi = load_lanes(task->phi + i, lanes);
    vec z = has_next ? load_lanes(task->next_z + i, lanes) : vec_broadcast(0);
    EACH (row, rows) {
        const vec slope = vec_fma(phi, vec_broadcast(task->x[k + row]), vec_broadcast(0));
        const vec w = rule(u, adjusts, task->begin + (k + row) * task->out + i, task->w, slope, lanes);
        z = has_next ? vec_fma(vec_broadcast(task->next_x[k + row]), w, z) : z;
    }
    if (has_next) {
        store_lanes(task->next_z + i, z, lanes);
    }
}

static ALWAYS_INLINE void update_rows(rule_of_lanes *rule, const REAL_NAME(mlp_update) * u, bool adjusts, bool has_next,
                                      int rows, const online_task *task, ptrdiff_t k) {
    ptrdiff_t i = 0;
    for (; i + VEC_LANES <= task->columns; i += VEC_LANES) {
        update_lanes_of_rows(rule, u, adjusts, has_next, rows, task, k, i, ALL_LANES);
    }
    if (i < task->columns) {
        update_lanes_of_rows(rule, u, adjusts, has_next, rows, task, k, i, first_lanes(task->columns - i));
    }
}

static ALWAYS_INLINE void each_row(rule_of_lanes *rule, const REAL_NAME(mlp_update) * u, bool adjusts, bool has_next,
                                   const online_task *task) {
    ptrdiff_t k = 0;
    for (; k + ONLINE_ROWS <= task->in; k += ONLINE_ROWS) {
        update_rows(rule, u, adjusts, has_next, ONLINE_ROWS, task, k);
    }
    for (; k < task->in; k++) {
        update_rows(rule, u, adjusts, has_next, 1, task, k);
    }
}

/* For a rule without a vector form. */
static ALWAYS_INLINE void each_weight_of_rows(void (*step)(const REAL_NAME(mlp_update) * u, ptrdiff_t begin,
                                                           ptrdiff_t count, real *w, const real *grad),
                                              const REAL_NAME(mlp_update) * u, const online_task *task) {
    for (ptrdiff_t k = 0; k < task->in; k++) {
        for (ptrdiff_t i = 0; i < task->columns; i++) {
            const ptrdiff_t at = task->begin + k * task->out + i;
            const real grad = real_fma(task->phi[i], task->x[k], 0);
            step(u, at, 1, task->w, &grad);
            if (task->next_z) {
                task->next_z[i] = real_fma(task->next_x[k], task->w[at], task->next_z[i]);
            }
        }
    }
}

/* The rule runs <id>_of_lanes. What it is given is copied, so that no store can change it. */
#define VECTOR_RULE(id)                                                                                                \
    static void fast_##id##_step(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w,           \
                                 const real *grad) {                                                                   \
        const REAL_NAME(mlp_update) copy = *u;                                                                         \
        if (copy.adjusts) {                                                                                            \
            each_weight(id##_of_lanes, &copy, true, begin, count, w, grad);                                            \
        } else {                                                                                                       \
            each_weight(id##_of_lanes, &copy, false, begin, count, w, grad);                                           \
        }                                                                                                              \
    }                                                                                                                  \
    static void fast_##id##_online(const REAL_NAME(mlp_update) * u, const online_task *task) {                         \
        const REAL_NAME(mlp_update) copy = *u;                                                                         \
        const online_task own = *task;                                                                                 \
        if (copy.adjusts) {                                                                                            \
            each_row(id##_of_lanes, &copy, true, own.next_z, &own);                                                    \
        } else if (own.next_z) {                                                                                       \
            each_row(id##_of_lanes, &copy, false, true, &own);                                                         \
        } else {                                                                                                       \
            each_row(id##_of_lanes, &copy, false, false, &own);                                                        \
        }                                                                                                              \
    }

/* It runs the reference's text. */
#define NO_VECTOR_RULE(id)                                                                                             \
    static void fast_##id##_step(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w,           \
                                 const real *grad) {                                                                   \
        id##_step(u, begin, count, w, grad);                                                                           \
    }                                                                                                                  \
    static void fast_##id##_online(const REAL_NAME(mlp_update) * u, const online_task *task) {                         \
        each_weight_of_rows(id##_step, u, task);                                                                       \
    }

VECTOR_RULE(descent)
VECTOR_RULE(momentum)
VECTOR_RULE(adam)

static void fast_sgd_step(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w,
                          const real *grad) {
    (u->state[0] ? fast_momentum_step : fast_descent_step)(u, begin, count, w, grad);
}

static void fast_sgd_online(const REAL_NAME(mlp_update) * u, const online_task *task) {
    (u->state[0] ? fast_momentum_online : fast_descent_online)(u, task);
}

static const struct {
    void (*step)(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w, const real *grad);
    void (*online)(const REAL_NAME(mlp_update) * u, const online_task *task);
} RULES[] = {
#define OPTIMIZER(ID, id, ...) [MLP_##ID] = {fast_##id##_step, fast_##id##_online},
#include "../catalogue/optimizers.def"
};

/* ---- shared among threads --------------------------------------------------------------------------------------- */

enum {
    UPDATE_CHUNK = 32 * 1024 / (int)sizeof(real),
    UPDATE_WORTH_SHARING = 64 * 1024, /* weights; fewer are finished before another thread starts */
};

typedef struct {
    const REAL_NAME(mlp_update) * u;
    ptrdiff_t begin, count;
    real *w;
    const real *grad;
} update_task;

static void update_chunk(void *context, ptrdiff_t chunk) {
    const update_task *task = context;
    const ptrdiff_t at = chunk * UPDATE_CHUNK;
    RULES[task->u->rule].step(task->u, task->begin + at, at_most(UPDATE_CHUNK, task->count - at), task->w,
                              task->grad + at);
}

static void fast_update(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w, const real *grad) {
    if (count < UPDATE_WORTH_SHARING) {
        RULES[u->rule].step(u, begin, count, w, grad);
        return;
    }
    update_task task = {.u = u, .begin = begin, .count = count, .w = w, .grad = grad};
    mlp_parallel(divided(count, UPDATE_CHUNK), update_chunk, &task);
}
