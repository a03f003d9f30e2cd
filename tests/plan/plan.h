/* plan.h: what plan.c, trial.c and checks.c share. */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/net.h"

enum { MOST_STEPS = 200 };

/* A network, its samples, and how it is trained. */
typedef struct {
    mlp_net *net;
    mlp_samples samples;
    ptrdiff_t batch;
    mlp_loss loss;
    mlp_metric_id metric;
    mlp_optimizer optimizer;
    int64_t t;
    double *first, *first_state; /* its parameters, and the numbers beside them, before training */
    bool shuffle;
} trial;

/* ---- trial.c ---------------------------------------------------------------------------------------------------- */

extern uint64_t random_seed;
extern mlp_step_spec specs[MOST_STEPS]; /* of the trial that was drawn last */

ptrdiff_t below(ptrdiff_t end);
double *numbers(ptrdiff_t count);

void draw_trial(trial *t, bool large);
void free_trial(trial *t);

/* Its parameters and the optimizer's state as they were before training. */
void start_again(trial *t);

/* ---- checks.c --------------------------------------------------------------------------------------------------- */

extern int failures;
extern long checks;

void check_trial(trial *t);

#endif
