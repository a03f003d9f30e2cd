/* adam.c: Adam and its relatives. All keep moving averages of the gradient and of its square,
 *
 *     m = beta1 m + (1 - beta1) grad         m_hat = m / (1 - beta1^t)                           Kingma & Ba 2015
 *     v = beta2 v + (1 - beta2) grad^2       v_hat = v / (1 - beta2^t)
 *
 * state[0] is m, state[1] is v. Bias correction: the averages begin at 0, and 1 - beta^t is the weight of all gradients so far in
 * them. m_hat and v_hat are folded into two numbers, the rate of the step and what sqrt(v) is multiplied by.
 */

/* base^t for t >= 0 by squaring: libm's pow differs between machines. */
static double power(double base, int64_t t) {
    double result = 1;
    for (; t > 0; t /= 2) {
        result *= t % 2 ? base : 1;
        base *= base;
    }
    return result;
}

/* The last one is each rule's own: NAdam's rate of the gradient, and whether RAdam divides by sqrt(v) yet. */
enum { ADAM_BETA1 = MLP_FIRST_OWN, ADAM_BETA2, ADAM_RATE, ADAM_V_SCALE, ADAM_EPSILON, ADAM_FLUSH_V, ADAM_OTHER };

static void follow_gradient(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real slope) {
    const real beta1 = u->constants[ADAM_BETA1], beta2 = u->constants[ADAM_BETA2];
    real *m = u->state[0], *v = u->state[1];
    m[i] = flush_tiny(real_fma(1 - beta1, slope, beta1 * m[i]), REAL_SMALLEST);
    v[i] = flush_tiny(real_fma((1 - beta2) * slope, slope, beta2 * v[i]), u->constants[ADAM_FLUSH_V]);
}

/* sqrt(v_hat) + epsilon */
static real adam_divisor(const REAL_NAME(mlp_update) * u, real v) {
    return real_fma(real_sqrt(v), u->constants[ADAM_V_SCALE], u->constants[ADAM_EPSILON]);
}

/* ---- Adam ------------------------------------------------------------------------------------------------------- */

static void adam_constants(const double *hypers, int64_t t, real *c) {
    const double learning_rate = hypers[0];
    c[ADAM_BETA1] = (real)hypers[1];
    c[ADAM_BETA2] = (real)hypers[2];
    c[ADAM_EPSILON] = (real)hypers[3];
    c[ADAM_RATE] = (real)(learning_rate / (1 - power((double)c[ADAM_BETA1], t)));
    const double root = sqrt(1 - power((double)c[ADAM_BETA2], t));
    c[ADAM_V_SCALE] = (real)(1 / root);
    const double lost = (double)c[ADAM_EPSILON] * HALF_ULP * root; /* a sqrt(v) below this changes no sum */
    c[ADAM_FLUSH_V] = flush_below(lost * lost, (double)c[ADAM_BETA2]);
    c[ADAM_OTHER] = 0;
    c[MLP_DECAY] = (real)(learning_rate * hypers[4]);
}

/* w -= learning_rate * m_hat / (sqrt(v_hat) + epsilon) */
static real adam_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    follow_gradient(u, i, slope);
    return w - u->constants[ADAM_RATE] * u->state[0][i] / adam_divisor(u, u->state[1][i]);
}

/* ---- AdamW: Adam, whose weight decay has another default --------------------------------------------------------- */

static void adamw_constants(const double *hypers, int64_t t, real *c) { adam_constants(hypers, t, c); }

static real adamw_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    return adam_weight(u, i, w, slope);
}

/* ---- AMSGrad ---------------------------------------------------------------------------------------------------- */

static void amsgrad_constants(const double *hypers, int64_t t, real *c) { adam_constants(hypers, t, c); }

/* v_max = max(v_max, v);  w -= learning_rate * m_hat / (sqrt(v_max / (1 - beta2^t)) + epsilon)      Reddi et al. 2018
 * state[2] is v_max. */
static real amsgrad_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    real *v = u->state[1], *v_max = u->state[2];
    follow_gradient(u, i, slope);
    v_max[i] = v_max[i] < v[i] ? v[i] : v_max[i];
    return w - u->constants[ADAM_RATE] * u->state[0][i] / adam_divisor(u, v_max[i]);
}

