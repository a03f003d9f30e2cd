/* counts.inc.h: what goes through `count` numbers once: elementary functions, what training draws, the samples of a batch. */

static void run_elementary(const kernels *k, const job *j, real *const *at) {
    k->elementary(j->function, j->n, at[0], at[1]);
}

static void run_dropout(const kernels *k, const job *j, real *const *at) {
    k->dropout(&j->mask, j->begin, j->n, at[0], at[1]);
}

static void run_alpha_dropout(const kernels *k, const job *j, real *const *at) {
    k->alpha_dropout(&j->mask, j->begin, j->n, at[0], at[1]);
}

static void run_gaussian_noise(const kernels *k, const job *j, real *const *at) {
    k->gaussian_noise(&j->mask.words, j->limit, j->begin, j->n, at[0], at[1]);
}

static void run_batch_weight(const kernels *k, const job *j, real *const *at) {
    store_double(at[0], k->batch_weight(j->n, at[1]));
}

/* Against the weights' own sum, or against another total. */
static void run_batch_scale(const kernels *k, const job *j, real *const *at) {
    k->batch_scale(j->n, at[0], at[1], j->limit > 0 ? (double)j->limit : reference->batch_weight(j->n, at[1]));
}

static void run_batch_mean(const kernels *k, const job *j, real *const *at) {
    store_double(at[0], k->batch_mean(j->n, at[1], at[2]));
}

static void run_sum_of_squares(const kernels *k, const job *j, real *const *at) {
    store_double(at[0], k->sum_of_squares(j->n, at[1]));
}

/* What training draws for each number. */
static void try_drawing(ptrdiff_t count, int offset) {
    static const double RATES[] = {0, 0.2, 0.5, 0.999};
    static const struct {
        const char *kernel;
        void (*run)(const kernels *k, const job *j, real *const *at);
    } DRAWING[] = {
        {"dropout", run_dropout}, {"alpha_dropout", run_alpha_dropout}, {"gaussian_noise", run_gaussian_noise}};
    for (size_t i = 0; i < sizeof RATES / sizeof *RATES * 3; i++) {
        const double rate = RATES[i / 3];
        job drawing = {
            .kernel = DRAWING[i % 3].kernel,
            .run = DRAWING[i % 3].run,
            .n = count,
            .mask = {.words = {.key = {(uint32_t)random_bits(), (uint32_t)random_bits()}, .batch = random_bits()},
                     .threshold = (uint32_t)(rate * 0x1p32),
                     .scale = (real)(1 / (1 - rate)),
                     .shift = 2 * uniform(),
                     .dropped = 2 * uniform()},
            .limit = (real)rate, /* stddev */
            .begin = random_below(4) ? random_below(200) : (ptrdiff_t)(random_bits() >> 24),
            .in_place = (int)random_below(2),
            .operands = {{"y", WRITTEN, count, 1, NULL}, {"x", READ, count, 1, fill_wild}}};
        describe(&drawing, "rate %g, begin %td%s", rate, drawing.begin, drawing.in_place ? ", y is x" : "");
        try_at(&drawing, offset);
    }
}

static void try_samples(ptrdiff_t count, int offset) {
    for (int weighted = 0; weighted < 2; weighted++) {
        const char *weight = weighted ? "weight" : NULL;
        try_at(&(job){.kernel = "batch_weight",
                      .run = run_batch_weight,
                      .n = count,
                      .operands = {{"sum", WRITTEN, 1, sizeof(double) / sizeof(real), NULL},
                                   {weight, READ, count, 1, fill_weights}}},
               offset);
        try_at(&(job){.kernel = "batch_scale",
                      .run = run_batch_scale,
                      .n = count,
                      .limit = random_below(2) ? 0 : real_abs(uniform()),
                      .operands = {{"scale", WRITTEN, count, 1, NULL}, {weight, READ, count, 1, fill_weights}}},
               offset);
        try_at(&(job){.kernel = "batch_mean",
                      .run = run_batch_mean,
                      .n = count,
                      .operands = {{"mean", WRITTEN, 1, sizeof(double) / sizeof(real), NULL},
                                   {"value", READ, count, 1, fill_weights},
                                   {weight, READ, count, 1, fill_weights}}},
               offset);
    }
}

/* Kernels on `count` numbers. */
static void try_count(ptrdiff_t count, int offset) {
    for (int function = 0; function < MLP_ELEMENTARY_COUNT; function++) {
        job elementary = {.kernel = "elementary",
                          .run = run_elementary,
                          .n = count,
                          .function = (mlp_elementary_id)function,
                          .in_place = (int)random_below(2),
                          .operands = {{"y", WRITTEN, count, 1, NULL},
                                       {"x", READ, count, 1, random_below(4) ? fill_wild : fill_probabilities}}};
        describe(&elementary, "%s%s", mlp_elementaries[function].name, elementary.in_place ? ", y is x" : "");
        try_at(&elementary, offset);
    }
    try_at(&(job){.kernel = "sum_of_squares",
                  .run = run_sum_of_squares,
                  .n = count,
                  .operands = {{"sum", WRITTEN, 1, sizeof(double) / sizeof(real), NULL},
                               {"x", READ, count, 1, random_below(4) ? fill_factors : fill_wild}}},
           offset);
    try_samples(count, offset);
    if (offset == 0 || chosen(4)) {
        try_drawing(count, offset);
        try_updates(count, offset);
    }
}
