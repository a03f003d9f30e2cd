/* trial.c: a random plan, its network, random samples, and how they are to be trained on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../programs.h"
#include "plan.h"
#include "runtime/rng.h"

uint64_t random_seed;
static uint64_t random_index;

ptrdiff_t below(ptrdiff_t end) {
    return (ptrdiff_t)(mlp_draw_bits((mlp_stream){.seed = random_seed}, random_index++) % (uint64_t)end);
}

static double uniform(void) { return 2 * mlp_draw_uniform((mlp_stream){.seed = random_seed}, random_index++) - 1; }

double *numbers(ptrdiff_t count) { return memory(count, sizeof(double)); }

/* ---- random plans ----------------------------------------------------------------------------------------------- */

mlp_step_spec specs[MOST_STEPS];
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
    add((mlp_step_spec){.kind = MLP_DENSE, .layer = layers++, .units = units, .constants = {below(4) > 0}});
    if (below(4) > 0) {
        add_activation(true);
    }
    return units;
}

/* A layer with one number for each column. */
static void add_columns(void) {
    static const mlp_layer_id KINDS[] = {MLP_BATCH_NORM, MLP_LAYER_NORM, MLP_RMS_NORM, MLP_SCALE, MLP_PRELU};
    mlp_step_spec spec = {.kind = KINDS[below(5)], .layer = layers++};
    standard_constants(&mlp_layers[spec.kind], spec.constants);
    if (spec.kind == MLP_PRELU) {
        spec.constants[0] = (double)below(2);
    }
    add(spec);
}

/* A layer that draws random numbers. */
static void add_drawing(void) {
    static const mlp_layer_id KINDS[] = {MLP_DROPOUT, MLP_ALPHA_DROPOUT, MLP_GAUSSIAN_NOISE};
    static const double CONSTANTS[] = {0, 0.2, 0.5, 0.9};
    add((mlp_step_spec){.kind = KINDS[below(3)], .layer = layers++, .constants = {CONSTANTS[below(4)]}});
}

static void add_residual(ptrdiff_t width, int depth);

/* Tables for some columns of an input of `width`; returns the width of the output. */
static ptrdiff_t add_embedding(ptrdiff_t width) {
    enum { MOST_TABLES = 3 };
    static ptrdiff_t shapes[MOST_TABLES][2], columns[MOST_TABLES];
    mlp_step_spec spec = {.kind = MLP_EMBEDDING, .layer = layers++, .shapes = shapes, .columns = columns};
    ptrdiff_t out = width;
    for (ptrdiff_t column = below(2); column < width && spec.segments < MOST_TABLES; column += 1 + below(4)) {
        columns[spec.segments] = column;
        shapes[spec.segments][0] = 1 + below(6);
        shapes[spec.segments][1] = 1 + below(9);
        out += shapes[spec.segments++][1] - 1;
    }
    add(spec);
    return out;
}

/* Numbers of categories, where an embedding reads them. */
static void draw_categories(const mlp_embedding *e, ptrdiff_t n, double *x) {
    for (ptrdiff_t t = 0; t < e->tables; t++) {
        for (ptrdiff_t s = 0; s < n; s++) {
            x[s * e->in + e->table[t].column] = (double)below(e->table[t].categories);
        }
    }
}

/* Returns the width after some layers. */
static ptrdiff_t add_layers(ptrdiff_t width, int depth) {
    for (ptrdiff_t left = below(4); left > 0 && steps < MOST_STEPS / 2; left--) {
        switch (below(7)) {
        case 0: add_activation(false); break;
        case 1: add_drawing(); break;
        case 2:
        case 3: add_columns(); break;
        case 4:
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

void draw_trial(trial *t, bool large) {
    steps = 0;
    layers = 0;
    widest = large ? 200 : 40;
    const ptrdiff_t in = 1 + below(widest);
    ptrdiff_t width = add_layers(below(4) ? in : add_embedding(in), 0);
    width = add_dense(large ? 150 : 1 + below(widest));
    add_layers(width, 0);
    *t = (trial){.net = mlp_net_new(64, in, steps, specs), .batch = 1 + below(40), .shuffle = below(2)};
    if (!t->net) {
        fputs("plan: no network\n", stderr);
        exit(2);
    }
    for (ptrdiff_t i = 0; i < steps; i++) {
        if (specs[i].kind == MLP_DENSE) {
            mlp_net_initialize(t->net, i, 0, &(mlp_initializer){.id = MLP_INITIALIZER_GLOROT_UNIFORM}, random_seed,
                               NULL, NULL);
        }
    }
    double *params = t->net->params, *state = t->net->state;
    for (ptrdiff_t i = 0; i < steps; i++) {
        const mlp_segment *first = &t->net->segment[t->net->step[i].segment];
        for (ptrdiff_t k = 0; k < first->columns && specs[i].kind != MLP_DENSE && t->net->step[i].segments > 0; k++) {
            params[first->begin + k] = 1;
        }
    }
    for (ptrdiff_t i = 0; i < t->net->buffer_size; i++) {
        state[i] = 0.5 + fabs(uniform());
    }
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
    draw_categories(&t->net->embedding, n, (double *)t->samples.x);
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
        const bool kept = mlp_needs_state(t->optimizer.id, i, t->optimizer.hypers);
        t->optimizer.state[i] = kept ? numbers(t->net->parameters) : NULL;
    }
    t->first = numbers(t->net->parameters);
    memcpy(t->first, params, (size_t)t->net->parameters * sizeof(double));
    t->first_state = numbers(t->net->buffer_size);
    memcpy(t->first_state, state, (size_t)t->net->buffer_size * sizeof(double));
}

void free_trial(trial *t) {
    mlp_net_free(t->net);
    mlp_free((void *)t->samples.x);
    mlp_free((void *)t->samples.y);
    mlp_free((void *)t->samples.weight);
    mlp_free(t->first);
    mlp_free(t->first_state);
    for (int i = 0; i < MLP_STATES; i++) {
        mlp_free(t->optimizer.state[i]);
    }
}

void start_again(trial *t) {
    const size_t bytes = (size_t)t->net->parameters * sizeof(double);
    memcpy(t->net->params, t->first, bytes);
    memcpy(t->net->state, t->first_state, (size_t)t->net->buffer_size * sizeof(double));
    for (int i = 0; i < MLP_STATES; i++) {
        if (t->optimizer.state[i]) {
            memset(t->optimizer.state[i], 0, bytes);
        }
    }
    t->t = 0;
}
