/* descent.c: optimizers that keep no average of grad^2: gradient descent, and two that use no more of a gradient than its sign. */

/* ---- SGD -------------------------------------------------------------------------------------------------------- */

enum { SGD_RATE = MLP_FIRST_OWN, SGD_MOMENTUM, SGD_NESTEROV };

static void sgd_constants(const double *hypers, int64_t t, real *c) {
    (void)t;
    c[SGD_RATE] = (real)hypers[0];
    c[SGD_MOMENTUM] = (real)hypers[1];
    c[SGD_NESTEROV] = (real)hypers[2];
    c[MLP_DECAY] = (real)(hypers[0] * hypers[3]);
}

/* w -= rate * grad                                                                           gradient descent
 * v  = momentum v + grad;  w -= rate * v                                                     Polyak 1964
 * v  = momentum v + grad;  w -= rate * (grad + momentum v)                                   Nesterov, as Sutskever 2013
 * state[0] is v, the velocity; NULL without momentum. */
static real sgd_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    const real rate = u->constants[SGD_RATE], momentum = u->constants[SGD_MOMENTUM];
    real *velocity = u->state[0], direction = slope;
    if (velocity) {
        velocity[i] = flush_tiny(real_fma(momentum, velocity[i], slope), REAL_SMALLEST);
        direction = u->constants[SGD_NESTEROV] != 0 ? real_fma(momentum, velocity[i], slope) : velocity[i];
    }
    return real_fma(-rate, direction, w);
}

/* ---- Lion ------------------------------------------------------------------------------------------------------- */

enum { LION_RATE = MLP_FIRST_OWN, LION_BETA1, LION_BETA2 };

static void lion_constants(const double *hypers, int64_t t, real *c) {
    (void)t;
    c[LION_RATE] = (real)hypers[0];
    c[LION_BETA1] = (real)hypers[1];
    c[LION_BETA2] = (real)hypers[2];
    c[MLP_DECAY] = (real)(hypers[0] * hypers[3]);
}

/* w -= rate * sign(beta1 m + (1 - beta1) grad);  m = beta2 m + (1 - beta2) grad              Chen et al. 2023
 * state[0] is m. */
static real lion_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    const real beta1 = u->constants[LION_BETA1], beta2 = u->constants[LION_BETA2];
    real *m = u->state[0];
    const real direction = real_fma(1 - beta1, slope, beta1 * m[i]);
    m[i] = flush_tiny(real_fma(1 - beta2, slope, beta2 * m[i]), REAL_SMALLEST);
    return real_fma(-u->constants[LION_RATE], sign_of(direction), w);
}

/* ---- Rprop ------------------------------------------------------------------------------------------------------ */

enum { RPROP_FIRST = MLP_FIRST_OWN, RPROP_SHORTER, RPROP_LONGER, RPROP_LEAST, RPROP_MOST };

static void rprop_constants(const double *hypers, int64_t t, real *c) {
    (void)t;
    c[RPROP_FIRST] = (real)hypers[0];
    c[RPROP_SHORTER] = (real)hypers[1];
    c[RPROP_LONGER] = (real)hypers[2];
    c[RPROP_LEAST] = (real)hypers[3];
    c[RPROP_MOST] = (real)hypers[4];
    c[MLP_DECAY] = 0;
}

/* Each weight has a step of its own, which becomes longer as long as the gradient keeps its sign, and shorter when it turns; then
 * the weight stays where it is, and the turn is forgotten (iRprop-).                         Igel & Huesken 2000
 * state[0] is the step, which is never 0 once it has begun; state[1] the sign of the last gradient. */
static real rprop_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    const real *c = u->constants;
    real *step = u->state[0], *sign = u->state[1];
    const real now = sign_of(slope), agreement = now * sign[i];
    const real factor = agreement > 0 ? c[RPROP_LONGER] : agreement < 0 ? c[RPROP_SHORTER] : 1;
    const real wanted = (step[i] > 0 ? step[i] : c[RPROP_FIRST]) * factor;
    const real least = wanted < c[RPROP_LEAST] ? c[RPROP_LEAST] : wanted;
    step[i] = c[RPROP_MOST] < least ? c[RPROP_MOST] : least;
    sign[i] = agreement < 0 ? 0 : now;
    return real_fma(-step[i], sign[i], w);
}
