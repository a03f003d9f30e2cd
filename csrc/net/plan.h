/* plan.h: a network as a flat array of steps, in the order of execution; backward is the array from its end.
 *
 * Step i reads value i and writes value i + 1; value 0 is the input of the network. Each value is (n, width), and so is its
 * gradient. What a step keeps lies in three flat buffers: its parameters, in named segments; its gradients, which lie like the
 * parameters; and its other numbers, which no optimizer touches. A batch's values and gradients lie in a workspace.
 *
 * A branch is two steps. `fork` hands its input on twice, to the step after it and, past the branch, to its partner `join`,
 * which adds the two; backward, fork adds their gradients. So every gradient is written by one step and never added to.
 */
#ifndef MLPCORE_PLAN_H
#define MLPCORE_PLAN_H

#include "../mlpcore.h"

/* A layer that is written elsewhere. What it is handed lies in the workspace; nonzero: it failed, and training ends. */
typedef struct {
    int (*forward)(void *context, void *caller, ptrdiff_t n, bool training, void *y, const void *x);
    int (*backward)(void *context, void *caller, ptrdiff_t n, void *grad_x, const void *grad_y, const void *x,
                    const void *y); /* grad_x: or NULL */
    void *context;
} mlp_custom;

/* Parameters that belong together, rows x columns numbers from `begin` on in the flat buffers. */
typedef struct {
    ptrdiff_t begin, rows, columns;
    bool trainable;
    double rate_factor, l1, l2; /* of the learning rate; of the penalties l1 |w| + l2 w^2 / 2   */
    double max_norm;            /* longest vector of a unit's weights, a column; 0: any        */
} mlp_segment;

/* Where the rows of a value or gradient lie in a workspace: `before` numbers for each row of the workspace before it. */
typedef struct {
    ptrdiff_t width, before;
} mlp_slot;

typedef struct {
    mlp_layer_id kind;
    ptrdiff_t in, out;            /* widths of what it reads and writes                                       */
    uint32_t layer;               /* the layer it belongs to; tells its random numbers from those of others   */
    ptrdiff_t segment, segments;  /* its parameters are segment, segment + 1, ...                             */
    ptrdiff_t buffer, buffers;    /* its numbers beside the parameters, likewise                              */
    mlp_activation_id sigma;      /* activation                                                               */
    double constants[MLP_HYPERS]; /* of the kind, or of sigma                                                 */
    mlp_slot kept;                /* what forward keeps for backward; width 0: nothing                        */
    ptrdiff_t partner;            /* fork, join: the other one                                                */
    mlp_custom custom;            /* custom                                                                   */

    /* How many of the next steps, and of the ones before, work element by element and are the epilogue of this product. */
    ptrdiff_t forward_epilogue, backward_epilogue; /* fusion.c */
    ptrdiff_t scratch;                             /* the buffer of predict that its output lies in            */
} mlp_step;

typedef struct {
    int bits;        /* of its numbers: 32 or 64 */
    ptrdiff_t steps; /* number of them */
    mlp_step *step;
    mlp_slot *value, *grad; /* (steps + 1) */
    ptrdiff_t segments, buffers;
    mlp_segment *segment, *buffer;
    ptrdiff_t parameters, buffer_size; /* elements of the flat buffers */
    void *params, *grads, *state;      /* 64-byte aligned; `state` are the numbers beside the parameters */

    ptrdiff_t head;           /* the steps below the head: all, but for a last activation                 */
    ptrdiff_t first_backward; /* the lowest step with parameters: nothing below it needs a gradient        */
    bool has_custom;
    mlp_embedding embedding; /* of the first step; no tables: it is no embedding                     */
    ptrdiff_t work_width;    /* of all parts of a workspace together                                      */
    ptrdiff_t widest;        /* of all values                                                             */
    ptrdiff_t scratches;     /* how many buffers of that width predict needs                              */
} mlp_net;

/* A step as its caller describes it. */
typedef struct {
    mlp_layer_id kind;
    uint32_t layer;
    bool joined;     /* activation: it belongs to the layer of the step before                       */
    ptrdiff_t units; /* dense, custom: width of the output                                           */
    mlp_activation_id sigma;
    double constants[MLP_HYPERS];
    mlp_custom custom;
    ptrdiff_t
        segments; /* custom, embedding: how many arrays of parameters, and their rows and columns in memory order */
    const ptrdiff_t (*shapes)[2];
    const ptrdiff_t *columns; /* embedding: the columns of the input that its tables are for, in ascending order  */
} mlp_step_spec;

/* NULL: out of memory, or more numbers than ptrdiff_t counts. Parameters begin as 0. Forks and joins have to match, and an
 * embedding is the first step, whose columns are there. */
mlp_net *mlp_net_new(int bits, ptrdiff_t input_size, ptrdiff_t steps, const mlp_step_spec *specs);
void mlp_net_free(mlp_net *net);

/* For the plan of a kind: claims parameters, or numbers beside them, for this step. */
bool mlp_claim_segment(mlp_net *net, mlp_step *step, ptrdiff_t rows, ptrdiff_t columns);
bool mlp_claim_buffer(mlp_net *net, mlp_step *step, ptrdiff_t rows, ptrdiff_t columns);

static inline ptrdiff_t mlp_net_inputs(const mlp_net *net) { return net->value[0].width; }
static inline ptrdiff_t mlp_net_outputs(const mlp_net *net) { return net->value[net->steps].width; }

/* Whether a step works element by element, and so may be the epilogue of a product beside it. */
static inline bool mlp_is_elementwise(const mlp_step *step) {
    return mlp_layers[step->kind].traits & MLP_ELEMENTWISE &&
           !(step->kind == MLP_ACTIVATION && mlp_is_per_row(step->sigma));
}

/* fusion.c: the rules by which steps are done within others. */
void mlp_fuse_steps(mlp_net *net);

#endif
