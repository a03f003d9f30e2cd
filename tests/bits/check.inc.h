/* check.inc.h: one call of a kernel, compared with the reference on every instruction set. */

typedef enum { READ, WRITTEN, CHANGED, ROOM } use; /* ROOM: whatever is in it afterwards */

typedef struct {
    const char *name; /* NULL: passed as a null pointer */
    use use;
    ptrdiff_t rows, width;
    filler *fill;
} operand;

/* A call of one kernel. The main output is operand 0; in_place > 0: it is given the memory of that operand. */
typedef struct job {
    const char *kernel;
    void (*run)(const kernels *k, const struct job *j, real *const *at);
    operand operands[OPERANDS];
    ptrdiff_t n, in, out;
    int in_place;
    bool large; /* enough work that threads may share it */
    bool has_epilogue;
    bool flag;   /* of kernels that have one */
    bool a_of_z; /* operand 2 is sigma of operand 1 */
    REAL_NAME(mlp_activation) sigma;
    REAL_NAME(mlp_loss) loss;
    mlp_metric_id metric;
    mlp_answers answers;
    mlp_elementary_id function;
    REAL_NAME(mlp_mask) mask;
    mlp_embedding embedding;
    REAL_NAME(mlp_update) update; /* without the addresses of its states */
    ptrdiff_t begin;              /* index of the first number           */
    real limit;
    char variant[96];
} job;

/* Says in words what is particular to a call. */
#define describe(job, ...) snprintf((job)->variant, sizeof(job)->variant, __VA_ARGS__)

/* A double as an output among the operands; as with all others it does not matter which NaN it is. */
static void store_double(real *to, double x) {
    x = isnan(x) ? (double)NAN : x;
    memcpy(to, &x, sizeof x);
}

static ptrdiff_t count_of(const operand *o) { return o->rows * o->width; }
static size_t bytes_of(const operand *o) { return (size_t)count_of(o) * sizeof(real); }

static real *copies[2][OPERANDS]; /* the values before the call, and after the reference's */

static void make_copies(void) {
    for (int c = 0; c < 2; c++) {
        for (int i = 0; i < OPERANDS; i++) {
            copies[c][i] = malloc(LARGEST_OPERAND * sizeof(real));
            if (!copies[c][i]) {
                perror("bits");
                exit(2);
            }
        }
    }
}

static void free_copies(void) {
    for (int c = 0; c < 2; c++) {
        for (int i = 0; i < OPERANDS; i++) {
            free(copies[c][i]);
        }
    }
}

/* Where two arrays first differ, or count; which NaN it is does not matter. */
static ptrdiff_t first_difference(ptrdiff_t count, const real *a, const real *b) {
    if (count == 0 || memcmp(a, b, (size_t)count * sizeof *a) == 0) {
        return count;
    }
    ptrdiff_t i = 0;
    while (i < count && (memcmp(a + i, b + i, sizeof *a) == 0 || (isnan(a[i]) && isnan(b[i])))) {
        i++;
    }
    return i;
}

static void try_placed(const job *j, const kernels *k, guarded_side side, int offset) {
    real *got[OPERANDS] = {NULL};
    for (int i = 0; i < OPERANDS; i++) {
        const operand *o = &j->operands[i];
        if (o->name && !(i == 0 && j->in_place)) {
            /* offset 0 is flush for all; otherwise each has its own */
            got[i] = place(i, bytes_of(o), side, (size_t)(offset * (i + 1) % 8) * sizeof(real));
            memcpy(got[i], copies[0][i], bytes_of(o));
        }
    }
    if (j->in_place) {
        got[0] = got[j->in_place];
    }
    j->run(k, j, got);
    for (int i = 0; i < OPERANDS; i++) {
        const operand *o = &j->operands[i];
        if (!got[i] || (i > 0 && i == j->in_place)) {
            continue;
        }
        ptrdiff_t count = o->use == ROOM ? 0 : count_of(o), at = first_difference(count, got[i], copies[1][i]);
        if (at < count) {
            report(o->name, at, (double)got[i][at], (double)copies[1][i][at]);
        }
        if (!surroundings_intact(i == 0 && j->in_place ? j->in_place : i)) {
            report_text(o->name, "has other bytes before or after it than before the call");
        }
        count_compared(o->use == READ ? 0 : count);
    }
}

/* Draws the operands, runs the reference, then every instruction set on both sides of guard pages. */
static void try_at(const job *j, int offset) {
    for (int i = 0; i < OPERANDS; i++) {
        const operand *o = &j->operands[i];
        if (o->name && (o->use == WRITTEN || o->use == ROOM)) {
            memset(copies[0][i], 0xa5, bytes_of(o));
        } else if (o->name) {
            o->fill(o->rows, o->width, copies[0][i]);
        }
    }
    if (j->a_of_z) {
        reference->activation_forward(&j->sigma, j->n, j->out, copies[0][2], copies[0][1]);
    }
    real *expected[OPERANDS] = {NULL};
    for (int i = 0; i < OPERANDS; i++) {
        if (j->operands[i].name) {
            expected[i] = memcpy(copies[1][i], copies[0][i], bytes_of(&j->operands[i]));
        }
    }
    j->run(reference, j, expected);
    static const int THREADS[] = {1, 2, 3, 5, 8};
    for (int t = 0; t < (j->large ? 5 : 1); t++) {
        mlp_set_num_threads(THREADS[t]);
        for (const mlp_isa **isa = isas_to_try; *isa; isa++) {
            if ((*isa)->TABLE == reference && THREADS[t] > 1) {
                continue; /* it uses one */
            }
            for (guarded_side side = FRONT; side < SIDES; side++) {
                begin_call(&(call){j->kernel, j->variant, (*isa)->name, MLP_REAL_BITS, j->n, j->in, j->out, side,
                                   offset, THREADS[t]});
                try_placed(j, (*isa)->TABLE, side, offset);
            }
        }
    }
}
