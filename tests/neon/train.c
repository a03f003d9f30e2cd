/* train.c: a network at the other end of a pipe, for machines that have no Python: what mlpcore._core.Net does for
 * Sequential.fit and predict.
 *
 *     train          prints the names of the kernels that this machine can run
 *     train NAME     uses those kernels and obeys standard input until it ends
 *
 * A call is a line of words, then the arrays it takes as bare numbers in the machine's byte order; the answer on
 * standard output is bare numbers too. run.py is the other end. Anything unexpected ends the program.
 *
 *     net BITS DEPTH SIZE ... SIGMA ...                                              no answer
 *     initialize LAYER INITIALIZER SEED                                              the parameters
 *     epoch N BATCH SHUFFLE SEED EPOCH LOSS WEIGHTED OPTIMIZER ...  x y [weight]     the parameters; score, batches
 *     loss N LOSS WEIGHTED  x y [weight]                                             score
 *     predict N  x                                                                   a
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isa/isa.h"
#include "runtime/memory.h"
#include "net/net.h"

static const char *const SIGMAS[] = {[MLP_LINEAR] = "linear", [MLP_RELU] = "relu",       [MLP_SIGMOID] = "sigmoid",
                                     [MLP_TANH] = "tanh",     [MLP_SOFTMAX] = "softmax", [MLP_ACTIVATIONS] = NULL};
static const char *const LOSSES[] = {[MLP_MSE] = "mse", [MLP_BCE] = "bce", [MLP_CCE] = "cce", [MLP_LOSSES] = NULL};
static const char *const INITIALIZERS[] = {
    [MLP_GLOROT_UNIFORM] = "glorot_uniform", [MLP_HE_UNIFORM] = "he_uniform", [MLP_ZEROS] = "zeros", NULL};
static const char *const ALGORITHMS[] = {[MLP_SGD] = "sgd", [MLP_ADAM] = "adam", NULL};

static _Noreturn void give_up(const char *why, const char *what) {
    fprintf(stderr, "train: %s %s\n", why, what);
    exit(2);
}

/* ------------------------------------------------------------------------------------------- what the other end says */

static char line[1024];

static const char *word(void) {
    const char *next = strtok(NULL, " \n");
    return next ? next : (give_up("a line ends too early:", line), NULL);
}

static ptrdiff_t whole(void) { return (ptrdiff_t)strtoll(word(), NULL, 10); }
static double number(void) { return strtod(word(), NULL); }

