/* norms.inc.h: layers with parameters beside dense ones: the three norms, factors and slopes of columns. */

static void run_layer_norm_forward(const kernels *k, const job *j, real *const *at) {
    k->layer_norm_forward(j->flag, j->n, j->out, at[0], at[1], at[2], at[3], at[4], j->limit);
}

static void run_layer_norm_backward_x(const kernels *k, const job *j, real *const *at) {
    k->layer_norm_backward_x(j->flag, j->n, j->out, at[0], at[1], at[2], at[3], at[4]);
}

static void run_layer_norm_backward_gamma(const kernels *k, const job *j, real *const *at) {
    k->layer_norm_backward_gamma(j->n, j->out, at[0], at[1], at[2], at[3]);
}

static void run_batch_norm_moments(const kernels *k, const job *j, real *const *at) {
    k->batch_norm_moments(j->n, j->out, at[0], at[1], at[2], at[3]);
}

static void run_batch_norm_forward(const kernels *k, const job *j, real *const *at) {
    k->batch_norm_forward(j->n, j->out, at[0], at[1], at[2], at[3], at[4], at[5], j->limit);
}

static void run_batch_norm_backward(const kernels *k, const job *j, real *const *at) {
    k->batch_norm_backward(j->n, j->out, at[0], at[1], at[2], at[3], at[4], at[5], at[6], at[7], j->limit, at[8]);
}

static void run_scale(const kernels *k, const job *j, real *const *at) { k->scale(j->n, j->out, at[0], at[1], at[2]); }

static void run_scale_backward_s(const kernels *k, const job *j, real *const *at) {
    k->scale_backward_s(j->n, j->out, at[0], at[1], at[2]);
}

static void run_prelu_forward(const kernels *k, const job *j, real *const *at) {
    k->prelu_forward(j->flag, j->n, j->out, at[0], at[1], at[2]);
}

static void run_prelu_backward_z(const kernels *k, const job *j, real *const *at) {
    k->prelu_backward_z(j->flag, j->n, j->out, at[0], at[1], at[2], at[3]);
}

static void run_prelu_backward_alpha(const kernels *k, const job *j, real *const *at) {
    k->prelu_backward_alpha(j->flag, j->n, j->out, at[0], at[1], at[2]);
}

/* One call with these operands. */
static void try_norm(const char *kernel, void (*run)(const kernels *k, const job *j, real *const *at), bool flag,
                     ptrdiff_t n, ptrdiff_t out, int offset, const operand *operands) {
    job one = {.kernel = kernel, .run = run, .n = n, .out = out, .flag = flag, .limit = REAL(1e-3)};
    for (int i = 0; i < OPERANDS && operands[i].rows >= 0; i++) {
        one.operands[i] = operands[i];
    }
    describe(&one, "%s", flag ? "centred or shared" : "");
    try_at(&one, offset);
}

#define TRY(kernel, flag, ...)                                                                                         \
    try_norm(#kernel, run_##kernel, flag, n, out, offset, (const operand[]){__VA_ARGS__, {.rows = -1}})

static void try_norms(ptrdiff_t n, ptrdiff_t out, int offset) {
    filler *const fill = random_below(4) ? fill_factors : fill_wild;
    for (int flag = 0; flag < 2; flag++) {
        TRY(layer_norm_forward, flag, {"y", WRITTEN, n, out, NULL},
            {random_below(2) ? "moments" : NULL, WRITTEN, n, 2, NULL}, {"x", READ, n, out, fill},
            {"gamma", READ, 1, out, fill}, {flag ? "beta" : NULL, READ, 1, out, fill});
        TRY(layer_norm_backward_x, flag, {"grad_x", WRITTEN, n, out, NULL}, {"grad_y", READ, n, out, fill},
            {"x", READ, n, out, fill}, {"moments", READ, n, 2, fill}, {"gamma", READ, 1, out, fill});
        const ptrdiff_t slopes = flag ? 1 : out;
        TRY(prelu_forward, flag, {"a", WRITTEN, n, out, NULL}, {"z", READ, n, out, fill},
            {"alpha", READ, 1, slopes, fill});
        TRY(prelu_backward_z, flag, {"phi", WRITTEN, n, out, NULL}, {"grad_a", READ, n, out, fill},
            {"z", READ, n, out, fill}, {"alpha", READ, 1, slopes, fill});
        TRY(prelu_backward_alpha, flag, {"grad_alpha", WRITTEN, 1, slopes, NULL}, {"grad_a", READ, n, out, fill},
            {"z", READ, n, out, fill});
        const char *weight = flag ? "weight" : NULL;
        TRY(batch_norm_moments, flag, {"mean", WRITTEN, 1, out, NULL}, {"variance", WRITTEN, 1, out, NULL},
            {"x", READ, n, out, fill}, {weight, READ, n, 1, fill_weights});
        TRY(batch_norm_backward, flag, {random_below(4) ? "grad_x" : NULL, WRITTEN, n, out, NULL},
            {"grad_gamma", WRITTEN, 1, out, NULL}, {"grad_beta", WRITTEN, 1, out, NULL}, {"grad_y", READ, n, out, fill},
            {"x", READ, n, out, fill}, {"mean", READ, 1, out, fill}, {"variance", READ, 1, out, fill_weights},
            {"gamma", READ, 1, out, fill}, {"share", READ, n, 1, fill_weights});
    }
    TRY(layer_norm_backward_gamma, false, {"grad_gamma", WRITTEN, 1, out, NULL}, {"grad_y", READ, n, out, fill},
        {"x", READ, n, out, fill}, {"moments", READ, n, 2, fill});
    TRY(batch_norm_forward, false, {"y", WRITTEN, n, out, NULL}, {"x", READ, n, out, fill},
        {"mean", READ, 1, out, fill}, {"variance", READ, 1, out, fill_weights}, {"gamma", READ, 1, out, fill},
        {"beta", READ, 1, out, fill});
    TRY(scale, false, {"y", WRITTEN, n, out, NULL}, {"x", READ, n, out, fill}, {"s", READ, 1, out, fill});
    TRY(scale_backward_s, false, {"grad_s", WRITTEN, 1, out, NULL}, {"grad_y", READ, n, out, fill},
        {"x", READ, n, out, fill});
}

#undef TRY
