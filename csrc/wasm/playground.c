/* playground.c: a network for a page in a browser: what WebAssembly exports of the core.
 *
 * A network is a stack of dense layers in float, with its samples, its loss and its optimizer. It is trained batch by batch, as
 * mlpcore.Sequential.fit trains it, to the same bits. All functions are called from one thread, by
 * mlpcore/widget/wasm_engine.js; sizes are small (net_new is told no more units than a page can show) and are not checked here.
 */
#include <math.h>
#include <string.h>

#include "../isa/isa.h"
#include "../net/net.h"
#include "../runtime/memory.h"
#include "../runtime/rng.h"

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

/* Where rows lie with all that follows from them: the batch that is trained on, one sample that is looked at, points of a grid. */
typedef enum { BATCH, SAMPLE, GRID, VIEWS } view_id;

/* The arrays of a layer in a view; w, b and their gradients lie as in the net: w[k * out + i] is w_{i,k}. */
typedef enum { X, Z, A, DSIGMA, GRAD_A, PHI, GRAD_W, GRAD_B, W, B } array_id;

typedef struct {
    mlp_workspace work;
    ptrdiff_t n;            /* rows in use                                                              */
    float *grads;           /* like the parameters: a look at a sample leaves the gradients of the batch */
    float *y, *scale;       /* (n, out), (n)                                                             */
    float *dsigma, *grad_a; /* (n, out) of each layer, one layer behind the other                        */
} view;

typedef struct {
    ptrdiff_t in, out, step; /* its widths, and its dense step                   */
    ptrdiff_t before;        /* units of all layers below                        */
    bool activates;          /* the step after it is its activation; else a is z */
    mlp_activation_f32 sigma;
} layer;

enum { MOST_LAYERS = 16, GRID_ROWS = 512 };

typedef struct {
    mlp_net *net;
    ptrdiff_t layers;
    layer layer[MOST_LAYERS];
    uint32_t seed;
    view view[VIEWS];
    float *scratch, *value; /* of predict for any number of rows; of evaluate */

    mlp_samples samples;
    mlp_loss loss;
    mlp_optimizer optimizer;
    int64_t t;
    ptrdiff_t *order; /* of the epoch that is under way */
    mlp_cursor cursor;
} network;

/* ---- memory ----------------------------------------------------------------------------------------------------- */

EXPORT void *room_new(ptrdiff_t bytes) { return mlp_alloc(bytes, 1); }
EXPORT void room_free(void *block) { mlp_free(block); }

static bool fill_view(view *v, const network *p, ptrdiff_t capacity) {
    const ptrdiff_t units = p->layer[p->layers - 1].before + p->layer[p->layers - 1].out;
    v->work = (mlp_workspace){capacity, mlp_alloc(mlp_workspace_elements(p->net, capacity), sizeof(float))};
    v->grads = mlp_alloc(p->net->parameters, sizeof(float));
    v->y = mlp_alloc(capacity * mlp_net_outputs(p->net), sizeof(float));
    v->scale = mlp_alloc(capacity, sizeof(float));
    v->dsigma = mlp_alloc(capacity * units, sizeof(float));
    v->grad_a = mlp_alloc(capacity * units, sizeof(float));
    return v->work.block && v->grads && v->y && v->scale && v->dsigma && v->grad_a;
}

static void free_view(view *v) {
    mlp_free(v->grad_a);
    mlp_free(v->dsigma);
    mlp_free(v->scale);
    mlp_free(v->y);
    mlp_free(v->grads);
    mlp_free(v->work.block);
    *v = (view){0};
}

EXPORT void network_free(network *p) {
    for (int i = 0; i < VIEWS; i++) {
        free_view(&p->view[i]);
    }
    for (int i = 0; i < MLP_STATES; i++) {
        mlp_free(p->optimizer.state[i]);
    }
    mlp_free(p->order);
    mlp_free(p->value);
    mlp_free(p->scratch);
    if (p->net) {
        mlp_net_free(p->net);
    }
    mlp_free(p);
}

/* ---- a new network ---------------------------------------------------------------------------------------------- */

/* The values that constants have if nobody says otherwise. */
static void set_standard(double *constants, const mlp_hyper *hypers) {
    for (int i = 0; hypers[i].name; i++) {
        constants[i] = hypers[i].standard;
    }
}

