/* updates.inc.h: steps of the optimizers, by themselves and as what products do with a gradient. */

/* The update of a job, with its states where this call has them. */
static REAL_NAME(mlp_update) update_with(const REAL_NAME(mlp_update) * given, real *const *states) {
    REAL_NAME(mlp_update) update = *given;
    for (int i = 0; i < MLP_STATES; i++) {
        update.state[i] = states[i];
    }
    return update;
}

/* A step of `count` weights by the rule, plain or adjusted: operand `first` of the job becomes w, the next ones its states. */
static void draw_update(job *j, mlp_optimizer_id rule, ptrdiff_t count, int first) {
    const mlp_entry *entry = &mlp_optimizers[rule];
    double hypers[MLP_HYPERS];
    draw_hypers(entry, hypers);
    j->update = (REAL_NAME(mlp_update)){.rule = rule, .grad_scale = 1, .clip_value = (real)INFINITY};
    REAL_NAME(mlp_update_constants)(rule, hypers, 1 + random_below(1000), j->update.constants);
    j->update.adjusts = j->update.constants[MLP_DECAY] > 0;
    if (random_below(2)) {
        j->update.adjusts = true;
        j->update.grad_scale = random_below(2) ? 1 : real_abs(uniform());
        j->update.clip_value = random_below(2) ? (real)INFINITY : real_abs(uniform());
        j->update.l1 = random_below(2) ? 0 : real_abs(uniform());
        j->update.l2 = random_below(2) ? 0 : real_abs(uniform());
    }
    j->begin = random_below(2) ? 0 : random_below(FURTHEST_BEGIN + 1);
    j->operands[first] = (operand){"w", CHANGED, 1, j->begin + count, fill_factors};
    for (int i = 0; i < MLP_STATES; i++) {
        const char *name = mlp_needs_state(rule, i, hypers) ? entry->states[i].name : NULL;
        j->operands[first + 1 + i] = (operand){name, CHANGED, 1, j->begin + count, fill_state};
    }
    describe(j, "%s%s%s, begin %td", entry->name, j->operands[first + 1].name ? "" : " without states",
             j->update.adjusts ? ", adjusted" : "", j->begin);
}

/* Of the rules a sample, unless all is tried. */
static bool takes_rule(void) { return chosen(MLP_OPTIMIZER_COUNT / 2); }

static void run_update(const kernels *k, const job *j, real *const *at) {
    const REAL_NAME(mlp_update) update = update_with(&j->update, at + 2);
    k->update(&update, j->begin, j->n, at[1], at[0]);
}

static void try_updates(ptrdiff_t count, int offset) {
    for (int rule = 0; rule < MLP_OPTIMIZER_COUNT; rule++) {
        for (int i = 0; i < 3 && takes_rule(); i++) {
            job update = {.kernel = "update",
                          .run = run_update,
                          .n = count,
                          .large = count > 4000,
                          .operands = {{"grad", READ, count, 1, fill_state}}};
            draw_update(&update, (mlp_optimizer_id)rule, count, 1);
            try_at(&update, offset);
        }
    }
}
