/* train.c: a network at the other end of a pipe, for machines that have no Python: what mlpcore._core.Net does for
 * Sequential.fit and predict.
 *
 *     train          prints the names of the kernels that this machine can run
 *     train NAME     uses those kernels and obeys standard input until it ends
 *
 * A call is a line of words, then the arrays it takes as bare numbers in the machine's byte order; the answer on
 * standard output is bare numbers too. run.py is the other end. Anything unexpected ends the program.
 *
 *     net BITS INPUT_SIZE STEPS, then for each step  KIND LAYER JOINED UNITS SIGMA
 *         TABLES, then for each  ROWS COLUMNS COLUMN                                        the layout, see below; the state
 *     segment SEGMENT TRAINABLE RATE_FACTOR L1 L2 MAX_NORM                                  no answer
 *     numbers  params state                                                                 no answer
 *     initialize STEP SEGMENT INITIALIZER SEED                                              the parameters
 *     train N WEIGHTED LABELED LOSS METRIC BATCH SHUFFLE SEED EPOCHS MEAN_WEIGHT EPOCH BATCHES
 *         METHOD  x y [weight] [arrays of the optimizer]                                    the parameters; see below
 *     loss N WEIGHTED LABELED LOSS METRIC  x y [weight]                                     score
 *     predict N  x                                                                          a
 *
 * SIGMA, LOSS, RULE and CHOICE are a name, how many constants follow, and the constants; SIGMA of other kinds than activations has
 * their constants. METHOD is
 *
 *     step RULE CLIP_VALUE CLIP_NORM ACCUMULATED MOMENTUM OVERWRITE_EVERY T WAITING STEPS_AVERAGED
 *         then 0, or for a schedule 1 CHOICE PER_EPOCH WARMUP and the numbers of its progress
 *     lbfgs HISTORY and its numbers
 *
 * ACCUMULATED 0: nothing is; MOMENTUM -1: there is no average. The arrays of the optimizer are those of its states that it needs, then
 * the sum and the average, where there are any; all like the parameters.
 *
 * The layout is, for each step, how many segments and buffers it has, then begin, rows and columns of each. `train` answers the
 * parameters, the state, the scores, the epoch and the batches of the cursor, how many batches it did, and the first whose loss was
 * not finite; then for a step t, how many gradients wait, the steps averaged and the arrays of the optimizer; then the numbers of the
 * schedule's progress and the rates of the epochs, or the numbers of L-BFGS.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../programs.h"
#include "isa/isa.h"
#include "net/lbfgs.h"
#include "net/net.h"
#include "runtime/memory.h"

#include "words.h"

/* -------------------------------------------------------------------------------------------------------- the network */

static mlp_net *net;
static size_t real_size;
static int64_t taken, waiting, averaged; /* what the optimizer counts */
static mlp_schedule_progress progress;
static mlp_lbfgs lbfgs; /* history 0: it has no memory yet */
static mlp_lbfgs_numbers lbfgs_numbers;

static ptrdiff_t inputs(void) { return mlp_net_inputs(net); }
static ptrdiff_t outputs(void) { return mlp_net_outputs(net); }

static mlp_workspace workspace(ptrdiff_t capacity) {
    return (mlp_workspace){.capacity = capacity, .block = memory(mlp_workspace_elements(net, capacity), real_size)};
}

static mlp_step_spec read_step(void) {
    mlp_step_spec spec = {.kind = (mlp_layer_id)choice(mlp_layers)};
    spec.layer = (uint32_t)whole();
    spec.joined = whole() != 0;
    spec.units = whole();
    standard_constants(&mlp_layers[spec.kind], spec.constants);
    spec.sigma = (mlp_activation_id)entry(mlp_activations, spec.constants);
    spec.segments = whole();
    ptrdiff_t (*shapes)[2] = memory(spec.segments, sizeof *shapes), *columns = memory(spec.segments, sizeof *columns);
    for (ptrdiff_t i = 0; i < spec.segments; i++) {
        shapes[i][0] = whole();
        shapes[i][1] = whole();
        columns[i] = whole();
    }
    spec.shapes = (const ptrdiff_t (*)[2])shapes;
    spec.columns = columns;
    return spec;
}

static void answer_parts(ptrdiff_t count, const mlp_segment *part) {
    for (ptrdiff_t i = 0; i < count; i++) {
        answer((int64_t[]){part[i].begin, part[i].rows, part[i].columns}, 3, sizeof(int64_t));
    }
}

