/* bits.inc.c: the calls that are tried, for one real type; bits_f32.c and bits_f64.c read it. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "runtime/threads.h"
#include "real.h"

#if MLP_REAL_BITS == 32
#define LARGEST FLT_MAX
#define SUBNORMAL FLT_TRUE_MIN
#define TABLE f32
typedef uint32_t real_bits;
#else
#define LARGEST DBL_MAX
#define SUBNORMAL DBL_TRUE_MIN
#define TABLE f64
typedef uint64_t real_bits;
#endif

/* The micro-tiles of the pages in csrc/simd are at most this large; tests/test_bits.py compares. */
enum { TILE_ROWS_MOST = 8, TILE_COLUMNS_MOST = 3 * 64 / (int)sizeof(real) };

typedef REAL_NAME(mlp_kernels) kernels;
static const kernels *const reference = &REAL_NAME(mlp_reference);

#include "numbers.inc.h"

#include "check.inc.h"

static const char *const ACTIVATION_NAMES[] = {"linear", "relu", "sigmoid", "tanh", "softmax"};
static const char *const LOSS_NAMES[] = {"mse", "bce", "cce"};
static const char *const ELEMENTARY_NAMES[] = {"exp", "log", "log1p", "tanh", "sigmoid"};
_Static_assert(sizeof ACTIVATION_NAMES / sizeof(char *) == MLP_ACTIVATIONS, "every activation is tried");
_Static_assert(sizeof LOSS_NAMES / sizeof(char *) == MLP_LOSSES, "every loss is tried");
_Static_assert(sizeof ELEMENTARY_NAMES / sizeof(char *) == MLP_ELEMENTARIES, "every function is tried");

/* ------------------------------------------------------------------------------------------------------------- products */

static void run_dense_forward(const kernels *k, const job *j, real *const *at) {
    k->dense_forward(j->n, j->in, j->out, at[0], at[1], at[2], at[3]);
}

static void run_dense_backward(const kernels *k, const job *j, real *const *at) {
    k->dense_backward(j->n, j->in, j->out, at[0], at[1], at[2], at[3], at[4], at[5]);
}

static void run_layer_update(const kernels *k, const job *j, real *const *at) {
    const REAL_NAME(mlp_step)
        step = {.algorithm = j->operands[2].name ? MLP_ADAM : MLP_SGD, .sgd = j->sgd, .adam = j->adam};
    k->layer_update(j->n, j->in, j->out, &step, at[0], at[1], at[2], at[3], j->operands[3].use != ROOM, at[4], at[5]);
}

static void run_layer_forward(const kernels *k, const job *j, real *const *at) {
    k->layer_forward(j->sigma, j->n, j->in, j->out, at[0], at[4], at[1], at[2], at[3]);
}

static void run_layer_forward_in_place(const kernels *k, const job *j, real *const *at) {
    k->layer_forward(j->sigma, j->n, j->in, j->out, at[0], at[0], at[1], at[2], at[3]);
}

static void run_layer_backward(const kernels *k, const job *j, real *const *at) {
    k->layer_backward(j->sigma, j->n, j->in, j->out, at[0], at[1], at[2], at[3]);
}

