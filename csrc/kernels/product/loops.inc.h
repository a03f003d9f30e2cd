/* loops.inc.h: C = init + A B, every number of it one chain of fma with k ascending: the loops around the micro-tile.
 *
 * The chain fixes the bits and leaves the rest free: K is cut into blocks whose partial sums go through C, rows and
 * columns into tiles, in any order and on any thread.
 *
 *              columns of a chunk                  for each chunk of columns of B and C
 *              +---+---+---+                         for each block of K
 *            K |   |   |   | B                         pack B's block, if that pays           (in L2)
 *              +---+---+---+                           for each block of rows of A and C
 *     +---+    +---+---+---+                             pack A's block, if that pays         (in L2)
 *     | A |    | C |   |   |                             for each panel of columns            (in L1)
 *     +---+    +---+---+---+                               for each tile's rows of A and C
 *                                                            micro-tile                       (in registers)
 */
enum {
    MAX_KC = 96 * 1024 / (NR * (int)sizeof(real)), /* depth of a block: one panel of B streams from L2           */
    B_BLOCK = 256 * 1024 / (int)sizeof(real),      /* numbers of a block of B: it stays in L2                    */
    B_SCRATCH = 1024 * 1024 / (int)sizeof(real),   /* numbers of a block of B that a packed A is multiplied with */
    A_BLOCK = 128 * 1024 / (int)sizeof(real),      /* numbers of a block of A, packed or not: likewise           */
    C_BLOCK = 128 * 1024 / (int)sizeof(real),      /* numbers of a block of C that is needed again: likewise     */
    DEEP_K = 128,                                  /* more samples of x and phi leave L1 before the next tile    */
    STACK_PANEL = 16 * 1024 / (int)sizeof(real),   /* numbers of a block of B where memory is short              */
    FAR_STRIDE = 2048 / (int)sizeof(real),         /* rows that lie so far apart compete for few places of L1    */
    MIN_PANELS = 8,                                /* panels that are worth packing A if it would leave L1       */
    MIN_REUSE = 10,                                /* what so many tiles read is worth packing                   */
};
_Static_assert((B_SCRATCH + A_BLOCK + C_BLOCK) * sizeof(real) <= MLP_THREAD_SCRATCH,
               "blocks fit into a thread's scratch");

static const real *a_at(const product_task *task, ptrdiff_t m, ptrdiff_t k) {
    return task->a + (task->trans_a == TRANSPOSE ? k * task->lda + m : m * task->lda + k);
}

static const real *b_at(const product_task *task, ptrdiff_t k, ptrdiff_t j) {
    return task->b + (task->trans_b == TRANSPOSE ? j * task->ldb + k : k * task->ldb + j);
}

/* What a product is cut into: rows m ... of C, in tiles, its columns j ..., in panels, and the part of K that begins at
 * k. packed_a, packed_b: NULL where they are read as they lie. The block's part of C begins at c; c_scratch: NULL where that
 * is in the task's C. */
typedef struct {
    ptrdiff_t m, j, k, depth, columns, ldc;
    parts tiles, panels;
    real *packed_a, *packed_b, *c_scratch, *c;
} product_block;

/* While the tiles of one panel of B are done, the next panel comes into the caches, some rows with each tile: a processor
 * does not foresee lines that lie far apart. */
static void multiply_block(const product_task *task, const product_block *block) {
    const real *init = block->k > 0 ? block->c : task->init ? task->init + block->m * task->ld_init + block->j : NULL;
    const ptrdiff_t ld_init = block->k > 0 ? block->ldc : task->ld_init;
    const bool fetch =
        !block->packed_b && block->tiles.count >= MIN_REUSE; /* few tiles would wait for so much at once */
    for (ptrdiff_t i = 0, done = 0; i < block->panels.count; i++) {
        const ptrdiff_t vecs = part_size(block->panels, i), width = vecs * VEC_LANES, at = block->j + done;
        const ptrdiff_t columns = at_most(block->columns - done, width);
        const real *b = block->packed_b ? block->packed_b + done * block->depth : b_at(task, block->k, at);
        const ptrdiff_t ldb = block->packed_b ? width : task->ldb;
        const ptrdiff_t fetches = fetch && i + 1 < block->panels.count ? block->depth / block->tiles.count : 0;
        const real *next = b + width;
        for (ptrdiff_t t = 0, row = 0; t < block->tiles.count; t++) {
            const ptrdiff_t rows = part_size(block->tiles, t);
            const real *a = block->packed_a ? block->packed_a + packed_begin(row, t, block->depth)
                                            : a_at(task, block->m + row, block->k);
            MICRO_KERNELS[task->trans_a][vecs - 1][rows - 1](
                block->depth, a, block->packed_a ? rows : task->lda, b, ldb, block->c + row * block->ldc + done,
                block->ldc, init ? init + row * ld_init + done : NULL, ld_init, columns);
            for (ptrdiff_t k = 0; k < fetches; k++) {
                vec_prefetch(next);
                next += ldb;
            }
            row += rows;
        }
        done += width;
    }
}

