/* online.inc.h: reference/online.c in vectors: grad_w of one sample goes from registers into the step. Rows of few units would
 * leave most of a register empty: several of them make a row of grad_w, which stays in L1.
 */
enum { NARROW_ROW = 2 * VEC_LANES };

/* grad (rows, out) = phi_i x_k for some rows of w; what a row's last vector has too much, the next row writes over. */
static ALWAYS_INLINE void grad_of_rows(ptrdiff_t rows, ptrdiff_t out, real *grad, const vec of_phi[2], const real *x) {
    for (ptrdiff_t k = 0; k < rows; k++) {
        const vec of_x = vec_broadcast(x[k]);
        for (ptrdiff_t i = 0; i < out; i += VEC_LANES) {
            vec_store(grad + k * out + i, vec_fma(of_phi[i / VEC_LANES], of_x, vec_broadcast(0)));
        }
    }
}

static void update_narrow_rows(ptrdiff_t in, ptrdiff_t out, const REAL_NAME(mlp_update) * u, ptrdiff_t begin, real *w,
                               const real *phi, const real *x) {
    _Alignas(64) real grad[ONLINE_ROOM + VEC_LANES];
    const ptrdiff_t rows = ONLINE_ROOM / out;
    const vec of_phi[2] = {vec_load_masked(phi, mask_first(out)),
                           out > VEC_LANES ? vec_load_masked(phi + VEC_LANES, mask_first(out - VEC_LANES))
                                           : vec_broadcast(0)};
    for (ptrdiff_t k = 0; k < in; k += rows) {
        const ptrdiff_t now = at_most(rows, in - k);
        grad_of_rows(now, out, grad, of_phi, x + k);
        RULES[u->rule].step(u, begin + k * out, now * out, w, grad);
    }
}

/* ---- shared among threads --------------------------------------------------------------------------------------- */

typedef struct {
    const REAL_NAME(mlp_update) * u;
    const online_task *whole;
    parts columns; /* in units of VEC_LANES */
} shared_online_task;

static void update_columns(void *context, ptrdiff_t i) {
    const shared_online_task *shared = context;
    const ptrdiff_t begin = part_begin(shared->columns, i) * VEC_LANES,
                    end = part_begin(shared->columns, i + 1) * VEC_LANES;
    online_task task = *shared->whole;
    task.columns = at_most(end, task.columns) - begin;
    task.begin += begin;
    task.phi += begin;
    task.next_z += task.next_z ? begin : 0;
    RULES[shared->u->rule].online(shared->u, &task);
}

static product_task next_forward(const online_task *task) {
    return forward_task(1, task->in, task->columns, task->next_z, task->x, task->w, NULL);
}

/* As forward of one sample is shared, so that a thread reads the columns of w that it has written. False: it is not. */
static bool share_columns(const REAL_NAME(mlp_update) * u, const online_task *task, ptrdiff_t threads) {
    const product_task forward = next_forward(task);
    product_plan plan;
    plan_split(&plan, &forward, threads);
    if (plan.split != BY_COLUMNS) {
        return false;
    }
    shared_online_task shared = {.u = u, .whole = task, .columns = plan.pieces};
    mlp_parallel(shared.columns.count, update_columns, &shared);
    return true;
}

static void update_wide_rows(const REAL_NAME(mlp_update) * u, const online_task *task) {
    const product_task forward = next_forward(task);
    const ptrdiff_t threads = threads_for(&forward);
    if (threads == 1 || !share_columns(u, task, threads)) {
        RULES[u->rule].online(u, task);
    }
}

static void fast_dense_update_online(ptrdiff_t in, ptrdiff_t out, const REAL_NAME(mlp_update) * u, ptrdiff_t begin,
                                     real *w, const real *phi, const real *x, const REAL_NAME(mlp_next_sample) * next) {
    const bool is_column = out == 1, is_narrow = out < NARROW_ROW && out % VEC_LANES;
    if (!is_column && !is_narrow) {
        online_task task = {.in = in, .out = out, .begin = begin, .columns = out, .w = w, .phi = phi, .x = x};
        if (next) {
            begin_sums(next, out);
            task.next_x = next->x;
            task.next_z = next->z;
        }
        update_wide_rows(u, &task);
        return;
    }
    if (is_column) { /* it lies like a row */
        const online_task row = {.in = 1, .out = in, .begin = begin, .columns = in, .w = w, .phi = x, .x = phi};
        RULES[u->rule].online(u, &row);
    } else {
        update_narrow_rows(in, out, u, begin, w, phi, x);
    }
    if (next) {
        fast_dense_forward(1, in, out, next->z, next->x, w + begin, next->b, NULL);
    }
}
