/* parallel.inc.h: a product on several threads, in pieces of rows or of columns, as the plan says. */

typedef struct {
    const product_task *task; /* one block of K */
    const product_plan *plan; /* of the whole   */
    real *packed_b;           /* all of B; NULL: pieces pack what they need */
} parallel_product;

static region piece_of(const product_task *task, const product_plan *plan, ptrdiff_t i) {
    const ptrdiff_t begin = part_begin(plan->pieces, i), end = part_begin(plan->pieces, i + 1);
    return plan->split == BY_ROWS ? (region){begin * MR, at_most(end * MR, task->M), 0, task->N}
                                  : (region){0, task->M, begin * VEC_LANES, at_most(end * VEC_LANES, task->N)};
}

static void multiply_piece(void *context, ptrdiff_t i) {
    const parallel_product *p = context;
    const region piece = piece_of(p->task, p->plan, i);
    multiply(p->task, &piece, p->packed_b);
}

enum { PANELS_PER_PIECE = 4 };

static void pack_piece_of_b(void *context, ptrdiff_t i) {
    const parallel_product *p = context;
    const parts panels = divide_columns(p->task->N, NR);
    const ptrdiff_t first = i * PANELS_PER_PIECE;
    product_block block = {.depth = p->task->K, .panels = some_parts(panels, first, PANELS_PER_PIECE)};
    block.n = part_begin(panels, first) * VEC_LANES;
    block.columns = at_most(part_begin(block.panels, block.panels.count) * VEC_LANES, p->task->N - block.n);
    block.packed_b = p->packed_b + block.n * block.depth;
    pack_b(p->task, &block);
}

/* All of B is packed into the caller's scratch. Without that memory, each piece packs it for itself. */
static void multiply_parallel(const product_task *task, const region *all, ptrdiff_t threads) {
    product_plan plan;
    plan_product(&plan, task, all, NULL, threads);
    for (ptrdiff_t pc = 0; pc < plan.k_blocks.count; pc++) {
        const product_task block = k_block_of(task, plan.k_blocks, pc);
        parallel_product p = {.task = &block, .plan = &plan};
        if (plan.pack_b_once && (p.packed_b = mlp_thread_scratch())) {
            mlp_parallel(divided(divide_columns(block.N, NR).count, PANELS_PER_PIECE), pack_piece_of_b, &p);
        }
        mlp_parallel(plan.pieces.count, multiply_piece, &p);
    }
}
