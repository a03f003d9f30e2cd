/* dropout.c: y = mask x / (1 - rate) while training, y = x otherwise. The mask is computed again in backward. */

static void drop_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, real *y, const real *x) {
    if (s->pass->mode.training) {
        mask m = s->dropout;
        m.batch = s->pass->mode.batch;
        s->pass->k->dropout(&m, begin, count, y, x);
    } else if (y != x) {
        memcpy(y, x, (size_t)count * sizeof *y);
    }
}

static void dropout_forward_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *x) {
    drop_elements(s, begin, count, s->y + begin, x);
}

static void dropout_backward_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *grad_y) {
    drop_elements(s, begin, count, s->grad_x + begin, grad_y);
}

static bool dropout_forward(const bound_step *s) {
    dropout_forward_elements(s, 0, s->pass->n * s->plan->out, s->x);
    return true;
}

static bool dropout_backward(const bound_step *s, const weight_updater *updater) {
    (void)updater;
    dropout_backward_elements(s, 0, s->pass->n * s->plan->out, s->grad_y);
    return true;
}
