/* scale.c: y = s x, one learned factor for each column. */

static bool scale_plan(mlp_net *net, mlp_step *step, const mlp_step_spec *spec) {
    (void)spec;
    step->out = step->in;
    return mlp_claim_segment(net, step, 1, step->out);
}

static bool scale_forward(const bound_step *s) {
    s->pass->k->scale(s->pass->n, s->plan->out, s->y, s->x, s->params);
    return true;
}

static bool scale_backward(const bound_step *s, const weight_updater *updater) {
    if (s->grad_x) {
        s->pass->k->scale(s->pass->n, s->plan->out, s->grad_x, s->grad_y, s->params);
    }
    s->pass->k->scale_backward_s(s->pass->n, s->plan->out, s->grads, s->grad_y, s->x);
    update_layer(s, updater);
    return true;
}
