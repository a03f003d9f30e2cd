/* noise.c: GaussianNoise, y = x + stddev z while training, where z is a standard normal number; y = x otherwise. The gradient
 * passes as it is.
 */

static void gaussian_noise_draw(bound_step *s) { s->drawn = (mask){.words = words_of(s)}; }

static void gaussian_noise_forward_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *x) {
    if (s->pass->mode.training) {
        const mask m = drawn_now(s);
        s->pass->k->gaussian_noise(&m.words, (real)s->plan->constants[0], begin, count, s->y + begin, x);
    } else {
        hand_on(count, s->y + begin, x);
    }
}

static void gaussian_noise_backward_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count,
                                             const real *grad_y) {
    hand_on(count, s->grad_x + begin, grad_y);
}

static bool gaussian_noise_forward(const bound_step *s) {
    gaussian_noise_forward_elements(s, 0, s->pass->n * s->plan->out, s->x);
    return true;
}

static bool gaussian_noise_backward(const bound_step *s, const weight_updater *updater) {
    (void)updater;
    gaussian_noise_backward_elements(s, 0, s->pass->n * s->plan->out, s->grad_y);
    return true;
}
