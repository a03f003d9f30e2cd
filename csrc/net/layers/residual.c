/* residual.c: a branch beside a path that skips it (He et al. 2016): fork, the steps of the branch, join.
 * The caller has made sure that the branch is as wide as its input.
 */

/* y = sum of two arrays, which y may be. */
static void add(ptrdiff_t count, real *y, const real *a, const real *b) {
    for (ptrdiff_t i = 0; i < count; i++) {
        y[i] = a[i] + b[i];
    }
}

static const bound_step *partner(const bound_step *s) { return &s->pass->steps[s->plan->partner]; }

/* skip = x, branch = x: nothing moves */
static bool fork_forward(const bound_step *s) {
    (void)s;
    return true;
}

/* grad_x = grad_skip + grad_branch, in this order */
static bool fork_backward(const bound_step *s, const weight_updater *updater) {
    (void)updater;
    if (s->grad_x) {
        add(s->pass->n * s->plan->in, s->grad_x, partner(s)->grad_y, s->grad_y);
    }
    return true;
}

/* y = skip + branch */
static bool join_forward(const bound_step *s) {
    add(s->pass->n * s->plan->out, s->y, partner(s)->x, s->x);
    return true;
}

/* grad_skip = grad_branch = grad_y: fork finds the first where it is */
static bool join_backward(const bound_step *s, const weight_updater *updater) {
    (void)updater;
    memcpy(s->grad_x, s->grad_y, (size_t)(s->pass->n * s->plan->out) * sizeof(real));
    return true;
}
