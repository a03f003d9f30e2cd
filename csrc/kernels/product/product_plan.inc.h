/* product_plan.inc.h: decides how a product is computed: what is packed, the sizes of blocks, the split among threads.
 *
 * loops.inc.h and parallel.inc.h do what the plan says. docs/engine.md tells what was measured.
 */

enum {
    MAX_KC = 96 * 1024 / (NR * (int)sizeof(real)), /* one panel of B streams from L2 */

    /* Elements. */
    B_BLOCK = 256 * 1024 / (int)sizeof(real),    /* KC x NC of B, packed or not: stays in L2                */
    B_SCRATCH = 1024 * 1024 / (int)sizeof(real), /* KC x NC of B where A is packed, or B once for all threads */
    A_BLOCK = 128 * 1024 / (int)sizeof(real),    /* MC x KC of A, packed or not: stays in L2                */
    C_BLOCK = 128 * 1024 / (int)sizeof(real),    /* MC x NC of C that the epilogue reads: stays in L2       */
    STACK_PANEL = 16 * 1024 / (int)sizeof(real), /* KC x NC of B where a thread has no scratch              */
    FAR_STRIDE = 2048 / (int)sizeof(real),       /* rows so far apart compete for few sets of the L1 cache  */

    MIN_REUSE = 10,        /* a block that fewer micro-tiles read is not worth packing                 */
    MIN_PANELS = 8,        /* of C: with fewer, grad_w of a large batch does not pack A               */
    DEEP_K = 128,          /* more samples of x and phi than this leave L1 before the next micro-tile  */
    PIECES_PER_THREAD = 4, /* a thread that is done early takes another piece */
};
_Static_assert((B_SCRATCH + A_BLOCK + C_BLOCK) * sizeof(real) <= MLP_THREAD_SCRATCH,
               "blocks fit into a thread's scratch");

static const double MIN_PARALLEL_WORK = 5e5; /* multiply-adds that a second thread shortens */

typedef enum { ONE_THREAD, BY_ROWS, BY_COLUMNS } thread_split;

typedef struct {
    region part; /* of C, which is planned */

    /* Several threads. Each piece is a part of C, planned for itself by the thread that takes it. */
    thread_split split;
    parts pieces;     /* of rows, in units of MR, or of columns, in units of VEC_LANES      */
    bool pack_b_once; /* all threads pack B together, before the pieces begin               */

    /* One thread. */
    bool few_rows;   /* no blocks, nothing packed: few_rows.inc.h                             */
    bool pack_b;     /* each block of B is packed: into packed_b, or if NULL, a stack_panel   */
    real *packed_b;  /* !pack_b: all of B, packed before; NULL: B is read in place            */
    real *packed_a;  /* each block of A is packed here; NULL: A is read in place              */
    real *c_scratch; /* blocks of C that only the epilogue needs go here; NULL: to c          */
    parts n_blocks;  /* loop 5: columns, at most NC, in units of VEC_LANES                    */
    parts k_blocks;  /* loop 4: K, at most KC; several threads: the loop around the pieces    */
    parts tiles;     /* rows of the micro-tiles, at most MR                                   */
    ptrdiff_t MC;    /* loop 3: so many of `tiles` at a time                                  */
} product_plan;

/* One row, or rows of B far apart: otherwise micro-tiles do as well. What reads B transposed begins its sums at 0. */
static bool has_few_rows(const product_task *task, ptrdiff_t rows) {
    if (rows < 1 || rows > FEW_ROWS || task->trans_a == TRANSPOSE) {
        return false;
    }
    return task->trans_b == TRANSPOSE ? !task->init : task->ldb >= (rows == 1 ? 4 * NR : FAR_STRIDE);
}

/* grad_w of a large batch: its x and phi leave L1 before they are needed again, and C is too large to be read and
 * written once for every few samples. */
static bool has_deep_k(const product_task *task, ptrdiff_t columns) {
    return task->trans_a == TRANSPOSE && task->K > DEEP_K && columns >= MIN_PANELS * NR && task->M * columns > C_BLOCK;
}

