/* train.c: training: epochs of batches, each of which is forward, the head, backward, and a step of the optimizer. */

/* The row of `width` numbers whose turn is `turn`. */
static const real *row_of(const void *samples, ptrdiff_t width, const ptrdiff_t *order, ptrdiff_t turn) {
    return (const real *)samples + (order ? order[turn] : turn) * width;
}

/* The rows whose turn is from `begin` on: where they lie or, if there are several in another order, gathered in `room`. NULL
 * if there are none. */
static const real *gather(ptrdiff_t rows, ptrdiff_t width, real *room, const void *samples, const ptrdiff_t *order,
                          ptrdiff_t begin) {
    if (!samples) {
        return NULL;
    }
    if (!order || rows == 1) {
        return row_of(samples, width, order, begin);
    }
    for (ptrdiff_t s = 0; s < rows; s++) {
        memcpy(room + s * width, row_of(samples, width, order, begin + s), (size_t)width * sizeof(real));
    }
    return room;
}

/* What stays the same from batch to batch. */
typedef struct {
    const mlp_training *training;
    mlp_net *net;
    mlp_workspace work;
    sample_room room;
    pass pass;
    bound_step *steps;
    head head;
    weight_updater updater;
    bool fused;       /* fusion.c, rule 4 */
    bool online;      /* the same for a batch of one sample */
    bool ahead;       /* rule 5 */
    ptrdiff_t scaled; /* rows for which `scale` holds 1/n; 0: none */
    ptrdiff_t begin;  /* whose turn the first row of the batch is  */
} trainer;

static void bind_trainer(trainer *t) {
    t->steps = bind_steps(&t->pass, t->work);
    t->head = head_of(t->steps, t->net, &t->training->loss);
}

/* Whether all values and gradients of the batches that come are to be there when they are done. */
static void show_batch(trainer *t, bool keep) {
    if (keep != t->pass.keep) {
        t->pass.keep = keep;
        t->pass.z_is_there = false;
        bind_trainer(t);
    }
}

static batch next_batch(const trainer *t, ptrdiff_t begin) {
    const mlp_samples *samples = &t->training->samples;
    const ptrdiff_t *order = t->training->order, left = samples->n - begin;
    batch b = {.n = left < t->work.capacity ? left : t->work.capacity, .scale = t->room.scale, .value = t->room.value};
    b.x = gather(b.n, mlp_net_inputs(t->net), t->work.block, samples->x, order, begin);
    b.y = t->head.has_labels ? expand_labels(b.n, t->head.out, t->room.y, samples->y, order, begin)
                             : gather(b.n, t->head.out, t->room.y, samples->y, order, begin);
    b.weight = gather(b.n, 1, t->room.weight, samples->weight, order, begin);
    return b;
}

/* The sample whose turn is `turn` of this epoch. NULL: it is the next epoch's, whose order is not drawn yet, or the next part's. */
static const real *next_x(const trainer *t, ptrdiff_t turn) {
    const mlp_samples *samples = &t->training->samples;
    if (turn == samples->n && (t->training->order || t->training->part)) {
        return NULL;
    }
    return row_of(samples->x, mlp_net_inputs(t->net), t->training->order, turn % samples->n);
}

/* Each sample's share of the mean; without weights it is the same for all batches of a size. */
static void scale_samples(trainer *t, const batch *b) {
    const kernels *k = t->pass.k;
    if (!b->weight && b->n == t->scaled) {
        return;
    }
    const double mean = t->training->mean_weight;
    k->batch_scale(b->n, b->scale, b->weight, mean > 0 ? mean * (double)b->n : k->batch_weight(b->n, b->weight));
    t->scaled = b->weight ? 0 : b->n;
}