static void try_layers(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, bool large) {
    const mlp_activation sigma = (mlp_activation)random_below(MLP_ACTIVATIONS);
    job forward = {.kernel = "layer_forward",
                   .run = run_layer_forward,
                   .n = n,
                   .in = in,
                   .out = out,
                   .large = large,
                   .sigma = sigma,
                   .operands = {{"z", WRITTEN, n, out, NULL},
                                {"x", READ, n, in, fill_factors},
                                {"w", READ, in, out, fill_factors},
                                {"b", READ, 1, out, fill_factors},
                                {"a", WRITTEN, n, out, NULL}}};
    snprintf(forward.variant, sizeof forward.variant, "%s", ACTIVATION_NAMES[sigma]);
    if (random_below(2)) {
        forward.run = run_layer_forward_in_place;
        forward.operands[4].name = NULL;
    }
    try_at(&forward, 0);
    job backward = {.kernel = "layer_backward",
                    .run = run_layer_backward,
                    .n = n,
                    .in = in,
                    .out = out,
                    .large = large,
                    .sigma = sigma,
                    .operands = {{"phi_below", WRITTEN, n, in, NULL},
                                 {"phi", READ, n, out, fill_factors},
                                 {"x", READ, n, in, fill_rows},
                                 {"w", READ, in, out, fill_factors}}};
    snprintf(backward.variant, sizeof backward.variant, "%s", ACTIVATION_NAMES[sigma]);
    try_at(&backward, 0);
}

static void try_updates(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, bool large) {
    static const char *const NAMES[] = {"sgd", "momentum", "adam"};
    for (int kind = 0; kind < 3; kind++) {
        job update = {.kernel = "layer_update",
                      .run = run_layer_update,
                      .n = n,
                      .in = in,
                      .out = out,
                      .large = large,
                      .sgd = {.rate = real_abs(uniform()), .momentum = kind ? REAL(0.9) : 0, .nesterov = kind},
                      .adam = reference->adam_at(1 + random_below(1000), 0.001, 0.9, 0.999, 1e-7),
                      .operands = {{"w", CHANGED, in, out, fill_factors},
                                   {kind > 0 ? "m" : NULL, CHANGED, in, out, fill_state},
                                   {kind > 1 ? "v" : NULL, CHANGED, in, out, fill_state},
                                   {"grad_w", random_below(2) ? WRITTEN : ROOM, in, out, NULL},
                                   {"phi", READ, n, out, fill_factors},
                                   {"x", READ, n, in, fill_factors}}};
        snprintf(update.variant, sizeof update.variant, "%s", NAMES[kind]);
        if (full || random_below(3) == 0) {
            try_at(&update, 0);
        }
    }
}

static void try_products(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out) {
    const bool large = n * in * out > 400000;
    try_at(&(job){.kernel = "dense_forward",
                  .run = run_dense_forward,
                  .n = n,
                  .in = in,
                  .out = out,
                  .large = large,
                  .operands = {{"z", WRITTEN, n, out, NULL},
                               {"x", READ, n, in, fill_factors},
                               {"w", READ, in, out, fill_factors},
                               {"b", READ, 1, out, fill_factors}}},
           0);
    job backward = {.kernel = "dense_backward",
                    .run = run_dense_backward,
                    .n = n,
                    .in = in,
                    .out = out,
                    .large = large,
                    .operands = {{"grad_x", WRITTEN, n, in, NULL},
                                 {"grad_w", WRITTEN, in, out, NULL},
                                 {"grad_b", WRITTEN, 1, out, NULL},
                                 {"phi", READ, n, out, fill_factors},
                                 {"x", READ, n, in, fill_factors},
                                 {"w", READ, in, out, fill_factors}}};
    try_at(&backward, 0);
    if (full || random_below(3) == 0) {
        try_layers(n, in, out, large);
    }
    try_updates(n, in, out, large);
    for (int only = 0; only < 3; only++) {
        if (full || random_below(8) == 0) {
            job alone = backward;
            for (int i = 0; i < 3; i++) {
                alone.operands[i].name = i == only ? backward.operands[i].name : NULL;
            }
            try_at(&alone, 0);
        }
    }
}

/* Empty batches, and every size up to two micro-tiles and one. n is M of z and grad_x and K of grad_w; in is K, N and
 * M; out is N and K. */
static void try_products_around_tiles(void) {
    const ptrdiff_t rows = 2 * TILE_ROWS_MOST + 1, columns = 2 * TILE_COLUMNS_MOST + 1;
    for (ptrdiff_t n = 0; n <= rows; n++) {
        for (ptrdiff_t in = 1; in <= columns; in++) {
            for (ptrdiff_t out = 1; out <= columns; out++) {
                if (full || random_below(120) == 0) {
                    try_products(n, in, out);
                }
            }
        }
    }
}

