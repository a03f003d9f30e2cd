/* net.inc.c: what net.h promises, for one real type. net.c reads it twice. */
#include "../real.h"

static real *REAL_NAME(part)(const mlp_net *net, mlp_workspace work, ptrdiff_t j, mlp_part which) {
    return (real *)work.block + mlp_workspace_offset(net, work.capacity, j, which);
}

static void REAL_NAME(initialize)(mlp_net *net, ptrdiff_t j, mlp_initializer initializer, uint64_t seed) {
    const mlp_layer *layer = &net->layers[j];
    real *w = (real *)net->params + layer->w, *b = (real *)net->params + layer->b;
    mlp_stream stream = {.seed = seed, .purpose = MLP_DRAW_WEIGHTS, .which = (uint32_t)j};
    double fan = initializer == MLP_HE_UNIFORM ? (double)layer->in : (double)layer->in + (double)layer->out;
    double limit = initializer == MLP_ZEROS ? 0 : sqrt(6 / fan);
    for (ptrdiff_t i = 0; i < layer->in * layer->out; i++) {
        w[i] = (real)(limit * (2 * mlp_draw_uniform(stream, (uint64_t)i) - 1));
    }
    memset(b, 0, (size_t)layer->out * sizeof *b);
}

/* A batch of n samples. x and y need not lie in the workspace, where only the last batch is shown. */
typedef struct {
    ptrdiff_t n;
    const real *x, *y, *weight;
    real *scale, *value; /* of the samples */
} REAL_NAME(batch);

/* What layer j is given. */
static const real *REAL_NAME(input)(const mlp_net *net, mlp_workspace work, const REAL_NAME(batch) * batch,
                                    ptrdiff_t j) {
    return j > 0 ? REAL_NAME(part)(net, work, j - 1, MLP_A) : batch->x;
}

/* z and a of layer j; without `keep`, z only as long as a needs it. */
static void REAL_NAME(forward_layer)(const mlp_net *net, mlp_workspace work, const REAL_NAME(batch) * batch,
                                     ptrdiff_t j, bool keep) {
    const mlp_layer *layer = &net->layers[j];
    const real *params = net->params;
    real *a = REAL_NAME(part)(net, work, j, MLP_A), *z = keep ? REAL_NAME(part)(net, work, j, MLP_Z) : a;
    REAL_NAME(mlp_current)()->layer_forward(layer->sigma, batch->n, layer->in, layer->out, z, a,
                                            REAL_NAME(input)(net, work, batch, j), params + layer->w,
                                            params + layer->b);
}

/* The same of the layers below `end`. */
static void REAL_NAME(forward_below)(const mlp_net *net, mlp_workspace work, const REAL_NAME(batch) * batch,
                                     ptrdiff_t end, bool keep) {
    for (ptrdiff_t j = 0; j < end; j++) {
        REAL_NAME(forward_layer)(net, work, batch, j, keep);
    }
}

/* Behind the layers' parts a workspace has room for a batch's y, weight, scale and value. */
static real *REAL_NAME(room_for_y)(const mlp_net *net, mlp_workspace work) {
    const mlp_layer *last = &net->layers[net->depth - 1];
    return (real *)work.block + part_rows(work.capacity) * (last->before + 3 * last->out);
}

static real *REAL_NAME(room_for_weight)(const mlp_net *net, mlp_workspace work) {
    return REAL_NAME(room_for_y)(net, work) + part_rows(work.capacity) * net->layers[net->depth - 1].out;
}

/* The batch whose x lies in the workspace. */
static REAL_NAME(batch)
    REAL_NAME(batch_of)(const mlp_net *net, mlp_workspace work, ptrdiff_t n, const void *y, const void *weight) {
    real *const scale = REAL_NAME(room_for_weight)(net, work) + part_rows(work.capacity);
    return (REAL_NAME(batch)){
        .n = n, .x = work.block, .y = y, .weight = weight, .scale = scale, .value = scale + part_rows(work.capacity)};
}

static void REAL_NAME(forward)(const mlp_net *net, mlp_workspace work, ptrdiff_t n) {
    const REAL_NAME(batch) batch = REAL_NAME(batch_of)(net, work, n, NULL, NULL);
    REAL_NAME(forward_below)(net, work, &batch, net->depth, true);
}

