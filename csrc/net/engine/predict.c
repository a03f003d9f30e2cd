/* predict.c: what a network says, and how good that is: forward alone, some rows at a time. */

static double work_of(const mlp_net *net, ptrdiff_t rows) {
    enum { BATCH_WORK = 256 }; /* what a batch costs by itself, in multiply-adds */
    return (double)net->parameters * (double)rows + BATCH_WORK;
}

/* The steps on the buffers of plan.c's lay_out_predict, which lie behind the steps' own memory. */
static bound_step *bind_predict(pass *p, void *block, ptrdiff_t rows) {
    const mlp_net *net = p->net;
    const ptrdiff_t size = rows * net->widest;
    bound_step *steps = block;
    real *scratch = (real *)block + mlp_bound_steps_elements(net);
    for (ptrdiff_t i = 0; i < net->steps; i++) {
        const mlp_step *plan = &net->step[i];
        bound_step *s = &steps[i];
        /* What forward reads: clearing all of a step would take longer than a small layer. */
        s->plan = plan;
        s->pass = p;
        s->x = i > 0 ? s[-1].y : NULL;
        s->y = plan->scratch < 0 ? NULL : scratch + plan->scratch * size;
        s->forward = (epilogue){0};
        s->kept = NULL;
        if (plan->segments > 0) {
            s->params = (real *)net->params + net->segment[plan->segment].begin;
        }
        if (plan->buffers > 0) {
            s->state = (real *)net->state + net->buffer[plan->buffer].begin;
        }
        if (plan->kind == MLP_ACTIVATION) {
            s->sigma = activation_of(plan);
        }
    }
    for (ptrdiff_t i = 0; i < net->steps; i++) {
        bind_forward_epilogue(&steps[i]);
    }
    p->steps = steps;
    return steps;
}

/* The last step writes into `result`, and so does what it changes in place. */
static void set_output(bound_step *steps, const mlp_net *net, real *result) {
    const ptrdiff_t scratch = net->step[net->steps - 1].scratch;
    ptrdiff_t i = net->steps - 1;
    for (steps[i].y = result; i > 0 && mlp_layers[net->step[i].kind].traits & MLP_ELEMENTWISE &&
                              net->step[i - 1].scratch == scratch && net->step[i - 1].kind != MLP_FORK;
         i--) {
        steps[i].x = steps[i - 1].y = result;
    }
}

static bool predict(const mlp_net *net, ptrdiff_t n, void *result, const void *samples, void *scratch, void *caller,
                    const mlp_interrupt *interrupt) {
    const ptrdiff_t in = mlp_net_inputs(net), out = mlp_net_outputs(net), most = mlp_rows_at_once(n);
    pass p = pass_of(net, &(mlp_mode){.caller = caller}, most, false);
    bound_step *steps = bind_predict(&p, scratch, most);
    mlp_poller poller = mlp_poller_new(interrupt, work_of(net, most));
    for (ptrdiff_t begin = 0; begin < n; begin += most) {
        p.n = n - begin < most ? n - begin : most;
        set_input(steps, net, (const real *)samples + begin * in);
        set_output(steps, net, (real *)result + begin * out);
        if (!forward_steps(steps, net->steps)) {
            return false;
        }
        if (mlp_should_stop(&poller, begin + p.n)) {
            break;
        }
    }
    return true;
}

/* The last z and a are kept apart, since the loss is computed from z. */
static bool evaluate(const mlp_net *net, const mlp_evaluation *e, mlp_score *score) {
    const mlp_samples samples = e->samples;
    const ptrdiff_t in = mlp_net_inputs(net), most = e->work.capacity;
    pass p = pass_of(net, &(mlp_mode){.caller = e->caller}, most, false);
    bound_step *steps = bind_steps(&p, e->work);
    const head h = head_of(steps, net, &e->loss);
    const real *weight = samples.weight;
    real *value = e->value;
    double correct = 0, loss = 0, total = 0;
    mlp_poller poller = mlp_poller_new(e->interrupt, work_of(net, most));
    if (e->measures) {
        begin_measures(e->measures, h.out, 0);
    }
    if (e->part) {
        take_sums(e->part, &loss, &total, &correct, e->measures, h.out);
    }
    for (ptrdiff_t begin = 0; begin < samples.n; begin += most) {
        p.n = samples.n - begin < most ? samples.n - begin : most;
        const real *y = h.has_labels ? expand_labels(p.n, h.out, room_of(net, e->work).y, samples.y, NULL, begin)
                                     : (const real *)samples.y + begin * h.out;
        set_input(steps, net, (const real *)samples.x + begin * in);
        if (!forward_steps(steps, net->steps)) {
            return false;
        }
        if (!h.custom.fill) {
            p.k->output_loss(&h.loss, &h.sigma, p.n, h.out, value + begin, h.z, h.a, y);
        } else { /* into the workspace, whose memory can be shown */
            const sample_room room = room_of(net, e->work);
            if (!custom_loss(&p, &h, room.value, y, NULL)) {
                return false;
            }
            memcpy(value + begin, room.value, (size_t)p.n * sizeof(real));
        }
        const real *of_rows = weight ? weight + begin : NULL;
        correct += p.k->count_correct(e->metric, p.n, h.out, h.a, y, of_rows);
        if (e->measures) {
            measure_batch(p.k, &h, e->measures, p.n, y, of_rows, NULL, begin);
        }
        if (mlp_should_stop(&poller, begin + p.n)) {
            return false;
        }
    }
    if (e->part) {
        total += p.k->batch_weight(samples.n, weight);
        for (ptrdiff_t s = 0; s < samples.n; s++) {
            loss += (weight ? (double)weight[s] : 1) * (double)value[s];
        }
        if (!e->part->is_last) {
            if (e->measures) {
                pass_measures(e->measures, &samples, &h, NULL, e->interrupt, samples.n);
            }
            hand_on_sums(e->part, loss, total, correct, e->measures, h.out);
            return true;
        }
    }
    if (e->measures &&
        finish_measures(e->measures, &samples, &h, NULL, samples.n, e->measures->values, e->interrupt, samples.n)) {
        return false;
    }
    if (e->part) {
        *score = (mlp_score){.loss = total > 0 ? loss / total : 0, .accuracy = total > 0 ? correct / total : 0};
        return true;
    }
    *score = (mlp_score){.loss = p.k->batch_mean(samples.n, value, weight),
                         .accuracy = correct / p.k->batch_weight(samples.n, weight)};
    return true;
}
