/* schedule.h: the learning rate of each step. It is computed once a step by the host, in double, from +, -, *, / and the double
 * exp, log and log1p of reference/elementary.h: the same on every machine, instruction set and number of threads.
 */
#ifndef MLPCORE_SCHEDULE_H
#define MLPCORE_SCHEDULE_H

#include "../mlpcore.h"

/* How far a schedule has come: with the optimizer's count of steps, all that going on exactly needs. Numbers that Python keeps in
 * one array, in this order. */
typedef struct {
    double first_step;        /* of the optimizer, with which the schedule began                      */
    double epochs;            /* that have ended since                                                */
    double scale, best, wait; /* reduce_on_plateau: factor^reductions, the best loss, epochs since it */
} mlp_schedule_progress;

enum { MLP_SCHEDULE_NUMBERS = sizeof(mlp_schedule_progress) / sizeof(double) };

typedef struct {
    mlp_schedule_id id;
    double constants[MLP_HYPERS];
    bool per_epoch;                  /* t counts epochs, not steps                                   */
    double warmup;                   /* steps over which the rate first rises; t counts steps after them */
    mlp_schedule_progress *progress; /* NULL: no schedule, the rate stays as it is                   */
} mlp_schedule;

/* The rate of the step after `steps` steps of the optimizer; at most learning_rate. */
double mlp_scheduled_rate(const mlp_schedule *schedule, double learning_rate, int64_t steps);

/* An epoch has ended, with this mean loss of the training samples. */
void mlp_schedule_epoch(const mlp_schedule *schedule, double loss);

/* After an epoch the loss of samples to validate with was this. */
void mlp_schedule_validated(const mlp_schedule *schedule, double loss);

/* For reduce_on_plateau: the loss that it watches, once an epoch. */
void mlp_schedule_loss(const mlp_schedule *schedule, double loss);

#endif
