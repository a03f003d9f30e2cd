/* custom.c: a layer that is written elsewhere, in Python say. Its parameters are segments like all others. */

static bool custom_plan(mlp_net *net, mlp_step *step, const mlp_step_spec *spec) {
    step->out = spec->units;
    for (ptrdiff_t i = 0; i < spec->segments; i++) {
        if (!mlp_claim_segment(net, step, spec->shapes[i][0], spec->shapes[i][1])) {
            return false;
        }
    }
    return true;
}

static bool custom_forward(const bound_step *s) {
    const mlp_custom *layer = &s->plan->custom;
    const mlp_mode *mode = &s->pass->mode;
    return layer->forward(layer->context, mode->caller, s->pass->n, mode->training, s->y, s->x) == 0;
}

static bool custom_backward(const bound_step *s, const weight_updater *updater) {
    (void)updater; /* fusion.c, rule 4: the step comes when all gradients are there */
    const mlp_custom *layer = &s->plan->custom;
    return layer->backward(layer->context, s->pass->mode.caller, s->pass->n, s->grad_x, s->grad_y, s->x, s->y) == 0;
}
