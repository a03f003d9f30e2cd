/* numbers.inc.h: the numbers that the operands are filled with. */

static real uniform(void) { return (real)((double)(random_bits() >> 11) * 0x1p-52 - 1); } /* between -1 and 1 */

static real special(void) {
    /* clang-format off */
    static const real SPECIAL[] = {
        0, -(real)0, 1, -1, REAL(0.5), 2, LARGEST, -LARGEST, (real)INFINITY, -(real)INFINITY, (real)NAN,
        SUBNORMAL, -SUBNORMAL, REAL_SMALLEST - SUBNORMAL, SUBNORMAL - REAL_SMALLEST, REAL_SMALLEST, -REAL_SMALLEST,
        /* limits of exp and tanh */
        -104, REAL(-103.9), 89, REAL(88.72), REAL(-87.34), -746, -745, 710, REAL(709.78), 10, -10, 20, REAL(-20.5),
        /* limits and kinks of the other activations */
        -120, 120, -760, 760, -40, 15, -15, 39, -39, 12, -12, 22, -22, 6, 3, -3,
    };
    /* clang-format on */
    return SPECIAL[random_below(sizeof SPECIAL / sizeof *SPECIAL)];
}

static real any_bits(void) {
    real_bits bits = (real_bits)random_bits();
    real x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static real wild(void) {
    switch (random_below(4)) {
    case 0: return special();
    case 1: return any_bits();
    case 2: return 100 * uniform();
    default: return 2 * uniform();
    }
}

typedef void filler(ptrdiff_t rows, ptrdiff_t width, real *values);

static void fill_wild(ptrdiff_t rows, ptrdiff_t width, real *values) {
    for (ptrdiff_t i = 0; i < rows * width; i++) {
        values[i] = wild();
    }
}

/* For products, where one NaN spoils a row: mostly plain numbers, and in one array of four something special now and
 * then. They come from a pool, since the largest arrays are drawn often. */
enum { POOL = 1 << 14 };
static real plain_pool[POOL], mixed_pool[POOL];

static void fill_pools(void) {
    for (int i = 0; i < POOL; i++) {
        plain_pool[i] = 2 * uniform();
        mixed_pool[i] = random_below(500) ? 2 * uniform() : wild();
    }
}

static void fill_factors(ptrdiff_t rows, ptrdiff_t width, real *values) {
    const real *pool = random_below(4) ? plain_pool : mixed_pool;
    for (ptrdiff_t i = 0; i < rows * width;) {
        ptrdiff_t from = random_below(POOL), most = rows * width - i;
        ptrdiff_t count = POOL - from < most ? POOL - from : most;
        memcpy(values + i, pool + from, (size_t)count * sizeof *values);
        i += count;
    }
}

/* z of an output layer, a row at a time: what softmax must get right. */
static void fill_rows(ptrdiff_t rows, ptrdiff_t width, real *values) {
    for (ptrdiff_t s = 0; s < rows; s++, values += width) {
        ptrdiff_t kind = random_below(8);
        real same = 5 * uniform();
        for (ptrdiff_t k = 0; k < width; k++) {
            switch (kind) {
            case 0: values[k] = (real)random_below(3) - 1; break; /* ties */
            case 1: values[k] = -(real)INFINITY; break;
            case 2: values[k] = same; break;
            case 3: values[k] = wild(); break;
            case 4: values[k] = 1000 * uniform(); break; /* all but one underflow */
            case 5: values[k] = random_below(4) ? uniform() : -(real)INFINITY; break;
            default: values[k] = 10 * uniform();
            }
        }
        if (random_below(8) == 0) {
            values[random_below(width)] = special();
        }
    }
}

/* y: one-hot, 0 and 1 anywhere, probabilities, and what nobody should pass. */
static void fill_labels(ptrdiff_t rows, ptrdiff_t width, real *values) {
    for (ptrdiff_t s = 0; s < rows; s++, values += width) {
        ptrdiff_t kind = random_below(8), hot = random_below(width);
        for (ptrdiff_t k = 0; k < width; k++) {
            values[k] = kind < 3   ? (real)(k == hot)
                        : kind < 5 ? (real)random_below(2)
                        : kind < 7 ? real_abs(uniform())
                                   : wild();
        }
    }
}

static void fill_probabilities(ptrdiff_t rows, ptrdiff_t width, real *values) {
    for (ptrdiff_t i = 0; i < rows * width; i++) {
        ptrdiff_t kind = random_below(16);
        values[i] = kind == 0 ? wild() : kind == 1 ? (real)random_below(2) : real_abs(uniform());
    }
}

/* Weights of samples: some 0, once in a while all. */
static void fill_weights(ptrdiff_t rows, ptrdiff_t width, real *values) {
    bool none = random_below(16) == 0;
    for (ptrdiff_t i = 0; i < rows * width; i++) {
        values[i] = none || random_below(4) == 0 ? 0 : real_abs(uniform());
    }
}

/* An optimizer's moving average or gradient: also where it counts as 0 from, and whatever made it diverge. */
static void fill_state(ptrdiff_t rows, ptrdiff_t width, real *values) {
    const real negligible = MLP_REAL_BITS == 32 ? (real)0x1p-100 : (real)0x1p-900;
    for (ptrdiff_t i = 0; i < rows * width; i++) {
        switch (random_below(8)) {
        case 0: values[i] = wild(); break;
        case 1: values[i] = 4 * negligible * uniform(); break;
        case 2: values[i] = random_below(2) ? negligible : -negligible; break;
        case 3:
        case 4: values[i] = 0; break;
        default: values[i] = uniform();
        }
    }
}

/* Constants or hyperparameters of a row of the catalogue: what is usual, or anything that is allowed. */
static void draw_hypers(const mlp_entry *entry, double *hypers) {
    for (int i = 0; i < MLP_HYPERS; i++) {
        hypers[i] = 0;
    }
    for (int i = 0; entry->hypers[i].name; i++) {
        const mlp_hyper *hyper = &entry->hypers[i];
        const double share = (double)real_abs(uniform()) * 0.999;
        if (hyper->is_flag) {
            hypers[i] = (double)random_below(2);
        } else if (random_below(2)) {
            hypers[i] = hyper->standard;
        } else if (isfinite(hyper->least) && isfinite(hyper->below)) {
            hypers[i] = hyper->least + share * (hyper->below - hyper->least);
        } else {
            hypers[i] = isfinite(hyper->least) ? hyper->least + 2 * share * hyper->standard : hyper->standard + share;
        }
    }
}

static void draw_constants(const mlp_entry *entry, real *constants) {
    double hypers[MLP_HYPERS];
    draw_hypers(entry, hypers);
    for (int i = 0; i < MLP_HYPERS; i++) {
        constants[i] = (real)hypers[i];
    }
}

static REAL_NAME(mlp_activation) draw_activation(mlp_activation_id id) {
    REAL_NAME(mlp_activation) sigma = {.id = id};
    draw_constants(&mlp_activations[id], sigma.constants);
    return sigma;
}

static REAL_NAME(mlp_loss) draw_loss(mlp_loss_id id) {
    REAL_NAME(mlp_loss) loss = {.id = id};
    draw_constants(&mlp_losses[id], loss.constants);
    return loss;
}
