/* checks.c: whether the calls agree on a trial; each difference is printed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../programs.h"
#include "isa/isa.h"
#include "plan.h"
#include "runtime/rng.h"
#include "runtime/threads.h"

enum { EPOCHS = 2, SEED = 7 };

int failures;
long checks;

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
    const mlp_evaluation evaluation = {
        .samples = t->samples, .loss = t->loss, .metric = t->metric, .work = small, .value = value};
    mlp_net_evaluate(t->net, &evaluation, &score);
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
    const mlp_mode mode = {
        .training = true, .seed = SEED, .batch = mlp_batch_number(0, 0), .weight = t->samples.weight};
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
            mlp_draw_permutation((mlp_stream){SEED, MLP_DRAW_SHUFFLE, epoch}, 0, n, order, NULL, 0);
        }
        for (ptrdiff_t begin = 0; begin < n; begin += t->batch) {
            const ptrdiff_t rows = n - begin < t->batch ? n - begin : t->batch;
            for (ptrdiff_t s = 0; s < rows; s++) {
                const ptrdiff_t from = order[begin + s];
                memcpy((double *)work.block + s * in, (const double *)t->samples.x + from * in, (size_t)in * sizeof *y);
                memcpy(y + s * out, (const double *)t->samples.y + from * out, (size_t)out * sizeof *y);
                weight[s] = t->samples.weight ? *weights_from(t, from) : 1;
            }
            const mlp_mode mode = {.training = true,
                                   .seed = SEED,
                                   .batch = mlp_batch_number(epoch, (uint64_t)(begin / t->batch)),
                                   .weight = t->samples.weight ? weight : NULL};
            mlp_net_forward(t->net, work, rows, &mode);
            mlp_net_backward(t->net, work, rows, &mode, &t->loss, y, t->samples.weight ? weight : NULL, &loss);
            mlp_net_update(t->net, &t->optimizer, NULL);
        }
    }
    mlp_free(y);
    mlp_free(weight);
    mlp_free(order);
    mlp_free(work.block);
}

/* The parameters and the numbers beside them. */
static double *all_numbers(const trial *t) {
    const ptrdiff_t count = t->net->parameters, beside = t->net->buffer_size;
    double *all = numbers(count + beside);
    memcpy(all, t->net->params, (size_t)count * sizeof *all);
    memcpy(all + count, t->net->state, (size_t)beside * sizeof *all);
    return all;
}

static void expect_numbers(const trial *t, const char *what, const double *expected) {
    double *got = all_numbers(t);
    expect_same(t, what, t->net->parameters + t->net->buffer_size, got, expected);
    mlp_free(got);
}

static void check_training(trial *t) {
    static const int THREADS[] = {1, 2, 3, 5};
    mlp_isa_use("reference");
    isa_name = "reference";
    mlp_set_num_threads(1);
    train_by_hand(t);
    double *expected = all_numbers(t);
    for (const mlp_isa *isa = mlp_isas; isa->name; isa++) {
        if (!mlp_isa_use(isa->name)) {
            continue;
        }
        isa_name = isa->name;
        for (int i = 0; i < 4; i++) {
            mlp_set_num_threads(THREADS[i]);
            train(t, EPOCHS);
            expect_numbers(t, "training and steps by hand", expected);
        }
        train(t, 1);
        expect_numbers(t, "training an epoch at a time and steps by hand", expected);
        train_by_hand(t);
        expect_numbers(t, "steps by hand", expected);
        check_predict(t);
    }
    mlp_free(expected);
}

void check_trial(trial *t) {
    isa_name = mlp_isa_current()->name;
    check_predict(t);
    check_gradients(t);
    check_training(t);
}
