/* optimizers.c: one step of each optimizer on `count` weights, in place; the rules stand in descent.c, adam.c and adaptive.c.
 *
 * A rule is two functions side by side: <id>_constants, computed once a step in double from the hyperparameters and the number
 * of the step, and <id>_weight, what weight i becomes by a step with the gradient `slope`. Weight i of a step has number begin +
 * i: its states are state[...][begin + i], its gradient is grad[i].
 *
 * Where an optimizer keeps a moving average, a gradient that has become 0 would let it decay into subnormal numbers, which
 * many machines add up a hundred times slower. So an average that is subnormal is set to 0 (`flush_tiny`); and the average v of
 * grad^2 as soon as it is lost beside epsilon, since it decays a hundred times slower (docs/decisions/flushing.md).
 */
#if MLP_REAL_BITS == 32
static const double V_HIGHEST = 0x1p-100,
                    HALF_ULP = 0x1p-25; /* most that v may be to be flushed; half an ulp of 1, halved */
#else
static const double V_HIGHEST = 0x1p-900, HALF_ULP = 0x1p-54;
#endif

static real flush_tiny(real average, real threshold) { return real_abs(average) < threshold ? 0 : average; }

/* Below what v is set to 0, which is lost where it is less than `lost`. A step adds (1 - decay) grad^2 to it: what many steps add
 * must not be lost either. */
static real flush_below(double lost, double decay) {
    const double threshold = lost * (1 - decay);
    return (real)(threshold < V_HIGHEST ? threshold : V_HIGHEST);
}

static real sign_of(real x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

/* The gradient that a rule gets: clipped, and with the penalties l1 |w| + l2 w^2 / 2 of the weight added to the loss. */
static real adjusted(const REAL_NAME(mlp_update) * u, real grad, real w) {
    if (!u->adjusts) {
        return grad;
    }
    grad *= u->grad_scale;
    grad = grad > u->clip_value ? u->clip_value : grad;
    grad = grad < -u->clip_value ? -u->clip_value : grad;
    return real_fma(u->l2, w, real_fma(u->l1, sign_of(w), grad));
}

/* w -= learning_rate weight_decay w, whatever the gradient is                                Loshchilov & Hutter 2019 */
static real decayed(const REAL_NAME(mlp_update) * u, real w) {
    const real decay = u->constants[MLP_DECAY];
    return u->adjusts && decay > 0 ? real_fma(-decay, w, w) : w;
}

#include "descent.c"

#include "adam.c"

#include "adaptive.c"

/* ---- any of them ------------------------------------------------------------------------------------------------ */

static void update(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w, const real *grad) {
    switch (u->rule) {
#define OPTIMIZER(ID, id, ...)                                                                                         \
    case MLP_##ID:                                                                                                     \
        for (ptrdiff_t i = begin; i < begin + count; i++) {                                                            \
            w[i] = id##_weight(u, i, decayed(u, w[i]), adjusted(u, grad[i - begin], w[i]));                            \
        }                                                                                                              \
        break;
#include "../catalogue/optimizers.def"
    }
}

/* In double, in the order of reference/sums.h. */
static double sum_of_squares(ptrdiff_t count, const real *x) {
    double lanes[LANES] = {0};
    for (ptrdiff_t i = 0; i < count; i++) {
        lanes[i % LANES] += (double)x[i] * (double)x[i];
    }
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            lanes[l] += lanes[l + half];
        }
    }
    return lanes[0];
}

/* The weights w_i of a unit that are longer than `limit` are shortened to it: w_i *= limit / |w_i|   (Srebro et al. 2004) */
static void max_norm(ptrdiff_t in, ptrdiff_t out, real *w, real limit) {
    for (ptrdiff_t i = 0; i < out; i++) {
        double sum = 0;
        for (ptrdiff_t k = 0; k < in; k++) {
            sum += (double)w[k * out + i] * (double)w[k * out + i];
        }
        const double norm = sqrt(sum);
        for (ptrdiff_t k = 0; k < in && norm > (double)limit; k++) {
            w[k * out + i] = (real)((double)w[k * out + i] * ((double)limit / norm));
        }
    }
}