static bool pays_to_pack_a(const product_task *task, ptrdiff_t columns) {
    return has_deep_k(task, columns) ||
           (task->trans_a == TRANSPOSE && task->lda >= FAR_STRIDE && columns >= MIN_REUSE * NR);
}

/* If rows of B are far apart; if ldb is a multiple of 1 KB, which is as bad where B does not stay in L2; and, whatever
 * ldb is, if B hardly stays in L2 and many micro-tiles read it. */
static bool pays_to_pack_b(const product_task *task, ptrdiff_t tiles, ptrdiff_t columns) {
    if (tiles < MIN_REUSE) {
        return false;
    }
    if (task->ldb >= FAR_STRIDE || has_deep_k(task, columns)) {
        return true;
    }
    const ptrdiff_t size = task->K * task->ldb;
    return task->trans_a == NO_TRANSPOSE &&
           ((size > B_BLOCK && task->ldb % (FAR_STRIDE / 2) == 0) || (size >= B_BLOCK && tiles >= 4 * MIN_REUSE));
}

/* The micro-kernel reads rows of B, so that a transposed B is always packed. */
static bool must_pack_b(const product_task *task) { return task->trans_b == TRANSPOSE; }

static ALWAYS_INLINE void plan_packing(product_plan *plan, const product_task *task) {
    const ptrdiff_t columns = plan->part.n_end - plan->part.n;
    const bool already_packed = plan->packed_b, must_b = must_pack_b(task);
    const bool pays_a = pays_to_pack_a(task, columns), pays_b = pays_to_pack_b(task, plan->tiles.count, columns);
    real *const scratch = pays_a || pays_b || must_b || task->discard_c ? mlp_thread_scratch() : NULL;
    plan->pack_b = !already_packed && (must_b || (pays_b && scratch));
    if (plan->pack_b) {
        plan->packed_b = scratch;
    }
    if (scratch) {
        plan->packed_a = pays_a ? scratch + B_SCRATCH : NULL;
        plan->c_scratch = task->discard_c ? scratch + B_SCRATCH + A_BLOCK : NULL;
    }
}

/* KC of grad_w counts samples: so many that phi stays in L2 and, unless it is packed or read only once, x too. */
static ALWAYS_INLINE ptrdiff_t samples_at_once(bool packed_x, ptrdiff_t in, ptrdiff_t out) {
    return packed_x   ? at_least(B_BLOCK / out, 2 * DEEP_K)
           : out > NR ? at_least(B_BLOCK / at_least(in, out), DEEP_K)
                      : MAX_KC;
}

/* Micro-tiles of a block of rows: those whose rows of A, and of C where the epilogue reads it, stay in L2. */
static ALWAYS_INLINE ptrdiff_t tiles_at_once(const product_plan *plan, const product_task *task, ptrdiff_t KC,
                                             ptrdiff_t NC) {
    ptrdiff_t count = plan->tiles.count;
    if (plan->packed_a) {
        count = at_most(count, A_BLOCK / packed_begin(MR, 1, KC));
    } else if (task->trans_a == NO_TRANSPOSE && KC > 0) {
        count = at_most(count, at_least(A_BLOCK / (MR * KC), MIN_REUSE));
    }
    if (task->epilogue && NC > 0) {
        count = at_most(count, at_least(C_BLOCK / (MR * NC), 1));
    }
    return count;
}

