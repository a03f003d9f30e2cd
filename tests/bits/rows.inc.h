/* rows.inc.h: activations, losses and metrics, on rows of `out` numbers. */

static void run_activation_forward(const kernels *k, const job *j, real *const *at) {
    k->activation_forward(&j->sigma, j->n, j->out, at[0], at[1]);
}

static void run_activation_backward(const kernels *k, const job *j, real *const *at) {
    k->activation_backward(&j->sigma, j->n, j->out, at[0], at[1], at[2]);
}

static void run_loss_value(const kernels *k, const job *j, real *const *at) {
    k->loss_value(&j->loss, j->n, j->out, at[0], at[1], at[2]);
}

static void run_loss_gradient(const kernels *k, const job *j, real *const *at) {
    k->loss_gradient(&j->loss, j->n, j->out, at[0], at[1], at[2], at[3]);
}

static void run_output_loss(const kernels *k, const job *j, real *const *at) {
    k->output_loss(&j->loss, &j->sigma, j->n, j->out, at[0], at[1], at[2], at[3]);
}

static void run_output_phi(const kernels *k, const job *j, real *const *at) {
    k->output_phi(&j->loss, &j->sigma, j->n, j->out, at[0], at[1], at[2], at[3], at[4]);
}

static void run_output_step(const kernels *k, const job *j, real *const *at) {
    store_double(at[6], k->output_step(&j->loss, &j->sigma, j->metric, j->n, j->out, at[0], at[1], at[2], at[3], at[4],
                                       at[5], at[7]));
}

static void run_count_correct(const kernels *k, const job *j, real *const *at) {
    store_double(at[0], k->count_correct(j->metric, j->n, j->out, at[1], at[2], at[3]));
}

static void run_count_top_k(const kernels *k, const job *j, real *const *at) {
    store_double(at[0], k->count_top_k(j->begin, j->n, j->out, at[1], at[2], at[3]));
}

enum { SIZE_OF_DOUBLE = sizeof(double) / sizeof(real) };

/* Sums that a kernel adds to, from 0 on. */
static double sums[MLP_COUNTS * (LARGEST_SIZE + 1)];

static void clear_sums(void) { memset(sums, 0, sizeof sums); }

static void store_sums(real *to, ptrdiff_t count) {
    for (ptrdiff_t i = 0; i < count; i++) {
        store_double(to + i * SIZE_OF_DOUBLE, sums[i]);
    }
}

static ptrdiff_t classes_of(const job *j) { return j->answers == MLP_ANSWERS_BINARY ? 2 : j->out; }

static void run_count_answers(const kernels *k, const job *j, real *const *at) {
    clear_sums();
    k->count_answers(j->answers, j->limit, j->n, j->out, sums, at[1], at[2], at[3]);
    store_sums(at[0], MLP_COUNTS * classes_of(j));
}

static void run_add_errors(const kernels *k, const job *j, real *const *at) {
    clear_sums();
    k->add_errors(j->n, j->out, sums, at[1], at[2], at[3]);
    store_sums(at[0], MLP_ERRORS * j->out);
}

static void try_activations(ptrdiff_t n, ptrdiff_t out, int offset) {
    for (int id = 0; id < MLP_ACTIVATION_COUNT; id++) {
        const REAL_NAME(mlp_activation) sigma = draw_activation((mlp_activation_id)id);
        job forward = {.kernel = "activation_forward",
                       .run = run_activation_forward,
                       .n = n,
                       .out = out,
                       .sigma = sigma,
                       .in_place = (int)random_below(2),
                       .operands = {{"a", WRITTEN, n, out, NULL},
                                    {"z", READ, n, out, mlp_is_per_row(sigma.id) ? fill_rows : fill_wild}}};
        describe(&forward, "%s%s", mlp_activations[id].name, forward.in_place ? ", a is z" : "");
        try_at(&forward, offset);
        const char *s = mlp_derivative_needs_z(sigma.id) ? "z" : "a";
        job backward = {.kernel = "activation_backward",
                        .run = run_activation_backward,
                        .n = n,
                        .out = out,
                        .sigma = sigma,
                        .in_place = (int)random_below(3),
                        .operands = {{"phi", WRITTEN, n, out, NULL},
                                     {s, READ, n, out, random_below(2) ? fill_probabilities : fill_wild},
                                     {"grad_a", READ, n, out, random_below(2) ? fill_factors : fill_wild}}};
        describe(&backward, "%s%s%s", mlp_activations[id].name,
                 (const char *[]){"", ", phi is ", ", phi is grad_a"}[backward.in_place],
                 backward.in_place == 1 ? s : "");
        try_at(&backward, offset);
    }
}