/* The steps of layer j, as mlpcore/layers/dense.py has them; returns how many. */
static ptrdiff_t describe(layer *l, uint32_t j, mlp_step_spec *specs) {
    specs[0] = (mlp_step_spec){.kind = MLP_DENSE, .layer = j, .units = l->out, .constants = {1}};
    specs[1] = (mlp_step_spec){.kind = MLP_ACTIVATION, .layer = j, .joined = true, .sigma = l->sigma.id};
    set_standard(specs[1].constants, mlp_activations[l->sigma.id].hypers);
    for (int i = 0; i < MLP_HYPERS; i++) {
        l->sigma.constants[i] = (float)specs[1].constants[i];
    }
    l->activates = l->sigma.id != MLP_LINEAR;
    return l->activates ? 2 : 1;
}

static bool initialize(network *p, const int32_t *rows) {
    for (ptrdiff_t j = 0; j < p->layers; j++) {
        mlp_initializer w = {.id = (mlp_initializer_id)rows[3 * j + 2]};
        set_standard(w.constants, mlp_initializers[w.id].hypers);
        double *room = mlp_alloc(mlp_initializer_elements(p->net, p->layer[j].step, 0, &w) + 1, sizeof(double));
        if (!room) {
            return false;
        }
        mlp_net_initialize(p->net, p->layer[j].step, 0, &w, p->seed, room, NULL); /* b stays 0 */
        mlp_free(room);
    }
    return true;
}

/* Rows (layers, 3): units, activation and initializer of w of each layer, by their places in the catalogue. NULL: out of
 * memory, or too many layers. */
EXPORT network *network_new(ptrdiff_t in, ptrdiff_t layers, const int32_t *rows, uint32_t seed) {
    network *p = layers > MOST_LAYERS ? NULL : mlp_alloc(1, sizeof(network));
    if (!p) {
        return NULL;
    }
    mlp_step_spec specs[2 * MOST_LAYERS];
    ptrdiff_t steps = 0, units = 0;
    p->layers = layers;
    p->seed = seed;
    for (ptrdiff_t j = 0; j < layers; j++) {
        layer *l = &p->layer[j];
        *l = (layer){.in = j ? l[-1].out : in, .out = rows[3 * j], .step = steps, .before = units};
        l->sigma.id = (mlp_activation_id)rows[3 * j + 1];
        steps += describe(l, (uint32_t)j, &specs[steps]);
        units += l->out;
    }
    p->net = mlp_net_new(32, in, steps, specs);
    if (!p->net || !initialize(p, rows)) {
        network_free(p);
        return NULL;
    }
    return p;
}

/* Takes n samples x (n, in) and y (n, out), which stay the caller's, and says how they are trained on: by the rule with its
 * standard hyperparameters but for the rate. False: out of memory. */
EXPORT bool network_train_on(network *p, ptrdiff_t n, const float *x, const float *y, mlp_loss_id loss,
                             mlp_optimizer_id rule, double rate, ptrdiff_t batch_size) {
    p->samples = (mlp_samples){.n = n, .x = x, .y = y};
    p->loss.id = loss;
    set_standard(p->loss.constants, mlp_losses[loss].hypers);
    p->optimizer = (mlp_optimizer){.id = rule, .clip_value = INFINITY, .clip_norm = INFINITY, .t = &p->t};
    set_standard(p->optimizer.hypers, mlp_optimizers[rule].hypers);
    p->optimizer.hypers[0] = rate;
    for (int i = 0; i < MLP_STATES; i++) {
        if (mlp_needs_state(rule, i, p->optimizer.hypers)) {
            p->optimizer.state[i] = mlp_alloc(p->net->parameters, sizeof(float));
            if (!p->optimizer.state[i]) {
                return false;
            }
        }
    }
    p->order = mlp_alloc(n, sizeof *p->order);
    p->value = mlp_alloc(n, sizeof *p->value);
    p->scratch = mlp_alloc(mlp_predict_elements(p->net, GRID_ROWS), sizeof(float));
    return p->order && p->value && p->scratch && fill_view(&p->view[BATCH], p, batch_size < n ? batch_size : n) &&
           fill_view(&p->view[SAMPLE], p, 1) && fill_view(&p->view[GRID], p, GRID_ROWS);
}

EXPORT void network_set_rate(network *p, double rate) { p->optimizer.hypers[0] = rate; }

/* ---- forward, backward, update ---------------------------------------------------------------------------------- */

/* The net with the gradients of a view in place of its own. */
static mlp_net net_of(const network *p, const view *v) {
    mlp_net net = *p->net;
    net.grads = v->grads;
    return net;
}