static ALWAYS_INLINE void plan_blocks(product_plan *plan, const product_task *task) {
    const ptrdiff_t rows = plan->part.m_end - plan->part.m, columns = plan->part.n_end - plan->part.n;
    const bool already_packed = plan->packed_b && !plan->pack_b, on_stack = plan->pack_b && !plan->packed_b;
    const ptrdiff_t b_block = on_stack ? STACK_PANEL : already_packed || plan->packed_a ? B_SCRATCH : B_BLOCK;
    ptrdiff_t KC = at_most(MAX_KC, b_block / NR);
    if (task->trans_a == TRANSPOSE && !already_packed) {
        KC = at_most(KC, samples_at_once(plan->packed_a, rows, columns));
    }
    plan->k_blocks = divide(task->K, KC);
    KC = part_size(plan->k_blocks, 0);
    plan->n_blocks = divide_columns(columns, b_block / at_least(KC, 1) / NR * NR);
    if (plan->k_blocks.count != 1 || MR * columns > C_BLOCK) {
        plan->c_scratch = NULL; /* partial sums stay in C, and so does what is too large */
    }
    const ptrdiff_t NC = at_most(part_size(plan->n_blocks, 0) * VEC_LANES, columns);
    plan->MC = tiles_at_once(plan, task, KC, NC);
}

/* Block d of K as a product of its own, whose sums begin at those of the block before. */
static product_task k_block_of(const product_task *task, parts k_blocks, ptrdiff_t d) {
    product_task block = *task;
    block.K = part_size(k_blocks, d);
    block.a = a_at(task, 0, part_begin(k_blocks, d));
    block.b = b_at(task, part_begin(k_blocks, d), 0);
    if (d > 0) {
        block.init = task->c;
        block.ld_init = task->ldc;
    }
    if (d < k_blocks.count - 1) {
        block.epilogue = NULL;
    }
    block.discard_c = task->discard_c && k_blocks.count == 1;
    return block;
}

/* Pieces of rows suit the epilogue, since rows of C are contiguous; but there must be enough, and not each may have to
 * pack all of B. Pieces of columns pack only their own part of it. */
static void plan_split(product_plan *plan, const product_task *task, ptrdiff_t threads) {
    const ptrdiff_t most = threads * PIECES_PER_THREAD;
    /* A large batch's grad_w takes some samples at a time: so their phi is packed once for all threads. */
    const ptrdiff_t KC = has_deep_k(task, task->N) ? samples_at_once(true, task->M, task->N) : task->K;
    plan->k_blocks = divide(task->K, at_most(MAX_KC, KC));
    const product_task block = k_block_of(task, plan->k_blocks, 0);
    const bool packs_b = must_pack_b(&block) || pays_to_pack_b(&block, divided(block.M, MR), block.N);
    const bool fits = block.K > 0 && block.N <= B_SCRATCH / block.K / NR * NR;
    const bool enough_rows = task->M >= 2 * most * MR && (!packs_b || fits);
    const bool by_rows = task->trans_a == TRANSPOSE || task->N < most * NR || enough_rows;
    const ptrdiff_t total = by_rows ? divided(task->M, MR) : divided(task->N, VEC_LANES);
    plan->split = by_rows ? BY_ROWS : BY_COLUMNS;
    plan->pieces = divide(total, divided(total, most));
    plan->pack_b_once = by_rows && packs_b && fits;
}

/* 1 for a product that is too small to share. */
static ptrdiff_t threads_for(const product_task *task) {
    const ptrdiff_t threads = mlp_get_num_threads();
    return threads > 1 && (double)task->M * (double)task->N * (double)task->K >= MIN_PARALLEL_WORK ? threads : 1;
}

/* Plans a part of C. packed_b, if not NULL, is all of B, packed already. Inlined, so that a plan for one thread stays
 * in registers: a product of 100 ns notices. */
static ALWAYS_INLINE void plan_product(product_plan *plan, const product_task *task, const region *part, real *packed_b,
                                       ptrdiff_t threads) {
    *plan = (product_plan){.part = *part, .split = ONE_THREAD, .packed_b = packed_b};
    if (threads > 1) {
        plan_split(plan, task, threads);
    } else if (!packed_b && has_few_rows(task, part->m_end - part->m)) {
        plan->few_rows = true;
    } else {
        plan->tiles = divide(part->m_end - part->m, MR);
        plan_packing(plan, task);
        plan_blocks(plan, task);
    }
}