/* Around the blocks of K, the chunks of N and the strides from which on operands are packed: one size large, or two. */
static void try_large_products(void) {
    static const ptrdiff_t LARGE[] = {127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025};
    static const ptrdiff_t SMALL[] = {1, 2, 7, 17, 25, 33, 64, 97};
    enum { LARGES = sizeof LARGE / sizeof *LARGE, SMALLS = sizeof SMALL / sizeof *SMALL };
    for (int l = 0; l < LARGES; l++) {
        for (int s = 0; s < SMALLS * SMALLS; s++) {
            ptrdiff_t one = SMALL[s % SMALLS], other = SMALL[s / SMALLS];
            const ptrdiff_t sizes[3][3] = {{LARGE[l], one, other}, {one, LARGE[l], other}, {one, other, LARGE[l]}};
            for (int i = 0; i < 3; i++) {
                if (full || random_below(20) == 0) {
                    try_products(sizes[i][0], sizes[i][1], sizes[i][2]);
                }
            }
        }
    }
    for (int l = 0; l < LARGES * LARGES; l++) {
        ptrdiff_t one = LARGE[l % LARGES], other = LARGE[l / LARGES], small = SMALL[random_below(4)];
        const ptrdiff_t sizes[3][3] = {{small, one, other}, {one, small, other}, {one, other, small}};
        for (int i = 0; i < 3; i++) {
            if (full || random_below(60) == 0) {
                try_products(sizes[i][0], sizes[i][1], sizes[i][2]);
            }
        }
    }
}

/* More than one block of x, packed or as it lies, more than one of K, both, several chunks of columns beside a packed x,
 * and a w that is packed for many rows alone. */
static void try_products_of_blocks(void) {
    static const ptrdiff_t QUICK[][3] = {{70, 600, 530},  {500, 20, 520}, {1100, 200, 70}, {1100, 260, 130},
                                         {250, 260, 256}, {2, 2100, 20},  {3, 20, 2100},   {2100, 3, 20}};
    static const ptrdiff_t LONG[][3] = {{2100, 490, 170}, {1100, 515, 530}, {300, 515, 1000}};
    for (size_t i = 0; i < sizeof QUICK / sizeof *QUICK; i++) {
        try_products(QUICK[i][0], QUICK[i][1], QUICK[i][2]);
    }
    for (size_t i = 0; full && i < sizeof LONG / sizeof *LONG; i++) {
        try_products(LONG[i][0], LONG[i][1], LONG[i][2]);
    }
}

/* ---------------------------------------------------------------------------- everything that goes through its numbers once */

static void run_activation_forward(const kernels *k, const job *j, real *const *at) {
    k->activation_forward(j->sigma, j->n, j->out, at[0], at[1]);
}

static void run_activation_backward(const kernels *k, const job *j, real *const *at) {
    k->activation_backward(j->sigma, j->n, j->out, at[0], at[1], at[2]);
}

static void run_loss_value(const kernels *k, const job *j, real *const *at) {
    k->loss_value(j->loss, j->n, j->out, at[0], at[1], at[2]);
}

static void run_loss_gradient(const kernels *k, const job *j, real *const *at) {
    k->loss_gradient(j->loss, j->n, j->out, at[0], at[1], at[2], at[3]);
}

static void run_output_loss(const kernels *k, const job *j, real *const *at) {
    k->output_loss(j->loss, j->sigma, j->n, j->out, at[0], at[1], at[2], at[3]);
}

static void run_output_phi(const kernels *k, const job *j, real *const *at) {
    k->output_phi(j->loss, j->sigma, j->n, j->out, at[0], at[1], at[2], at[3], at[4]);
}

