/* dropout.c: Dropout, y = mask x / (1 - rate) while training, and AlphaDropout, y = a (mask x + (1 - mask) alpha') + b; y = x
 * otherwise. The mask is computed again in backward.
 *
 * alpha' = -lambda alpha of selu is what selu tends to far below 0. a and b keep mean 0 and variance 1 (Klambauer et al. 2017):
 *
 *     a = ((1 - rate) (1 + rate alpha'^2))^(-1/2)        b = -a rate alpha'
 */
typedef void masking(const mask *m, ptrdiff_t begin, ptrdiff_t count, real *y, const real *x);

static void mask_elements(const bound_step *s, masking *operation, ptrdiff_t begin, ptrdiff_t count, real *y,
                          const real *x) {
    if (s->pass->mode.training) {
        const mask m = drawn_now(s);
        operation(&m, begin, count, y, x);
    } else {
        hand_on(count, y, x);
    }
}

static mask mask_of(const bound_step *s, double scale) {
    const double rate = s->plan->constants[0];
    return (mask){.words = words_of(s), .threshold = (uint32_t)(rate * 0x1p32), .scale = (real)scale};
}

static void dropout_draw(bound_step *s) { s->drawn = mask_of(s, 1 / (1 - s->plan->constants[0])); }

static void dropout_forward_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *x) {
    mask_elements(s, s->pass->k->dropout, begin, count, s->y + begin, x);
}

static void dropout_backward_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *grad_y) {
    mask_elements(s, s->pass->k->dropout, begin, count, s->grad_x + begin, grad_y);
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

static void alpha_dropout_draw(bound_step *s) {
    const double lowest = -1.0507009873554804934 * 1.6732632423543772848, rate = s->plan->constants[0];
    const double a = 1 / sqrt((1 - rate) * (1 + rate * lowest * lowest)), b = -a * rate * lowest;
    s->drawn = mask_of(s, a);
    s->drawn.shift = (real)b;
    s->drawn.dropped = (real)(a * lowest + b);
}

static void alpha_dropout_forward_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *x) {
    mask_elements(s, s->pass->k->alpha_dropout, begin, count, s->y + begin, x);
}

static void alpha_dropout_backward_elements(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *grad_y) {
    dropout_backward_elements(s, begin, count, grad_y);
}

static bool alpha_dropout_forward(const bound_step *s) {
    alpha_dropout_forward_elements(s, 0, s->pass->n * s->plan->out, s->x);
    return true;
}

static bool alpha_dropout_backward(const bound_step *s, const weight_updater *updater) {
    return dropout_backward(s, updater);
}
