/* kernels.inc.h: every operation for one instruction set and one real type, and the table that exports them.
 *
 * The stubs in isa/ include a page of simd/ and then this. The reference stands in here too: its constants, and its text
 * for what is too rare to be written twice. In a table entry `fast_` marks what is written in vectors.
 */
#include <stdbool.h>
#include <string.h>

#include "../net/threads.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "../reference/elementary.h"

#include "../reference/sums.h"

#include "../reference/activations.c"

#include "../reference/losses.c"

#include "../reference/optimizers.c"
#pragma GCC diagnostic pop

#include "elementary.inc.h"

#include "transpose.inc.h"

#include "narrow.inc.h"

#include "activations.inc.h"

#include "losses.inc.h"

#include "product/product.inc.h"

#include "dense.inc.h"

#include "optimizers.inc.h"

#include "layer.inc.h"

const REAL_NAME(mlp_kernels) TABLE = {
    .dense_forward = fast_dense_forward,
    .dense_backward = fast_dense_backward,
    .activation_forward = fast_activation_forward,
    .activation_backward = fast_activation_backward,
    .loss_value = loss_value,
    .loss_gradient = loss_gradient,
    .output_loss = fast_output_loss,
    .output_phi = fast_output_phi,
    .output_step = fast_output_step,
    .rows_right = fast_rows_right,
    .batch_weight = batch_weight,
    .batch_scale = batch_scale,
    .batch_mean = batch_mean,
    .sgd_step = fast_sgd_step,
    .adam_step = fast_adam_step,
    .adam_at = adam_at,
    .layer_forward = fast_layer_forward,
    .layer_backward = fast_layer_backward,
    .layer_update = fast_layer_update,
    .elementary = fast_elementary,
};
