/* networks.c: trains a network with each loss, output activation and optimizer of the catalogue, in both types, by the
 * reference, and prints a hash of all its bits: the same ones from every build of the C core, on every machine.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../programs.h"
#include "catalogue/catalogue.h"
#include "isa/isa.h"
#include "net/net.h"
#include "runtime/memory.h"

enum { IN = 7, HIDDEN = 12, OUT = 5, ROWS = 40, BATCH = 16, EPOCHS = 6, STEPS = 9 };

static _Noreturn void give_up(const char *why) {
    fprintf(stderr, "networks: %s\n", why);
    exit(2);
}

/* FNV-1a of the numbers, which lie in the same order of bytes on all machines this runs on. */
static uint64_t hash;
/* A NaN counts as one, whatever its sign: which of two NaNs an operation hands on is no part of the arithmetic. */
static void hash_in(const void *numbers, ptrdiff_t count, int bits) {
    for (ptrdiff_t i = 0; i < count; i++) {
        double number = bits == 32 ? (double)((const float *)numbers)[i] : ((const double *)numbers)[i];
        uint64_t pattern = 0x7ff8;
        if (number == number) {
            memcpy(&pattern, &number, sizeof pattern);
        }
        for (int byte = 0; byte < 8; byte++) {
            hash = (hash ^ (pattern >> 8 * byte & 255)) * 0x100000001b3;
        }
    }
}

static void standard(double *values, const mlp_hyper *hypers) {
    for (int i = 0; hypers[i].name; i++) {
        values[i] = hypers[i].standard;
    }
}

static void hash_in_prediction(const mlp_net *net, const void *x) {
    const size_t size = (size_t)net->bits / 8;
    void *a = memory(ROWS * OUT, size), *scratch = memory(mlp_predict_elements(net, ROWS), size);
    mlp_net_predict(net, ROWS, a, x, scratch, NULL, NULL);
    hash_in(a, ROWS * OUT, net->bits);
    mlp_free(scratch);
    mlp_free(a);
}

/* One unit with one input, fma(x, w, b), at numbers for which wasi-libc's fma is wrong. */
static void apply_unit(int bits, double x, double w, double b) {
    const size_t size = (size_t)bits / 8;
    mlp_net *net = mlp_net_new(bits, 1, 1, &(mlp_step_spec){.kind = MLP_DENSE, .units = 1, .constants = {1}});
    if (!net) {
        give_up("no network");
    }
    void *input = memory(1, size), *output = memory(1, size), *scratch = memory(mlp_predict_elements(net, 1), size);
    store(input, bits, 0, x);
    store(net->params, bits, 0, w);
    store(net->params, bits, 1, b);
    mlp_net_predict(net, 1, output, input, scratch, NULL, NULL);
    const double z = bits == 32 ? (double)*(float *)output : *(double *)output;
    uint64_t z_bits;
    memcpy(&z_bits, &z, sizeof z_bits);
    printf("float%d unit %016llx\n", bits, (unsigned long long)z_bits);
    mlp_free(scratch);
    mlp_free(output);
    mlp_free(input);
    mlp_net_free(net);
}