/* What the next step does; counts it. */
static REAL_NAME(mlp_step) REAL_NAME(next_step)(const mlp_optimizer *optimizer) {
    REAL_NAME(mlp_step) step = {.algorithm = optimizer->algorithm};
    if (step.algorithm == MLP_ADAM) {
        *optimizer->t += 1;
        step.adam = REAL_NAME(mlp_current)()->adam_at(*optimizer->t, optimizer->learning_rate, optimizer->beta1,
                                                      optimizer->beta2, optimizer->epsilon);
    } else {
        step.sgd.rate = (real)optimizer->learning_rate;
        step.sgd.momentum = (real)optimizer->momentum;
        step.sgd.nesterov = optimizer->nesterov;
    }
    return step;
}

/* An array of the optimizer's state from element i on. */
static real *REAL_NAME(state)(void *array, ptrdiff_t i) { return array ? (real *)array + i : NULL; }

/* A step of `count` parameters from number i on, with the gradients that are there. */
static void REAL_NAME(step_some)(mlp_net *net, const mlp_optimizer *optimizer, const REAL_NAME(mlp_step) * step,
                                 ptrdiff_t i, ptrdiff_t count) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    real *w = (real *)net->params + i, *m = REAL_NAME(state)(optimizer->m, i);
    const real *grad = (const real *)net->grads + i;
    if (step->algorithm == MLP_ADAM) {
        kernels->adam_step(count, &step->adam, w, m, REAL_NAME(state)(optimizer->v, i), grad);
    } else {
        kernels->sgd_step(count, &step->sgd, w, m, grad);
    }
}

static void REAL_NAME(update)(mlp_net *net, const mlp_optimizer *optimizer) {
    const REAL_NAME(mlp_step) step = REAL_NAME(next_step)(optimizer);
    REAL_NAME(step_some)(net, optimizer, &step, 0, net->parameters);
}

/* phi of layer j - 1 from that of layer j. */
static void REAL_NAME(propagate)(const mlp_net *net, mlp_workspace work, ptrdiff_t n, ptrdiff_t j) {
    const mlp_layer *layer = &net->layers[j];
    REAL_NAME(mlp_current)()->layer_backward(
        net->layers[j - 1].sigma, n, layer->in, layer->out, REAL_NAME(part)(net, work, j - 1, MLP_PHI),
        REAL_NAME(part)(net, work, j, MLP_PHI), REAL_NAME(part)(net, work, j - 1, MLP_A),
        (const real *)net->params + layer->w);
}

/* grad_w and grad_b of layer j (eq. 3 and 4), and phi of the layer below. */
static void REAL_NAME(gradients)(const mlp_net *net, mlp_workspace work, const REAL_NAME(batch) * batch, ptrdiff_t j) {
    const mlp_layer *layer = &net->layers[j];
    real *grads = net->grads;
    REAL_NAME(mlp_current)()->dense_backward(batch->n, layer->in, layer->out, NULL, grads + layer->w, grads + layer->b,
                                             REAL_NAME(part)(net, work, j, MLP_PHI),
                                             REAL_NAME(input)(net, work, batch, j),
                                             (const real *)net->params + layer->w);
    if (j > 0) {
        REAL_NAME(propagate)(net, work, batch->n, j);
    }
}

/* The same, and a step of the layer's parameters, once phi below no longer needs its weights. Without `keep`, grad_w only
 * as long as the step needs it. */
static void REAL_NAME(update_layer)(mlp_net *net, mlp_workspace work, const REAL_NAME(batch) * batch, ptrdiff_t j,
                                    const mlp_optimizer *optimizer, const REAL_NAME(mlp_step) * step, bool keep) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const mlp_layer *layer = &net->layers[j];
    const real *x = REAL_NAME(input)(net, work, batch, j), *phi = REAL_NAME(part)(net, work, j, MLP_PHI);
    real *w = (real *)net->params + layer->w, *grads = net->grads;
    if (j > 0) {
        REAL_NAME(propagate)(net, work, batch->n, j);
    }
    kernels->dense_backward(batch->n, layer->in, layer->out, NULL, NULL, grads + layer->b, phi, x, w);
    kernels->layer_update(batch->n, layer->in, layer->out, step, w, REAL_NAME(state)(optimizer->m, layer->w),
                          REAL_NAME(state)(optimizer->v, layer->w), grads + layer->w, keep, phi, x);
    REAL_NAME(step_some)(net, optimizer, step, layer->b, layer->out);
}

