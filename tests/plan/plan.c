/* plan.c: random networks, whose calls must agree with each other to the bit.
 *
 *     plan [COUNT [SEED]]
 *
 * Each is a random plan of dense layers, activations, dropout and nested residual blocks, of doubles. Of each it is checked that
 *
 *   - forward leaves in the workspace what predict answers, and evaluate has the loss that backward has;
 *   - training, where values are overwritten and steps fused, ends with the parameters that forward, backward and update by
 *     hand end with, and so does training an epoch at a time;
 *   - every instruction set ends there too, on 1, 2, 3 and 5 threads;
 *   - the gradients are those that central differences see.
 *
 * Prints each difference; exits with 1 if there is one.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/isa.h"
#include "net/net.h"
#include "runtime/memory.h"
#include "runtime/rng.h"
#include "runtime/threads.h"

enum { MOST_STEPS = 200, EPOCHS = 2, SEED = 7 };

static uint64_t random_seed, random_index;
static int failures;
static long checks;

static ptrdiff_t below(ptrdiff_t end) {
    return (ptrdiff_t)(mlp_draw_bits((mlp_stream){.seed = random_seed}, random_index++) % (uint64_t)end);
}

static double uniform(void) { return 2 * mlp_draw_uniform((mlp_stream){.seed = random_seed}, random_index++) - 1; }

static void *memory(ptrdiff_t count, size_t size) {
    void *block = mlp_alloc(count, size);
    if (!block) {
        fputs("plan: no memory\n", stderr);
        exit(2);
    }
    return block;
}

static double *numbers(ptrdiff_t count) { return memory(count, sizeof(double)); }

/* ---- random plans ----------------------------------------------------------------------------------------------- */

static mlp_step_spec specs[MOST_STEPS];
static ptrdiff_t steps, widest;
static uint32_t layers;

static void add(mlp_step_spec spec) { specs[steps++] = spec; }

static void standard_constants(const mlp_entry *entry, double *constants) {
    for (int i = 0; entry->hypers[i].name; i++) {
        constants[i] = entry->hypers[i].standard;
    }
}

static void add_activation(bool joined) {
    mlp_step_spec spec = {.kind = MLP_ACTIVATION, .layer = joined ? layers - 1 : layers++, .joined = joined};
    spec.sigma = (mlp_activation_id)below(MLP_ACTIVATION_COUNT);
    standard_constants(&mlp_activations[spec.sigma], spec.constants);
    add(spec);
}

static ptrdiff_t add_dense(ptrdiff_t units) {
    add((mlp_step_spec){.kind = MLP_DENSE, .layer = layers++, .units = units});
    if (below(4) > 0) {
        add_activation(true);
    }
    return units;
}

static void add_residual(ptrdiff_t width, int depth);

/* Returns the width after some layers. */
static ptrdiff_t add_layers(ptrdiff_t width, int depth) {
    for (ptrdiff_t left = below(4); left > 0 && steps < MOST_STEPS / 2; left--) {
        switch (below(5)) {
        case 0: add_activation(false); break;
        case 1:
            add((mlp_step_spec){
                .kind = MLP_DROPOUT, .layer = layers++, .constants = {(const double[]){0, 0.2, 0.5, 0.9}[below(4)]}});
            break;
        case 2:
            if (depth < 3) {
                add_residual(width, depth + 1);
                break;
            } /* fall through */
        default: width = add_dense(1 + below(widest));
        }
    }
    return width;
}

static void add_residual(ptrdiff_t width, int depth) {
    const uint32_t layer = layers++;
    add((mlp_step_spec){.kind = MLP_FORK, .layer = layer});
    if (add_layers(width, depth) != width) {
        add_dense(width);
    }
    add((mlp_step_spec){.kind = MLP_JOIN, .layer = layer});
}

/* ---- one network and its samples -------------------------------------------------------------------------------- */

typedef struct {
    mlp_net *net;
    mlp_samples samples;
    ptrdiff_t batch;
    mlp_loss loss;
    mlp_metric_id metric;
    mlp_optimizer optimizer;
    int64_t t;
    double *first; /* its parameters before training */
    bool shuffle;
} trial;

static const char *isa_name = "";

