/* Rung 1, naive: the equation, written down.
 *
 * An fma takes about 4 cycles, and each waits for the one before it: a core that could do two vectors of 8 or 16 fma in
 * every cycle does one number in four. Walking down a column of w makes it worse: each step lands `out` numbers further,
 * so that a whole cache line is fetched for the sake of one number.
 */
#include "ladder.h"

static void relu(const layer *l) {
    for (ptrdiff_t i = 0; i < l->n * l->out; i++) {
        l->a[i] = l->a[i] <= 0 ? 0 : l->a[i];
    }
}

void naive(const layer *l) {
    for (ptrdiff_t s = 0; s < l->n; s++) {
        for (ptrdiff_t i = 0; i < l->out; i++) {
            float sum = l->b[i];
            for (ptrdiff_t k = 0; k < l->in; k++) {
                sum = fmaf(l->x[s * l->in + k], l->w[k * l->out + i], sum);
            }
            l->a[s * l->out + i] = sum;
        }
    }
    relu(l);
}