/* Forward and the head. False: something written elsewhere failed. */
static bool forward_batch(trainer *t, const batch *b, double *correct) {
    const kernels *k = t->pass.k;
    const head *h = &t->head;
    t->pass.n = b->n;
    t->pass.mode.weight = b->weight;
    if (t->pass.keep && b->x != t->work.block) {
        memcpy(t->work.block, b->x, (size_t)(b->n * mlp_net_inputs(t->net)) * sizeof(real));
    }
    set_input(t->steps, t->net, t->pass.keep ? t->work.block : b->x);
    if (!forward_steps(t->steps, t->net->head)) {
        return false;
    }
    scale_samples(t, b);
    if (!h->custom.fill) {
        *correct = k->output_step(&h->loss, &h->sigma, t->training->metric, b->n, h->out, h->a, b->value, h->phi, h->z,
                                  b->y, b->scale, b->weight);
    } else {
        k->activation_forward(&h->sigma, b->n, h->out, h->a, h->z);
        if (!custom_loss(&t->pass, h, b->value, b->y, b->scale)) {
            return false;
        }
        *correct = k->count_correct(t->training->metric, b->n, h->out, h->a, b->y, b->weight);
    }
    if (t->training->measures) {
        measure_batch(k, h, t->training->measures, b->n, b->y, b->weight, t->training->order, t->begin);
    }
    return true;
}

/* One step of training. False: something written elsewhere failed, and nothing was changed but what the batch would have
 * shown. */
static bool train_batch(trainer *t, const batch *b, double *correct) {
    if (!forward_batch(t, b, correct)) {
        return false;
    }
    if (t->fused || (b->n == 1 && !t->pass.keep && t->online)) {
        begin_step(&t->updater, true);
        if (!backward_steps(t->steps, t->net, &t->updater)) {
            return false;
        }
        follow_weights(t->net, &t->training->optimizer->average);
    } else if (!backward_steps(t->steps, t->net, NULL) ||
               !step_all(t->pass.k, t->net, &t->updater, t->pass.mode.caller)) {
        return false;
    }
    move_state(t->steps, t->net);
    return true;
}

/* All samples as one batch, which is shown: their loss and its gradients. */
static bool whole_gradient(mlp_net *net, mlp_workspace work, const mlp_training *training, mlp_score *score) {
    const mlp_mode mode = {.training = true, .seed = training->seed, .caller = training->caller};
    trainer t = {.training = training, .net = net, .work = work, .room = room_of(net, work)};
    t.pass = pass_of(net, &mode, work.capacity, true);
    bind_trainer(&t);
    const batch b = next_batch(&t, 0);
    double correct;
    if (!forward_batch(&t, &b, &correct) || !backward_steps(t.steps, net, NULL)) {
        return false;
    }
    *score = (mlp_score){.loss = t.pass.k->batch_mean(b.n, b.value, b.weight),
                         .accuracy = correct / t.pass.k->batch_weight(b.n, b.weight)};
    return true;
}

/* The metrics of an epoch that is over; begins those of the next. True: the interrupt said stop. */
static bool measure_epoch(const trainer *t, ptrdiff_t epoch, ptrdiff_t batches) {
    const mlp_training *training = t->training;
    mlp_measures *m = training->measures;
    const bool stop = finish_measures(m, &training->samples, &t->head, training->order, training->samples.n,
                                      m->values + epoch * m->count, training->interrupt, batches);
    begin_measures(m, t->head.out, 0);
    return stop;
}

/* False: there is no score, since the interrupt said stop. */
static bool validate_epoch(const trainer *t, ptrdiff_t epoch) {
    const mlp_validation *validation = t->training->validation;
    mlp_evaluation evaluation = validation->evaluation;
    mlp_measures measures;
    if (evaluation.measures) {
        measures = *evaluation.measures;
        measures.values = validation->values + epoch * measures.count;
        evaluation.measures = &measures;
    }
    if (!evaluate(t->net, &evaluation, &validation->scores[epoch])) {
        return false;
    }
    mlp_schedule_validated(&t->training->optimizer->schedule, validation->scores[epoch].loss);
    return true;
}

/* Whether training is to end with this epoch. */
static bool watch_epoch(const trainer *t, ptrdiff_t epoch) {
    const mlp_early_stopping *s = t->training->stopping;
    const mlp_net *net = t->net;
    if (mlp_watch_epoch(s, s->watched[epoch * s->stride]) && s->best_params) {
        memcpy(s->best_params, net->params, (size_t)net->parameters * sizeof(real));
        if (s->best_state) { /* NULL where the net has none */
            memcpy(s->best_state, net->state, (size_t)net->buffer_size * sizeof(real));
        }
    }
    return s->progress->stopped != 0;
}