static void complain(const trial *t, const char *what) {
    printf("%s, %d threads: %s; n %td, batch %td, %s, %s:", isa_name, mlp_get_num_threads(), what, t->samples.n,
           t->batch, mlp_losses[t->loss.id].name, mlp_optimizers[t->optimizer.id].name);
    for (ptrdiff_t i = 0; i < t->net->steps; i++) {
        const mlp_step *step = &t->net->step[i];
        printf(" %s%s%s",
               step->kind == MLP_ACTIVATION ? mlp_activations[step->sigma].name : mlp_layers[step->kind].name,
               specs[i].joined ? "*" : "", "");
        if (step->kind == MLP_DENSE) {
            printf("(%td->%td)", step->in, step->out);
        }
    }
    puts("");
    if (++failures == 20) {
        exit(1);
    }
}

static void expect_same(const trial *t, const char *what, ptrdiff_t count, const double *got, const double *expected) {
    checks++;
    for (ptrdiff_t i = 0; i < count; i++) {
        if (memcmp(got + i, expected + i, sizeof *got) != 0 && !(isnan(got[i]) && isnan(expected[i]))) {
            char text[200];
            snprintf(text, sizeof text, "%s: number %td of %td is %a, not %a", what, i, count, got[i], expected[i]);
            complain(t, text);
            return;
        }
    }
}

static mlp_workspace workspace(const trial *t, ptrdiff_t capacity) {
    mlp_workspace work = {.capacity = capacity, .block = numbers(mlp_workspace_elements(t->net, capacity))};
    return work;
}

static double *random_numbers(ptrdiff_t count, double least) {
    double *x = numbers(count);
    for (ptrdiff_t i = 0; i < count; i++) {
        const double u = uniform();
        x[i] = least < 0 ? u : fabs(u);
    }
    return x;
}

static void draw_settings(mlp_net *net) {
    for (ptrdiff_t i = 0; i < net->segments; i++) {
        mlp_segment *segment = &net->segment[i];
        segment->trainable = below(8) > 0;
        segment->rate_factor = below(8) ? 1 : 0.5;
        segment->l1 = below(8) ? 0 : 0.01;
        segment->l2 = below(8) ? 0 : 0.01;
        segment->max_norm = segment->rows > 1 && below(8) == 0 ? 1 : 0;
    }
}

static void draw_trial(trial *t, bool large) {
    steps = 0;
    layers = 0;
    widest = large ? 200 : 40;
    const ptrdiff_t in = 1 + below(widest);
    ptrdiff_t width = add_layers(in, 0);
    width = add_dense(large ? 150 : 1 + below(widest));
    add_layers(width, 0);
    *t = (trial){.net = mlp_net_new(64, in, steps, specs), .batch = 1 + below(40), .shuffle = below(2)};
    if (!t->net) {
        fputs("plan: no network\n", stderr);
        exit(2);
    }
    for (ptrdiff_t i = 0; i < steps; i++) {
        if (specs[i].kind == MLP_DENSE) {
            mlp_net_initialize(t->net, i, MLP_GLOROT_UNIFORM, random_seed, NULL);
        }
    }
    double *params = t->net->params;
    for (ptrdiff_t i = 0; i < t->net->parameters; i++) {
        params[i] += 0.01 * uniform();
    }
    if (below(2)) {
        draw_settings(t->net);
    }
    const ptrdiff_t n = t->batch + below(2 * t->batch + 1), out = mlp_net_outputs(t->net);
    t->loss.id = (mlp_loss_id)below(MLP_LOSS_COUNT);
    standard_constants(&mlp_losses[t->loss.id], t->loss.constants);
    t->metric = (mlp_metric_id)below(MLP_METRIC_COUNT);
    t->samples = (mlp_samples){.n = n,
                               .x = random_numbers(n * in, -1),
                               .y = random_numbers(n * out, 0),
                               .weight = below(2) ? random_numbers(n, 0) : NULL};
    t->optimizer = (mlp_optimizer){.id = (mlp_optimizer_id)below(MLP_OPTIMIZER_COUNT),
                                   .clip_value = below(3) ? (double)INFINITY : 0.1,
                                   .clip_norm = below(3) ? (double)INFINITY : 0.1,
                                   .t = &t->t};
    standard_constants(&mlp_optimizers[t->optimizer.id], t->optimizer.hypers);
    t->optimizer.hypers[0] = 0.01;
    if (below(2) && t->optimizer.id == MLP_SGD) {
        t->optimizer.hypers[1] = 0.9;
    }
    for (int i = 0; i < MLP_STATES; i++) {
        const bool kept =
            mlp_optimizers[t->optimizer.id].states[i] && mlp_needs_states(t->optimizer.id, t->optimizer.hypers);
        t->optimizer.state[i] = kept ? numbers(t->net->parameters) : NULL;
    }
    t->first = numbers(t->net->parameters);
    memcpy(t->first, params, (size_t)t->net->parameters * sizeof(double));
}

