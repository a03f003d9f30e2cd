/* update.c: an optimizer's step of the parameters: within the products that compute their gradients, or in one sweep over all. */

/* The learning rate of the step after t steps. */
static double rate_at(const mlp_optimizer *optimizer, int64_t t) {
    (void)t;
    switch (optimizer->schedule) {
    case MLP_CONSTANT: break;
    }
    return optimizer->hypers[0];
}

/* What step t does to parameters whose learning rate is multiplied by `rate_factor`. */
static update update_of(const mlp_optimizer *optimizer, double rate_factor) {
    update u = {.rule = optimizer->id,
                .grad_scale = 1,
                .clip_value = (real)optimizer->clip_value,
                .adjusts = isfinite(optimizer->clip_value)};
    double hypers[MLP_HYPERS];
    memcpy(hypers, optimizer->hypers, sizeof hypers);
    hypers[0] = rate_at(optimizer, *optimizer->t - 1) * rate_factor;
    update_constants(u.rule, hypers, *optimizer->t, u.constants);
    for (int i = 0; i < MLP_STATES; i++) {
        u.state[i] = optimizer->state[i];
    }
    return u;
}

/* The next step of an optimizer; counts it. */
static weight_updater next_update(const mlp_net *net, const mlp_optimizer *optimizer, bool fused) {
    *optimizer->t += 1;
    return (weight_updater){
        .optimizer = optimizer, .plain = update_of(optimizer, 1), .fused = fused, .params = net->params};
}

static bool is_plain(const mlp_segment *segment) {
    return segment->trainable && segment->rate_factor == 1 && segment->l1 == 0 && segment->l2 == 0 &&
           segment->max_norm == 0;
}

/* The step of one segment. */
static update update_of_segment(const weight_updater *updater, const mlp_segment *segment) {
    update u = updater->plain;
    if (segment->rate_factor != 1) {
        u = update_of(updater->optimizer, segment->rate_factor);
        u.grad_scale = updater->plain.grad_scale;
        u.adjusts = updater->plain.adjusts;
    }
    u.l1 = (real)segment->l1;
    u.l2 = (real)segment->l2;
    u.adjusts = u.adjusts || segment->l1 != 0 || segment->l2 != 0;
    return u;
}

static void limit_norm(const kernels *k, const weight_updater *updater, const mlp_segment *segment) {
    if (segment->max_norm > 0 && segment->trainable) {
        k->max_norm(segment->rows, segment->columns, updater->params + segment->begin, (real)segment->max_norm);
    }
}

/* A sweep over the parameters, with the gradients that are there. */
static void update_all(const kernels *k, mlp_net *net, weight_updater *updater) {
    const real *grads = net->grads;
    const double limit = updater->optimizer->clip_norm;
    if (isfinite(limit)) {
        double squares = 0;
        for (ptrdiff_t i = 0; i < net->segments; i++) {
            const mlp_segment *segment = &net->segment[i];
            squares +=
                segment->trainable ? k->sum_of_squares(segment->rows * segment->columns, grads + segment->begin) : 0;
        }
        const double norm = sqrt(squares);
        updater->plain.grad_scale = norm > limit ? (real)(limit / norm) : 1;
        updater->plain.adjusts = updater->plain.adjusts || norm > limit;
    }
    /* Neighbours that are stepped alike are stepped together. */
    for (ptrdiff_t i = 0, next; i < net->segments; i = next) {
        const mlp_segment *segment = &net->segment[i];
        ptrdiff_t end = segment->begin + segment->rows * segment->columns;
        next = i + 1;
        if (is_plain(segment)) {
            for (; next < net->segments && is_plain(&net->segment[next]); next++) {
                end += net->segment[next].rows * net->segment[next].columns;
            }
            k->update(&updater->plain, segment->begin, end - segment->begin, updater->params, grads + segment->begin);
        } else if (segment->trainable) {
            const update u = update_of_segment(updater, segment);
            k->update(&u, segment->begin, end - segment->begin, updater->params, grads + segment->begin);
            limit_norm(k, updater, segment);
        }
    }
}

/* ---- within a product (fusion.c, rule 4) -------------------------------------------------------------------------- */

typedef struct {
    const kernels *k;
    const update *u;
    ptrdiff_t begin; /* of the segment */
    real *params;
} update_context;

static void run_update(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *grad) {
    const update_context *c = context;
    c->k->update(c->u, c->begin + begin, count, c->params, grad);
}

/* By hand: one step with the gradients that the last backward left. */
static void update_by_hand(mlp_net *net, const mlp_optimizer *optimizer) {
    weight_updater u = next_update(net, optimizer, false);
    update_all(current_kernels(), net, &u);
}
