/* engine.inc.c: the chapters of the engine in reading order, and the table that exports them. engine_f32.c and engine_f64.c
 * read it, each with its own `real`.
 */
#include "../../real.h"
#include "../engine.h"
#include "../initializers.h"

#include <math.h>
#include <string.h>

#include "../../isa/isa.h"
#include "../../runtime/memory.h"
#include "../../runtime/rng.h"

typedef REAL_NAME(mlp_kernels) kernels;
typedef REAL_NAME(mlp_epilogue) epilogue;
typedef REAL_NAME(mlp_activation) activation;
typedef REAL_NAME(mlp_loss) loss_function;
typedef REAL_NAME(mlp_mask) mask;
typedef REAL_NAME(mlp_update) update;
typedef REAL_NAME(mlp_next_sample) next_sample;

static const kernels *current_kernels(void) { return REAL_NAME(mlp_current)(); }

static void update_constants(mlp_optimizer_id rule, const double *hypers, int64_t t, real *constants) {
    REAL_NAME(mlp_update_constants)(rule, hypers, t, constants);
}

#include "steps.c"

#include "update.c"

#include "../layers/dense.c"

#include "../layers/activation.c"

#include "../layers/dropout.c"

#include "../layers/noise.c"

#include "../layers/residual.c"

#include "../layers/layer_norm.c"

#include "../layers/batch_norm.c"

#include "../layers/scale.c"

#include "../layers/prelu.c"

#include "../layers/embedding.c"

#include "../layers/custom.c"

static const layer_kind KINDS[] = {
#define LAYER(ID, id, ...) [MLP_##ID] = {.plan = id##_plan, .forward = id##_forward, .backward = id##_backward},
#define MOVING(ID, id, ...)                                                                                            \
    [MLP_##ID] = {.plan = id##_plan, .forward = id##_forward, .backward = id##_backward, .move = id##_move},
#define SAME_WIDTH(ID, id, ...) [MLP_##ID] = {.plan = keep_width, .forward = id##_forward, .backward = id##_backward},
#define ELEMENTS(ID, id, ...)                                                                                          \
    [MLP_##ID] = {.plan = keep_width,                                                                                  \
                  .forward = id##_forward,                                                                             \
                  .backward = id##_backward,                                                                           \
                  .forward_elements = id##_forward_elements,                                                           \
                  .backward_elements = id##_backward_elements},
#define DRAWING(ID, id, ...)                                                                                           \
    [MLP_##ID] = {.plan = keep_width,                                                                                  \
                  .draw = id##_draw,                                                                                   \
                  .forward = id##_forward,                                                                             \
                  .backward = id##_backward,                                                                           \
                  .forward_elements = id##_forward_elements,                                                           \
                  .backward_elements = id##_backward_elements},
#include "../../catalogue/layers.def"
};

#include "pass.c"

#include "sort.c"

#include "measure.c"

#include "predict.c"

#include "train.c"

#include "initialize.c"

static bool plan(mlp_net *net, mlp_step *step, const mlp_step_spec *spec) {
    return KINDS[step->kind].plan(net, step, spec);
}

const mlp_engine REAL_NAME(mlp_engine) = {
    .plan = plan,
    .bound_step_size = sizeof(bound_step),
    .initialize = initialize,
    .forward = forward,
    .backward = backward,
    .update = update_by_hand,
    .predict = predict,
    .evaluate = evaluate,
    .whole_gradient = whole_gradient,
    .train = train,
};