static void free_trial(trial *t) {
    mlp_net_free(t->net);
    mlp_free((void *)t->samples.x);
    mlp_free((void *)t->samples.y);
    mlp_free((void *)t->samples.weight);
    mlp_free(t->first);
    for (int i = 0; i < MLP_STATES; i++) {
        mlp_free(t->optimizer.state[i]);
    }
}

static void start_again(trial *t) {
    const size_t bytes = (size_t)t->net->parameters * sizeof(double);
    memcpy(t->net->params, t->first, bytes);
    for (int i = 0; i < MLP_STATES; i++) {
        if (t->optimizer.state[i]) {
            memset(t->optimizer.state[i], 0, bytes);
        }
    }
    t->t = 0;
}

/* ---- the checks ------------------------------------------------------------------------------------------------- */

static const double *weights_from(const trial *t, ptrdiff_t begin) {
    return t->samples.weight ? (const double *)t->samples.weight + begin : NULL;
}

/* Forward and backward of all samples as one batch; returns the loss. */
static double pass_over(const trial *t, mlp_workspace work, const mlp_mode *mode) {
    double loss;
    memcpy(work.block, t->samples.x, (size_t)(t->samples.n * mlp_net_inputs(t->net)) * sizeof(double));
    mlp_net_forward(t->net, work, t->samples.n, mode);
    mlp_net_backward(t->net, work, t->samples.n, mode, &t->loss, t->samples.y, t->samples.weight, &loss);
    return loss;
}

static void check_predict(const trial *t) {
    const ptrdiff_t n = t->samples.n, out = mlp_net_outputs(t->net);
    mlp_workspace work = workspace(t, n), small = workspace(t, t->batch);
    double *a = numbers(n * out), *scratch = numbers(mlp_predict_elements(t->net, n)), *value = numbers(n);
    const double loss = pass_over(t, work, &(mlp_mode){0});
    mlp_net_predict(t->net, n, a, t->samples.x, scratch, NULL, NULL);
    expect_same(t, "forward and predict", n * out,
                (double *)work.block + mlp_workspace_offset(n, t->net->value[t->net->steps]), a);
    mlp_score score;
    mlp_net_evaluate(t->net, small, &t->loss, t->metric, t->samples, value, NULL, NULL, &score);
    expect_same(t, "evaluate and backward", 1, &score.loss, &loss);
    mlp_free(work.block);
    mlp_free(small.block);
    mlp_free(a);
    mlp_free(scratch);
    mlp_free(value);
}

static void check_gradients(const trial *t) {
    const double h = 1e-5;
    mlp_workspace work = workspace(t, t->samples.n);
    const mlp_mode mode = {.training = true, .seed = SEED, .batch = mlp_batch_number(0, 0)};
    double *params = t->net->params;
    for (int i = 0; i < 4; i++) {
        const ptrdiff_t at = below(t->net->parameters);
        const double loss = pass_over(t, work, &mode), got = ((const double *)t->net->grads)[at], w = params[at];
        double seen[2];
        for (int half = 0; half < 2; half++) {
            const double step = half ? h / 2 : h;
            params[at] = w + step;
            const double above = pass_over(t, work, &mode);
            params[at] = w - step;
            seen[half] = (above - pass_over(t, work, &mode)) / (2 * step);
            params[at] = w;
        }
        const double most = 1e-5 * (1 + fabs(loss) + fabs(got));
        const bool smooth = fabs(seen[0] - seen[1]) < most / 4; /* else a kink is near */
        checks++;
        if (smooth && !(fabs(got - seen[1]) < most)) {
            char text[160];
            snprintf(text, sizeof text, "gradient %td is %g, differences say %g", at, got, seen[1]);
            complain(t, text);
        }
    }
    mlp_free(work.block);
}

