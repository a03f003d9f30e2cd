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

static void REAL_NAME(forward)(const mlp_net *net, mlp_workspace work, ptrdiff_t n) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const real *params = net->params;
    for (ptrdiff_t j = 0; j < net->depth; j++) {
        const mlp_layer *layer = &net->layers[j];
        const real *x = REAL_NAME(part)(net, work, j, MLP_X);
        real *z = REAL_NAME(part)(net, work, j, MLP_Z), *a = REAL_NAME(part)(net, work, j, MLP_A);
        kernels->dense_forward(n, layer->in, layer->out, z, x, params + layer->w, params + layer->b);
        kernels->activation_forward(layer->sigma, n, layer->out, a, z);
    }
}

/* The last parts of a workspace: a batch's y and weight, and the scale and value of its samples. */
typedef struct {
    real *y, *weight, *scale, *value;
} REAL_NAME(sample_parts);

static REAL_NAME(sample_parts) REAL_NAME(parts_of_samples)(const mlp_net *net, mlp_workspace work) {
    ptrdiff_t of_y = part_size(work.capacity, net->layers[net->depth - 1].out), of_one = part_size(work.capacity, 1);
    real *y = (real *)work.block + layer_begins(net, work.capacity, net->depth);
    return (REAL_NAME(sample_parts)){
        .y = y, .weight = y + of_y, .scale = y + of_y + of_one, .value = y + of_y + 2 * of_one};
}

/* Equations 1 to 4, from the last layer down. */
static double REAL_NAME(backward)(const mlp_net *net, mlp_workspace work, ptrdiff_t n, mlp_loss loss, const void *y,
                                  const void *weight) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const real *params = net->params;
    real *grads = net->grads;
    ptrdiff_t last = net->depth - 1;
    const mlp_layer *layer = &net->layers[last];
    REAL_NAME(sample_parts) sample = REAL_NAME(parts_of_samples)(net, work);
    const real *z = REAL_NAME(part)(net, work, last, MLP_Z), *a = REAL_NAME(part)(net, work, last, MLP_A);
    real *phi = REAL_NAME(part)(net, work, last, MLP_PHI);

    kernels->output_loss(loss, layer->sigma, n, layer->out, sample.value, z, a, y);
    kernels->batch_scale(n, sample.scale, weight);
    kernels->output_phi(loss, layer->sigma, n, layer->out, phi, z, a, y, sample.scale);
    for (ptrdiff_t j = last; j >= 0; j--) {
        layer = &net->layers[j];
        real *phi_below = j > 0 ? REAL_NAME(part)(net, work, j - 1, MLP_PHI) : NULL;
        kernels->dense_backward(n, layer->in, layer->out, phi_below, grads + layer->w, grads + layer->b, phi,
                                REAL_NAME(part)(net, work, j, MLP_X), params + layer->w);
        if (j > 0) {
            kernels->activation_backward(net->layers[j - 1].sigma, n, layer->in, phi_below,
                                         REAL_NAME(part)(net, work, j - 1, MLP_A), phi_below);
        }
        phi = phi_below;
    }
    return kernels->batch_mean(n, sample.value, weight);
}

static void REAL_NAME(update)(mlp_net *net, const mlp_optimizer *optimizer) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    if (optimizer->algorithm == MLP_ADAM) {
        *optimizer->t += 1;
        REAL_NAME(mlp_adam)
        step = kernels->adam_at(*optimizer->t, optimizer->learning_rate, optimizer->beta1, optimizer->beta2,
                                optimizer->epsilon);
        kernels->adam_step(net->parameters, &step, net->params, optimizer->m, optimizer->v, net->grads);
    } else {
        REAL_NAME(mlp_sgd)
        step = {.rate = (real)optimizer->learning_rate,
                .momentum = (real)optimizer->momentum,
                .nesterov = optimizer->nesterov};
        kernels->sgd_step(net->parameters, &step, net->params, optimizer->m, net->grads);
    }
}

/* A few rows go through all layers, to and fro between the halves of the scratch; the last layer writes into `result`. */
static void REAL_NAME(predict)(const mlp_net *net, ptrdiff_t n, void *result, const void *samples, void *scratch) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const real *params = net->params;
    ptrdiff_t in = net->layers[0].in, out = net->layers[net->depth - 1].out;
    for (ptrdiff_t begin = 0; begin < n; begin += PREDICT_ROWS) {
        ptrdiff_t rows = n - begin < PREDICT_ROWS ? n - begin : PREDICT_ROWS;
        const real *x = (const real *)samples + begin * in;
        for (ptrdiff_t j = 0; j < net->depth; j++) {
            const mlp_layer *layer = &net->layers[j];
            real *a = j == net->depth - 1 ? (real *)result + begin * out
                                          : (real *)scratch + j % 2 * (PREDICT_ROWS * widest(net));
            kernels->dense_forward(rows, layer->in, layer->out, a, x, params + layer->w, params + layer->b);
            kernels->activation_forward(layer->sigma, rows, layer->out, a, a);
            x = a;
        }
    }
}

