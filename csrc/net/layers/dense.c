/* dense.c: z = x w^T + b. Its parameters are one segment or two: w, (in, out) in memory, and b unless it does without. */

static bool dense_plan(mlp_net *net, mlp_step *step, const mlp_step_spec *spec) {
    step->out = spec->units;
    return mlp_claim_segment(net, step, step->in, step->out) &&
           (spec->constants[0] == 0 || mlp_claim_segment(net, step, 1, step->out));
}

static ptrdiff_t weights_of(const bound_step *s) { return s->plan->in * s->plan->out; }

static bool has_b(const bound_step *s) { return s->plan->segments > 1; }

static const real *b_of(const bound_step *s) { return has_b(s) ? s->params + weights_of(s) : NULL; }

static bool dense_forward(const bound_step *s) {
    if (s->pass->z_is_there && s == s->pass->steps) { /* since the update with the sample before (fusion.c, rule 5) */
        if (s->forward.apply) {
            s->forward.apply(s->forward.context, 0, s->plan->out, s->y);
        }
        return true;
    }
    s->pass->k->dense_forward(s->pass->n, s->plan->in, s->plan->out, s->y, s->x, s->params, b_of(s),
                              if_any(&s->forward));
    return true;
}

/* Equations 3 and 4, and a step of w and b with them as soon as they are there. */
static void dense_update(const bound_step *s, const weight_updater *updater) {
    const pass *p = s->pass;
    const mlp_segment *w = &p->net->segment[s->plan->segment], *b = w + 1;
    const real *phi = s->grad_y;
    real *grad_b = s->grads + weights_of(s);
    update own;
    if (has_b(s) && b->trainable) {
        p->k->dense_backward_b(p->n, s->plan->out, grad_b, phi);
        p->k->update(update_for(updater, b, &own), b->begin, s->plan->out, updater->params, grad_b);
    }
    if (w->trainable) {
        const update *u = update_for(updater, w, &own);
        const update_context context = {.k = p->k, .u = u, .begin = w->begin, .params = updater->params};
        if (p->n == 1 && !p->keep) {
            const next_sample next = {.x = p->next_x, .b = b_of(s), .z = s->y};
            p->k->dense_update_online(s->plan->in, s->plan->out, u, w->begin, updater->params, phi, s->x,
                                      p->next_x && s == p->steps ? &next : NULL);
        } else {
            p->k->dense_backward_w(p->n, s->plan->in, s->plan->out, s->grads, !p->keep, phi, s->x,
                                   &(epilogue){run_update, &context});
        }
        limit_norm(p->k, updater, w);
    }
}

static bool dense_backward(const bound_step *s, const weight_updater *updater) {
    const pass *p = s->pass;
    if (s->grad_x) { /* equation 2: the epilogue multiplies by sigma' of the layer below */
        p->k->dense_backward_x(p->n, s->plan->in, s->plan->out, s->grad_x, s->grad_y, s->params, if_any(&s->backward));
    }
    if (updater && updater->fused) {
        dense_update(s, updater);
    } else {
        p->k->dense_backward_w(p->n, s->plan->in, s->plan->out, s->grads, false, s->grad_y, s->x, NULL);
        if (has_b(s)) {
            p->k->dense_backward_b(p->n, s->plan->out, s->grads + weights_of(s), s->grad_y);
        }
    }
    return true;
}
