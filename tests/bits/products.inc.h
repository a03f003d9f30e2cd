/* products.inc.h: the products of a dense layer, by themselves and with what csrc/net/layers/dense.c gives them as epilogue. */

/* An epilogue of the kernels `k`: the activation and the update are the job's, and the arrays are the call's. */
typedef struct {
    const kernels *k;
    const job *j;
    const REAL_NAME(mlp_update) * update;
    real *to;       /* what the epilogue writes: a, phi or w */
    const real *of; /* what sigma' is computed from          */
} after_product;

static void apply_sigma(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *block) {
    const after_product *c = context;
    c->k->activation_forward(&c->j->sigma, 1, count, c->to + begin, block);
}

static void apply_sigma_slope(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *block) {
    const after_product *c = context;
    c->k->activation_backward(&c->j->sigma, 1, count, c->to + begin, c->of + begin, block);
}

static void apply_update(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *block) {
    const after_product *c = context;
    c->k->update(c->update, c->j->begin + begin, count, c->to, block);
}

/* Operand 4 is what the epilogue writes; NULL: in place. */
static void run_dense_forward(const kernels *k, const job *j, real *const *at) {
    const after_product context = {.k = k, .j = j, .to = at[4] ? at[4] : at[0]};
    const REAL_NAME(mlp_epilogue) epilogue = {apply_sigma, &context};
    k->dense_forward(j->n, j->in, j->out, at[0], at[1], at[2], at[3], j->has_epilogue ? &epilogue : NULL);
}

static void run_dense_backward_x(const kernels *k, const job *j, real *const *at) {
    const after_product context = {.k = k, .j = j, .to = at[4] ? at[4] : at[0], .of = at[3]};
    const REAL_NAME(mlp_epilogue) epilogue = {apply_sigma_slope, &context};
    k->dense_backward_x(j->n, j->in, j->out, at[0], at[1], at[2], j->has_epilogue ? &epilogue : NULL);
}

static void run_dense_backward_w(const kernels *k, const job *j, real *const *at) {
    const REAL_NAME(mlp_update) update = update_with(&j->update, at + 4);
    const after_product context = {.k = k, .j = j, .update = &update, .to = at[3]};
    const REAL_NAME(mlp_epilogue) epilogue = {apply_update, &context};
    k->dense_backward_w(j->n, j->in, j->out, at[0], j->operands[0].use == ROOM, at[1], at[2],
                        j->has_epilogue ? &epilogue : NULL);
}

static void run_dense_backward_b(const kernels *k, const job *j, real *const *at) {
    k->dense_backward_b(j->n, j->out, at[0], at[1]);
}

static void run_dense_update_online(const kernels *k, const job *j, real *const *at) {
    const REAL_NAME(mlp_update) update = update_with(&j->update, at + 6);
    const REAL_NAME(mlp_next_sample) next = {.x = at[3], .b = at[4], .z = at[2]};
    k->dense_update_online(j->in, j->out, &update, j->begin, at[5], at[0], at[1], j->has_epilogue ? &next : NULL);
}

static REAL_NAME(mlp_activation) elementwise_sigma(void) {
    REAL_NAME(mlp_activation) sigma;
    do {
        sigma = draw_activation((mlp_activation_id)random_below(MLP_ACTIVATION_COUNT));
    } while (mlp_is_per_row(sigma.id));
    return sigma;
}

static void try_forward(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, bool large) {
    job forward = {.kernel = "dense_forward",
                   .run = run_dense_forward,
                   .n = n,
                   .in = in,
                   .out = out,
                   .large = large,
                   .operands = {{"z", WRITTEN, n, out, NULL},
                                {"x", READ, n, in, fill_factors},
                                {"w", READ, in, out, fill_factors},
                                {random_below(4) ? "b" : NULL, READ, 1, out, fill_factors}}};
    try_at(&forward, 0);
    if (chosen(2)) {
        const bool in_place = random_below(2);
        forward.has_epilogue = true;
        forward.sigma = elementwise_sigma();
        forward.operands[4] = (operand){in_place ? NULL : "a", WRITTEN, n, out, NULL};
        describe(&forward, "%s%s", mlp_activations[forward.sigma.id].name, in_place ? ", a is z" : "");
        try_at(&forward, 0);
    }
}

static void try_backward_x(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, bool large) {
    job backward = {.kernel = "dense_backward_x",
                    .run = run_dense_backward_x,
                    .n = n,
                    .in = in,
                    .out = out,
                    .large = large,
                    .operands = {{"grad_x", WRITTEN, n, in, NULL},
                                 {"phi", READ, n, out, fill_factors},
                                 {"w", READ, in, out, fill_factors}}};
    try_at(&backward, 0);
    if (chosen(2)) {
        const bool in_place = random_below(2);
        backward.has_epilogue = true;
        backward.sigma = elementwise_sigma();
        backward.operands[3] = (operand){"s", READ, n, in, fill_rows};
        backward.operands[4] = (operand){in_place ? NULL : "phi_below", WRITTEN, n, in, NULL};
        describe(&backward, "%s%s", mlp_activations[backward.sigma.id].name, in_place ? ", phi is grad_x" : "");
        try_at(&backward, 0);
    }
}