static void make_net(void) {
    const int bits = (int)whole();
    const ptrdiff_t input_size = whole(), steps = whole();
    mlp_step_spec *specs = memory(steps, sizeof *specs);
    for (ptrdiff_t i = 0; i < steps; i++) {
        specs[i] = read_step();
    }
    mlp_net_free(net);
    net = mlp_net_new(bits, input_size, steps, specs);
    if (!net) {
        give_up("no memory for", "the network");
    }
    for (ptrdiff_t i = 0; i < steps; i++) {
        mlp_free((void *)specs[i].shapes);
        mlp_free((void *)specs[i].columns);
    }
    mlp_free(specs);
    real_size = (size_t)bits / 8;
    taken = 0;
    lbfgs.history = 0;
    for (ptrdiff_t i = 0; i < steps; i++) {
        const mlp_step *step = &net->step[i];
        answer((int64_t[]){step->segments, step->buffers}, 2, sizeof(int64_t));
        answer_parts(step->segments, net->segment + step->segment);
        answer_parts(step->buffers, net->buffer + step->buffer);
    }
    answer(net->state, net->buffer_size, real_size);
}

static void set_segment(void) {
    mlp_segment *segment = &net->segment[whole()];
    segment->trainable = whole() != 0;
    segment->rate_factor = number();
    segment->l1 = number();
    segment->l2 = number();
    segment->max_norm = number();
}

static void read_into(void *place, ptrdiff_t count) {
    void *read = array(count, real_size);
    memcpy(place, read, (size_t)count * real_size);
    mlp_free(read);
}

static void set_numbers(void) {
    read_into(net->params, net->parameters);
    read_into(net->state, net->buffer_size);
}

static void initialize(void) {
    const ptrdiff_t step = whole(), segment = whole();
    mlp_initializer initializer = {0};
    initializer.id = (mlp_initializer_id)entry(mlp_initializers, initializer.constants);
    double *scratch = mlp_alloc(mlp_initializer_elements(net, step, segment, &initializer), sizeof *scratch);
    mlp_net_initialize(net, step, segment, &initializer, strtoull(word(), NULL, 10), scratch, NULL);
    mlp_free(scratch);
    answer(net->params, net->parameters, real_size);
}

static mlp_loss read_loss(void) {
    mlp_loss loss = {.has_labels = whole() != 0};
    loss.id = (mlp_loss_id)entry(mlp_losses, loss.constants);
    return loss;
}

static void read_numbers(void *numbers, int count) {
    for (int i = 0; i < count; i++) {
        ((double *)numbers)[i] = number();
    }
}

static mlp_optimizer read_optimizer(void) {
    mlp_optimizer optimizer = {.t = &taken};
    optimizer.id = (mlp_optimizer_id)entry(mlp_optimizers, optimizer.hypers);
    optimizer.clip_value = number();
    optimizer.clip_norm = number();
    optimizer.accumulation = (mlp_accumulation){.batches = whole(), .waiting = &waiting};
    optimizer.average.momentum = number();
    optimizer.average.overwrite_every = whole();
    optimizer.average.steps = &averaged;
    taken = whole();
    waiting = whole();
    averaged = whole();
    if (whole() != 0) {
        optimizer.schedule.id = (mlp_schedule_id)entry(mlp_schedules, optimizer.schedule.constants);
        optimizer.schedule.per_epoch = whole() != 0;
        optimizer.schedule.warmup = number();
        read_numbers(&progress, MLP_SCHEDULE_NUMBERS);
        optimizer.schedule.progress = &progress;
    }
    return optimizer;
}

/* All arrays of an optimizer, one after the other; `take` does with each what is to be done. */
static void each_array(mlp_optimizer *optimizer, void (*take)(void **array)) {
    for (int i = 0; i < MLP_STATES; i++) {
        if (mlp_needs_state(optimizer->id, i, optimizer->hypers)) {
            take(&optimizer->state[i]);
        }
    }
    if (optimizer->accumulation.batches > 0) {
        take(&optimizer->accumulation.sum);
    }
    if (optimizer->average.momentum >= 0) {
        take(&optimizer->average.average);
    }
}

static void read_array(void **place) { *place = array(net->parameters, real_size); }

static void give_back(void **place) {
    answer(*place, net->parameters, real_size);
    mlp_free(*place);
}

static void read_lbfgs(void) {
    const ptrdiff_t history = whole(), size = net->parameters;
    read_numbers(&lbfgs_numbers, MLP_LBFGS_NUMBERS);
    if (history == lbfgs.history) {
        return;
    }
    for (int i = 0; i < 5; i++) {
        mlp_free((double *[]){lbfgs.s, lbfgs.y, lbfgs.point, lbfgs.gradient, lbfgs.scratch}[i]);
    }
    lbfgs = (mlp_lbfgs){.history = history, .numbers = &lbfgs_numbers, .t = &taken};
    lbfgs.s = memory(history * size, sizeof(double));
    lbfgs.y = memory(history * size, sizeof(double));
    lbfgs.point = memory(size, sizeof(double));
    lbfgs.gradient = memory(size, sizeof(double));
    lbfgs.scratch = memory(mlp_lbfgs_scratch(net, history), sizeof(double));
}

static mlp_samples read_samples(ptrdiff_t n, bool weighted, bool labeled) {
    mlp_samples samples = {.n = n};
    samples.x = array(n * inputs(), real_size);
    samples.y = array(n * (labeled ? 1 : outputs()), real_size);
    samples.weight = weighted ? array(n, real_size) : NULL;
    return samples;
}

