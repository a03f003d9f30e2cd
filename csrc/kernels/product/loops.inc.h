/* loops.inc.h: the five loops of product.inc.h around the micro-kernel, for one thread, as the plan says. */

/* The part of the product that loops 5 to 3 have arrived at: rows m ... of C, in micro-tiles; columns n ..., in panels;
 * and `depth` of K from k on. packed_a, packed_b: NULL where they are read in place. Its part of C begins at c. */
typedef struct {
    ptrdiff_t m, n, k, columns, depth, ldc;
    parts tiles, panels;
    real *packed_a, *packed_b, *c;
} product_block;

static void pack_a(const product_task *task, const product_block *block) {
    const ptrdiff_t rows = part_begin(block->tiles, block->tiles.count);
    pack_panels(block->tiles, 1, block->depth, rows, block->packed_a, A_GAP, a_at(task, block->m, block->k), task->lda);
}

static void pack_b(const product_task *task, const product_block *block) {
    const real *b = b_at(task, block->k, block->n);
    if (task->trans_b == TRANSPOSE) {
        pack_panels_transposed(block->panels, block->depth, block->columns, block->packed_b, b, task->ldb);
    } else {
        pack_panels(block->panels, VEC_LANES, block->depth, block->columns, block->packed_b, 0, b, task->ldb);
    }
}

/* Loops 2 and 1. With each micro-tile of one panel of B, some rows of the next panel are prefetched: hardware does not
 * prefetch lines that are a leading dimension apart. Few micro-tiles would wait for so many. */
static void macro_kernel(const product_task *task, const product_block *block) {
    const real *init = block->k > 0 ? block->c : task->init ? task->init + block->m * task->ld_init + block->n : NULL;
    const ptrdiff_t ld_init = block->k > 0 ? block->ldc : task->ld_init;
    const bool prefetch = !block->packed_b && block->tiles.count >= MIN_REUSE;
    for (ptrdiff_t jr = 0, done = 0; jr < block->panels.count; jr++) { /* loop 2 */
        const ptrdiff_t vecs = part_size(block->panels, jr), width = vecs * VEC_LANES;
        const ptrdiff_t columns = at_most(block->columns - done, width);
        micro_kernel *const *const kernels = MICRO_KERNELS[task->trans_a][vecs - 1];
        const real *b = block->packed_b ? block->packed_b + done * block->depth : b_at(task, block->k, block->n + done);
        const ptrdiff_t ldb = block->packed_b ? width : task->ldb;
        const ptrdiff_t prefetches = prefetch && jr + 1 < block->panels.count ? block->depth / block->tiles.count : 0;
        const real *next = b + width;
        for (ptrdiff_t ir = 0, row = 0; ir < block->tiles.count; ir++) { /* loop 1 */
            const ptrdiff_t rows = part_size(block->tiles, ir);
            const real *a = block->packed_a ? block->packed_a + packed_begin(row, ir, block->depth)
                                            : a_at(task, block->m + row, block->k);
            kernels[rows - 1](block->depth, a, block->packed_a ? rows : task->lda, b, ldb,
                              block->c + row * block->ldc + done, block->ldc, init ? init + row * ld_init + done : NULL,
                              ld_init, columns);
            for (ptrdiff_t k = 0; k < prefetches; k++) {
                vec_prefetch(next);
                next += ldb;
            }
            row += rows;
        }
        done += width;
    }
}

/* Loops 5, 4 and 3. With K = 0 loop 4 runs once, and C = init. */
static ALWAYS_INLINE void multiply_blocks(const product_task *task, const product_plan *plan) {
    _Alignas(64) real stack_panel[STACK_PANEL];
    product_block block = {.packed_a = plan->packed_a, .packed_b = plan->packed_b};
    if (plan->pack_b && !plan->packed_b) {
        block.packed_b = stack_panel;
    }
    for (ptrdiff_t jc = 0; jc < plan->n_blocks.count; jc++) { /* loop 5 */
        block.n = plan->part.n + part_begin(plan->n_blocks, jc) * VEC_LANES;
        block.columns = at_most(part_size(plan->n_blocks, jc) * VEC_LANES, plan->part.n_end - block.n);
        block.panels = divide_columns(block.columns, NR);
        for (ptrdiff_t pc = 0; pc == 0 || pc < plan->k_blocks.count; pc++) { /* loop 4 */
            block.k = part_begin(plan->k_blocks, pc);
            block.depth = part_size(plan->k_blocks, pc);
            if (plan->pack_b) {
                pack_b(task, &block);
            }
            for (ptrdiff_t ic = 0; ic < plan->tiles.count; ic += plan->MC) { /* loop 3 */
                block.tiles = some_parts(plan->tiles, ic, plan->MC);
                block.m = plan->part.m + part_begin(plan->tiles, ic);
                block.c = plan->c_scratch ? plan->c_scratch : task->c + block.m * task->ldc + block.n;
                block.ldc = plan->c_scratch ? block.columns : task->ldc;
                if (plan->packed_a) {
                    pack_a(task, &block);
                }
                macro_kernel(task, &block);
                if (task->epilogue && block.k + block.depth == task->K) {
                    const ptrdiff_t m_end = plan->part.m + part_begin(plan->tiles, ic + block.tiles.count);
                    const region done = {block.m, m_end, block.n, block.n + block.columns};
                    run_epilogue(task, &done, block.c, block.ldc);
                }
            }
        }
    }
}

/* A part of C, on this thread. packed_b, if not NULL, is all of B, packed already. */
static void multiply(const product_task *task, const region *part, real *packed_b) {
    product_plan plan;
    plan_product(&plan, task, part, packed_b, 1);
    if (plan.few_rows) {
        multiply_few(task, part);
    } else {
        multiply_blocks(task, &plan);
    }
}