/* Panels of the block's part of B. */
static void pack_b(const product_task *task, const product_block *block) {
    const real *b = b_at(task, block->k, block->j);
    if (task->trans_b == TRANSPOSE) {
        pack_panels_transposed(block->panels, block->depth, block->columns, block->packed_b, b, task->ldb);
    } else {
        pack_panels(block->panels, VEC_LANES, block->depth, block->columns, block->packed_b, 0, b, task->ldb);
    }
}

/* `rows` rows of C, which begin with row m and lie at c, are done in the columns from j on. */
static void run_epilogue(const product_task *task, ptrdiff_t m, ptrdiff_t rows, ptrdiff_t j, ptrdiff_t columns,
                         const real *c, ptrdiff_t ldc) {
    if (columns == task->ldc) {
        task->epilogue(task->epilogue_context, m * columns, rows * columns, c);
        return;
    }
    for (ptrdiff_t r = 0; r < rows; r++) {
        task->epilogue(task->epilogue_context, (m + r) * task->ldc + j, columns, c + r * ldc);
    }
}

/* Tiles of the block, as many at a time as stay in L2: their rows of A, and of C where it is needed again. */
static void multiply_tiles(const product_task *task, product_block *block, parts all) {
    const bool last = block->k + block->depth == task->K;
    const ptrdiff_t m = block->m;
    ptrdiff_t count = all.count;
    if (block->packed_a) {
        count = at_most(count, A_BLOCK / packed_begin(MR, 1, block->depth));
    } else if (task->trans_a == NO_TRANSPOSE && block->depth > 0) {
        count = at_most(count, at_least(A_BLOCK / (MR * block->depth), MIN_REUSE));
    }
    if (task->epilogue) {
        count = at_most(count, at_least(C_BLOCK / (MR * block->columns), 1));
    }
    for (ptrdiff_t t = 0; t < all.count; t += count) {
        block->tiles = some_parts(all, t, count);
        block->m = m + part_begin(all, t);
        block->c = block->c_scratch ? block->c_scratch : task->c + block->m * task->ldc + block->j;
        block->ldc = block->c_scratch ? block->columns : task->ldc;
        if (block->packed_a) {
            pack_panels(block->tiles, 1, block->depth, part_begin(block->tiles, block->tiles.count), block->packed_a,
                        A_GAP, a_at(task, block->m, block->k), task->lda);
        }
        multiply_block(task, block);
        if (task->epilogue && last) {
            run_epilogue(task, block->m, part_begin(block->tiles, block->tiles.count), block->j, block->columns,
                         block->c, block->ldc);
        }
    }
    block->m = m;
}

/* Where rows of B are near, tiles do as well, except for a single row. Only sums that begin at 0 are turned. */
static bool has_few_rows(const product_task *task, ptrdiff_t rows) {
    if (rows < 1 || rows > FEW_ROWS || task->trans_a == TRANSPOSE) {
        return false;
    }
    return task->trans_b == TRANSPOSE ? !task->init : task->ldb >= (rows == 1 ? 4 * NR : FAR_STRIDE);
}

static void multiply_few(const product_task *task, ptrdiff_t m, ptrdiff_t m_end, ptrdiff_t j, ptrdiff_t j_end) {
    const real *const a = a_at(task, m, 0), *const b = b_at(task, 0, j);
    real *const c = task->c + m * task->ldc + j;
    if (task->trans_b == TRANSPOSE) {
        multiply_few_rows_transposed(m_end - m, task->K, j_end - j, a, task->lda, b, task->ldb, c, task->ldc);
    } else {
        multiply_few_rows(m_end - m, task->K, j_end - j, a, task->lda, b, task->ldb, c, task->ldc,
                          task->init ? task->init + m * task->ld_init + j : NULL, task->ld_init);
    }
    if (task->epilogue) {
        run_epilogue(task, m, m_end - m, j, j_end - j, c, task->ldc);
    }
}