/* x times 2^exponent: with a large negative one, sums are subnormal. */
static void train(int bits, int exponent, mlp_activation_id hidden, mlp_activation_id output, mlp_loss_id loss,
                  mlp_optimizer_id rule) {
    const size_t size = (size_t)bits / 8;
    void *x = memory(ROWS * IN, size), *y = memory(ROWS * OUT, size);
    for (ptrdiff_t i = 0; i < ROWS * IN; i++) {
        store(x, bits, i, ldexp((double)((i * i * 31 + i * 17) % 256) / 128 - 1, exponent));
    }
    for (ptrdiff_t row = 0; row < ROWS; row++) {
        store(y, bits, row * OUT + row * row % OUT, 1);
    }
    mlp_step_spec specs[STEPS] = {
        {.kind = MLP_DENSE, .layer = 0, .units = HIDDEN, .constants = {1}},
        {.kind = MLP_ACTIVATION, .layer = 0, .joined = true, .sigma = hidden},
        {.kind = MLP_FORK, .layer = 1},
        {.kind = MLP_DENSE, .layer = 2, .units = HIDDEN, .constants = {1}},
        {.kind = MLP_ACTIVATION, .layer = 2, .joined = true, .sigma = hidden},
        {.kind = MLP_DROPOUT, .layer = 3, .constants = {0.25}},
        {.kind = MLP_JOIN, .layer = 1},
        {.kind = MLP_DENSE, .layer = 4, .units = OUT, .constants = {1}},
        {.kind = MLP_ACTIVATION, .layer = 4, .joined = true, .sigma = output},
    };
    for (ptrdiff_t step = 0; step < STEPS; step++) {
        if (specs[step].kind == MLP_ACTIVATION) {
            standard(specs[step].constants, mlp_activations[specs[step].sigma].hypers);
        }
    }
    mlp_net *net = mlp_net_new(bits, IN, STEPS, specs);
    if (!net) {
        give_up("no network");
    }
    for (ptrdiff_t step = 0; step < STEPS; step++) {
        if (specs[step].kind == MLP_DENSE) {
            mlp_net_initialize(net, step, 0, &(mlp_initializer){.id = MLP_INITIALIZER_GLOROT_UNIFORM}, 2026, NULL,
                               NULL);
        }
    }
    mlp_workspace work = {.capacity = BATCH, .block = memory(mlp_workspace_elements(net, BATCH), size)};
    int64_t t = 0;
    mlp_optimizer optimizer = {.id = rule, .clip_value = INFINITY, .clip_norm = INFINITY, .t = &t};
    standard(optimizer.hypers, mlp_optimizers[rule].hypers);
    if (rule == MLP_SGD) {
        optimizer.hypers[1] = 0.9; /* momentum */
    }
    for (int i = 0; i < MLP_STATES; i++) {
        optimizer.state[i] = mlp_needs_state(rule, i, optimizer.hypers) ? memory(net->parameters, size) : NULL;
    }
    mlp_score scores[EPOCHS];
    mlp_training training = {.samples = {.n = ROWS, .x = x, .y = y},
                             .loss = {.id = loss},
                             .optimizer = &optimizer,
                             .epochs = EPOCHS,
                             .order = memory(ROWS, sizeof(ptrdiff_t)),
                             .seed = 2026,
                             .scores = scores};
    standard(training.loss.constants, mlp_losses[loss].hypers);
    mlp_cursor cursor = {.epoch = 0};

    hash = 0xcbf29ce484222325;
    hash_in_prediction(net, x);
    mlp_net_train(net, work, &training, &cursor);
    hash_in(net->params, net->parameters, bits);
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        hash_in(&scores[epoch].loss, 1, 64);
    }
    hash_in_prediction(net, x);
    printf("float%d 2^%d %s %s %s %s %016llx\n", bits, exponent, mlp_activations[hidden].name,
           mlp_activations[output].name, mlp_losses[loss].name, mlp_optimizers[rule].name, (unsigned long long)hash);

    mlp_free(training.order);
    for (int i = 0; i < MLP_STATES; i++) {
        mlp_free(optimizer.state[i]);
    }
    mlp_free(work.block);
    mlp_net_free(net);
    mlp_free(y);
    mlp_free(x);
}

/* A loss of probabilities behind outputs that are none gives NaN, whose bits are not the same everywhere. */
static bool fit_together(mlp_loss_id loss, mlp_activation_id output) {
    return mlp_losses[loss].least == -INFINITY || output == MLP_SIGMOID || output == MLP_SOFTMAX;
}

int main(void) {
    mlp_isa_use("reference");
    apply_unit(32, -0x1.257dap+73, -0x1.48p+9, -0x1.ca69ccp-84);
    apply_unit(64, -0x1p-1, 0x1p-1074, 0);
    int networks = 0;
    for (int bits = 32; bits <= 64; bits += 32) {
        for (int i = 0; i < MLP_LOSS_COUNT * MLP_ACTIVATION_COUNT * MLP_OPTIMIZER_COUNT; i++) {
            const mlp_loss_id loss = (mlp_loss_id)(i / (MLP_ACTIVATION_COUNT * MLP_OPTIMIZER_COUNT));
            const mlp_activation_id output = (mlp_activation_id)(i / MLP_OPTIMIZER_COUNT % MLP_ACTIVATION_COUNT);
            if (fit_together(loss, output)) {
                const mlp_activation_id hidden = (mlp_activation_id)(networks++ % MLP_ACTIVATION_COUNT);
                train(bits, 0, hidden, output, loss, (mlp_optimizer_id)(i % MLP_OPTIMIZER_COUNT));
            }
        }
        train(bits, bits == 32 ? -138 : -1060, MLP_LINEAR, MLP_LINEAR, MLP_MSE, MLP_SGD);
    }
    return 0;
}
