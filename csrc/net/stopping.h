/* stopping.h: early stopping: ends a training when a number that is measured after each epoch has not become better for some
 * epochs, and keeps the parameters of the best one.
 */
#ifndef MLPCORE_STOPPING_H
#define MLPCORE_STOPPING_H

#include <stdbool.h>
#include <stddef.h>

/* Doubles that Python keeps in one array, in this order. */
typedef struct {
    double best;       /* the best number so far                                     */
    double best_epoch; /* where it was, counted like `epochs`; -1: there is none yet */
    double epochs;     /* that have been watched                                     */
    double stopped;    /* 1: the training is to end                                  */
    double waited;     /* epochs since a number was better than the best by min_delta */
} mlp_stopping_progress;

enum { MLP_STOPPING_NUMBERS = sizeof(mlp_stopping_progress) / sizeof(double) };

typedef struct {
    const double *watched; /* the number of the call's first epoch */
    ptrdiff_t stride;      /* from one epoch's to the next         */
    bool larger_is_better;
    bool best_of_all; /* the best is the best of all numbers; otherwise a new one must be better by min_delta */
    double min_delta, patience;
    void *best_params, *best_state; /* room for those of the best epoch; NULL: they are not kept */
    mlp_stopping_progress *progress;
} mlp_early_stopping;

/* An epoch has ended with this number: whether it is the best so far. One that is NaN is not. */
bool mlp_watch_epoch(const mlp_early_stopping *stopping, double number);

#endif