static int choice(const char *const names[]) {
    const char *name = word();
    for (int i = 0; names[i]; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    give_up("nothing is called", name);
}

static void *memory(ptrdiff_t count, size_t size) {
    void *block = mlp_alloc(count, size);
    return block ? block : (give_up("no", "memory"), NULL);
}

static void *array(ptrdiff_t count, size_t size) {
    void *block = memory(count, size);
    if (fread(block, size, (size_t)count, stdin) != (size_t)count) {
        give_up("an array ends", "too early");
    }
    return block;
}

static void answer(const void *numbers, ptrdiff_t count, size_t size) {
    if (fwrite(numbers, size, (size_t)count, stdout) != (size_t)count || fflush(stdout)) {
        give_up("the answer", "cannot be written");
    }
}

/* -------------------------------------------------------------------------------------------------------- the network */

static mlp_net *net;
static size_t real_size;
static mlp_optimizer optimizer; /* of this network; only its numbers come with each epoch */

static ptrdiff_t inputs(void) { return net->layers[0].in; }
static ptrdiff_t outputs(void) { return net->layers[net->depth - 1].out; }

static mlp_workspace workspace(ptrdiff_t capacity) {
    return (mlp_workspace){.capacity = capacity, .block = memory(mlp_workspace_elements(net, capacity), real_size)};
}

static void make_net(void) {
    ptrdiff_t bits = whole(), depth = whole();
    ptrdiff_t *sizes = memory(depth + 1, sizeof *sizes);
    mlp_activation *sigmas = memory(depth, sizeof *sigmas);
    for (ptrdiff_t j = 0; j <= depth; j++) {
        sizes[j] = whole();
    }
    for (ptrdiff_t j = 0; j < depth; j++) {
        sigmas[j] = (mlp_activation)choice(SIGMAS);
    }
    mlp_net_free(net);
    mlp_free(optimizer.m);
    mlp_free(optimizer.v);
    mlp_free(optimizer.t);
    net = mlp_net_new((int)bits, depth, sizes, sigmas);
    if (!net) {
        give_up("no memory for", "the network");
    }
    real_size = (size_t)bits / 8;
    optimizer = (mlp_optimizer){.m = memory(net->parameters, real_size),
                                .v = memory(net->parameters, real_size),
                                .t = memory(1, sizeof(int64_t))};
    mlp_free(sizes);
    mlp_free(sigmas);
}

static void initialize(void) {
    ptrdiff_t j = whole();
    mlp_initializer initializer = (mlp_initializer)choice(INITIALIZERS);
    mlp_net_initialize(net, j, initializer, strtoull(word(), NULL, 10));
    answer(net->params, net->parameters, real_size);
}

static void read_optimizer(void) {
    optimizer.algorithm = (mlp_algorithm)choice(ALGORITHMS);
    optimizer.learning_rate = number();
    if (optimizer.algorithm == MLP_ADAM) {
        optimizer.beta1 = number();
        optimizer.beta2 = number();
        optimizer.epsilon = number();
    } else {
        optimizer.momentum = number();
        optimizer.nesterov = whole() != 0;
    }
}

static mlp_samples read_samples(ptrdiff_t n, bool weighted) {
    mlp_samples samples = {.n = n};
    samples.x = array(n * inputs(), real_size);
    samples.y = array(n * outputs(), real_size);
    samples.weight = weighted ? array(n, real_size) : NULL;
    return samples;
}

static void free_samples(mlp_samples samples) {
    mlp_free((void *)samples.x);
    mlp_free((void *)samples.y);
    mlp_free((void *)samples.weight);
}

static void epoch(void) {
    ptrdiff_t n = whole(), batch = whole();
    bool shuffle = whole() != 0;
    uint64_t seed = strtoull(word(), NULL, 10);
    uint32_t number = (uint32_t)whole();
    mlp_loss loss = (mlp_loss)choice(LOSSES);
    bool weighted = whole() != 0;
    read_optimizer();
    mlp_samples samples = read_samples(n, weighted);
    mlp_optimizer given = optimizer;
    given.m = given.algorithm == MLP_ADAM || given.momentum != 0 ? optimizer.m : NULL;
    ptrdiff_t *order = memory(n, sizeof *order);
    mlp_workspace work = workspace(batch < n ? batch : n);
    mlp_score score;
    mlp_training training = {.samples = samples,
                             .loss = loss,
                             .optimizer = &given,
                             .epochs = 1,
                             .order = shuffle ? order : NULL,
                             .seed = seed,
                             .first_epoch = number,
                             .scores = &score};
    ptrdiff_t batches = mlp_net_train(net, work, &training);
    answer(net->params, net->parameters, real_size);
    answer((double[]){score.loss, score.accuracy, (double)batches}, 3, sizeof(double));
    mlp_free(work.block);
    mlp_free(order);
    free_samples(samples);
}

static void evaluate(void) {
    ptrdiff_t n = whole();
    mlp_loss loss = (mlp_loss)choice(LOSSES);
    bool weighted = whole() != 0;
    mlp_samples samples = read_samples(n, weighted);
    mlp_workspace work = workspace(n);
    void *values = memory(n, real_size);
    mlp_score score = mlp_net_evaluate(net, work, loss, samples, values, NULL);
    answer((double[]){score.loss, score.accuracy}, 2, sizeof(double));
    mlp_free(values);
    mlp_free(work.block);
    free_samples(samples);
}

static void predict(void) {
    ptrdiff_t n = whole();
    void *x = array(n * inputs(), real_size), *a = memory(n * outputs(), real_size);
    void *scratch = memory(mlp_predict_elements(net, n), real_size);
    mlp_net_predict(net, n, a, x, scratch, NULL);
    answer(a, n * outputs(), real_size);
    mlp_free(scratch);
    mlp_free(a);
    mlp_free(x);
}

/* --------------------------------------------------------------------------------------------------------------- main */

static const struct {
    const char *name;
    void (*obey)(void);
} CALLS[] = {{"net", make_net}, {"initialize", initialize}, {"epoch", epoch}, {"loss", evaluate}, {"predict", predict}};
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
