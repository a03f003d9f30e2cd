/* optimizers.inc.h: reference/optimizers.c in vectors, one straight pass over the weights and their state. The rules stand in
 * descent.inc.h, adam.inc.h and adaptive.inc.h. Every optimizer of the catalogue says there which text it runs: its own vector
 * form, or the reference's.
 */

static inline vec vec_flush_tiny(vec average, real threshold) {
    return vec_select(vec_less(vec_abs(average), vec_broadcast(threshold)), vec_broadcast(0), average);
}

static inline vec vec_sign(vec x) {
    const vec zero = vec_broadcast(0);
    return vec_select(vec_less(zero, x), vec_broadcast(1), vec_select(vec_less(x, zero), vec_broadcast(-1), zero));
}

static ALWAYS_INLINE vec vec_adjusted(const REAL_NAME(mlp_update) * u, vec grad, vec w) {
    const vec high = vec_broadcast(u->clip_value), low = vec_broadcast(-u->clip_value);
    grad = vec_mul(grad, vec_broadcast(u->grad_scale));
    grad = vec_select(vec_less(high, grad), high, grad);
    grad = vec_select(vec_less(grad, low), low, grad);
    return vec_fma(vec_broadcast(u->l2), w, vec_fma(vec_broadcast(u->l1), vec_sign(w), grad));
}

static ALWAYS_INLINE vec vec_decayed(const REAL_NAME(mlp_update) * u, vec w) {
    const vec decay = vec_broadcast(u->constants[MLP_DECAY]);
    return vec_select(vec_less(vec_broadcast(0), decay), vec_fnma(decay, w, w), w);
}

/* A rule's vector form: what some lanes of w, from w[i] on, become by a step with the gradient `slope`; it steps their states. */
typedef vec rule_of_lanes(const REAL_NAME(mlp_update) * u, ptrdiff_t i, vec w, vec slope, lane_set lanes);

/* The step of these lanes in memory, with the gradient as it came; returns what w is now. `adjusts` is known when inlined. */
static ALWAYS_INLINE vec step_lanes(rule_of_lanes *rule, const REAL_NAME(mlp_update) * u, bool adjusts, ptrdiff_t i,
                                    real *w, vec grad, lane_set lanes) {
    const vec old_w = load_lanes(w + i, lanes);
    const vec slope = adjusts ? vec_adjusted(u, grad, old_w) : grad;
    const vec new_w = rule(u, i, adjusts ? vec_decayed(u, old_w) : old_w, slope, lanes);
    store_lanes(w + i, new_w, lanes);
    return new_w;
}

static ALWAYS_INLINE void each_weight(rule_of_lanes *rule, const REAL_NAME(mlp_update) * u, bool adjusts,
                                      ptrdiff_t begin, ptrdiff_t count, real *w, const real *grad) {
    ptrdiff_t i = 0;
    for (; i + VEC_LANES <= count; i += VEC_LANES) {
        step_lanes(rule, u, adjusts, begin + i, w, vec_load(grad + i), ALL_LANES);
    }
    if (i < count) {
        const lane_set some = first_lanes(count - i);
        step_lanes(rule, u, adjusts, begin + i, w, load_lanes(grad + i, some), some);
    }
}

/* ---- one sample a batch (reference/online.c) ---------------------------------------------------------------------- */

/* What is done to some columns of w (in, out), whose first weight is number `begin`: grad_w goes from registers into the step, and
 * the new w from there into z of the next sample, if there is one. z holds b before. */
enum { ONLINE_ROOM = 512 }; /* gradients that wait in L1 for their step */

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
        const vec w = step_lanes(rule, u, adjusts, task->begin + (k + row) * task->out + i, task->w, slope, lanes);
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

/* For a rule without a vector form: what the reference makes of one weight. */
typedef real rule_of_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope);

static ALWAYS_INLINE void step_weight(rule_of_weight *rule, const REAL_NAME(mlp_update) * u, ptrdiff_t i, real *w,
                                      real grad) {
    w[i] = rule(u, i, decayed(u, w[i]), adjusted(u, grad, w[i]));
}

/* By rows: the gradients of some columns of one row, in L1; the step; z of the next sample. */
static ALWAYS_INLINE void step_rows(void (*step)(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count,
                                                 real *w, const real *grad),
                                    const REAL_NAME(mlp_update) * u, const online_task *task) {
    _Alignas(64) real grad[ONLINE_ROOM];
    for (ptrdiff_t k = 0; k < task->in; k++) {
        for (ptrdiff_t first = 0; first < task->columns; first += ONLINE_ROOM) {
            const ptrdiff_t count = at_most(ONLINE_ROOM, task->columns - first),
                            at = task->begin + k * task->out + first;
            for (ptrdiff_t i = 0; i < count; i += VEC_LANES) {
                const lane_set some = first_lanes(count - i);
                const vec phi = load_lanes(task->phi + first + i, some);
                vec_store(grad + i, vec_fma(phi, vec_broadcast(task->x[k]), vec_broadcast(0)));
            }
            step(u, at, count, task->w, grad);
            for (ptrdiff_t i = 0; task->next_z && i < count; i += VEC_LANES) {
                const lane_set some = first_lanes(count - i);
                const vec w = load_lanes(task->w + at + i, some), z = load_lanes(task->next_z + first + i, some);
                store_lanes(task->next_z + first + i, vec_fma(vec_broadcast(task->next_x[k]), w, z), some);
            }
        }
    }
}

#define ONLINE_BY_ROWS(id)                                                                                             \
    static void fast_##id##_online(const REAL_NAME(mlp_update) * u, const online_task *task) {                         \
        step_rows(fast_##id##_step, u, task);                                                                          \
    }

/* The rule runs <id>_of_lanes. What it is given is copied, so that no store can change it. */
#define VECTOR_STEP(id)                                                                                                \
    static void fast_##id##_step(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w,           \
                                 const real *grad) {                                                                   \
        const REAL_NAME(mlp_update) copy = *u;                                                                         \
        if (copy.adjusts) {                                                                                            \
            each_weight(id##_of_lanes, &copy, true, begin, count, w, grad);                                            \
        } else {                                                                                                       \
            each_weight(id##_of_lanes, &copy, false, begin, count, w, grad);                                           \
        }                                                                                                              \
    }

#define VECTOR_RULE(id)                                                                                                \
    VECTOR_STEP(id)                                                                                                    \
    ONLINE_BY_ROWS(id)

/* For the rules that are used most, with one sample a batch too: grad_w goes from registers into the step. The code is long. */
#define FUSED_VECTOR_RULE(id)                                                                                          \
    VECTOR_STEP(id)                                                                                                    \
    static void fast_##id##_online(const REAL_NAME(mlp_update) * u, const online_task *task) {                         \
        const REAL_NAME(mlp_update) copy = *u;                                                                         \
        const online_task own = *task;                                                                                 \
        if (copy.adjusts && own.next_z) {                                                                              \
            each_row(id##_of_lanes, &copy, true, true, &own);                                                          \
        } else if (copy.adjusts) {                                                                                     \
            each_row(id##_of_lanes, &copy, true, false, &own);                                                         \
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
        for (ptrdiff_t i = 0; i < count; i++) {                                                                        \
            step_weight(id##_weight, u, begin + i, w, grad[i]);                                                        \
        }                                                                                                              \
    }                                                                                                                  \
    ONLINE_BY_ROWS(id)

#include "descent.inc.h"

#include "adam.inc.h"

#include "adaptive.inc.h"

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
