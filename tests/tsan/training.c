/* training.c: several threads train a network each, all sharing the pool, with every set of kernels that this machine
 * can run. Exits with 1 if one of them does not end with the parameters that one thread alone arrives at;
 * ThreadSanitizer, which `make test-tsan` runs it under, sees whether it could have been otherwise. */
#define _POSIX_C_SOURCE 200809L
#include "../programs.h"
#include "isa/isa.h"
#include "net/net.h"
#include "runtime/memory.h"
#include "runtime/rng.h"
#include "runtime/threads.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* The first layer's products are worth sharing, the last one's are not. */
enum { IN = 256, HIDDEN = 128, OUT = 10, ROWS = 192, BATCH = 128, CALLERS = 3, THREADS = 4 };

/* The parameters of a network after an epoch; always the same. */
static void *train(void *bits_of_net) {
    const int bits = *(const int *)bits_of_net;
    const size_t size = (size_t)bits / 8;
    const mlp_stream stream = {.seed = 1};
    void *x = memory(ROWS * IN, size), *y = memory(ROWS * OUT, size);
    for (ptrdiff_t i = 0; i < ROWS * IN; i++) {
        store(x, bits, i, mlp_draw_uniform(stream, (uint64_t)i) - 0.5);
    }
    for (ptrdiff_t row = 0; row < ROWS; row++) {
        store(y, bits, row * OUT + row % OUT, 1);
    }

    const mlp_step_spec specs[] = {{.kind = MLP_DENSE, .layer = 0, .units = HIDDEN, .constants = {1}},
                                   {.kind = MLP_ACTIVATION, .layer = 0, .joined = true, .sigma = MLP_RELU},
                                   {.kind = MLP_DROPOUT, .layer = 1, .constants = {0.2}},
                                   {.kind = MLP_DENSE, .layer = 2, .units = OUT, .constants = {1}},
                                   {.kind = MLP_ACTIVATION, .layer = 2, .joined = true, .sigma = MLP_SOFTMAX}};
    mlp_net *net = mlp_net_new(bits, IN, sizeof specs / sizeof *specs, specs);
    if (!net) {
        return NULL;
    }
    mlp_net_initialize(net, 0, 0, &(mlp_initializer){.id = MLP_INITIALIZER_HE_UNIFORM}, 1, NULL, NULL);
    mlp_net_initialize(net, 3, 0, &(mlp_initializer){.id = MLP_INITIALIZER_GLOROT_UNIFORM}, 1, NULL, NULL);
    mlp_workspace work = {.capacity = BATCH, .block = memory(mlp_workspace_elements(net, BATCH), size)};
    int64_t t = 0;
    mlp_optimizer adam = {.id = MLP_ADAM,
                          .hypers = {0.001, 0.9, 0.999, 1e-7},
                          .clip_value = (double)INFINITY,
                          .clip_norm = (double)INFINITY,
                          .state = {memory(net->parameters, size), memory(net->parameters, size)},
                          .t = &t};
    mlp_score score;
    mlp_cursor cursor = {0};
    mlp_training training = {.samples = {.n = ROWS, .x = x, .y = y},
                             .loss = {.id = MLP_CCE},
                             .metric = MLP_CATEGORICAL_ACCURACY,
                             .optimizer = &adam,
                             .epochs = 1,
                             .scores = &score};
    mlp_net_train(net, work, &training, &cursor);

    const size_t bytes = (size_t)net->parameters * size;
    void *params = memory((ptrdiff_t)bytes, 1);
    memcpy(params, net->params, bytes);
    mlp_free(adam.state[0]);
    mlp_free(adam.state[1]);
    mlp_free(work.block);
    mlp_net_free(net);
    mlp_free(x);
    mlp_free(y);
    return params;
}

int main(void) {
    int failures = 0;
    for (const mlp_isa *isa = mlp_isas; isa->name; isa++) {
        for (int bits = 32; isa->available() && bits <= 64; bits += 32) {
            const size_t bytes = (size_t)(IN * HIDDEN + HIDDEN + HIDDEN * OUT + OUT) * (size_t)bits / 8;
            mlp_isa_use(isa->name);
            mlp_set_num_threads(1);
            void *alone = train(&bits);
            mlp_set_num_threads(THREADS);
            pthread_t thread[CALLERS];
            for (int i = 0; i < CALLERS; i++) {
                if (pthread_create(&thread[i], NULL, train, &bits) != 0) {
                    return 2;
                }
            }
            for (int i = 0; i < CALLERS; i++) {
                void *params;
                pthread_join(thread[i], &params);
                failures += !alone || !params || memcmp(params, alone, bytes) != 0;
                mlp_free(params);
            }
            mlp_free(alone);
            printf("%s, %d bits: %d threads trained, %d failures so far\n", isa->name, bits, CALLERS, failures);
        }
    }
    return failures > 0;
}
