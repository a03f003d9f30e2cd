/* reference.inc.c: the chapters of the reference in reading order, and the table that exports them. */
#include "../real.h"

#include "../runtime/rng.h"

#include "fma.h"

#include "elementary.h"

#include "sums.h"

#include "dense.c"

#include "activations.c"

#include "metrics.c"

#include "measures.c"

#include "losses.c"

#include "samples.c"

#include "dropout.c"

#include "noise.c"

#include "embedding.c"

#include "norm.c"

#include "scale.c"

#include "optimizers.c"

#include "online.c"

const REAL_NAME(mlp_kernels) REAL_NAME(mlp_reference) = {
    .dense_forward = dense_forward,
    .dense_backward_x = dense_backward_x,
    .dense_backward_w = dense_backward_w,
    .dense_backward_b = dense_backward_b,
    .dense_update_online = dense_update_online,
    .activation_forward = activation_forward,
    .activation_backward = activation_backward,
    .loss_value = loss_value,
    .loss_gradient = loss_gradient,
    .output_loss = output_loss,
    .output_phi = output_phi,
    .output_step = output_step,
    .count_correct = count_correct,
    .count_top_k = count_top_k,
    .count_answers = count_answers,
    .add_errors = add_errors,
    .batch_weight = batch_weight,
    .batch_scale = batch_scale,
    .batch_mean = batch_mean,
    .dropout = dropout,
    .alpha_dropout = alpha_dropout,
    .gaussian_noise = gaussian_noise,
    .embedding_forward = embedding_forward,
    .embedding_backward_tables = embedding_backward_tables,
    .layer_norm_forward = layer_norm_forward,
    .layer_norm_backward_x = layer_norm_backward_x,
    .layer_norm_backward_gamma = layer_norm_backward_gamma,
    .batch_norm_moments = batch_norm_moments,
    .batch_norm_forward = batch_norm_forward,
    .batch_norm_backward = batch_norm_backward,
    .scale = scale,
    .scale_backward_s = scale_backward_s,
    .prelu_forward = prelu_forward,
    .prelu_backward_z = prelu_backward_z,
    .prelu_backward_alpha = prelu_backward_alpha,
    .update = update,
    .max_norm = max_norm,
    .sum_of_squares = sum_of_squares,
    .elementary = elementary,
};

void REAL_NAME(mlp_update_constants)(mlp_optimizer_id rule, const double *hypers, int64_t t, real *constants) {
    switch (rule) {
#define OPTIMIZER(ID, id, ...)                                                                                         \
    case MLP_##ID: id##_constants(hypers, t, constants); break;
#include "../catalogue/optimizers.def"
    }
}
