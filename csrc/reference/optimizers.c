/* optimizers.c: one step of each optimizer on `count` weights, in place, in rising complexity.
 *
 * Without momentum SGD keeps nothing. Where an optimizer keeps a moving average, a gradient that has become 0 would let
 * it decay into denormal numbers, which many machines add up a hundred times slower; an average that small has no effect,
 * so it is set to 0 (`flush_tiny`).
 */
#if MLP_REAL_BITS == 32
static const real FLUSH_THRESHOLD = 0x1p-100f;
#else
static const real FLUSH_THRESHOLD = 0x1p-900;
#endif

static real flush_tiny(real average) { return real_abs(average) < FLUSH_THRESHOLD ? 0 : average; }

/* w -= rate * grad                                                                           gradient descent
 * v  = momentum v + grad;  w -= rate * v                                                     Polyak 1964
 * v  = momentum v + grad;  w -= rate * (grad + momentum v)                                   Nesterov, as Sutskever 2013
 * `velocity` is v; it is NULL if and only if momentum is 0. */
static void sgd_step(ptrdiff_t count, const REAL_NAME(mlp_sgd) * step, real *w, real *velocity, const real *grad) {
    for (ptrdiff_t i = 0; i < count; i++) {
        real direction = grad[i];
        if (velocity) {
            velocity[i] = flush_tiny(real_fma(step->momentum, velocity[i], grad[i]));
            direction = step->nesterov ? real_fma(step->momentum, velocity[i], grad[i]) : velocity[i];
        }
        w[i] = real_fma(-step->rate, direction, w[i]);
    }
}

/* base^t for t >= 0 by squaring: libm's pow differs between machines. */
static double power(double base, int64_t t) {
    double result = 1;
    for (; t > 0; t /= 2) {
        result *= t % 2 ? base : 1;
        base *= base;
    }
    return result;
}

/* The numbers that step t = 1, 2, ... of Adam uses for every weight. */
static REAL_NAME(mlp_adam) adam_at(int64_t t, double learning_rate, double beta1, double beta2, double epsilon) {
    REAL_NAME(mlp_adam) step = {.beta1 = (real)beta1, .beta2 = (real)beta2, .epsilon = (real)epsilon};
    step.rate = (real)(learning_rate / (1 - power((double)step.beta1, t)));
    step.v_scale = (real)(1 / sqrt(1 - power((double)step.beta2, t)));
    return step;
}

/* m = beta1 m + (1 - beta1) grad         m_hat = m / (1 - beta1^t)                           Kingma & Ba 2015
 * v = beta2 v + (1 - beta2) grad^2       v_hat = v / (1 - beta2^t)
 * w -= learning_rate * m_hat / (sqrt(v_hat) + epsilon) */
static void adam_step(ptrdiff_t count, const REAL_NAME(mlp_adam) * step, real *w, real *m, real *v, const real *grad) {
    for (ptrdiff_t i = 0; i < count; i++) {
        m[i] = flush_tiny(real_fma(1 - step->beta1, grad[i], step->beta1 * m[i]));
        v[i] = flush_tiny(real_fma((1 - step->beta2) * grad[i], grad[i], step->beta2 * v[i]));
        w[i] -= step->rate * m[i] / real_fma(real_sqrt(v[i]), step->v_scale, step->epsilon);
    }
}
