/* catalogue.h: the words of everything that has a name: activations, losses, optimizers, ... What a row means as arithmetic
 * is the business of reference/ and of each instruction set, whose tables are filled from the same rows.
 */
#ifndef MLPCORE_CATALOGUE_H
#define MLPCORE_CATALOGUE_H

#include <stdbool.h>

#include "ids.h"

/* A constant or hyperparameter: a number in [least, below), in float at least least_f32; or a flag. */
typedef struct {
    const char *name; /* NULL ends the list */
    double standard, least, below;
    bool is_flag;
    double least_f32; /* 0: least */
} mlp_hyper;

/* An array that an optimizer keeps. */
typedef struct {
    const char *name;    /* NULL ends the list                                              */
    const char *only_if; /* it is kept only if this hyperparameter is not 0; NULL: always */
} mlp_state;

typedef enum {
    MLP_PER_ROW = 1 << 0,            /* activation: units of a row depend on each other     */
    MLP_FROM_Z = 1 << 1,             /* activation: sigma' needs z                          */
    MLP_MEAN_OF_OUTPUTS = 1 << 2,    /* loss: a sample's terms are averaged, not added up   */
    MLP_BINARY = 1 << 3,             /* loss, metric: y is a yes or no for each output, 1 or 0 */
    MLP_CLASSES = 1 << 4,            /* loss, metric: a row has one class, which y may give by index */
    MLP_PER_OUTPUT = 1 << 5,         /* metric: each output is right or wrong, not each row */
    MLP_ELEMENTWISE = 1 << 6,        /* layer: works element by element                     */
    MLP_COUNTS_STEPS = 1 << 7,       /* optimizer: its formula has t, the number of the step */
    MLP_SIGNS = 1 << 8,              /* loss, metric: y is 1 or -1 for each output          */
    MLP_SMOOTHED = 1 << 9,           /* loss: its first constant is the share of y that label smoothing spreads */
    MLP_LABELS = 1 << 10,            /* metric: y is a yes or no for each of several outputs */
    MLP_NUMBERS = 1 << 11,           /* metric: y is whatever it is                         */
    MLP_KEEPS_OUTPUTS = 1 << 12,     /* metric: the outputs of all rows are kept until the end */
    MLP_PAIRED = 1 << 13,            /* loss: two outputs for each number of y              */
    MLP_SMALLER_IS_BETTER = 1 << 14, /* metric: an error, and not a share of what is right */
} mlp_traits;

typedef struct {
    const char *name, *alias, *class_name; /* a longer name; the class in Python; NULL: none */
    const char *formula, *derivative, *source;
    mlp_hyper hypers[MLP_HYPERS + 1];
    mlp_state states[MLP_STATES + 1]; /* optimizers */
    unsigned traits;
    double least, most; /* losses: the range of y */
} mlp_entry;

typedef struct {
    const char *name;
    const mlp_entry *entries; /* by id; a NULL name ends them */
} mlp_family;

/* The traits by name, in the order of their bits; NULL ends them. */
extern const char *const mlp_trait_names[];

/* All families; a NULL name ends them. */
extern const mlp_family mlp_catalogue[];

/* The rows of one family, by id; a NULL name ends them. */
extern const mlp_entry mlp_activations[], mlp_losses[], mlp_pairs[], mlp_optimizers[], mlp_schedules[],
    mlp_initializers[], mlp_metrics[], mlp_layers[], mlp_elementaries[];

static inline bool mlp_derivative_needs_z(mlp_activation_id sigma) {
    return mlp_activations[sigma].traits & MLP_FROM_Z;
}
static inline bool mlp_is_per_row(mlp_activation_id sigma) { return mlp_activations[sigma].traits & MLP_PER_ROW; }

/* Whether an optimizer has a state i and keeps it, with hyperparameters of these values. */
bool mlp_needs_state(mlp_optimizer_id id, int i, const double *hypers);

#endif
