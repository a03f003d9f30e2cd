/* plan.c: random networks, whose calls must agree with each other to the bit.
 *
 *     plan [COUNT [SEED]]
 *
 * Each is a random plan of dense layers, activations, dropout, noise, norms, factors, slopes, embeddings and nested residual blocks, of doubles. Of each it is checked that
 *
 *   - forward leaves in the workspace what predict answers, and evaluate has the loss that backward has;
 *   - training, where values are overwritten and steps fused, ends with the parameters that forward, backward and update by
 *     hand end with, and so does training an epoch at a time;
 *   - every instruction set ends there too, on 1, 2, 3 and 5 threads;
 *   - the gradients are those that central differences see.
 *
 * Prints each difference; exits with 1 if there is one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "plan.h"

int main(int count, char **arguments) {
    const long plans = count > 1 ? strtol(arguments[1], NULL, 10) : 200;
    random_seed = count > 2 ? strtoull(arguments[2], NULL, 0) : 1;
    for (long i = 0; i < plans; i++) {
        trial t;
        draw_trial(&t, i % 10 == 9);
        check_trial(&t);
        free_trial(&t);
    }
    printf("%ld plans, %ld checks: %d failures\n", plans, checks, failures);
    return failures > 0;
}
