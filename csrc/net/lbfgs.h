/* lbfgs.h: training by L-BFGS, the quasi-Newton method with a limited memory (Nocedal 1980; Nocedal & Wright 2006, algorithms
 * 7.4 and 7.5). An epoch is one iteration with all samples as one batch.
 */
#ifndef MLPCORE_LBFGS_H
#define MLPCORE_LBFGS_H

#include "net.h"

/* Where an iteration begins, and what is counted. Numbers that Python keeps in one array, in this order. */
typedef struct {
    double pairs, newest;  /* of s and y that are stored, and which of them is the newest                  */
    double is_known;       /* the next four numbers, the gradient and the point that it belongs to         */
    double objective;      /* the loss and the penalties                                                    */
    double loss, accuracy; /* of all samples                                                                */
    double is_stuck;       /* no step made the objective smaller: nothing is to be done any more            */
    double evaluations;    /* of loss and gradient so far                                                   */
} mlp_lbfgs_numbers;

enum { MLP_LBFGS_NUMBERS = sizeof(mlp_lbfgs_numbers) / sizeof(double) };

/* What goes on exactly from iteration to iteration, and scratch. All vectors lie like the parameters, in double. */
typedef struct {
    ptrdiff_t history; /* how many pairs are kept                                                */
    mlp_lbfgs_numbers *numbers;
    int64_t *t;       /* iterations so far; counts on                                           */
    double *s, *y;    /* (history) vectors each: changes of the point and of the gradient       */
    double *point;    /* where the iteration begins                                             */
    double *gradient; /* of the objective there; 0 where nothing is to be trained               */
    double *scratch;  /* 3 vectors, and 2 numbers for each pair                                  */
} mlp_lbfgs;

/* How many numbers the scratch has; -1: more than ptrdiff_t counts. */
ptrdiff_t mlp_lbfgs_scratch(const mlp_net *net, ptrdiff_t history);

/* As mlp_net_train; `training` needs no optimizer, and work.capacity is the number of samples. The interrupt is polled between
 * evaluations, and takes the iteration that is under way back. */
mlp_trained mlp_net_minimize(mlp_net *net, mlp_workspace work, const mlp_training *training, mlp_lbfgs *lbfgs,
                             mlp_cursor *cursor);

#endif
