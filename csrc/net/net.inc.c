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

/* z and a of the layers below `end`; without `keep`, z only as long as a needs it. */
static void REAL_NAME(forward_below)(const mlp_net *net, mlp_workspace work, ptrdiff_t n, ptrdiff_t end, bool keep) {
    const real *params = net->params;
    for (ptrdiff_t j = 0; j < end; j++) {
        const mlp_layer *layer = &net->layers[j];
        real *a = REAL_NAME(part)(net, work, j, MLP_A), *z = keep ? REAL_NAME(part)(net, work, j, MLP_Z) : a;
        REAL_NAME(mlp_current)()->layer_forward(layer->sigma, n, layer->in, layer->out, z, a,
                                                REAL_NAME(part)(net, work, j, MLP_X), params + layer->w,
                                                params + layer->b);
    }
}

static void REAL_NAME(forward)(const mlp_net *net, mlp_workspace work, ptrdiff_t n) {
    REAL_NAME(forward_below)(net, work, n, net->depth, true);
}

/* The last parts of a workspace: a batch's y and weight, and the scale and value of its samples. */
typedef struct {
    real *y, *weight, *scale, *value;
} REAL_NAME(sample_parts);

static REAL_NAME(sample_parts) REAL_NAME(parts_of_samples)(const mlp_net *net, mlp_workspace work) {
    const mlp_layer *last = &net->layers[net->depth - 1];
    const ptrdiff_t rows = part_rows(work.capacity);
    real *y = (real *)work.block + rows * (last->before + 3 * last->out), *weight = y + rows * last->out;
    return (REAL_NAME(sample_parts)){.y = y, .weight = weight, .scale = weight + rows, .value = weight + 2 * rows};
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
        REAL_NAME(part)(net, work, j, MLP_PHI), REAL_NAME(part)(net, work, j, MLP_X),
        (const real *)net->params + layer->w);
}

/* grad_w and grad_b of layer j (eq. 3 and 4), and phi of the layer below. */
static void REAL_NAME(gradients)(const mlp_net *net, mlp_workspace work, ptrdiff_t n, ptrdiff_t j) {
    const mlp_layer *layer = &net->layers[j];
    real *grads = net->grads;
    REAL_NAME(mlp_current)()->dense_backward(
        n, layer->in, layer->out, NULL, grads + layer->w, grads + layer->b, REAL_NAME(part)(net, work, j, MLP_PHI),
        REAL_NAME(part)(net, work, j, MLP_X), (const real *)net->params + layer->w);
    if (j > 0) {
        REAL_NAME(propagate)(net, work, n, j);
    }
}

/* The same, and a step of the layer's parameters, once phi below no longer needs its weights. Without `keep`, grad_w only
 * as long as the step needs it. */
static void REAL_NAME(update_layer)(mlp_net *net, mlp_workspace work, ptrdiff_t n, ptrdiff_t j,
                                    const mlp_optimizer *optimizer, const REAL_NAME(mlp_step) * step, bool keep) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const mlp_layer *layer = &net->layers[j];
    const real *x = REAL_NAME(part)(net, work, j, MLP_X), *phi = REAL_NAME(part)(net, work, j, MLP_PHI);
    real *w = (real *)net->params + layer->w, *grads = net->grads;
    if (j > 0) {
        REAL_NAME(propagate)(net, work, n, j);
    }
    kernels->dense_backward(n, layer->in, layer->out, NULL, NULL, grads + layer->b, phi, x, w);
    kernels->layer_update(n, layer->in, layer->out, step, w, REAL_NAME(state)(optimizer->m, layer->w),
                          REAL_NAME(state)(optimizer->v, layer->w), grads + layer->w, keep, phi, x);
    REAL_NAME(step_some)(net, optimizer, step, layer->b, layer->out);
}

static double REAL_NAME(backward)(const mlp_net *net, mlp_workspace work, ptrdiff_t n, mlp_loss loss, const void *y,
                                  const void *weight) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const ptrdiff_t last = net->depth - 1, out = net->layers[last].out;
    const mlp_activation sigma = net->layers[last].sigma;
    const real *z = REAL_NAME(part)(net, work, last, MLP_Z), *a = REAL_NAME(part)(net, work, last, MLP_A);
    REAL_NAME(sample_parts) sample = REAL_NAME(parts_of_samples)(net, work);
    kernels->batch_scale(n, sample.scale, weight);
    kernels->output_loss(loss, sigma, n, out, sample.value, z, a, y);
    kernels->output_phi(loss, sigma, n, out, REAL_NAME(part)(net, work, last, MLP_PHI), z, a, y, sample.scale);
    for (ptrdiff_t j = last; j >= 0; j--) {
        REAL_NAME(gradients)(net, work, n, j);
    }
    return kernels->batch_mean(n, sample.value, weight);
}