static double REAL_NAME(backward)(const mlp_net *net, mlp_workspace work, ptrdiff_t n, mlp_loss loss, const void *y,
                                  const void *weight) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const ptrdiff_t last = net->depth - 1, out = net->layers[last].out;
    const mlp_activation sigma = net->layers[last].sigma;
    const real *z = REAL_NAME(part)(net, work, last, MLP_Z), *a = REAL_NAME(part)(net, work, last, MLP_A);
    const REAL_NAME(batch) batch = REAL_NAME(batch_of)(net, work, n, y, weight);
    kernels->batch_scale(n, batch.scale, weight);
    kernels->output_loss(loss, sigma, n, out, batch.value, z, a, y);
    kernels->output_phi(loss, sigma, n, out, REAL_NAME(part)(net, work, last, MLP_PHI), z, a, y, batch.scale);
    for (ptrdiff_t j = last; j >= 0; j--) {
        REAL_NAME(gradients)(net, work, &batch, j);
    }
    return kernels->batch_mean(n, batch.value, weight);
}

/* A few rows go through all layers, to and fro between the halves of the scratch; the last layer writes into `result`. */
static void REAL_NAME(predict)(const mlp_net *net, ptrdiff_t n, void *result, const void *samples, void *scratch,
                               const mlp_watch *watch) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const real *params = net->params;
    ptrdiff_t in = net->layers[0].in, out = net->layers[net->depth - 1].out, half = mlp_rows_at_once(n) * net->widest;
    lookout watcher = lookout_for(watch, net, mlp_rows_at_once(n));
    for (ptrdiff_t begin = 0; begin < n; begin += ROWS_AT_ONCE) {
        ptrdiff_t rows = mlp_rows_at_once(n - begin);
        const real *x = (const real *)samples + begin * in;
        for (ptrdiff_t j = 0; j < net->depth; j++) {
            const mlp_layer *layer = &net->layers[j];
            real *a = j == net->depth - 1 ? (real *)result + begin * out : (real *)scratch + j % 2 * half;
            kernels->layer_forward(layer->sigma, rows, layer->in, layer->out, a, a, x, params + layer->w,
                                   params + layer->b);
            x = a;
        }
        if (told_to_stop(&watcher, begin + rows)) {
            return;
        }
    }
}

static mlp_score REAL_NAME(evaluate)(const mlp_net *net, mlp_workspace work, mlp_loss loss, mlp_samples samples,
                                     void *values, const mlp_watch *watch) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const mlp_layer *first = &net->layers[0], *last = &net->layers[net->depth - 1];
    const real *z = REAL_NAME(part)(net, work, net->depth - 1, MLP_Z);
    const real *a = REAL_NAME(part)(net, work, net->depth - 1, MLP_A);
    real *value = values;
    double right = 0;
    lookout watcher = lookout_for(watch, net, work.capacity);
    for (ptrdiff_t begin = 0; begin < samples.n; begin += work.capacity) {
        ptrdiff_t rows = samples.n - begin < work.capacity ? samples.n - begin : work.capacity;
        const real *y = (const real *)samples.y + begin * last->out;
        REAL_NAME(batch) batch = REAL_NAME(batch_of)(net, work, rows, y, NULL);
        batch.x = (const real *)samples.x + begin * first->in;
        REAL_NAME(forward_below)(net, work, &batch, net->depth - 1, false);
        REAL_NAME(forward_layer)(net, work, &batch, net->depth - 1, true);
        kernels->output_loss(loss, last->sigma, rows, last->out, value + begin, z, a, y);
        right += kernels->rows_right(loss, rows, last->out, a, y);
        if (told_to_stop(&watcher, begin + rows)) {
            return (mlp_score){0};
        }
    }
    return (mlp_score){.loss = kernels->batch_mean(samples.n, value, samples.weight),
                       .accuracy = right / (double)samples.n};
}

/* The rows of `width` numbers whose turn is from `begin` on: where they lie or, in another order, copied together.
 * NULL if there are none. */
static const real *REAL_NAME(gather)(ptrdiff_t rows, ptrdiff_t width, real *room, const void *samples,
                                     const ptrdiff_t *order, ptrdiff_t begin) {
    if (!samples) {
        return NULL;
    }
    if (!order) {
        return (const real *)samples + begin * width;
    }
    for (ptrdiff_t s = 0; s < rows; s++) {
        memcpy(room + s * width, (const real *)samples + order[begin + s] * width, (size_t)width * sizeof(real));
    }
    return room;
}

