/* initialize.c: the first weights of a layer. */

/* Each initializer draws uniformly in [-limit, limit), from how many inputs and outputs a unit has. */
static double glorot_uniform_limit(double in, double out) { return sqrt(6 / (in + out)); }
static double he_uniform_limit(double in, double out) { return (void)out, sqrt(6 / in); }
static double zeros_limit(double in, double out) { return (void)in, (void)out, 0; }

static double limit_of(mlp_initializer_id initializer, double in, double out) {
    switch (initializer) {
#define INITIALIZER(ID, id, ...)                                                                                       \
    case MLP_##ID: return id##_limit(in, out);
#include "../../catalogue/initializers.def"
    }
    return 0; /* not reached */
}

/* The first segment is drawn, (in, out) in memory; the others become 0. */
static bool initialize(mlp_net *net, ptrdiff_t step, mlp_initializer_id initializer, uint64_t seed,
                       const mlp_interrupt *interrupt) {
    enum { DRAWS = 1 << 14, DRAW_WORK = 64 }; /* between two looks at the poller; what a draw costs in multiply-adds */
    const mlp_step *plan = &net->step[step];
    const mlp_segment *w = &net->segment[plan->segment];
    const ptrdiff_t count = w->rows * w->columns;
    const double limit = limit_of(initializer, (double)w->rows, (double)w->columns);
    const mlp_stream stream = {.seed = seed, .purpose = MLP_DRAW_WEIGHTS, .which = plan->layer};
    real *const params = net->params;
    mlp_poller poller = mlp_poller_new(interrupt, DRAWS * DRAW_WORK);
    for (ptrdiff_t i = 0; i < count; i++) {
        params[w->begin + i] = limit > 0 ? (real)(limit * (2 * mlp_draw_uniform(stream, (uint64_t)i) - 1)) : 0;
        if (i % DRAWS == DRAWS - 1 && mlp_should_stop(&poller, i)) {
            return false;
        }
    }
    for (ptrdiff_t j = 1; j < plan->segments; j++) {
        memset(params + w[j].begin, 0, (size_t)(w[j].rows * w[j].columns) * sizeof(real));
    }
    return true;
}
