/* kernels.inc.h: every operation for one instruction set and one real type, and the table that exports them.
 *
 * The stubs in isa/ include a page of simd/ and then this. The reference is included as well: its constants, and its
 * code for cases too rare to vectorise. In a table entry `fast_` marks what is written in vectors.
 */
#include <stdbool.h>
#include <string.h>

#include "../runtime/rng.h"
#include "../runtime/threads.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "../reference/elementary.h"

#include "../reference/sums.h"

#include "../reference/activations.c"

#include "../reference/metrics.c"

#include "../reference/measures.c"

#include "../reference/losses.c"

#include "../reference/samples.c"

#include "../reference/dropout.c"

#include "../reference/noise.c"

#include "../reference/embedding.c"

#include "../reference/optimizers.c"

#include "../reference/online.c"
#pragma GCC diagnostic pop

#include "elementary.inc.h"

#include "transpose.inc.h"

#include "narrow.inc.h"

#include "activations.inc.h"

#include "metrics.inc.h"

#include "measures.inc.h"

#include "losses.inc.h"

#include "output_step.inc.h"

#include "product/product.inc.h"

#include "dense.inc.h"

#include "optimizers.inc.h"

#include "online.inc.h"

#include "dropout.inc.h"

#include "noise.inc.h"

#include "embedding.inc.h"

#include "norm.inc.h"

#include "scale.inc.h"

const REAL_NAME(mlp_kernels) TABLE = {
    .dense_forward = fast_dense_forward,
    .dense_backward_x = fast_dense_backward_x,
    .dense_backward_w = fast_dense_backward_w,
    .dense_backward_b = fast_dense_backward_b,
    .dense_update_online = fast_dense_update_online,
    .activation_forward = fast_activation_forward,
    .activation_backward = fast_activation_backward,
    .loss_value = fast_loss_value,
    .loss_gradient = fast_loss_gradient,
    .output_loss = fast_output_loss,
    .output_phi = fast_output_phi,
    .output_step = fast_output_step,
    .count_correct = fast_count_correct,
    .count_top_k = count_top_k,
    .count_answers = fast_count_answers,
    .add_errors = add_errors,
    .batch_weight = batch_weight,
    .batch_scale = batch_scale,
    .batch_mean = batch_mean,
    .dropout = fast_dropout,
    .alpha_dropout = fast_alpha_dropout,
    .gaussian_noise = fast_gaussian_noise,
    .embedding_forward = fast_embedding_forward,
    .embedding_backward_tables = fast_embedding_backward_tables,
    .layer_norm_forward = fast_layer_norm_forward,
    .layer_norm_backward_x = fast_layer_norm_backward_x,
    .layer_norm_backward_gamma = fast_layer_norm_backward_gamma,
    .batch_norm_moments = fast_batch_norm_moments,
    .batch_norm_forward = fast_batch_norm_forward,
    .batch_norm_backward = fast_batch_norm_backward,
    .scale = fast_scale,
    .scale_backward_s = fast_scale_backward_s,
    .prelu_forward = fast_prelu_forward,
    .prelu_backward_z = fast_prelu_backward_z,
    .prelu_backward_alpha = fast_prelu_backward_alpha,
    .update = fast_update,
    .max_norm = max_norm,
    .sum_of_squares = sum_of_squares,
    .elementary = fast_elementary,
};