static mlp_score score_of(const mlp_cursor *cursor) {
    return (mlp_score){.loss = cursor->weight_sum > 0 ? cursor->loss_sum / cursor->weight_sum : 0,
                       .accuracy = cursor->weight_sum > 0 ? cursor->correct_sum / cursor->weight_sum : 0};
}

static mlp_trained train(mlp_net *net, mlp_workspace work, const mlp_training *training, mlp_cursor *cursor) {
    const mlp_samples *samples = &training->samples;
    const mlp_mode mode = {.training = true, .seed = training->seed, .caller = training->caller};
    trainer t = {.training = training,
                 .net = net,
                 .work = work,
                 .room = room_of(net, work),
                 .pass = pass_of(net, &mode, work.capacity, false),
                 .updater = updater_of(net, training->optimizer),
                 .fused = mlp_fuses_update(net, training->optimizer, false),
                 .online = mlp_fuses_update(net, training->optimizer, true)};
    t.ahead = work.capacity == 1 && mlp_fuses_next_forward(net, training->optimizer);
    const kernels *k = t.pass.k;
    mlp_trained done = {.first_not_finite = -1, .rows = -1};
    mlp_poller poller = mlp_poller_new(training->interrupt, work_of(net, work.capacity));
    bind_trainer(&t);
    if (training->measures) {
        begin_measures(training->measures, t.head.out, cursor->seen);
    }
    const mlp_part *part = training->part;
    if (part) {
        take_sums(part, &cursor->loss_sum, &cursor->weight_sum, &cursor->correct_sum, training->measures, t.head.out);
    }
    for (ptrdiff_t epoch = 0; epoch < training->epochs; epoch++) {
        if (training->order && !mlp_draw_permutation((mlp_stream){training->seed, MLP_DRAW_SHUFFLE, cursor->epoch},
                                                     mlp_draws_of_block(part ? part->block : 0), samples->n,
                                                     training->order, training->interrupt, done.batches)) {
            return done;
        }
        while (cursor->seen < samples->n) {
            const batch b = next_batch(&t, cursor->seen);
            const bool ends_epoch = cursor->seen + b.n == samples->n && (!part || part->is_last);
            bool stop = mlp_should_stop(&poller, done.batches);
            const bool may_be_last = ends_epoch && (training->stopping || epoch == training->epochs - 1);
            show_batch(&t, stop || may_be_last);
            t.pass.mode.batch = mlp_batch_number(cursor->epoch, (uint64_t)cursor->batches);
            t.pass.next_x = t.ahead && !t.pass.keep ? next_x(&t, cursor->seen + 1) : NULL;
            t.begin = cursor->seen;
            double correct;
            if (!train_batch(&t, &b, &correct)) {
                done.failed = true;
                return done;
            }
            t.pass.z_is_there = t.pass.next_x != NULL;
            const double loss = k->batch_mean(b.n, b.value, b.weight), weight = k->batch_weight(b.n, b.weight);
            if (!isfinite(loss) && done.first_not_finite < 0) {
                done.first_not_finite = done.batches;
            }
            done.batches += 1;
            cursor->batches += 1;
            cursor->seen += b.n;
            cursor->loss_sum += weight * loss;
            cursor->weight_sum += weight;
            cursor->correct_sum += correct;
            stop |= training->batch_end && training->batch_end(training->caller, cursor->batches - 1, loss);
            if (ends_epoch) {
                training->scores[epoch] = score_of(cursor);
                stop |= training->measures && measure_epoch(&t, epoch, done.batches);
                if (training->rates) {
                    training->rates[epoch] = t.updater.rate;
                }
                mlp_schedule_epoch(&training->optimizer->schedule, training->scores[epoch].loss);
                *cursor = (mlp_cursor){.epoch = cursor->epoch + 1};
                stop |= training->validation && !stop && !validate_epoch(&t, epoch);
                stop |= training->stopping && !stop && watch_epoch(&t, epoch);
            }
            done.rows = t.pass.keep ? b.n : -1;
            if (stop) {
                return done;
            }
            if (ends_epoch) {
                break;
            }
        }
    }
    if (part && !part->is_last) {
        if (training->measures) {
            pass_measures(training->measures, samples, &t.head, training->order, training->interrupt, done.batches);
        }
        hand_on_sums(part, cursor->loss_sum, cursor->weight_sum, cursor->correct_sum, training->measures, t.head.out);
    }
    return done;
}