static ptrdiff_t REAL_NAME(largest)(ptrdiff_t out, const real *row) {
    ptrdiff_t best = 0;
    for (ptrdiff_t k = 1; k < out; k++) {
        best = row[k] > row[best] ? k : best;
    }
    return best;
}

/* How many of n rows are right, in parts of a row. */
static double REAL_NAME(rows_right)(mlp_loss loss, ptrdiff_t n, ptrdiff_t out, const real *a, const real *y) {
    ptrdiff_t right = 0;
    if (loss == MLP_BCE || out == 1) {
        for (ptrdiff_t i = 0; i < n * out; i++) {
            right += (a[i] > REAL(0.5)) == (y[i] > REAL(0.5));
        }
        return (double)right / (double)out;
    }
    for (ptrdiff_t s = 0; s < n; s++) {
        right += REAL_NAME(largest)(out, a + s * out) == REAL_NAME(largest)(out, y + s * out);
    }
    return (double)right;
}

static mlp_score REAL_NAME(evaluate)(const mlp_net *net, mlp_workspace work, mlp_loss loss, mlp_samples samples,
                                     void *values) {
    const REAL_NAME(mlp_kernels) *kernels = REAL_NAME(mlp_current)();
    const mlp_layer *first = &net->layers[0], *last = &net->layers[net->depth - 1];
    const real *z = REAL_NAME(part)(net, work, net->depth - 1, MLP_Z);
    const real *a = REAL_NAME(part)(net, work, net->depth - 1, MLP_A);
    real *value = values;
    double right = 0;
    for (ptrdiff_t begin = 0; begin < samples.n; begin += work.capacity) {
        ptrdiff_t rows = samples.n - begin < work.capacity ? samples.n - begin : work.capacity;
        const real *y = (const real *)samples.y + begin * last->out;
        memcpy(work.block, (const real *)samples.x + begin * first->in, (size_t)(rows * first->in) * sizeof(real));
        REAL_NAME(forward)(net, work, rows);
        kernels->output_loss(loss, last->sigma, rows, last->out, value + begin, z, a, y);
        right += REAL_NAME(rows_right)(loss, rows, last->out, a, y);
    }
    return (mlp_score){.loss = kernels->batch_mean(samples.n, value, samples.weight),
                       .accuracy = right / (double)samples.n};
}

/* Copies the rows of the batch that begins at turn `begin` together. */
static void REAL_NAME(gather)(ptrdiff_t rows, ptrdiff_t width, real *batch, const void *samples, const ptrdiff_t *order,
                              ptrdiff_t begin) {
    for (ptrdiff_t s = 0; s < rows; s++) {
        ptrdiff_t row = order ? order[begin + s] : begin + s;
        memcpy(batch + s * width, (const real *)samples + row * width, (size_t)width * sizeof(real));
    }
}

static mlp_epoch_result REAL_NAME(run_epoch)(mlp_net *net, mlp_workspace work, const mlp_epoch *epoch) {
    const mlp_samples *samples = &epoch->samples;
    const mlp_layer *first = &net->layers[0], *last = &net->layers[net->depth - 1];
    const real *a = REAL_NAME(part)(net, work, net->depth - 1, MLP_A);
    REAL_NAME(sample_parts) batch = REAL_NAME(parts_of_samples)(net, work);
    real *weight = samples->weight ? batch.weight : NULL;
    mlp_epoch_result result = {0};
    double loss_sum = 0, weight_sum = 0, right = 0;
    ptrdiff_t seen = 0, until_look = batches_between_looks(net, work.capacity);
    int64_t looked = milliseconds();

    while (seen < samples->n) {
        ptrdiff_t rows = samples->n - seen < work.capacity ? samples->n - seen : work.capacity;
        REAL_NAME(gather)(rows, first->in, work.block, samples->x, epoch->order, seen);
        REAL_NAME(gather)(rows, last->out, batch.y, samples->y, epoch->order, seen);
        double batch_weight = (double)rows;
        if (weight) {
            REAL_NAME(gather)(rows, 1, weight, samples->weight, epoch->order, seen);
            batch_weight = 0;
            for (ptrdiff_t s = 0; s < rows; s++) {
                batch_weight += (double)weight[s];
            }
        }
        REAL_NAME(forward)(net, work, rows);
        loss_sum += batch_weight * REAL_NAME(backward)(net, work, rows, epoch->loss, batch.y, weight);
        weight_sum += batch_weight;
        right += REAL_NAME(rows_right)(epoch->loss, rows, last->out, a, batch.y);
        REAL_NAME(update)(net, epoch->optimizer);
        seen += rows;
        result.batches_done += 1;
        if (--until_look == 0) {
            until_look = batches_between_looks(net, work.capacity);
            int64_t now = milliseconds();
            if (now < looked || now - looked >= LOOK_MS) { /* a clock that was set back counts as time gone by */
                looked = now;
                if (epoch->look && epoch->look(epoch->context, result.batches_done)) {
                    break;
                }
            }
        }
    }
    result.score = (mlp_score){.loss = weight_sum > 0 ? loss_sum / weight_sum : 0, .accuracy = right / (double)seen};
    return result;
}