static void run_output_step(const kernels *k, const job *j, real *const *at) {
    const double right = k->output_step(j->loss, j->sigma, j->n, j->out, at[0], at[1], at[2], at[3], at[4], at[5]);
    memcpy(at[6], &right, sizeof right);
}

static void run_rows_right(const kernels *k, const job *j, real *const *at) {
    double right = k->rows_right(j->loss, j->n, j->out, at[1], at[2]);
    memcpy(at[0], &right, sizeof right);
}

static void run_elementary(const kernels *k, const job *j, real *const *at) {
    k->elementary(j->function, j->n, at[0], at[1]);
}

static void run_batch_weight(const kernels *k, const job *j, real *const *at) {
    double weight = k->batch_weight(j->n, at[1]);
    memcpy(at[0], &weight, sizeof weight);
}

static void run_batch_scale(const kernels *k, const job *j, real *const *at) { k->batch_scale(j->n, at[0], at[1]); }

static void run_batch_mean(const kernels *k, const job *j, real *const *at) {
    double mean = k->batch_mean(j->n, at[1], at[2]);
    memcpy(at[0], &mean, sizeof mean);
}

static void run_sgd_step(const kernels *k, const job *j, real *const *at) {
    k->sgd_step(j->n, &j->sgd, at[0], at[1], at[2]);
}

static void run_adam_step(const kernels *k, const job *j, real *const *at) {
    k->adam_step(j->n, &j->adam, at[0], at[1], at[2], at[3]);
}