/* A few rows go through all layers, to and fro between the halves of the scratch; the last layer writes into `result`. */
static void REAL_NAME(predict)(const mlp_net *net, ptrdiff_t n, void *result, const void *samples, void *scratch,
                               const mlp_watch *watch) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const real *params = net->params;
    ptrdiff_t in = net->layers[0].in, out = net->layers[net->depth - 1].out, half = rows_at_once(n) * net->widest;
    lookout watcher = lookout_for(watch, net, rows_at_once(n));
    for (ptrdiff_t begin = 0; begin < n; begin += PREDICT_ROWS) {
        ptrdiff_t rows = rows_at_once(n - begin);
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
        memcpy(work.block, (const real *)samples.x + begin * first->in, (size_t)(rows * first->in) * sizeof(real));
        REAL_NAME(forward)(net, work, rows);
        kernels->output_loss(loss, last->sigma, rows, last->out, value + begin, z, a, y);
        right += kernels->rows_right(loss, rows, last->out, a, y);
        if (told_to_stop(&watcher, begin + rows)) {
            return (mlp_score){0};
        }
    }
    return (mlp_score){.loss = kernels->batch_mean(samples.n, value, samples.weight),
                       .accuracy = right / (double)samples.n};
}

/* Copies the rows of the batch that begins at turn `begin` together. */
static void REAL_NAME(gather)(ptrdiff_t rows, ptrdiff_t width, real *batch, const void *samples, const ptrdiff_t *order,
                              ptrdiff_t begin) {
    if (!order) {
        memcpy(batch, (const real *)samples + begin * width, (size_t)(rows * width) * sizeof(real));
        return;
    }
    for (ptrdiff_t s = 0; s < rows; s++) {
        memcpy(batch + s * width, (const real *)samples + order[begin + s] * width, (size_t)width * sizeof(real));
    }
}

/* One step of training on the rows that lie in the workspace; returns the batch's loss, and what is right in *right.
 * `keep`: afterwards z, a, phi and the gradients are all there to be shown. */
static double REAL_NAME(train_batch)(mlp_net *net, mlp_workspace work, ptrdiff_t n, const mlp_training *training,
                                     bool keep, double *right) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const ptrdiff_t last = net->depth - 1, in = net->layers[last].in, out = net->layers[last].out;
    const real *params = net->params;
    REAL_NAME(sample_parts) batch = REAL_NAME(parts_of_samples)(net, work);
    const real *weight = training->samples.weight ? batch.weight : NULL;
    real *z = REAL_NAME(part)(net, work, last, MLP_Z);
    REAL_NAME(forward_below)(net, work, n, last, keep);
    kernels->dense_forward(n, in, out, z, REAL_NAME(part)(net, work, last, MLP_X), params + net->layers[last].w,
                           params + net->layers[last].b);
    kernels->batch_scale(n, batch.scale, weight);
    *right =
        kernels->output_step(training->loss, net->layers[last].sigma, n, out, REAL_NAME(part)(net, work, last, MLP_A),
                             batch.value, REAL_NAME(part)(net, work, last, MLP_PHI), z, batch.y, batch.scale);
    const REAL_NAME(mlp_step) step = REAL_NAME(next_step)(training->optimizer);
    const bool at_once = net->parameters < FEW_PARAMETERS;
    for (ptrdiff_t j = last; j >= 0; j--) {
        if (at_once) {
            REAL_NAME(gradients)(net, work, n, j);
        } else {
            REAL_NAME(update_layer)(net, work, n, j, training->optimizer, &step, keep);
        }
    }
    if (at_once) {
        REAL_NAME(step_some)(net, training->optimizer, &step, 0, net->parameters);
    }
    return kernels->batch_mean(n, batch.value, weight);
}

static ptrdiff_t REAL_NAME(train)(mlp_net *net, mlp_workspace work, const mlp_training *training) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const mlp_samples *samples = &training->samples;
    const ptrdiff_t in = net->layers[0].in, out = net->layers[net->depth - 1].out;
    ptrdiff_t *order = training->order, batches = 0;
    REAL_NAME(sample_parts) batch = REAL_NAME(parts_of_samples)(net, work);
    lookout watcher = lookout_for(training->watch, net, work.capacity);

    for (ptrdiff_t epoch = 0; epoch < training->epochs; epoch++) {
        double loss_sum = 0, weight_sum = 0, right_sum = 0;
        if (order) {
            uint32_t number = training->first_epoch + (uint32_t)epoch;
            mlp_draw_permutation((mlp_stream){training->seed, MLP_DRAW_SHUFFLE, number}, samples->n, order);
        }
        for (ptrdiff_t seen = 0, rows; seen < samples->n; seen += rows) {
            rows = samples->n - seen < work.capacity ? samples->n - seen : work.capacity;
            REAL_NAME(gather)(rows, in, work.block, samples->x, order, seen);
            REAL_NAME(gather)(rows, out, batch.y, samples->y, order, seen);
            if (samples->weight) {
                REAL_NAME(gather)(rows, 1, batch.weight, samples->weight, order, seen);
            }
            const bool ends_epoch = seen + rows == samples->n, told = told_to_stop(&watcher, batches);
            const bool is_last = told || (ends_epoch && epoch == training->epochs - 1);
            double weight = kernels->batch_weight(rows, samples->weight ? batch.weight : NULL), right;
            loss_sum += weight * REAL_NAME(train_batch)(net, work, rows, training, is_last, &right);
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
