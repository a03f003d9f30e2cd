/* activation.c: a = sigma(z). Element by element it is the epilogue of the products beside it; an activation of whole rows is a
 * pass of its own.
 */

static void activation_forward_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *z) {
    s->pass->k->activation_forward(&s->sigma, 1, count, s->y + begin, z);
}

/* phi = grad_a sigma'(z) */
static void activation_backward_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *grad_a) {
    const real *source = mlp_derivative_needs_z(s->sigma.id) ? s->x : s->y;
    s->pass->k->activation_backward(&s->sigma, 1, count, s->grad_x + begin, source + begin, grad_a);
}

static bool activation_forward(const bound_step *s) {
    s->pass->k->activation_forward(&s->sigma, s->pass->n, s->plan->out, s->y, s->x);
    return true;
}

static bool activation_backward(const bound_step *s, const weight_updater *updater) {
    (void)updater;
    const real *source = mlp_derivative_needs_z(s->sigma.id) ? s->x : s->y;
    s->pass->k->activation_backward(&s->sigma, s->pass->n, s->plan->out, s->grad_x, source, s->grad_y);
    return true;
}