/* Kernels on rows of `out` numbers. */
static void try_rows(ptrdiff_t n, ptrdiff_t out, int offset) {
    for (int sigma = 0; sigma < MLP_ACTIVATIONS; sigma++) {
        job forward = {.kernel = "activation_forward",
                       .run = run_activation_forward,
                       .n = n,
                       .out = out,
                       .sigma = (mlp_activation)sigma,
                       .in_place = (int)random_below(2),
                       .operands = {{"a", WRITTEN, n, out, NULL},
                                    {"z", READ, n, out, sigma == MLP_SOFTMAX ? fill_rows : fill_wild}}};
        snprintf(forward.variant, sizeof forward.variant, "%s%s", ACTIVATION_NAMES[sigma],
                 forward.in_place ? ", a is z" : "");
        try_at(&forward, offset);
        job backward = {.kernel = "activation_backward",
                        .run = run_activation_backward,
                        .n = n,
                        .out = out,
                        .sigma = (mlp_activation)sigma,
                        .in_place = (int)random_below(3),
                        .operands = {{"phi", WRITTEN, n, out, NULL},
                                     {"a", READ, n, out, random_below(2) ? fill_probabilities : fill_wild},
                                     {"grad_a", READ, n, out, random_below(2) ? fill_factors : fill_wild}}};
        snprintf(backward.variant, sizeof backward.variant, "%s%s", ACTIVATION_NAMES[sigma],
                 (const char *[]){"", ", phi is a", ", phi is grad_a"}[backward.in_place]);
        try_at(&backward, offset);
    }
    for (int loss = 0; loss < MLP_LOSSES; loss++) {
        job value = {.kernel = "loss_value",
                     .run = run_loss_value,
                     .n = n,
                     .out = out,
                     .loss = (mlp_loss)loss,
                     .operands = {{"value", WRITTEN, n, 1, NULL},
                                  {"y_hat", READ, n, out, fill_probabilities},
                                  {"y", READ, n, out, fill_labels}}};
        snprintf(value.variant, sizeof value.variant, "%s", LOSS_NAMES[loss]);
        try_at(&value, offset);
        job gradient = {.kernel = "loss_gradient",
                        .run = run_loss_gradient,
                        .n = n,
                        .out = out,
                        .loss = (mlp_loss)loss,
                        .in_place = (int)random_below(2),
                        .operands = {{"grad_a", WRITTEN, n, out, NULL},
                                     {"y_hat", READ, n, out, fill_probabilities},
                                     {"y", READ, n, out, fill_labels},
                                     {"scale", READ, n, 1, fill_weights}}};
        snprintf(gradient.variant, sizeof gradient.variant, "%s%s", LOSS_NAMES[loss],
                 gradient.in_place ? ", grad_a is y_hat" : "");
        try_at(&gradient, offset);
        for (int sigma = 0; sigma < MLP_ACTIVATIONS; sigma++) {
            job output = {.kernel = "output_loss",
                          .run = run_output_loss,
                          .n = n,
                          .out = out,
                          .loss = (mlp_loss)loss,
                          .sigma = (mlp_activation)sigma,
                          .a_of_z = true,
                          .operands = {{"value", WRITTEN, n, 1, NULL},
                                       {"z", READ, n, out, fill_rows},
                                       {"a", READ, n, out, fill_rows},
                                       {"y", READ, n, out, fill_labels}}};
            snprintf(output.variant, sizeof output.variant, "%s %s", LOSS_NAMES[loss], ACTIVATION_NAMES[sigma]);
            try_at(&output, offset);
            output.kernel = "output_phi";
            output.run = run_output_phi;
            output.operands[0] = (operand){"phi", WRITTEN, n, out, NULL};
            output.operands[4] = (operand){"scale", READ, n, 1, fill_weights};
            try_at(&output, offset);
            output.kernel = "output_step";
            output.run = run_output_step;
            output.a_of_z = false;
            memcpy(output.operands,
                   (operand[]){{"a", WRITTEN, n, out, NULL},
                               {"value", WRITTEN, n, 1, NULL},
                               {"phi", WRITTEN, n, out, NULL},
                               {"z", READ, n, out, fill_rows},
                               {"y", READ, n, out, fill_labels},
                               {"scale", READ, n, 1, fill_weights},
                               {"right", WRITTEN, 1, sizeof(double) / sizeof(real), NULL}},
                   sizeof output.operands);
            try_at(&output, offset);
        }
        job right = {.kernel = "rows_right",
                     .run = run_rows_right,
                     .n = n,
                     .out = out,
                     .loss = (mlp_loss)loss,
                     .operands = {{"right", WRITTEN, 1, sizeof(double) / sizeof(real), NULL},
                                  {"a", READ, n, out, fill_rows},
                                  {"y", READ, n, out, fill_labels}}};
        snprintf(right.variant, sizeof right.variant, "%s", LOSS_NAMES[loss]);
        try_at(&right, offset);
    }
}

/* The optimizers. */
static void try_steps(ptrdiff_t count, int offset) {
    const bool large = count > 4000;
    static const char *const SGD_NAMES[] = {"", "momentum", "nesterov"};
    for (int kind = 0; kind < 3; kind++) {
        job sgd = {.kernel = "sgd_step",
                   .run = run_sgd_step,
                   .n = count,
                   .large = large,
                   .sgd = {.rate = real_abs(uniform()), .momentum = kind ? REAL(0.9) : 0, .nesterov = kind == 2},
                   .operands = {{"w", CHANGED, count, 1, fill_factors},
                                {kind ? "velocity" : NULL, CHANGED, count, 1, fill_state},
                                {"grad", READ, count, 1, fill_state}}};
        snprintf(sgd.variant, sizeof sgd.variant, "%s", SGD_NAMES[kind]);
        try_at(&sgd, offset);
    }
    try_at(&(job){.kernel = "adam_step",
                  .run = run_adam_step,
                  .n = count,
                  .large = large,
                  .adam = reference->adam_at(1 + random_below(1000), 0.001, 0.9, 0.999, random_below(2) ? 1e-7 : 0),
                  .operands = {{"w", CHANGED, count, 1, fill_factors},
                               {"m", CHANGED, count, 1, fill_state},
                               {"v", CHANGED, count, 1, fill_state},
                               {"grad", READ, count, 1, fill_state}}},
           offset);
}

