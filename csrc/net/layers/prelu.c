/* prelu.c: a = z where z > 0, else alpha z, with a learned slope alpha for each unit or one for all. */

static bool prelu_plan(mlp_net *net, mlp_step *step, const mlp_step_spec *spec) {
    step->out = step->in;
    return mlp_claim_segment(net, step, 1, spec->constants[0] != 0 ? 1 : step->out);
}

static bool is_shared(const bound_step *s) { return s->plan->constants[0] != 0; }

static bool prelu_forward(const bound_step *s) {
    s->pass->k->prelu_forward(is_shared(s), s->pass->n, s->plan->out, s->y, s->x, s->params);
    return true;
}

static bool prelu_backward(const bound_step *s, const weight_updater *updater) {
    const ptrdiff_t n = s->pass->n, out = s->plan->out;
    if (s->grad_x) {
        s->pass->k->prelu_backward_z(is_shared(s), n, out, s->grad_x, s->grad_y, s->x, s->params);
    }
    s->pass->k->prelu_backward_alpha(is_shared(s), n, out, s->grads, s->grad_y, s->x);
    update_layer(s, updater);
    return true;
}