static void free_samples(mlp_samples samples) {
    mlp_free((void *)samples.x);
    mlp_free((void *)samples.y);
    mlp_free((void *)samples.weight);
}

static void train(void) {
    const ptrdiff_t n = whole();
    const bool weighted = whole() != 0;
    mlp_training training = {.loss = read_loss()};
    training.metric = (mlp_metric_id)choice(mlp_metrics);
    const ptrdiff_t batch = whole();
    const bool shuffle = whole() != 0;
    training.seed = strtoull(word(), NULL, 10);
    training.epochs = whole();
    training.mean_weight = number();
    mlp_cursor cursor = {.epoch = (uint32_t)whole()};
    cursor.batches = whole();
    const bool steps = strcmp(word(), "step") == 0;
    mlp_optimizer optimizer = {0};
    if (steps) {
        optimizer = read_optimizer();
    } else {
        read_lbfgs();
    }
    mlp_workspace work = workspace(batch < n ? batch : n);
    cursor.seen = cursor.batches * work.capacity;
    training.optimizer = &optimizer;
    training.samples = read_samples(n, weighted, training.loss.has_labels);
    if (steps) {
        each_array(&optimizer, read_array);
    }
    training.order = shuffle && steps ? memory(n, sizeof *training.order) : NULL;
    training.scores = memory(training.epochs, sizeof *training.scores);
    training.rates = memory(training.epochs, sizeof *training.rates);
    const mlp_trained done =
        steps ? mlp_net_train(net, work, &training, &cursor) : mlp_net_minimize(net, work, &training, &lbfgs, &cursor);
    answer(net->params, net->parameters, real_size);
    answer(net->state, net->buffer_size, real_size);
    answer(training.scores, training.epochs, sizeof *training.scores);
    answer((int64_t[]){cursor.epoch, cursor.batches, done.batches, done.first_not_finite}, 4, sizeof(int64_t));
    if (steps) {
        answer((int64_t[]){taken, waiting, averaged}, 3, sizeof(int64_t));
        each_array(&optimizer, give_back);
    }
    if (optimizer.schedule.progress) {
        answer(&progress, MLP_SCHEDULE_NUMBERS, sizeof(double));
        answer(training.rates, training.epochs, sizeof *training.rates);
    }
    if (!steps) {
        answer(&lbfgs_numbers, MLP_LBFGS_NUMBERS, sizeof(double));
    }
    mlp_free(training.rates);
    mlp_free(training.scores);
    mlp_free(training.order);
    mlp_free(work.block);
    free_samples(training.samples);
}

static void evaluate(void) {
    const ptrdiff_t n = whole();
    const bool weighted = whole() != 0;
    const mlp_loss loss = read_loss();
    const mlp_metric_id metric = (mlp_metric_id)choice(mlp_metrics);
    mlp_samples samples = read_samples(n, weighted, loss.has_labels);
    mlp_workspace work = workspace(mlp_rows_at_once(n));
    void *values = memory(n, real_size);
    mlp_score score;
    mlp_net_evaluate(
        net, &(mlp_evaluation){.samples = samples, .loss = loss, .metric = metric, .work = work, .value = values},
        &score);
    answer(&score, 1, sizeof score);
    mlp_free(values);
    mlp_free(work.block);
    free_samples(samples);
}

static void predict(void) {
    ptrdiff_t n = whole();
    void *x = array(n * inputs(), real_size), *a = memory(n * outputs(), real_size);
    void *scratch = memory(mlp_predict_elements(net, n), real_size);
    mlp_net_predict(net, n, a, x, scratch, NULL, NULL);
    answer(a, n * outputs(), real_size);
    mlp_free(scratch);
    mlp_free(a);
    mlp_free(x);
}

/* --------------------------------------------------------------------------------------------------------------- main */

static const struct {
    const char *name;
    void (*obey)(void);
} CALLS[] = {{"net", make_net}, {"segment", set_segment}, {"numbers", set_numbers}, {"initialize", initialize},
             {"train", train},  {"loss", evaluate},       {"predict", predict}};
enum { CALL_COUNT = sizeof CALLS / sizeof *CALLS };

int main(int count, char **arguments) {
    if (count < 2) {
        for (const mlp_isa *isa = mlp_isas; isa->name; isa++) {
            if (isa->available()) {
                puts(isa->name);
            }
        }
        return 0;
    }
    if (!mlp_isa_use(arguments[1])) {
        give_up("no kernels here are called", arguments[1]);
    }
    while (fgets(line, sizeof line, stdin)) {
        const char *name = strtok(line, " \n");
        int i = 0;
        while (i < CALL_COUNT && name && strcmp(CALLS[i].name, name) != 0) {
            i++;
        }
        if (!name || i == CALL_COUNT || (i > 0 && !net)) {
            give_up("not the time for", name ? name : "an empty line");
        }
        CALLS[i].obey();
    }
    return 0;
}
