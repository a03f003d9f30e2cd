/* metrics.h: metrics of all samples: what is added up batch by batch, and the values that follow from it. engine/measure.c adds
 * up. An accuracy of which the head counts the right answers needs none of this.
 */
#ifndef MLPCORE_METRICS_H
#define MLPCORE_METRICS_H

#include "../mlpcore.h"

/* A metric, and the values of its constants. */
typedef struct {
    mlp_measure_id id;
    double constants[MLP_HYPERS];
} mlp_measure;

/* What the values are computed from. */
typedef struct {
    mlp_answers answers;
    ptrdiff_t out, rows;
    double weight;         /* of all rows */
    double *sums;          /* for each measure one */
    double *counts;        /* for each class or label MLP_COUNTS */
    double *errors;        /* for each output MLP_ERRORS */
    double *total_squares; /* (out): sum of weight (y - mean y)^2 */
    double *areas;         /* (out): under the curve of each output; nan where it is not needed, or has none */
} mlp_measured;

/* A row whose answer is to be ranked: a number that is larger where its score is, and what it counts, below 0 for a no. */
typedef struct {
    uint64_t key;
    double weight;
} mlp_ranked;

/* Metrics to be measured. The caller owns the memory. */
typedef struct {
    ptrdiff_t count;
    const mlp_measure *measure;
    mlp_answers answers; /* binary goes with one output */
    double threshold;    /* parts yes from no          */
    double *values;      /* (epochs, count)            */
    void *
        predictions; /* (samples.n, out): a row for each sample, where it lies; NULL: not kept, and no area needs them */
    double *room;    /* mlp_measure_room, zeros    */
    void *losses;    /* (rows of a batch) scratch  */
    mlp_ranked *ranking; /* (2 samples.n) scratch; NULL where no area is needed */
    ptrdiff_t begin;     /* whose turn the first sample of the sums was */
    ptrdiff_t rows;      /* of the same epoch before it, where the samples are a part of an epoch ... */
    double weight;       /* ... and their weight */
} mlp_measures;

typedef enum {
    MLP_FROM_RIGHT,
    MLP_FROM_TOP_K,
    MLP_FROM_LOSSES,
    MLP_FROM_COUNTS,
    MLP_FROM_ERRORS,
    MLP_FROM_RANKS
} mlp_measure_source;

mlp_measure_source mlp_source_of(mlp_measure_id id);

/* Whether one of them is computed from such sums. */
bool mlp_measures_from(const mlp_measures *m, mlp_measure_source source);

/* Whether one of them can only be computed where all samples are at hand. */
bool mlp_needs_all_samples(const mlp_measures *m);

/* How many doubles the room has; -1: more than ptrdiff_t counts. */
ptrdiff_t mlp_measure_room(const mlp_measures *m, ptrdiff_t out);

/* Where the sums lie in the room. */
mlp_measured mlp_measured_in(const mlp_measures *m, ptrdiff_t out);

/* The output that says yes, where one does: of two classes the second. */
ptrdiff_t mlp_positive_output(mlp_answers answers, ptrdiff_t out);

/* The value of a metric, whose own sum is `sum`. */
double mlp_measure_value(const mlp_measured *m, mlp_measure_id id, double sum);

#endif
