/* net.h: a network as data, and what can be done with it as a whole: forward, backward, update, predict, an epoch.
 *
 * All parameters lie in one flat buffer, layer after layer: w in (in, out) order, then b; the gradients lie the same way
 * in another. A batch leaves x, z, a and phi of every layer in a workspace, one block of memory that the caller owns and
 * passes in, so that its arrays can be shown to others for as long as they like.
 *
 * Nothing here knows Python. Only mlp_net_new allocates; the other calls cannot fail. `void *` means real of net->bits.
 */
#ifndef MLPCORE_NET_H
#define MLPCORE_NET_H

#include "../mlpcore.h"
#include "rng.h"

typedef struct {
    ptrdiff_t in, out;
    mlp_activation sigma;
    ptrdiff_t w, b;   /* where they begin in the flat buffers, in elements               */
    ptrdiff_t before; /* how wide all that comes before this layer's z in a workspace is */
} mlp_layer;

typedef struct {
    int bits; /* of its numbers: 32 or 64 */
    ptrdiff_t depth;
    mlp_layer *layers; /* (depth) */
    ptrdiff_t parameters;
    ptrdiff_t widest;     /* number of units of a layer            */
    ptrdiff_t work_width; /* of all parts of a workspace together  */
    void *params, *grads; /* (parameters) each, 64-byte aligned */
} mlp_net;

/* sizes (depth + 1), all >= 1. NULL: out of memory, or more parameters than ptrdiff_t counts. Parameters begin as 0. */
mlp_net *mlp_net_new(int bits, ptrdiff_t depth, const ptrdiff_t *sizes, const mlp_activation *sigmas);
void mlp_net_free(mlp_net *net);

typedef enum { MLP_GLOROT_UNIFORM, MLP_HE_UNIFORM, MLP_ZEROS } mlp_initializer;

/* Fills w of layer j with uniform numbers in [-limit, limit), limit = sqrt(6 / (in + out)) (Glorot & Bengio 2010) or
 * sqrt(6 / in) (He et al. 2015), or with 0; b becomes 0. A float net gets the rounded numbers of the double net. */
void mlp_net_initialize(mlp_net *net, ptrdiff_t j, mlp_initializer initializer, uint64_t seed);

/* A batch's memory, part after part: x of the first layer; z, a, phi of each layer; and a batch's y, its weight, and the
 * scale and value of each of its samples. Each part has room for `capacity` rows, of which the first n are in use. */
typedef struct {
    ptrdiff_t capacity;
    void *block; /* of mlp_workspace_elements(net, capacity) elements, 64-byte aligned */
} mlp_workspace;

typedef enum { MLP_X, MLP_Z, MLP_A, MLP_PHI } mlp_part;

/* How many elements the block needs; -1: more than ptrdiff_t counts in bytes. */
ptrdiff_t mlp_workspace_elements(const mlp_net *net, ptrdiff_t capacity);

/* Where a part of layer j begins in the block, in elements. x of a layer is a of the one below. */
ptrdiff_t mlp_workspace_offset(const mlp_net *net, ptrdiff_t capacity, ptrdiff_t j, mlp_part part);

/* x of the first layer, rows 0 ... n-1, -> z and a of every layer. */
void mlp_net_forward(const mlp_net *net, mlp_workspace work, ptrdiff_t n);

/* After a forward of the same n: phi of every layer and the flat gradients; returns the batch's loss.
 * y (n, out), weight (n) or NULL. */
double mlp_net_backward(const mlp_net *net, mlp_workspace work, ptrdiff_t n, mlp_loss loss, const void *y,
                        const void *weight);

/* An optimizer and its state, which lies like the parameters: (parameters) elements each. */
typedef struct {
    mlp_algorithm algorithm;
    double learning_rate, momentum, beta1, beta2, epsilon;
    int nesterov;
    void *m;    /* sgd: the velocity, NULL if momentum is 0 */
    void *v;    /* adam only */
    int64_t *t; /* adam only: steps taken so far; counts on */
} mlp_optimizer;

/* One step with the gradients that the last backward left. */
void mlp_net_update(mlp_net *net, const mlp_optimizer *optimizer);

/* Who wants to be asked, about every 50 ms, whether to go on: nonzero stops the call. `done` counts the batches of an
 * epoch, the rows of predict and evaluate. Calls that take a watch take NULL for nobody. */
typedef struct {
    int (*look)(void *context, ptrdiff_t done);
    void *context;
} mlp_watch;

/* How many of n rows predict takes at a time, and evaluate may as well. */
ptrdiff_t mlp_rows_at_once(ptrdiff_t n);

/* a^J (n, out) of x (n, in), with a scratch of mlp_predict_elements(net, n): rows are taken a few at a time. */
ptrdiff_t mlp_predict_elements(const mlp_net *net, ptrdiff_t n);
void mlp_net_predict(const mlp_net *net, ptrdiff_t n, void *a, const void *x, void *scratch, const mlp_watch *watch);

/* Samples: x (n, in), y (n, out), weight (n) or NULL. */
typedef struct {
    ptrdiff_t n;
    const void *x, *y, *weight;
} mlp_samples;

/* accuracy: the share of rows whose largest a is where the largest y is, or, for MLP_BCE and for a single output, the
 * share of outputs on the same side of 1/2 as y. For MLP_MSE it means little. */
typedef struct {
    double loss, accuracy;
} mlp_score;

/* The loss of all samples as one batch, with `value` (n) as scratch beside the work; 0 if the watch stopped it. */
mlp_score mlp_net_evaluate(const mlp_net *net, mlp_workspace work, mlp_loss loss, mlp_samples samples, void *value,
                           const mlp_watch *watch);

/* What training is asked to do: passes over the samples in batches of work.capacity rows, the last one shorter. */
typedef struct {
    mlp_samples samples;
    mlp_loss loss;
    const mlp_optimizer *optimizer;
    ptrdiff_t epochs;
    ptrdiff_t *order;       /* room for samples.n rows' order, drawn anew for each epoch; NULL: as they come         */
    uint64_t seed;          /* from which and from the epoch's number an order follows                              */
    uint32_t first_epoch;   /* the number of the first                                                              */
    mlp_score *scores;      /* (epochs): the means over an epoch's samples, each taken before its batch's update    */
    const mlp_watch *watch; /* asked before a batch, which is the last one if it says so                            */
} mlp_training;

/* Returns how many batches were done: fewer than all if the watch stopped it. */
ptrdiff_t mlp_net_train(mlp_net *net, mlp_workspace work, const mlp_training *training);

#endif
