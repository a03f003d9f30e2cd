/* update.c: an optimizer's step of the parameters: within the products that compute their gradients, or in one sweep over all. */

/* The constants of step t for parameters whose learning rate is multiplied by `rate_factor`. */
static void set_constants(update *u, const weight_updater *updater, double rate_factor) {
    const mlp_optimizer *optimizer = updater->optimizer;
    double hypers[MLP_HYPERS];
    memcpy(hypers, optimizer->hypers, sizeof hypers);
    hypers[0] = updater->rate * rate_factor;
    update_constants(u->rule, hypers, *optimizer->t, u->constants);
}

static weight_updater updater_of(const mlp_net *net, const mlp_optimizer *optimizer) {
    weight_updater updater = {.optimizer = optimizer, .params = net->params};
    updater.plain = (update){.rule = optimizer->id, .grad_scale = 1, .clip_value = (real)optimizer->clip_value};
    for (int i = 0; i < MLP_STATES; i++) {
        updater.plain.state[i] = optimizer->state[i];
    }
    return updater;
}

/* The next step of the optimizer; counts it. */
static void begin_step(weight_updater *updater, bool fused) {
    const mlp_optimizer *optimizer = updater->optimizer;
    updater->rate = mlp_scheduled_rate(&optimizer->schedule, optimizer->hypers[0], *optimizer->t);
    *optimizer->t += 1;
    set_constants(&updater->plain, updater, 1);
    updater->plain.grad_scale = 1;
    updater->plain.adjusts = isfinite(optimizer->clip_value) || updater->plain.constants[MLP_DECAY] != 0;
    updater->fused = fused;
}

static bool is_plain(const mlp_segment *segment) {
    return segment->trainable && segment->rate_factor == 1 && segment->l1 == 0 && segment->l2 == 0 &&
           segment->max_norm == 0;
}

/* The step of one segment. */
static update update_of_segment(const weight_updater *updater, const mlp_segment *segment) {
    update u = updater->plain;
    if (segment->rate_factor != 1) {
        set_constants(&u, updater, segment->rate_factor);
    }
    u.l1 = (real)segment->l1;
    u.l2 = (real)segment->l2;
    u.adjusts = u.adjusts || segment->l1 != 0 || segment->l2 != 0;
    return u;
}

/* The step of one segment; in `own` if it is not the plain one. */
static const update *update_for(const weight_updater *updater, const mlp_segment *segment, update *own) {
    if (is_plain(segment)) {
        return &updater->plain;
    }
    *own = update_of_segment(updater, segment);
    return own;
}

static void limit_norm(const kernels *k, const weight_updater *updater, const mlp_segment *segment) {
    if (segment->max_norm > 0 && segment->trainable) {
        k->max_norm(segment->rows, segment->columns, updater->params + segment->begin, (real)segment->max_norm);
    }
}

/* The step of all parameters of a layer whose gradients are there, where weights take it within backward. */
static void update_layer(const bound_step *s, const weight_updater *updater) {
    const mlp_net *net = s->pass->net;
    const real *grads = net->grads;
    for (ptrdiff_t i = 0; updater && updater->fused && i < s->plan->segments; i++) {
        const mlp_segment *segment = &net->segment[s->plan->segment + i];
        update own;
        if (segment->trainable) {
            s->pass->k->update(update_for(updater, segment, &own), segment->begin, segment->rows * segment->columns,
                               updater->params, grads + segment->begin);
            limit_norm(s->pass->k, updater, segment);
        }
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

/* ---- around a step ---------------------------------------------------------------------------------------------- */

/* True: the gradients, with those that wait, make a step, and have become their mean. */
static bool make_a_step(mlp_net *net, const mlp_accumulation *a) {
    real *sum = a->sum, *grads = net->grads;
    if (!sum) {
        return true;
    }
    const bool enough = *a->waiting + 1 >= a->batches;
    const real count = (real)(*a->waiting + 1);
    for (ptrdiff_t i = 0; i < net->parameters && *a->waiting > 0; i++) {
        grads[i] += sum[i];
    }
    for (ptrdiff_t i = 0; i < net->parameters && enough; i++) {
        grads[i] /= count;
    }
    return enough;
}

/* average = momentum average + (1 - momentum) w; of what is not trained, and of the first step, it is w itself. */
static void follow_weights(mlp_net *net, const mlp_average *a) {
    real *average = a->average, *params = net->params;
    if (!average) {
        return;
    }
    const real momentum = (real)a->momentum;
    const bool overwrites = a->overwrite_every > 0 && (*a->steps + 1) % a->overwrite_every == 0;
    for (ptrdiff_t s = 0; s < net->segments; s++) {
        const mlp_segment *segment = &net->segment[s];
        const ptrdiff_t begin = segment->begin, end = begin + segment->rows * segment->columns;
        const bool follows = segment->trainable && *a->steps > 0;
        for (ptrdiff_t i = begin; i < end && follows; i++) {
            const real moved = momentum * average[i] + (1 - momentum) * params[i];
            average[i] = real_abs(moved) < REAL_SMALLEST ? 0 : moved;
        }
        if (!follows || overwrites) {
            const size_t bytes = (size_t)(end - begin) * sizeof(real);
            memcpy((follows ? params : average) + begin, (follows ? average : params) + begin, bytes);
        }
    }
    *a->steps += 1;
}

/* A step by the gradients that are there, as soon as they are enough. False: a rule that is written elsewhere failed, and nothing
 * was changed. */
static bool step_all(const kernels *k, mlp_net *net, weight_updater *updater, void *caller) {
    const mlp_optimizer *optimizer = updater->optimizer;
    const mlp_accumulation *a = &optimizer->accumulation;
    if (!make_a_step(net, a)) {
        memcpy(a->sum, net->grads, (size_t)net->parameters * sizeof(real));
        *a->waiting += 1;
        updater->rate = mlp_scheduled_rate(&optimizer->schedule, optimizer->hypers[0], *optimizer->t);
        return true;
    }
    if (optimizer->custom.step) {
        if (optimizer->custom.step(optimizer->custom.context, caller, *optimizer->t + 1) != 0) {
            return false;
        }
        *optimizer->t += 1;
    } else {
        begin_step(updater, false);
        update_all(k, net, updater);
    }
    if (a->sum) {
        *a->waiting = 0;
    }
    follow_weights(net, &optimizer->average);
    return true;
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
static bool update_by_hand(mlp_net *net, const mlp_optimizer *optimizer, void *caller) {
    weight_updater updater = updater_of(net, optimizer);
    return step_all(current_kernels(), net, &updater, caller);
}