static void try_backward_w(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, bool large) {
    const job backward = {.kernel = "dense_backward_w",
                          .run = run_dense_backward_w,
                          .n = n,
                          .in = in,
                          .out = out,
                          .large = large,
                          .operands = {{"grad_w", WRITTEN, in, out, NULL},
                                       {"phi", READ, n, out, fill_factors},
                                       {"x", READ, n, in, fill_factors}}};
    try_at(&backward, 0);
    for (int rule = 0; rule < MLP_OPTIMIZER_COUNT; rule++) {
        if (!takes_rule()) {
            continue;
        }
        job update = backward;
        update.has_epilogue = true;
        if (random_below(2)) {
            update.operands[0].use = ROOM;
        }
        draw_update(&update, (mlp_optimizer_id)rule, in * out, 3);
        try_at(&update, 0);
    }
}

static void try_online(ptrdiff_t in, ptrdiff_t out, bool large) {
    for (int rule = 0; rule < MLP_OPTIMIZER_COUNT; rule++) {
        if (!takes_rule()) {
            continue;
        }
        job update = {.kernel = "dense_update_online",
                      .run = run_dense_update_online,
                      .n = 1,
                      .in = in,
                      .out = out,
                      .large = large,
                      .operands = {{"phi", READ, 1, out, fill_factors},
                                   {"x", READ, 1, in, fill_factors},
                                   {"next z", ROOM, 1, out, NULL},
                                   {"next x", READ, 1, in, fill_factors},
                                   {random_below(4) ? "b" : NULL, READ, 1, out, fill_factors}}};
        if (random_below(2)) {
            update.has_epilogue = true; /* there is a next sample */
            update.operands[2].use = WRITTEN;
        }
        draw_update(&update, (mlp_optimizer_id)rule, in * out, 5);
        try_at(&update, 0);
    }
}

static void try_products(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out) {
    const bool large = n * in * out > 400000;
    try_forward(n, in, out, large);
    try_backward_x(n, in, out, large);
    try_backward_w(n, in, out, large);
    try_at(&(job){.kernel = "dense_backward_b",
                  .run = run_dense_backward_b,
                  .n = n,
                  .out = out,
                  .operands = {{"grad_b", WRITTEN, 1, out, NULL}, {"phi", READ, n, out, fill_factors}}},
           0);
    if (n <= 1) {
        try_online(in, out, large);
    }
}

/* Empty batches, and every size up to two micro-tiles and one. n is M of z and grad_x and K of grad_w; in is K, N and
 * M; out is N and K. */
static void try_products_around_tiles(void) {
    const ptrdiff_t rows = 2 * TILE_ROWS_MOST + 1, columns = 2 * TILE_COLUMNS_MOST + 1;
    for (ptrdiff_t n = 0; n <= rows; n++) {
        for (ptrdiff_t in = 1; in <= columns; in++) {
            for (ptrdiff_t out = 1; out <= columns; out++) {
                if (chosen(MLP_REAL_BITS == 32 ? 480 : 120)) { /* floats: of four times as many */
                    try_products(n, in, out);
                }
            }
        }
    }
}

/* Around the blocks of K, the chunks of N and the strides from which on operands are packed: one size large, or two. */
static void try_large_products(void) {
    static const ptrdiff_t LARGE[] = {127, 128, 129, 255, 256, 257, 511, 512, 513, 1023, 1024, 1025};
    static const ptrdiff_t SMALL[] = {1, 2, 7, 17, 25, 33, 64, 97};
    enum { LARGES = sizeof LARGE / sizeof *LARGE, SMALLS = sizeof SMALL / sizeof *SMALL };
    for (int l = 0; l < LARGES; l++) {
        for (int s = 0; s < SMALLS * SMALLS; s++) {
            ptrdiff_t one = SMALL[s % SMALLS], other = SMALL[s / SMALLS];
            const ptrdiff_t sizes[3][3] = {{LARGE[l], one, other}, {one, LARGE[l], other}, {one, other, LARGE[l]}};
            for (int i = 0; i < 3; i++) {
                if (chosen(20)) {
                    try_products(sizes[i][0], sizes[i][1], sizes[i][2]);
                }
            }
        }
    }
    for (int l = 0; l < LARGES * LARGES; l++) {
        ptrdiff_t one = LARGE[l % LARGES], other = LARGE[l / LARGES], small = SMALL[random_below(4)];
        const ptrdiff_t sizes[3][3] = {{small, one, other}, {one, small, other}, {one, other, small}};
        for (int i = 0; i < 3; i++) {
            if (chosen(60)) {
                try_products(sizes[i][0], sizes[i][1], sizes[i][2]);
            }
        }
    }
}

/* More than one block of x, packed or as it lies, more than one of K, both, several chunks of columns beside a packed x,
 * and a w that is packed for many rows alone. */
static void try_products_of_blocks(void) {
    static const ptrdiff_t QUICK[][3] = {{70, 600, 530},  {500, 20, 520}, {1100, 200, 70}, {1100, 260, 130},
                                         {250, 260, 256}, {2, 2100, 20},  {3, 20, 2100},   {2100, 3, 20}};
    static const ptrdiff_t LONG[][3] = {{2100, 490, 170}, {1100, 515, 530}, {300, 515, 1000}};
    for (size_t i = 0; i < sizeof QUICK / sizeof *QUICK; i++) {
        if (chosen(1)) { /* all, but for the brief sample */
            try_products(QUICK[i][0], QUICK[i][1], QUICK[i][2]);
        }
    }
    for (size_t i = 0; full && i < sizeof LONG / sizeof *LONG; i++) {
        try_products(LONG[i][0], LONG[i][1], LONG[i][2]);
    }
}
