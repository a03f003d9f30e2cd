/* net.h: what can be done with a network as a whole: forward, backward, update, predict, evaluate, train.
 *
 * A batch leaves its values and gradients in a workspace, one block of memory that the caller owns and passes in, so that its
 * arrays can be shown to others for as long as they like. Nothing here knows Python. Only mlp_net_new allocates; the other
 * calls cannot fail, except where a layer written elsewhere does. `void *` means real of net->bits.
 */
#ifndef MLPCORE_NET_H
#define MLPCORE_NET_H

#include "../runtime/poll.h"
#include "metrics.h"
#include "plan.h"
#include "schedule.h"
#include "stopping.h"

/* An initializer, and the values of its constants. */
typedef struct {
    mlp_initializer_id id;
    double constants[MLP_HYPERS];
} mlp_initializer;

/* Fills a segment of a step, counted from the step's first, by the initializer, with the random numbers that the layer has
 * under the seed; `scratch` has room for mlp_initializer_elements. A float net gets the rounded numbers of the double net.
 * False: the interrupt callback stopped it. */
bool mlp_net_initialize(mlp_net *net, ptrdiff_t step, ptrdiff_t segment, const mlp_initializer *initializer,
                        uint64_t seed, double *scratch, const mlp_interrupt *interrupt);

/* -1: more than ptrdiff_t counts. */
ptrdiff_t mlp_initializer_elements(const mlp_net *net, ptrdiff_t step, ptrdiff_t segment,
                                   const mlp_initializer *initializer);

/* A batch's memory: the parts that plan.c laid out, each with room for `capacity` rows, of which the first n are in use; and
 * the addresses of the steps. */
typedef struct {
    ptrdiff_t capacity;
    void *block; /* of mlp_workspace_elements(net, capacity) elements, 64-byte aligned */
} mlp_workspace;

/* How many elements the block needs; -1: more than ptrdiff_t counts in bytes. */
ptrdiff_t mlp_workspace_elements(const mlp_net *net, ptrdiff_t capacity);

/* Where a value or gradient begins in the block, in elements. */
ptrdiff_t mlp_workspace_offset(ptrdiff_t capacity, mlp_slot slot);

/* A loss that is written elsewhere: fills the samples' values (n) and, unless it is NULL, the gradients (n, out) of each to its
 * y_hat = a^J, not scaled. Nonzero: it failed. */
typedef struct {
    int (*fill)(void *context, void *caller, ptrdiff_t n, ptrdiff_t out, void *value, void *grad, const void *y_hat,
                const void *y);
    void *context;
} mlp_custom_loss;

/* A loss, and the values of its constants; or one that is written elsewhere. */
typedef struct {
    mlp_loss_id id;
    double constants[MLP_HYPERS];
    mlp_custom_loss custom; /* fill NULL: the catalogue's */
    bool has_labels;        /* y (n) holds the index of each row's class, in place of (n, out) */
} mlp_loss;

/* Who computes: masks of dropout depend on these and on nothing else. `training` false: no dropout, and no moments of a batch. */
typedef struct {
    bool training;
    uint64_t seed, batch; /* batch: the epoch's number in the upper half, the batch's in the lower */
    const void *weight;   /* (n) or NULL: what a row counts in the moments of a batch: see layers/batch_norm.c */
    void *caller;         /* handed on to what is written elsewhere */
} mlp_mode;

static inline uint64_t mlp_batch_number(uint32_t epoch, uint64_t batch) { return (uint64_t)epoch << 32 | batch; }

/* value 0, rows 0 ... n-1 -> all values; in training the numbers beside the parameters move. False: a layer failed, and
 * nothing has moved. */
bool mlp_net_forward(const mlp_net *net, mlp_workspace work, ptrdiff_t n, const mlp_mode *mode);

/* After a forward of the same n and mode: all gradients; *loss becomes the batch's. y (n, out), weight (n) or NULL. False: a
 * layer or the loss failed. */
bool mlp_net_backward(const mlp_net *net, mlp_workspace work, ptrdiff_t n, const mlp_mode *mode, const mlp_loss *loss,
                      const void *y, const void *weight, double *value);

/* A rule that is written elsewhere: takes step t = 1, 2, ... of all parameters with the gradients that the net holds. Nonzero:
 * it failed, and left the parameters as they were. */
typedef struct {
    int (*step)(void *context, void *caller, int64_t t);
    void *context;
} mlp_custom_rule;

/* Gradients of several batches whose mean makes one step. */
typedef struct {
    int64_t batches;  /* that make a step                                                      */
    void *sum;        /* of the gradients that wait, like the parameters; NULL: every batch makes a step */
    int64_t *waiting; /* how many they are                                                     */
} mlp_accumulation;

/* The exponential moving average of the parameters. */
typedef struct {
    double momentum;
    int64_t overwrite_every; /* after so many steps it takes the parameters' place; 0: never */
    void *average;           /* like the parameters; NULL: there is none                     */
    int64_t *steps;          /* that it has followed                                         */
} mlp_average;

/* An optimizer and its states, each of which lies like the parameters; one that the rule does without is NULL. */
typedef struct {
    mlp_optimizer_id id;
    double hypers[MLP_HYPERS]; /* the learning rate first: the largest, where there is a schedule */
    mlp_schedule schedule;
    double clip_value, clip_norm; /* of the gradient; INFINITY: not */
    void *state[MLP_STATES];
    int64_t *t;             /* steps taken so far; counts on */
    mlp_custom_rule custom; /* step NULL: the catalogue's; else nothing above but t counts */
    mlp_accumulation accumulation;
    mlp_average average;
} mlp_optimizer;