static mlp_mode mode_of(const network *p) {
    return (mlp_mode){
        .training = true, .seed = p->seed, .batch = mlp_batch_number(p->cursor.epoch, (uint64_t)p->cursor.batches)};
}

static float *at(const view *v, mlp_slot slot) {
    return (float *)v->work.block + mlp_workspace_offset(v->work.capacity, slot);
}

/* Row number `row` of the samples becomes row `s` of a view. */
static void take_row(const network *p, view *v, ptrdiff_t s, ptrdiff_t row) {
    const ptrdiff_t in = mlp_net_inputs(p->net), out = mlp_net_outputs(p->net);
    const float *x = p->samples.x, *y = p->samples.y;
    memcpy(at(v, p->net->value[0]) + s * in, x + row * in, (size_t)in * sizeof *x);
    memcpy(v->y + s * out, y + row * out, (size_t)out * sizeof *y);
}

static void forward(const network *p, view *v) {
    const mlp_net net = net_of(p, v);
    const mlp_mode mode = mode_of(p);
    mlp_net_forward(&net, v->work, v->n, &mode);
}

/* Takes the rows of the next batch and computes z and a; returns how many they are. */
EXPORT ptrdiff_t network_forward(network *p) {
    view *v = &p->view[BATCH];
    const ptrdiff_t left = p->samples.n - p->cursor.seen;
    if (p->cursor.seen == 0) {
        const mlp_stream stream = {.seed = p->seed, .purpose = MLP_DRAW_SHUFFLE, .which = p->cursor.epoch};
        mlp_draw_permutation(stream, 0, p->samples.n, p->order, NULL, 0);
    }
    v->n = left < v->work.capacity ? left : v->work.capacity;
    for (ptrdiff_t s = 0; s < v->n; s++) {
        take_row(p, v, s, p->order[p->cursor.seen + s]);
    }
    forward(p, v);
    return v->n;
}

/* Which row of the samples is row s of the batch. */
EXPORT ptrdiff_t network_row(const network *p, ptrdiff_t s) { return p->order[p->cursor.seen + s]; }

static double backward(network *p, view *v) {
    const mlp_net net = net_of(p, v);
    const mlp_mode mode = mode_of(p);
    double loss;
    mlp_net_backward(&net, v->work, v->n, &mode, &p->loss, v->y, NULL, &loss);
    return loss;
}

EXPORT double network_backward(network *p) { return backward(p, &p->view[BATCH]); }

/* The step of the optimizer with the batch's gradients, and on to the next batch. Returns whether the epoch has ended; its loss
 * is then *epoch_loss, the mean over its batches, each taken before its step, as History has it. */
EXPORT bool network_update(network *p, double loss, double *epoch_loss) {
    view *v = &p->view[BATCH];
    mlp_net net = net_of(p, v);
    mlp_cursor *c = &p->cursor;
    mlp_net_update(&net, &p->optimizer, NULL);
    c->batches += 1;
    c->seen += v->n;
    c->loss_sum += (double)v->n * loss;
    if (c->seen < p->samples.n) {
        return false;
    }
    *epoch_loss = c->loss_sum / (double)p->samples.n;
    *c = (mlp_cursor){.epoch = c->epoch + 1};
    return true;
}

/* So many whole batches; losses gets that of each epoch that ends, of which it returns the number. */
EXPORT ptrdiff_t network_train(network *p, ptrdiff_t batches, double *losses) {
    ptrdiff_t epochs = 0;
    for (ptrdiff_t i = 0; i < batches; i++) {
        network_forward(p);
        epochs += network_update(p, network_backward(p), &losses[epochs]);
    }
    return epochs;
}

/* ---- looking ---------------------------------------------------------------------------------------------------- */

/* a^J (n, out) of x (n, in). */
EXPORT void network_predict(network *p, ptrdiff_t n, float *a, const float *x) {
    const ptrdiff_t in = mlp_net_inputs(p->net), out = mlp_net_outputs(p->net);
    for (ptrdiff_t begin = 0; begin < n; begin += GRID_ROWS) {
        const ptrdiff_t rows = n - begin < GRID_ROWS ? n - begin : GRID_ROWS;
        mlp_net_predict(p->net, rows, a + begin * out, x + begin * in, p->scratch, NULL, NULL);
    }
}