static REAL_NAME(batch)
    REAL_NAME(next_batch)(const mlp_net *net, mlp_workspace work, const mlp_training *training, ptrdiff_t begin) {
    const mlp_samples *samples = &training->samples;
    const ptrdiff_t *order = training->order, left = samples->n - begin;
    const ptrdiff_t n = left < work.capacity ? left : work.capacity;
    REAL_NAME(batch) batch = REAL_NAME(batch_of)(net, work, n, NULL, NULL);
    batch.x = REAL_NAME(gather)(n, net->layers[0].in, work.block, samples->x, order, begin);
    batch.y = REAL_NAME(gather)(n, net->layers[net->depth - 1].out, REAL_NAME(room_for_y)(net, work), samples->y, order,
                                begin);
    batch.weight = REAL_NAME(gather)(n, 1, REAL_NAME(room_for_weight)(net, work), samples->weight, order, begin);
    return batch;
}

/* One step of training; returns the batch's loss, and what is right in *right. `keep`: afterwards x, z, a, phi and the
 * gradients are all there to be shown. */
static double REAL_NAME(train_batch)(mlp_net *net, mlp_workspace work, const REAL_NAME(batch) * batch,
                                     const mlp_training *training, bool keep, double *right) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const ptrdiff_t last = net->depth - 1, n = batch->n;
    const mlp_layer *top = &net->layers[last];
    const real *params = net->params;
    real *z = REAL_NAME(part)(net, work, last, MLP_Z);
    if (keep && batch->x != work.block) {
        memcpy(work.block, batch->x, (size_t)(n * net->layers[0].in) * sizeof(real));
    }
    REAL_NAME(forward_below)(net, work, batch, last, keep);
    kernels->dense_forward(n, top->in, top->out, z, REAL_NAME(input)(net, work, batch, last), params + top->w,
                           params + top->b);
    kernels->batch_scale(n, batch->scale, batch->weight);
    *right = kernels->output_step(training->loss, top->sigma, n, top->out, REAL_NAME(part)(net, work, last, MLP_A),
                                  batch->value, REAL_NAME(part)(net, work, last, MLP_PHI), z, batch->y, batch->scale);
    const REAL_NAME(mlp_step) step = REAL_NAME(next_step)(training->optimizer);
    const bool at_once = net->parameters < FEW_PARAMETERS;
    for (ptrdiff_t j = last; j >= 0; j--) {
        if (at_once) {
            REAL_NAME(gradients)(net, work, batch, j);
        } else {
            REAL_NAME(update_layer)(net, work, batch, j, training->optimizer, &step, keep);
        }
    }
    if (at_once) {
        REAL_NAME(step_some)(net, training->optimizer, &step, 0, net->parameters);
    }
    return kernels->batch_mean(n, batch->value, batch->weight);
}

static ptrdiff_t REAL_NAME(train)(mlp_net *net, mlp_workspace work, const mlp_training *training) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const mlp_samples *samples = &training->samples;
    ptrdiff_t batches = 0;
    lookout watcher = lookout_for(training->watch, net, work.capacity);

    for (ptrdiff_t epoch = 0; epoch < training->epochs; epoch++) {
        double loss_sum = 0, weight_sum = 0, right_sum = 0;
        if (training->order) {
            uint32_t number = training->first_epoch + (uint32_t)epoch;
            mlp_draw_permutation((mlp_stream){training->seed, MLP_DRAW_SHUFFLE, number}, samples->n, training->order);
        }
        for (ptrdiff_t seen = 0; seen < samples->n;) {
            const REAL_NAME(batch) batch = REAL_NAME(next_batch)(net, work, training, seen);
            seen += batch.n;
            const bool ends_epoch = seen == samples->n, told = told_to_stop(&watcher, batches);
            const bool is_last = told || (ends_epoch && epoch == training->epochs - 1);
            double weight = kernels->batch_weight(batch.n, batch.weight), right;
            loss_sum += weight * REAL_NAME(train_batch)(net, work, &batch, training, is_last, &right);
            weight_sum += weight;
            right_sum += right;
            batches += 1;
            if (ends_epoch) {
                training->scores[epoch] = (mlp_score){.loss = weight_sum > 0 ? loss_sum / weight_sum : 0,
                                                      .accuracy = right_sum / (double)samples->n};
            }
            if (told) {
                return batches;
            }
        }
    }
    return batches;
}
