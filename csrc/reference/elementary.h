/* elementary.h: placeholder until the own functions stand here. */
#if MLP_REAL_BITS == 32
static real real_exp(real x) { return expf(x); }
static real real_log(real x) { return logf(x); }
static real real_log1p(real x) { return log1pf(x); }
static real real_tanh(real x) { return tanhf(x); }
static real real_sigmoid(real x) { return 1 / (1 + expf(-x)); }
#else
static real real_exp(real x) { return exp(x); }
static real real_log(real x) { return log(x); }
static real real_log1p(real x) { return log1p(x); }
static real real_tanh(real x) { return tanh(x); }
static real real_sigmoid(real x) { return 1 / (1 + exp(-x)); }
#endif
static void elementary(mlp_elementary function, ptrdiff_t count, real *y, const real *x) {
    for (ptrdiff_t i = 0; i < count; i++) {
        switch (function) {
        case MLP_EXP: y[i] = real_exp(x[i]); break;
        case MLP_LOG: y[i] = real_log(x[i]); break;
        case MLP_LOG1P: y[i] = real_log1p(x[i]); break;
        case MLP_TANH_OF: y[i] = real_tanh(x[i]); break;
        default: y[i] = real_sigmoid(x[i]); break;
        }
    }
}