/* One step with the gradients that the last backward left, or, where they are accumulated, perhaps none yet; where they make a
 * step, their mean takes their place. False: a rule that is written elsewhere failed. */
bool mlp_net_update(mlp_net *net, const mlp_optimizer *optimizer, void *caller);

/* fusion.c */
bool mlp_fuses_update(const mlp_net *net, const mlp_optimizer *optimizer, bool one_sample);
bool mlp_fuses_next_forward(const mlp_net *net, const mlp_optimizer *optimizer);

/* How many of n rows predict takes at a time, and evaluate may as well. */
ptrdiff_t mlp_rows_at_once(ptrdiff_t n);

/* a^J (n, out) of x (n, in), with a scratch of mlp_predict_elements(net, n): rows are taken a few at a time. The interrupt
 * is polled between them, with the number of rows done. False: a layer failed. */
ptrdiff_t mlp_predict_elements(const mlp_net *net, ptrdiff_t n);
bool mlp_net_predict(const mlp_net *net, ptrdiff_t n, void *a, const void *x, void *scratch, void *caller,
                     const mlp_interrupt *interrupt);

/* Samples: x (n, in), y (n, out), weight (n) or NULL. */
typedef struct {
    ptrdiff_t n;
    const void *x, *y, *weight;
} mlp_samples;

/* Samples that are a part of an epoch, or of what is measured: others come before or after them. They lie in a block of rows,
 * whose shuffle is its own. `sums` hands on from part to part what has been summed up. */
typedef struct {
    uint32_t block; /* its number, from which the order of its rows follows          */
    bool is_last;   /* none comes after it                                           */
    double *sums;   /* MLP_PART_SUMS, and then mlp_measure_room where there are some */
} mlp_part;

enum { MLP_PART_SUMS = 5 };

typedef struct {
    double loss, accuracy; /* means over the samples; accuracy by the rule of the metric */
} mlp_score;

/* What is to be measured. */
typedef struct {
    mlp_samples samples;
    mlp_loss loss;
    mlp_metric_id metric;
    mlp_measures *measures; /* NULL: no other metrics */
    const mlp_part *part;   /* the samples are one of all; NULL: they are all there are */
    mlp_workspace work;     /* rows are taken work.capacity at a time */
    void *value;            /* (samples.n) scratch */
    void *caller;
    const mlp_interrupt *interrupt;
} mlp_evaluation;

/* The loss of all samples as one batch; after a part that is not the last the score means nothing. False: a layer failed or the
 * interrupt said stop, and there is no score. */
bool mlp_net_evaluate(const mlp_net *net, const mlp_evaluation *evaluation, mlp_score *score);

/* Samples that are measured after each epoch of a training. */
typedef struct {
    mlp_evaluation evaluation; /* its measures are those of one epoch */
    mlp_score *scores;         /* (epochs) */
    double *values;            /* (epochs, measures->count) */
} mlp_validation;

/* How far training has come, and, with parameters and states, all that going on exactly needs. */
typedef struct {
    uint32_t epoch;                           /* number of the epoch that is under way                     */
    ptrdiff_t seen;                           /* rows of it that are done                                  */
    ptrdiff_t batches;                        /* batches of it that are done                            */
    double loss_sum, weight_sum, correct_sum; /* over these rows                 */
} mlp_cursor;

/* What training is asked to do: passes over the samples in batches of work.capacity rows, the last one shorter. */
typedef struct {
    mlp_samples samples;
    mlp_loss loss;
    mlp_metric_id metric;
    mlp_measures *measures; /* of an epoch's samples, as the scores; NULL: none         */
    double mean_weight;     /* that a weight counts against; 0: each batch's own        */
    const mlp_optimizer *optimizer;
    ptrdiff_t epochs;
    const mlp_part *part; /* of the one epoch; NULL: the samples are all there are */
    ptrdiff_t *order;     /* room for samples.n rows' order, drawn anew for each epoch; NULL: as they come */
    uint64_t seed;        /* from which and from the epoch's number an order follows, and the masks        */
    mlp_score *scores;    /* (epochs): the means over an epoch's samples, each taken before its batch's update */
    double *rates;        /* (epochs): the learning rate of an epoch's last step; NULL: nobody wants to know */
    const mlp_validation *validation;   /* NULL: none           */
    const mlp_early_stopping *stopping; /* NULL: all the epochs */
    /* Called after each batch with its number in the epoch and its loss; nonzero: it was the last one. NULL: nothing is called. */
    int (*batch_end)(void *caller, ptrdiff_t batch, double loss);
    void *caller;
    const mlp_interrupt *interrupt; /* polled before a batch, which is the last one if it says so              */
} mlp_training;

typedef struct {
    ptrdiff_t batches;          /* that were done                                                             */
    ptrdiff_t first_not_finite; /* the first whose loss was not finite, counted like `batches`; -1: none      */
    ptrdiff_t rows;             /* of the last batch, whose values and gradients are all there to be shown;
                                   -1: they are not                                                           */
    bool failed;                /* what is written elsewhere did, in the batch after the last one that was done */
} mlp_trained;

/* All samples as one batch: the gradients of their mean loss, and its value. False: a layer failed. */
bool mlp_net_whole_gradient(mlp_net *net, mlp_workspace work, const mlp_training *training, mlp_score *score);

/* Goes on from the cursor, which it moves. */
mlp_trained mlp_net_train(mlp_net *net, mlp_workspace work, const mlp_training *training, mlp_cursor *cursor);

#endif