/* z and a of every layer for at most GRID_ROWS rows x (n, in), in the view GRID. */
EXPORT void network_spread(network *p, ptrdiff_t n, const float *x) {
    view *v = &p->view[GRID];
    v->n = n;
    memcpy(at(v, p->net->value[0]), x, (size_t)(n * mlp_net_inputs(p->net)) * sizeof *x);
    forward(p, v);
}

/* The loss over all samples as they are now, in the memory of the view GRID; *accuracy: NAN where y gives no right answers. */
EXPORT double network_evaluate(network *p, double *accuracy) {
    const unsigned traits = mlp_losses[p->loss.id].traits;
    const mlp_metric_id rule = traits & MLP_CLASSES ? MLP_CATEGORICAL_ACCURACY : MLP_BINARY_ACCURACY;
    const mlp_evaluation evaluation = {
        .samples = p->samples, .loss = p->loss, .metric = rule, .work = p->view[GRID].work, .value = p->value};
    mlp_score score = {0};
    mlp_net_evaluate(p->net, &evaluation, &score);
    *accuracy = traits & (MLP_CLASSES | MLP_BINARY) ? score.accuracy : (double)NAN;
    return score.loss;
}

/* The two factors of eq. 1 and 2, which training multiplies without keeping them: grad_a and sigma'(z). Needs a backward
 * before. */
EXPORT void network_factors(network *p, view_id id) {
    const view *v = &p->view[id];
    const mlp_kernels_f32 *k = mlp_current_f32();
    k->batch_scale(v->n, v->scale, NULL, (double)v->n);
    for (ptrdiff_t j = 0; j < p->layers; j++) {
        const layer *l = &p->layer[j];
        const float *z = at(v, p->net->value[l->step + 1]);
        const float *a = at(v, p->net->value[l->step + 1 + l->activates]);
        float *dsigma = v->dsigma + v->work.capacity * l->before, *grad_a = v->grad_a + v->work.capacity * l->before;
        for (ptrdiff_t i = 0; i < v->n * l->out; i++) {
            grad_a[i] = 1; /* sigma' is what a gradient of 1 becomes */
        }
        k->activation_backward(&l->sigma, v->n, l->out, dsigma, mlp_derivative_needs_z(l->sigma.id) ? z : a, grad_a);
        if (j + 1 < p->layers) {
            const float *phi = at(v, p->net->grad[l[1].step + 1]);
            const float *w = (const float *)p->net->params + p->net->segment[p->net->step[l[1].step].segment].begin;
            k->dense_backward_x(v->n, l->out, l[1].out, grad_a, phi, w, NULL);
        } else {
            mlp_loss_f32 loss = {.id = p->loss.id};
            for (int i = 0; i < MLP_HYPERS; i++) {
                loss.constants[i] = (float)p->loss.constants[i];
            }
            k->loss_gradient(&loss, v->n, l->out, grad_a, a, v->y, v->scale);
        }
    }
}

/* One sample by itself, forward and backward, in the view SAMPLE; returns its loss. Nothing else changes. */
EXPORT double network_look(network *p, ptrdiff_t row) {
    view *v = &p->view[SAMPLE];
    v->n = 1;
    take_row(p, v, 0, row);
    forward(p, v);
    const double loss = backward(p, v);
    network_factors(p, SAMPLE);
    return loss;
}

/* Where an array of a layer begins. */
EXPORT float *network_array(const network *p, view_id id, ptrdiff_t j, array_id array) {
    const view *v = &p->view[id];
    const layer *l = &p->layer[j];
    const ptrdiff_t w = p->net->segment[p->net->step[l->step].segment].begin, b = w + l->in * l->out;
    switch (array) {
    case X: return at(v, p->net->value[l->step]);
    case Z: return at(v, p->net->value[l->step + 1]);
    case A: return at(v, p->net->value[l->step + 1 + l->activates]);
    case DSIGMA: return v->dsigma + v->work.capacity * l->before;
    case GRAD_A: return v->grad_a + v->work.capacity * l->before;
    case PHI: return at(v, p->net->grad[l->step + 1]);
    case GRAD_W: return v->grads + w;
    case GRAD_B: return v->grads + b;
    case W: return (float *)p->net->params + w;
    case B: return (float *)p->net->params + b;
    }
    return NULL;
}

EXPORT float *network_y(const network *p, view_id id) { return p->view[id].y; }

/* All parameters, and how many they are. */
EXPORT float *network_params(const network *p) { return p->net->params; }
EXPORT ptrdiff_t network_parameters(const network *p) { return p->net->parameters; }
