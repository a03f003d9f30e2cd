#include "catalogue.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define NUMBER(name, standard, least, below) {name, standard, least, below, false, 0}
#define NUMBER_BY_TYPE(name, standard, least, least_f32, below) {name, standard, least, below, false, least_f32}
#define FLAG(name, standard) {name, standard, 0, 2, true, 0}
#define HYPERS(...) {__VA_ARGS__}
#define NO_CONSTANTS HYPERS({NULL, 0, 0, 0, false, 0})
#define STATES(...) .states = {__VA_ARGS__}
#define STATE(name) {name, NULL}
#define STATE_IF(hyper, name) {name, hyper}
#define EPSILON NUMBER_BY_TYPE("epsilon", 1e-7, 1e-30, 1e-16, INFINITY)
#define WEIGHT_DECAY(standard) NUMBER("weight_decay", standard, 0, INFINITY)
#define DECAY (1 - 0x1p-25)

/* Traits as the rows name them. */
enum { FROM_A = 0, FROM_Z = MLP_FROM_Z };
enum { NO_TRAITS = 0, COUNTS_STEPS = MLP_COUNTS_STEPS };
enum { SAMPLE = 0, OUTPUT = MLP_PER_OUTPUT };
enum { SUM = 0, MEAN = MLP_MEAN_OF_OUTPUTS };
enum { SMALLER = MLP_SMALLER_IS_BETTER };
enum { NUMBERS = 0, BINARY = MLP_BINARY, SIGNS = MLP_SIGNS, CLASSES = MLP_CLASSES, LABELS = MLP_LABELS };
enum { SMOOTHED = MLP_SMOOTHED, PAIRS = MLP_PAIRED };

const mlp_entry mlp_activations[] = {
#define WORDS(id, a, slope, paper) .name = #id, .formula = a, .derivative = slope, .source = paper
#define UNIT(ID, id, from, constants, ...) {WORDS(id, __VA_ARGS__), .hypers = constants, .traits = from},
#define ROW(ID, id, from, constants, ...) {WORDS(id, __VA_ARGS__), .hypers = constants, .traits = from | MLP_PER_ROW},
#include "activations.def"
#undef WORDS
    {.name = NULL},
};

const mlp_entry mlp_losses[] = {
#define LOSS(ID, id, long_name, over, least_y, most_y, targets, constants, value, slope, paper)                        \
    {.name = #id,                                                                                                      \
     .alias = long_name,                                                                                               \
     .hypers = constants,                                                                                              \
     .traits = (unsigned)(over) | (unsigned)(targets),                                                                 \
     .least = least_y,                                                                                                 \
     .most = most_y,                                                                                                   \
     .formula = value,                                                                                                 \
     .derivative = slope,                                                                                              \
     .source = paper},
#include "losses.def"
    {.name = NULL},
};

const mlp_entry mlp_pairs[] = {
    {.name = "through_a",
     .formula = "the loss of a = sigma(z)",
     .derivative = "grad_a through sigma'(z)",
     .source = "equation 1"},
#define PAIR(ID, id, LOSS_ID, ACTIVATION_ID, value, phi)                                                               \
    {.name = #id, .formula = value, .derivative = phi, .source = "equation 1"},
#include "pairs.def"
    {.name = NULL},
};

const mlp_entry mlp_optimizers[] = {
#define OPTIMIZER(ID, id, class_in_python, arrays, marks, hyperparameters, step, paper)                                \
    {.name = #id,                                                                                                      \
     .class_name = class_in_python,                                                                                    \
     arrays,                                                                                                           \
     .traits = marks,                                                                                                  \
     .hypers = hyperparameters,                                                                                        \
     .formula = step,                                                                                                  \
     .source = paper},
#include "optimizers.def"
    {.name = NULL},
};

const mlp_entry mlp_schedules[] = {
#define SCHEDULE(ID, id, class_in_python, constants, rate, paper)                                                      \
    {.name = #id, .class_name = class_in_python, .hypers = constants, .formula = rate, .source = paper},
#include "schedules.def"
    {.name = NULL},
};

const mlp_entry mlp_initializers[] = {
#define INITIALIZER(ID, id, constants, distribution, paper)                                                            \
    {.name = #id, .hypers = constants, .formula = distribution, .source = paper},
#include "initializers.def"
    {.name = NULL},
};

/* What the sums of a metric say of it. */
enum { OF_RIGHT, OF_TOP_K = 0, OF_LOSSES = 0, OF_COUNTS = 0, OF_ERRORS = 0, OF_RANKS = MLP_KEEPS_OUTPUTS };

/* A metric for numbers takes any y. */
#define MEASURED(kinds) ((unsigned)(((kinds) & ~SMALLER) == NUMBERS ? (kinds) | MLP_NUMBERS : (kinds)))

const mlp_entry mlp_metrics[] = {
#define METRIC(ID, id, question, rule) {.name = #id, .traits = (unsigned)(question), .formula = rule},
#define MEASURE(ID, id, long_name, sums, kinds, constants, value, paper)                                               \
    {.name = #id,                                                                                                      \
     .alias = long_name,                                                                                               \
     .hypers = constants,                                                                                              \
     .traits = MEASURED(kinds) | OF_##sums,                                                                            \
     .formula = value,                                                                                                 \
     .source = paper},
#include "metrics.def"
    {.name = NULL},
};

const mlp_entry mlp_layers[] = {
#define LAYER(ID, id, constants, forward, backward, paper)                                                             \
    {.name = #id, .hypers = constants, .formula = forward, .derivative = backward, .source = paper},
#define MOVING LAYER
#define SAME_WIDTH LAYER
#define ELEMENTS(ID, id, constants, forward, backward, paper)                                                          \
    {.name = #id,                                                                                                      \
     .hypers = constants,                                                                                              \
     .traits = MLP_ELEMENTWISE,                                                                                        \
     .formula = forward,                                                                                               \
     .derivative = backward,                                                                                           \
     .source = paper},
#define DRAWING ELEMENTS
#include "layers.def"
    {.name = NULL},
};

const mlp_entry mlp_elementaries[] = {
#define ELEMENTARY(ID, id, value) {.name = #id, .formula = value},
#include "elementaries.def"
    {.name = NULL},
};

const char *const mlp_trait_names[] = {"per_row",    "from_z",      "mean_of_outputs", "binary", "classes",
                                       "per_output", "elementwise", "counts_steps",    "signs",  "smoothed",
                                       "labels",     "numbers",     "keeps_outputs",   "paired", "smaller_is_better",
                                       NULL};

static double value_of(const mlp_entry *entry, const char *hyper, const double *hypers) {
    int i = 0;
    while (strcmp(entry->hypers[i].name, hyper) != 0) {
        i++;
    }
    return hypers[i];
}

bool mlp_needs_state(mlp_optimizer_id id, int i, const double *hypers) {
    const mlp_entry *entry = &mlp_optimizers[id];
    const mlp_state *state = &entry->states[i];
    return state->name && (!state->only_if || value_of(entry, state->only_if, hypers) != 0);
}

const mlp_family mlp_catalogue[] = {
    {"activations", mlp_activations},
    {"losses", mlp_losses},
    {"pairs", mlp_pairs},
    {"optimizers", mlp_optimizers},
    {"schedules", mlp_schedules},
    {"initializers", mlp_initializers},
    {"metrics", mlp_metrics},
    {"layers", mlp_layers},
    {"elementaries", mlp_elementaries},
    {NULL, NULL},
};
