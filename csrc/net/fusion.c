/* fusion.c: which steps are done within others, so that numbers are used while they are in the caches. Five rules:
 *
 *   1. Steps after a product that work element by element are the epilogue of its forward.
 *   2. The last activation belongs to the head, which does activation, loss, phi^J and the count of right answers in one.
 *   3. Steps below a product that work element by element are the epilogue of the product that passes phi down.
 *   4. The optimizer's step is the epilogue of grad_w, unless the rule needs the whole gradient first (clipping by its norm,
 *      gradients that are accumulated), something may still fail (a layer or a rule written in Python), or there are so few parameters that one sweep costs less.
 *   5. With one sample a batch, the forward of the next sample through a first dense layer is done while its weights take
 *      their step, unless they are changed once more (max_norm, a moving average that takes their place).
 */
#include "plan.h"

#include <math.h>

#include "net.h"

void mlp_fuse_steps(mlp_net *net) {
    net->head = net->steps - (net->step[net->steps - 1].kind == MLP_ACTIVATION); /* rule 2 */
    for (ptrdiff_t i = 0; i < net->head; i++) {
        mlp_step *step = &net->step[i];
        if (step->kind != MLP_DENSE) {
            continue;
        }
        ptrdiff_t above = i + 1, below = i - 1;
        while (above < net->head && mlp_is_elementwise(&net->step[above])) { /* rule 1 */
            above++;
        }
        while (below > net->first_backward && mlp_is_elementwise(&net->step[below])) { /* rule 3 */
            below--;
        }
        step->forward_epilogue = above - 1 - i;
        step->backward_epilogue = i > net->first_backward ? i - 1 - below : 0;
    }
}

static bool needs_whole_gradient(const mlp_net *net, const mlp_optimizer *optimizer) {
    return net->has_custom || optimizer->custom.step || isfinite(optimizer->clip_norm) || optimizer->accumulation.sum;
}

/* Below this the parameters stay in the caches, and one update of all is faster than one per layer. With one sample the
 * gradient is not written to memory at all, which pays sooner. */
enum { FEW_PARAMETERS = 16 * 1024, FEW_FOR_ONE_SAMPLE = 64 };

bool mlp_fuses_update(const mlp_net *net, const mlp_optimizer *optimizer, bool one_sample) { /* rule 4 */
    return net->parameters >= (one_sample ? FEW_FOR_ONE_SAMPLE : FEW_PARAMETERS) &&
           !needs_whole_gradient(net, optimizer);
}

bool mlp_fuses_next_forward(const mlp_net *net, const mlp_optimizer *optimizer) { /* rule 5 */
    const mlp_step *first = &net->step[0];
    return mlp_fuses_update(net, optimizer, true) && first->kind == MLP_DENSE &&
           net->segment[first->segment].trainable && net->segment[first->segment].max_norm == 0 &&
           optimizer->average.overwrite_every == 0;
}