/* ---- NAdam ------------------------------------------------------------------------------------------------------ */

/* 0.96^x / 2, where log 0.96 is a constant, by our own exp */
static double half_of_decay(double x) {
    const double exponent = -0.040821994520255166 * x;
    double power_of_e;
    mlp_reference_f64.elementary(MLP_ELEMENTARY_EXP, 1, &power_of_e, &exponent);
    return power_of_e / 2;
}

/* M_t = mu_1 mu_2 ... mu_t with mu_s = beta1 (1 - 0.96^(s psi) / 2), from the hyperparameters alone. Whatever they are, at most
 * 3000 factors are needed: M_t soon vanishes beside 1, and mu_s soon becomes beta1. */
static double product_of_momenta(double beta1, double psi, int64_t t) {
    const double decay = 2 * half_of_decay(psi);
    double product = 1, half = 0.5;
    int64_t s = 0;
    for (; s < t && product > 0x1p-60 && half > 0x1p-54; s++) {
        half *= decay;
        product *= beta1 * (1 - half);
    }
    return product * power(beta1, t - s);
}

static void nadam_constants(const double *hypers, int64_t t, real *c) {
    const double learning_rate = hypers[0], psi = hypers[4], next = (double)t + 1;
    const double adams[] = {learning_rate, hypers[1], hypers[2], hypers[3], hypers[5]};
    adam_constants(adams, t, c);
    const double beta1 = (double)c[ADAM_BETA1];
    const double mu = beta1 * (1 - half_of_decay((double)t * psi)), mu_next = beta1 * (1 - half_of_decay(next * psi));
    const double product = product_of_momenta(beta1, psi, t);
    c[ADAM_RATE] = (real)(learning_rate * mu_next / (1 - product * mu_next));
    c[ADAM_OTHER] = (real)(learning_rate * (1 - mu) / (1 - product));
}

/* w -= learning_rate (mu_(t+1) m / (1 - M_(t+1)) + (1 - mu_t) grad / (1 - M_t)) / (sqrt(v_hat) + epsilon)      Dozat 2016 */
static real nadam_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    follow_gradient(u, i, slope);
    const real ahead = real_fma(u->constants[ADAM_OTHER], slope, u->constants[ADAM_RATE] * u->state[0][i]);
    return w - ahead / adam_divisor(u, u->state[1][i]);
}

/* ---- RAdam ------------------------------------------------------------------------------------------------------ */

static void radam_constants(const double *hypers, int64_t t, real *c) {
    adam_constants(hypers, t, c);
    const double beta2 = (double)c[ADAM_BETA2], power2 = power(beta2, t);
    const double most = 2 / (1 - beta2) - 1, terms = most - 2 * (double)t * power2 / (1 - power2);
    const bool rectifies = terms > 5;
    if (rectifies) {
        const double variance = (terms - 4) * (terms - 2) * most / ((most - 4) * (most - 2) * terms);
        const double rate = hypers[0] / (1 - power((double)c[ADAM_BETA1], t));
        c[ADAM_RATE] = (real)(rate * sqrt(1 - power2) * sqrt(variance));
    }
    c[ADAM_OTHER] = rectifies;
    c[ADAM_V_SCALE] = 1;
    const double lost = (double)c[ADAM_EPSILON] * HALF_ULP;
    c[ADAM_FLUSH_V] = flush_below(lost * lost, beta2);
}

/* As soon as v has the worth of more than 5 gradients, else by momentum alone:                 Liu et al. 2020
 * w -= learning_rate * m_hat * sqrt(1 - beta2^t) / (sqrt(v) + epsilon) * rectification;        w -= learning_rate * m_hat */
static real radam_weight(const REAL_NAME(mlp_update) * u, ptrdiff_t i, real w, real slope) {
    follow_gradient(u, i, slope);
    const real move = u->constants[ADAM_RATE] * u->state[0][i];
    return w - (u->constants[ADAM_OTHER] != 0 ? move / adam_divisor(u, u->state[1][i]) : move);
}