/* A loss with some of the output activations, others each time: all pairs at all sizes would take hours. */
static void try_outputs(REAL_NAME(mlp_loss) loss, ptrdiff_t n, ptrdiff_t out, int offset) {
    for (int id = 0; id < MLP_ACTIVATION_COUNT; id++) {
        if (random_below(8) > 0) {
            continue;
        }
        job output = {.kernel = "output_loss",
                      .run = run_output_loss,
                      .n = n,
                      .out = out,
                      .loss = loss,
                      .sigma = draw_activation((mlp_activation_id)id),
                      .a_of_z = true,
                      .operands = {{"value", WRITTEN, n, 1, NULL},
                                   {"z", READ, n, out, fill_rows},
                                   {"a", READ, n, out, fill_rows},
                                   {"y", READ, n, out, fill_labels}}};
        describe(&output, "%s %s", mlp_losses[loss.id].name, mlp_activations[id].name);
        try_at(&output, offset);
        output.kernel = "output_phi";
        output.run = run_output_phi;
        output.operands[0] = (operand){"phi", WRITTEN, n, out, NULL};
        output.operands[4] = (operand){"scale", READ, n, 1, fill_weights};
        try_at(&output, offset);
        output.kernel = "output_step";
        output.run = run_output_step;
        output.a_of_z = false;
        output.metric = (mlp_metric_id)random_below(MLP_METRIC_COUNT);
        memcpy(output.operands,
               (operand[OPERANDS]){{"a", WRITTEN, n, out, NULL},
                                   {"value", WRITTEN, n, 1, NULL},
                                   {"phi", WRITTEN, n, out, NULL},
                                   {"z", READ, n, out, fill_rows},
                                   {"y", READ, n, out, fill_labels},
                                   {"scale", READ, n, 1, fill_weights},
                                   {"correct", WRITTEN, 1, sizeof(double) / sizeof(real), NULL},
                                   {random_below(2) ? "weight" : NULL, READ, n, 1, fill_weights}},
               sizeof output.operands);
        describe(&output, "%s %s %s", mlp_losses[loss.id].name, mlp_activations[id].name,
                 mlp_metrics[output.metric].name);
        try_at(&output, offset);
    }
}

static void try_losses(ptrdiff_t n, ptrdiff_t out, int offset) {
    for (int id = 0; id < MLP_LOSS_COUNT; id++) {
        const REAL_NAME(mlp_loss) loss = draw_loss((mlp_loss_id)id);
        job value = {.kernel = "loss_value",
                     .run = run_loss_value,
                     .n = n,
                     .out = out,
                     .loss = loss,
                     .operands = {{"value", WRITTEN, n, 1, NULL},
                                  {"y_hat", READ, n, out, fill_probabilities},
                                  {"y", READ, n, out, fill_labels}}};
        describe(&value, "%s", mlp_losses[id].name);
        try_at(&value, offset);
        job gradient = {.kernel = "loss_gradient",
                        .run = run_loss_gradient,
                        .n = n,
                        .out = out,
                        .loss = loss,
                        .in_place = (int)random_below(2),
                        .operands = {{"grad_a", WRITTEN, n, out, NULL},
                                     {"y_hat", READ, n, out, fill_probabilities},
                                     {"y", READ, n, out, fill_labels},
                                     {"scale", READ, n, 1, fill_weights}}};
        describe(&gradient, "%s%s", mlp_losses[id].name, gradient.in_place ? ", grad_a is y_hat" : "");
        try_at(&gradient, offset);
        try_outputs(loss, n, out, offset);
    }
}

static void try_metrics(ptrdiff_t n, ptrdiff_t out, int offset) {
    for (int id = 0; id < MLP_METRIC_COUNT; id++) {
        for (int weighted = 0; weighted < 2; weighted++) {
            job correct = {.kernel = "count_correct",
                           .run = run_count_correct,
                           .n = n,
                           .out = out,
                           .metric = (mlp_metric_id)id,
                           .operands = {{"correct", WRITTEN, 1, sizeof(double) / sizeof(real), NULL},
                                        {"a", READ, n, out, fill_rows},
                                        {"y", READ, n, out, fill_labels},
                                        {weighted ? "weight" : NULL, READ, n, 1, fill_weights}}};
            describe(&correct, "%s%s", mlp_metrics[id].name, weighted ? ", weighted" : "");
            try_at(&correct, offset);
        }
    }
}

static void try_measures(ptrdiff_t n, ptrdiff_t out, int offset) {
    job measure = {.n = n,
                   .out = out,
                   .begin = 1 + random_below(out),
                   .limit = random_below(2) ? 0 : REAL(0.5),
                   .operands = {{"sums", WRITTEN, 1, SIZE_OF_DOUBLE, NULL},
                                {"a", READ, n, out, fill_rows},
                                {"y", READ, n, out, fill_labels},
                                {random_below(2) ? "weight" : NULL, READ, n, 1, fill_weights}}};
    measure.kernel = "count_top_k";
    measure.run = run_count_top_k;
    describe(&measure, "k %td", measure.begin);
    try_at(&measure, offset);
    measure.kernel = "count_answers";
    measure.run = run_count_answers;
    static const char *const ANSWERS[] = {"binary", "classes", "labels"};
    for (int answers = 0; answers < 3; answers++) {
        measure.answers = (mlp_answers)answers;
        measure.operands[0].rows = MLP_COUNTS * classes_of(&measure);
        describe(&measure, "%s", ANSWERS[answers]);
        try_at(&measure, offset);
    }
    measure.kernel = "add_errors";
    measure.run = run_add_errors;
    measure.operands[0].rows = MLP_ERRORS * out;
    describe(&measure, "%s", "");
    try_at(&measure, offset);
}

static void run_max_norm(const kernels *k, const job *j, real *const *at) {
    k->max_norm(j->in, j->out, at[0], j->limit);
}

/* Kernels on rows of `out` numbers. */
static void try_rows(ptrdiff_t n, ptrdiff_t out, int offset) {
    try_activations(n, out, offset);
    try_losses(n, out, offset);
    try_metrics(n, out, offset);
    try_measures(n, out, offset);
    try_norms(n, out, offset);
    if (full || random_below(4) == 0) {
        try_embedding(n, out, offset);
    }
    try_at(&(job){.kernel = "max_norm",
                  .run = run_max_norm,
                  .in = n,
                  .out = out,
                  .limit = 2 * real_abs(uniform()),
                  .operands = {{"w", CHANGED, n, out, random_below(4) ? fill_factors : fill_wild}}},
           offset);
}