/* Kernels on `count` numbers. */
static void try_count(ptrdiff_t count, int offset) {
    for (int function = 0; function < MLP_ELEMENTARIES; function++) {
        job elementary = {.kernel = "elementary",
                          .run = run_elementary,
                          .n = count,
                          .function = (mlp_elementary)function,
                          .in_place = (int)random_below(2),
                          .operands = {{"y", WRITTEN, count, 1, NULL}, {"x", READ, count, 1, fill_wild}}};
        snprintf(elementary.variant, sizeof elementary.variant, "%s%s", ELEMENTARY_NAMES[function],
                 elementary.in_place ? ", y is x" : "");
        try_at(&elementary, offset);
    }
    for (int weighted = 0; weighted < 2; weighted++) {
        const char *weight = weighted ? "weight" : NULL;
        try_at(&(job){.kernel = "batch_weight",
                      .run = run_batch_weight,
                      .n = count,
                      .operands = {{"sum", WRITTEN, 1, sizeof(double) / sizeof(real), NULL},
                                   {weight, READ, count, 1, fill_weights}}},
               offset);
        try_at(&(job){.kernel = "batch_scale",
                      .run = run_batch_scale,
                      .n = count,
                      .operands = {{"scale", WRITTEN, count, 1, NULL}, {weight, READ, count, 1, fill_weights}}},
               offset);
        try_at(&(job){.kernel = "batch_mean",
                      .run = run_batch_mean,
                      .n = count,
                      .operands = {{"mean", WRITTEN, 1, sizeof(double) / sizeof(real), NULL},
                                   {"value", READ, count, 1, fill_weights},
                                   {weight, READ, count, 1, fill_weights}}},
               offset);
    }
    try_steps(count, offset);
}

static void run_adam_at(const kernels *k, const job *j, real *const *at) {
    REAL_NAME(mlp_adam) adam = k->adam_at(j->n, 0.001, 0.9, 0.999, 1e-7);
    memcpy(at[0], (const real[]){adam.beta1, adam.beta2, adam.rate, adam.v_scale, adam.epsilon}, 5 * sizeof(real));
}

static void try_small_kernels(void) {
    enum { LAST = 257, OFFSETS = 8 };
    for (int offset = 0; offset < OFFSETS; offset++) {
        try_rows(0, 1, offset);
        for (ptrdiff_t count = 0; count <= LAST; count++) {
            try_count(count, offset);
            if (count > 0 && (full || offset == 0 || random_below(3) == 0)) {
                try_rows(1 + random_below(3), count, offset);
            }
        }
    }
    /* Many rows of few units. */
    for (ptrdiff_t n = 1; n <= 33; n++) {
        for (ptrdiff_t out = 1; out <= 33; out++) {
            if (full || random_below(3) == 0) {
                try_rows(n, out, 0);
            }
        }
    }
    /* Around the chunks that threads take of a step. */
    static const ptrdiff_t LARGE[] = {4095, 4096, 4097, 8191, 8192, 8193, 24575, 24577, 100003};
    for (size_t i = 0; i < sizeof LARGE / sizeof *LARGE; i++) {
        try_steps(LARGE[i], 0);
    }
    for (ptrdiff_t t = 1; t < 1000000; t += 1 + t / 2) {
        try_at(&(job){.kernel = "adam_at", .run = run_adam_at, .n = t, .operands = {{"step", WRITTEN, 1, 5, NULL}}}, 0);
    }
}

void REAL_NAME(try_kernels)(void) {
    make_copies();
    fill_pools();
    try_small_kernels();
    try_products_around_tiles();
    try_large_products();
    try_products_of_blocks();
    free_copies();
}

void REAL_NAME(try_blocks)(void) {
    make_copies();
    fill_pools();
    try_products_of_blocks();
    free_copies();
}
