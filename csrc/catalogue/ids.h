/* ids.h: an enum for each family of the catalogue, its members in the order of the rows. */
#ifndef MLPCORE_IDS_H
#define MLPCORE_IDS_H

typedef enum {
#define UNIT(ID, ...) MLP_##ID,
#define ROW(ID, ...) MLP_##ID,
#include "activations.def"
} mlp_activation_id;

typedef enum {
#define LOSS(ID, ...) MLP_##ID,
#include "losses.def"
} mlp_loss_id;

/* The pair of a loss and an output activation; MLP_THROUGH_A: it has no row of its own. */
typedef enum {
    MLP_THROUGH_A,
#define PAIR(ID, ...) MLP_##ID,
#include "pairs.def"
} mlp_pair_id;

typedef enum {
#define OPTIMIZER(ID, ...) MLP_##ID,
#include "optimizers.def"
} mlp_optimizer_id;

typedef enum {
#define SCHEDULE(ID, ...) MLP_SCHEDULE_##ID,
#include "schedules.def"
} mlp_schedule_id;

typedef enum {
#define INITIALIZER(ID, ...) MLP_INITIALIZER_##ID,
#include "initializers.def"
} mlp_initializer_id;

/* The rules that an accuracy counts by. */
typedef enum {
#define METRIC(ID, ...) MLP_##ID,
#include "metrics.def"
} mlp_metric_id;

/* All metrics, these rules first. */
typedef enum {
#define METRIC(ID, ...) MLP_MEASURE_##ID,
#define MEASURE METRIC
#include "metrics.def"
} mlp_measure_id;

/* What y tells, where answers are counted: a yes or no, one class a row, or a yes or no for each output; or nothing of it. */
typedef enum { MLP_ANSWERS_BINARY, MLP_ANSWERS_CLASSES, MLP_ANSWERS_LABELS, MLP_ANSWERS_NUMBERS } mlp_answers;

typedef enum {
#define LAYER(ID, ...) MLP_##ID,
#define MOVING LAYER
#define SAME_WIDTH LAYER
#define ELEMENTS LAYER
#define DRAWING LAYER
#include "layers.def"
} mlp_layer_id;

typedef enum {
#define ELEMENTARY(ID, ...) MLP_ELEMENTARY_##ID,
#include "elementaries.def"
} mlp_elementary_id;

/* How many rows a family has. Not members of the enums, so that a switch over one names its rows and nothing else. */
enum {
    MLP_ACTIVATION_COUNT = 0
#define UNIT(ID, ...) +1
#define ROW(ID, ...) +1
#include "activations.def"
    ,
    MLP_LOSS_COUNT = 0
#define LOSS(ID, ...) +1
#include "losses.def"
    ,
    MLP_OPTIMIZER_COUNT = 0
#define OPTIMIZER(ID, ...) +1
#include "optimizers.def"
    ,
    MLP_ELEMENTARY_COUNT = 0
#define ELEMENTARY(ID, ...) +1
#include "elementaries.def"
    ,
    MLP_METRIC_COUNT = 0
#define METRIC(ID, ...) +1
#include "metrics.def"
};

/* The most that a row may have: constants or hyperparameters, and arrays of an optimizer's state. */
enum { MLP_HYPERS = 6, MLP_STATES = 3 };

/* The constants of a rule in one step: the first is the part of w that weight decay takes, the others are the rule's own. */
enum { MLP_DECAY, MLP_FIRST_OWN, MLP_CONSTANTS = 8 };

#endif
