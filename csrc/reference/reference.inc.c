/* reference.inc.c: the chapters of the reference in reading order, and the table that exports them. */
#include "../real.h"

#include "fma.h"

#include "elementary.h"

#include "sums.h"

#include "dense.c"

#include "activations.c"

#include "losses.c"

#include "optimizers.c"

#include "layer.c"

const REAL_NAME(mlp_kernels) REAL_NAME(mlp_reference) = {
    .dense_forward = dense_forward,
    .dense_backward = dense_backward,
    .activation_forward = activation_forward,
    .activation_backward = activation_backward,
    .loss_value = loss_value,
    .loss_gradient = loss_gradient,
    .output_loss = output_loss,
    .output_phi = output_phi,
    .output_step = output_step,
    .rows_right = rows_right,
    .batch_weight = batch_weight,
    .batch_scale = batch_scale,
    .batch_mean = batch_mean,
    .sgd_step = sgd_step,
    .adam_at = adam_at,
    .adam_step = adam_step,
    .layer_forward = layer_forward,
    .layer_backward = layer_backward,
    .layer_update = layer_update,
    .elementary = elementary,
};