/* grad_w of a large batch: its x and phi leave L1 before they are needed again, and C is too large to be gone through for
 * every few samples. */
static bool is_deep(const product_task *task, ptrdiff_t columns) {
    return task->trans_a == TRANSPOSE && task->K > DEEP_K && columns >= MIN_PANELS * NR && task->M * columns > C_BLOCK;
}

/* Whether B is worth packing where it need not be turned: if its rows lie far apart; if they lie a multiple of 1 KB apart,
 * which is as bad as soon as B does not stay in L2; and, however they lie, if it hardly does and many tiles read it. */
static bool is_worth_packing_b(const product_task *task, ptrdiff_t tiles, ptrdiff_t columns) {
    if (tiles < MIN_REUSE) {
        return false;
    }
    if (task->ldb >= FAR_STRIDE || is_deep(task, columns)) {
        return true;
    }
    const ptrdiff_t size = task->K * task->ldb;
    return task->trans_a == NO_TRANSPOSE &&
           ((size > B_BLOCK && task->ldb % (FAR_STRIDE / 2) == 0) || (size >= B_BLOCK && tiles >= 4 * MIN_REUSE));
}

/* How many samples grad_w takes at a time: phi stays in L2 and, unless it is packed or read only once, x does too. */
static ptrdiff_t samples_at_once(bool packed_x, ptrdiff_t in, ptrdiff_t out) {
    return packed_x   ? at_least(B_BLOCK / out, 2 * DEEP_K)
           : out > NR ? at_least(B_BLOCK / at_least(in, out), DEEP_K)
                      : MAX_KC;
}

/* Rows m ... m_end - 1 and columns j ... j_end - 1 of C. `ready`, if not NULL, is all of B, packed. */
static void multiply(const product_task *task, ptrdiff_t m, ptrdiff_t m_end, ptrdiff_t j, ptrdiff_t j_end,
                     real *ready) {
    if (!ready && has_few_rows(task, m_end - m)) {
        multiply_few(task, m, m_end, j, j_end);
        return;
    }
    _Alignas(64) real stack_panel[STACK_PANEL];
    const parts tiles = divide(m_end - m, MR);
    const bool turn_b = task->trans_b == TRANSPOSE;
    const bool deep = is_deep(task, j_end - j);
    const bool far_a = deep || (task->trans_a == TRANSPOSE && task->lda >= FAR_STRIDE && j_end - j >= MIN_REUSE * NR);
    const bool far_b = is_worth_packing_b(task, tiles.count, j_end - j);
    real *const scratch = turn_b || far_a || far_b || task->discard_c ? mlp_thread_scratch() : NULL;
    product_block block = {.packed_a = far_a && scratch ? scratch + B_SCRATCH : NULL, .packed_b = ready};
    if (!ready && (turn_b || far_b)) {
        block.packed_b = scratch ? scratch : turn_b ? stack_panel : NULL;
    }
    const ptrdiff_t room = block.packed_b == stack_panel ? STACK_PANEL : ready || block.packed_a ? B_SCRATCH : B_BLOCK;
    ptrdiff_t deepest = at_most(MAX_KC, room / NR);
    if (task->trans_a == TRANSPOSE && !ready) {
        deepest = at_most(deepest, samples_at_once(block.packed_a, m_end - m, j_end - j));
    }
    const parts depths = divide(task->K, deepest);
    if (task->discard_c && depths.count == 1 && MR * (j_end - j) <= C_BLOCK) {
        block.c_scratch = scratch ? scratch + B_SCRATCH + A_BLOCK : NULL;
    }
    const parts chunks = divide_columns(j_end - j, room / at_least(part_size(depths, 0), 1) / NR * NR);

    for (ptrdiff_t chunk = 0; chunk < chunks.count; chunk++) {
        block.j = j + part_begin(chunks, chunk) * VEC_LANES;
        block.columns = at_most(part_size(chunks, chunk) * VEC_LANES, j_end - block.j);
        block.panels = divide_columns(block.columns, NR);
        for (ptrdiff_t d = 0; d == 0 || d < depths.count; d++) {
            block.m = m;
            block.k = part_begin(depths, d);
            block.depth = part_size(depths, d);
            if (block.packed_b && !ready) {
                pack_b(task, &block);
            }
            multiply_tiles(task, &block, tiles);
        }
    }
}
