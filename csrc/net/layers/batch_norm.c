/* batch_norm.c: BatchNorm, y = gamma x_hat + beta of each column (Ioffe & Szegedy 2015). While training, mean and variance are
 * those of the batch, in which a row counts what it weighs; otherwise they are running means over the batches of training,
 * which are numbers beside the parameters. A layer that is frozen takes the running means in training too, and leaves them.
 *
 * Forward keeps mean, variance and each row's share in them. The running means move when the batch is done, so that a batch
 * that fails leaves them:
 *
 *     running = momentum running + (1 - momentum) batch's
 */

static bool batch_norm_plan(mlp_net *net, mlp_step *step, const mlp_step_spec *spec) {
    (void)spec;
    step->out = step->in;
    step->kept.width = 1 + (2 * step->out + 15) / 16; /* a workspace has at least 16 rows */
    return mlp_claim_segment(net, step, 1, step->out) && mlp_claim_segment(net, step, 1, step->out) &&
           mlp_claim_buffer(net, step, 1, step->out) && mlp_claim_buffer(net, step, 1, step->out);
}

/* Whether mean and variance are the batch's, or those in `state`. */
static bool is_of_batch(const bound_step *s) {
    return s->pass->mode.training && s->pass->net->segment[s->plan->segment].trainable;
}

static real batch_norm_epsilon(const bound_step *s) { return (real)s->plan->constants[1]; }

/* Mean, variance and shares of the rows: running means do not follow from the rows. */
static void keep_moments(const bound_step *s) {
    const kernels *k = s->pass->k;
    const ptrdiff_t n = s->pass->n, out = s->plan->out;
    real *const mean = s->kept, *const variance = mean + out, *const share = variance + out;
    if (is_of_batch(s)) {
        const real *weight = s->pass->mode.weight;
        k->batch_norm_moments(n, out, mean, variance, s->x, weight);
        k->batch_scale(n, share, weight, k->batch_weight(n, weight));
    } else {
        memcpy(mean, s->state, (size_t)(2 * out) * sizeof *mean);
        memset(share, 0, (size_t)n * sizeof *share);
    }
}

static bool batch_norm_forward(const bound_step *s) {
    const ptrdiff_t out = s->plan->out;
    const real *mean = s->state; /* predict keeps nothing */
    if (s->kept) {
        keep_moments(s);
        mean = s->kept;
    }
    s->pass->k->batch_norm_forward(s->pass->n, out, s->y, s->x, mean, mean + out, s->params, s->params + out,
                                   batch_norm_epsilon(s));
    return true;
}

static bool batch_norm_backward(const bound_step *s, const weight_updater *updater) {
    const ptrdiff_t out = s->plan->out;
    const real *mean = s->kept, *variance = mean + out, *share = variance + out;
    s->pass->k->batch_norm_backward(s->pass->n, out, s->grad_x, s->grads, s->grads + out, s->grad_y, s->x, mean,
                                    variance, s->params, batch_norm_epsilon(s), share);
    update_layer(s, updater);
    return true;
}

/* Rows that all weigh 0, or none, have no mean. */
static void batch_norm_move(const bound_step *s) {
    const double momentum = s->plan->constants[0];
    if (is_of_batch(s) && s->pass->k->batch_weight(s->pass->n, s->pass->mode.weight) > 0) {
        for (ptrdiff_t i = 0; i < 2 * s->plan->out; i++) {
            s->state[i] = (real)(momentum * (double)s->state[i] + (1 - momentum) * (double)s->kept[i]);
        }
    }
}
