/* layer_norm.c: LayerNorm, y = gamma x_hat + beta of each row, and RMSNorm, the same with 0 for the mean and without beta. Each
 * parameter is a segment of one row. Forward keeps two numbers a row, its moments.
 */

static bool layer_norm_plan(mlp_net *net, mlp_step *step, const mlp_step_spec *spec) {
    (void)spec;
    step->out = step->in;
    step->kept.width = 2;
    return mlp_claim_segment(net, step, 1, step->out) &&
           (step->kind == MLP_RMS_NORM || mlp_claim_segment(net, step, 1, step->out));
}

static bool is_centred(const bound_step *s) { return s->plan->kind == MLP_LAYER_NORM; }

static bool layer_norm_forward(const bound_step *s) {
    s->pass->k->layer_norm_forward(is_centred(s), s->pass->n, s->plan->out, s->y, s->kept, s->x, s->params,
                                   is_centred(s) ? s->params + s->plan->out : NULL, (real)s->plan->constants[0]);
    return true;
}

static bool layer_norm_backward(const bound_step *s, const weight_updater *updater) {
    const kernels *k = s->pass->k;
    const ptrdiff_t n = s->pass->n, out = s->plan->out;
    if (s->grad_x) {
        k->layer_norm_backward_x(is_centred(s), n, out, s->grad_x, s->grad_y, s->x, s->kept, s->params);
    }
    k->layer_norm_backward_gamma(n, out, s->grads, s->grad_y, s->x, s->kept);
    if (is_centred(s)) {
        k->dense_backward_b(n, out, s->grads + out, s->grad_y);
    }
    update_layer(s, updater);
    return true;
}

static bool rms_norm_plan(mlp_net *net, mlp_step *step, const mlp_step_spec *spec) {
    return layer_norm_plan(net, step, spec);
}
static bool rms_norm_forward(const bound_step *s) { return layer_norm_forward(s); }
static bool rms_norm_backward(const bound_step *s, const weight_updater *updater) {
    return layer_norm_backward(s, updater);
}