/* Trains by `train`, `at_once` epochs in each call. */
static void train(trial *t, ptrdiff_t at_once) {
    start_again(t);
    mlp_workspace work = workspace(t, t->batch);
    ptrdiff_t *order = memory(t->samples.n, sizeof *order);
    mlp_score scores[EPOCHS];
    mlp_cursor cursor = {0};
    const mlp_training training = {.samples = t->samples,
                                   .loss = t->loss,
                                   .metric = t->metric,
                                   .optimizer = &t->optimizer,
                                   .epochs = at_once,
                                   .order = t->shuffle ? order : NULL,
                                   .seed = SEED,
                                   .scores = scores};
    for (ptrdiff_t done = 0; done < EPOCHS; done += at_once) {
        mlp_net_train(t->net, work, &training, &cursor);
    }
    mlp_free(order);
    mlp_free(work.block);
}

static void train_by_hand(trial *t) {
    start_again(t);
    const ptrdiff_t n = t->samples.n, in = mlp_net_inputs(t->net), out = mlp_net_outputs(t->net);
    mlp_workspace work = workspace(t, t->batch);
    ptrdiff_t *order = memory(n, sizeof *order);
    double *y = numbers(t->batch * out), *weight = numbers(t->batch), loss;
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        for (ptrdiff_t i = 0; i < n; i++) {
            order[i] = i;
        }
        if (t->shuffle) {
            mlp_draw_permutation((mlp_stream){SEED, MLP_DRAW_SHUFFLE, epoch}, n, order, NULL, 0);
        }
        for (ptrdiff_t begin = 0; begin < n; begin += t->batch) {
            const ptrdiff_t rows = n - begin < t->batch ? n - begin : t->batch;
            for (ptrdiff_t s = 0; s < rows; s++) {
                const ptrdiff_t from = order[begin + s];
                memcpy((double *)work.block + s * in, (const double *)t->samples.x + from * in, (size_t)in * sizeof *y);
                memcpy(y + s * out, (const double *)t->samples.y + from * out, (size_t)out * sizeof *y);
                weight[s] = t->samples.weight ? *weights_from(t, from) : 1;
            }
            const mlp_mode mode = {
                .training = true, .seed = SEED, .batch = mlp_batch_number(epoch, (uint64_t)(begin / t->batch))};
            mlp_net_forward(t->net, work, rows, &mode);
            mlp_net_backward(t->net, work, rows, &mode, &t->loss, y, t->samples.weight ? weight : NULL, &loss);
            mlp_net_update(t->net, &t->optimizer);
        }
    }
    mlp_free(y);
    mlp_free(weight);
    mlp_free(order);
    mlp_free(work.block);
}

static void check_training(trial *t) {
    static const int THREADS[] = {1, 2, 3, 5};
    const ptrdiff_t count = t->net->parameters;
    mlp_isa_use("reference");
    isa_name = "reference";
    mlp_set_num_threads(1);
    train_by_hand(t);
    double *expected = numbers(count);
    memcpy(expected, t->net->params, (size_t)count * sizeof *expected);
    for (const mlp_isa *isa = mlp_isas; isa->name; isa++) {
        if (!mlp_isa_use(isa->name)) {
            continue;
        }
        isa_name = isa->name;
        for (int i = 0; i < 4; i++) {
            mlp_set_num_threads(THREADS[i]);
            train(t, EPOCHS);
            expect_same(t, "training and steps by hand", count, t->net->params, expected);
        }
        train(t, 1);
        expect_same(t, "training an epoch at a time and steps by hand", count, t->net->params, expected);
        train_by_hand(t);
        expect_same(t, "steps by hand", count, t->net->params, expected);
        check_predict(t);
    }
    mlp_free(expected);
}

int main(int count, char **arguments) {
    const long plans = count > 1 ? strtol(arguments[1], NULL, 10) : 200;
    random_seed = count > 2 ? strtoull(arguments[2], NULL, 0) : 1;
    for (long i = 0; i < plans; i++) {
        trial t;
        draw_trial(&t, i % 10 == 9);
        isa_name = mlp_isa_current()->name;
        check_predict(&t);
        check_gradients(&t);
        check_training(&t);
        free_trial(&t);
    }
    printf("%ld plans, %ld checks: %d failures\n", plans, checks, failures);
    return failures > 0;
}
