/* adaptive.c: optimizers that divide a gradient by the size that the gradients of its weight have had, without Adam's m and t.
 * state[0] is v, of grad^2. */

/* ---- Adagrad ---------------------------------------------------------------------------------------------------- */

enum { ADAGRAD_RATE = MLP_FIRST_OWN, ADAGRAD_EPSILON };

static void adagrad_constants(const double *hypers, int64_t t, real *c) {
    (void)t;
    c[ADAGRAD_RATE] = (real)hypers[0];
    c[ADAGRAD_EPSILON] = (real)hypers[1];
    c[MLP_DECAY] = (real)(hypers[0] * hypers[2]);
}

/* v += grad^2;  w -= rate * grad / (sqrt(v) + epsilon)                                       Duchi et al. 2011 */
static real adagrad_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    real *v = u->state[0];
    v[i] = real_fma(slope, slope, v[i]);
    return w - u->constants[ADAGRAD_RATE] * slope / (real_sqrt(v[i]) + u->constants[ADAGRAD_EPSILON]);
}

/* ---- RMSprop ---------------------------------------------------------------------------------------------------- */

enum {
    RMSPROP_RATE = MLP_FIRST_OWN,
    RMSPROP_RHO,
    RMSPROP_MOMENTUM,
    RMSPROP_EPSILON,
    RMSPROP_CENTERED,
    RMSPROP_FLUSH_V
};

static void rmsprop_constants(const double *hypers, int64_t t, real *c) {
    (void)t;
    c[RMSPROP_RATE] = (real)hypers[0];
    c[RMSPROP_RHO] = (real)hypers[1];
    c[RMSPROP_MOMENTUM] = (real)hypers[2];
    c[RMSPROP_EPSILON] = (real)hypers[3];
    c[RMSPROP_CENTERED] = (real)hypers[4];
    const double lost = (double)c[RMSPROP_EPSILON] * HALF_ULP;
    c[RMSPROP_FLUSH_V] = flush_below(lost * lost, (double)c[RMSPROP_RHO]);
    c[MLP_DECAY] = (real)(hypers[0] * hypers[5]);
}

/* v = rho v + (1 - rho) grad^2;  w -= rate * grad / (sqrt(v) + epsilon)                      Tieleman & Hinton 2012
 * with momentum   velocity = momentum velocity + grad / (sqrt(v) + epsilon);  w -= rate * velocity
 * centered        mean = rho mean + (1 - rho) grad, and v - mean^2, the variance, in the place of v        Graves 2013
 * state[1] is the velocity, state[2] the mean; NULL without. */
static real rmsprop_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    const real *c = u->constants, rho = c[RMSPROP_RHO];
    real *v = u->state[0], *velocity = u->state[1], *mean = u->state[2];
    v[i] = flush_tiny(real_fma((1 - rho) * slope, slope, rho * v[i]), c[RMSPROP_FLUSH_V]);
    real size = v[i];
    if (mean) {
        mean[i] = flush_tiny(real_fma(1 - rho, slope, rho * mean[i]), REAL_SMALLEST);
    }
    if (mean && c[RMSPROP_CENTERED] != 0) {
        const real variance = real_fma(-mean[i], mean[i], v[i]);
        size = variance < 0 ? 0 : variance; /* where nothing but rounding is left of it */
    }
    real direction = slope / (real_sqrt(size) + c[RMSPROP_EPSILON]);
    if (velocity) {
        velocity[i] = flush_tiny(real_fma(c[RMSPROP_MOMENTUM], velocity[i], direction), REAL_SMALLEST);
        direction = velocity[i];
    }
    return real_fma(-c[RMSPROP_RATE], direction, w);
}

/* ---- Adadelta --------------------------------------------------------------------------------------------------- */

enum { ADADELTA_RATE = MLP_FIRST_OWN, ADADELTA_RHO, ADADELTA_EPSILON, ADADELTA_FLUSH };

static void adadelta_constants(const double *hypers, int64_t t, real *c) {
    (void)t;
    c[ADADELTA_RATE] = (real)hypers[0];
    c[ADADELTA_RHO] = (real)hypers[1];
    c[ADADELTA_EPSILON] = (real)hypers[2];
    c[ADADELTA_FLUSH] = flush_below((double)c[ADADELTA_EPSILON] * HALF_ULP, (double)c[ADADELTA_RHO]);
    c[MLP_DECAY] = (real)(hypers[0] * hypers[3]);
}

/* v = rho v + (1 - rho) grad^2;  delta = sqrt(u + epsilon) / sqrt(v + epsilon) * grad        Zeiler 2012
 * u = rho u + (1 - rho) delta^2;  w -= rate * delta                                          state[1] is u */
static real adadelta_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    const real rho = u->constants[ADADELTA_RHO], epsilon = u->constants[ADADELTA_EPSILON],
               flush = u->constants[ADADELTA_FLUSH];
    real *v = u->state[0], *of_moves = u->state[1];
    v[i] = flush_tiny(real_fma((1 - rho) * slope, slope, rho * v[i]), flush);
    const real delta = real_sqrt(of_moves[i] + epsilon) / real_sqrt(v[i] + epsilon) * slope;
    of_moves[i] = flush_tiny(real_fma((1 - rho) * delta, delta, rho * of_moves[i]), flush);
    return real_fma(-u->constants[ADADELTA_RATE], delta, w);
}
