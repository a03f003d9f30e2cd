/* optimizers.c: one step of each optimizer on `count` weights, in place, in rising complexity.
 *
 * An optimizer is two functions side by side: its constants, computed once a step from the hyperparameters and the number
 * of the step, and its step for each weight. Weight i of a step is w[begin + i], with state[begin + i] and grad[i].
 *
 * Where an optimizer keeps a moving average, a gradient that has become 0 would let it decay into subnormal numbers, which
 * many machines add up a hundred times slower. So an average that is subnormal is set to 0 (`flush_tiny`); and Adam's v as
 * soon as sqrt(v_hat) is lost beside epsilon, since it decays a hundred times slower (docs/decisions/flushing.md).
 */
#if MLP_REAL_BITS == 32
static const double V_HIGHEST = 0x1p-100,
                    HALF_ULP = 0x1p-25; /* most that v may be to be flushed; half an ulp of 1, halved */
#else
static const double V_HIGHEST = 0x1p-900, HALF_ULP = 0x1p-54;
#endif

static real flush_tiny(real average, real threshold) { return real_abs(average) < threshold ? 0 : average; }

/* The gradient that a rule gets: clipped, and with the penalties l1 |w| + l2 w^2 / 2 of the weight added to the loss. */
static real adjusted(const REAL_NAME(mlp_update) * u, real grad, real w) {
    if (!u->adjusts) {
        return grad;
    }
    grad *= u->grad_scale;
    grad = grad > u->clip_value ? u->clip_value : grad;
    grad = grad < -u->clip_value ? -u->clip_value : grad;
    real sign = w > 0 ? 1 : w < 0 ? -1 : 0;
    return real_fma(u->l2, w, real_fma(u->l1, sign, grad));
}

/* ---- gradient descent ------------------------------------------------------------------------------------------- */

enum { SGD_RATE, SGD_MOMENTUM, SGD_NESTEROV };

static void sgd_constants(const double *hypers, int64_t t, real *c) {
    (void)t;
    for (int i = SGD_RATE; i <= SGD_NESTEROV; i++) {
        c[i] = (real)hypers[i];
    }
}

/* w -= rate * grad                                                                           gradient descent
 * v  = momentum v + grad;  w -= rate * v                                                     Polyak 1964
 * v  = momentum v + grad;  w -= rate * (grad + momentum v)                                   Nesterov, as Sutskever 2013
 * state[0] is v, the velocity; NULL without momentum. */
static void sgd_step(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w, const real *grad) {
    const real rate = u->constants[SGD_RATE], momentum = u->constants[SGD_MOMENTUM];
    real *velocity = u->state[0];
    for (ptrdiff_t i = begin; i < begin + count; i++) {
        const real slope = adjusted(u, grad[i - begin], w[i]);
        real direction = slope;
        if (velocity) {
            velocity[i] = flush_tiny(real_fma(momentum, velocity[i], slope), REAL_SMALLEST);
            direction = u->constants[SGD_NESTEROV] != 0 ? real_fma(momentum, velocity[i], slope) : velocity[i];
        }
        w[i] = real_fma(-rate, direction, w[i]);
    }
}

/* ---- Adam ------------------------------------------------------------------------------------------------------- */

/* base^t for t >= 0 by squaring: libm's pow differs between machines. */
static double power(double base, int64_t t) {
    double result = 1;
    for (; t > 0; t /= 2) {
        result *= t % 2 ? base : 1;
        base *= base;
    }
    return result;
}

enum { ADAM_BETA1, ADAM_BETA2, ADAM_RATE, ADAM_V_SCALE, ADAM_EPSILON, ADAM_FLUSH_V };

/* Bias correction: the averages begin at 0, and 1 - beta^t is the weight of all gradients so far in them. m_hat and v_hat are
 * folded into two numbers, the rate of the step and what sqrt(v) is multiplied by. */
static void adam_constants(const double *hypers, int64_t t, real *c) {
    const double learning_rate = hypers[0];
    c[ADAM_BETA1] = (real)hypers[1];
    c[ADAM_BETA2] = (real)hypers[2];
    c[ADAM_EPSILON] = (real)hypers[3];
    c[ADAM_RATE] = (real)(learning_rate / (1 - power((double)c[ADAM_BETA1], t)));
    const double root = sqrt(1 - power((double)c[ADAM_BETA2], t));
    c[ADAM_V_SCALE] = (real)(1 / root);
    /* sqrt(v) below `lost` changes no sum. A step adds (1 - beta2) grad^2 to v: what many steps add must not be lost either. */
    const double lost = (double)c[ADAM_EPSILON] * HALF_ULP * root;
    const double threshold = lost * lost * (1 - (double)c[ADAM_BETA2]);
    c[ADAM_FLUSH_V] = (real)(threshold < V_HIGHEST ? threshold : V_HIGHEST);
}

/* m = beta1 m + (1 - beta1) grad         m_hat = m / (1 - beta1^t)                           Kingma & Ba 2015
 * v = beta2 v + (1 - beta2) grad^2       v_hat = v / (1 - beta2^t)
 * w -= learning_rate * m_hat / (sqrt(v_hat) + epsilon)                  state[0] is m, state[1] is v */
static void adam_step(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w, const real *grad) {
    const real beta1 = u->constants[ADAM_BETA1], beta2 = u->constants[ADAM_BETA2], rate = u->constants[ADAM_RATE];
    real *m = u->state[0], *v = u->state[1];
    for (ptrdiff_t i = begin; i < begin + count; i++) {
        const real slope = adjusted(u, grad[i - begin], w[i]);
        m[i] = flush_tiny(real_fma(1 - beta1, slope, beta1 * m[i]), REAL_SMALLEST);
        v[i] = flush_tiny(real_fma((1 - beta2) * slope, slope, beta2 * v[i]), u->constants[ADAM_FLUSH_V]);
        w[i] -= rate * m[i] / real_fma(real_sqrt(v[i]), u->constants[ADAM_V_SCALE], u->constants[ADAM_EPSILON]);
    }
}

/* ---- any of them ------------------------------------------------------------------------------------------------ */

static void update(const REAL_NAME(mlp_update) * u, ptrdiff_t begin, ptrdiff_t count, real *w, const real *grad) {
    switch (u->rule) {
#define OPTIMIZER(ID, id, ...)                                                                                         \
    case MLP_##ID: id##_step(u, begin, count, w, grad); break;
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
