/* product.inc.h: C = init + A B, every number of it one chain of fma with k ascending: the loops around the micro-tile.
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
    K_BLOCK = 96 * 1024 / (PANEL * (int)sizeof(real)), /* depth of a block: one panel of B streams from L2           */
    B_BLOCK = 256 * 1024 / (int)sizeof(real),          /* numbers of a block of B: it stays in L2                    */
    B_ROOM = 1024 * 1024 / (int)sizeof(real),          /* numbers of a block of B that a packed A is multiplied with */
    A_BLOCK = 128 * 1024 / (int)sizeof(real),          /* numbers of a block of A, packed or not: likewise           */
    C_BLOCK = 128 * 1024 / (int)sizeof(real),          /* numbers of a block of C that is needed again: likewise     */
    DEEP = 128,                                        /* more samples of x and phi leave L1 before the next tile    */
    LITTLE = 16 * 1024 / (int)sizeof(real),            /* numbers of a block of B where memory is short              */
    FAR = 2048 / (int)sizeof(real),                    /* rows that lie so far apart compete for few places of L1    */
    SOME = 8,                                          /* panels that are worth packing A if it would leave L1       */
    OFTEN = 10,                                        /* what so many tiles read is worth packing                   */
};
_Static_assert((B_ROOM + A_BLOCK + C_BLOCK) * sizeof(real) <= MLP_THREAD_SCRATCH, "blocks fit into a thread's scratch");

/* `a` is M x K and `b` K x N; transposed, they lie in memory as K x M and N x K. Row r of c begins at c + r*c_row and its
 * sums at init + r*init_row; init NULL: at 0. `then`, if not NULL, is called soon after some numbers of C are done: `count`
 * of them, which belong at c + begin; each once, on any thread. `passing`: c itself is not needed, only what `then` gets. */
typedef struct {
    ptrdiff_t M, N, K;
    orientation a_lies, b_lies;
    const real *a, *b, *init;
    ptrdiff_t a_row, b_row, init_row, c_row;
    real *c;
    bool passing;
    void (*then)(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *numbers);
    const void *context;
} product_task;

static const real *a_at(const product_task *task, ptrdiff_t m, ptrdiff_t k) {
    return task->a + (task->a_lies == TRANSPOSED ? k * task->a_row + m : m * task->a_row + k);
}

static const real *b_at(const product_task *task, ptrdiff_t k, ptrdiff_t j) {
    return task->b + (task->b_lies == TRANSPOSED ? j * task->b_row + k : k * task->b_row + j);
}

/* Columns in parts of whole vectors, but for the last vector of all; sizes count vectors. */
static parts divide_columns(ptrdiff_t columns, ptrdiff_t widest) {
    return divide(divided(columns, VEC_LANES), widest / VEC_LANES);
}

/* What a product is cut into: rows m ... of C, in tiles, its columns j ..., in panels, and the part of K that begins at
 * k. packed_a, packed_b: NULL where they are read as they lie. The block's part of C begins at c; passed_c: NULL where that
 * is in the task's C. */
typedef struct {
    ptrdiff_t m, j, k, depth, columns, c_row;
    parts tiles, panels;
    real *packed_a, *packed_b, *passed_c, *c;
} product_block;

/* While the tiles of one panel of B are done, the next panel comes into the caches, some rows with each tile: a processor
 * does not foresee lines that lie far apart. */
static void multiply_block(const product_task *task, const product_block *block) {
    tile_function *const(*functions)[8] = task->a_lies == TRANSPOSED ? TILES_OF_COLUMNS : TILES_OF_ROWS;
    const real *init = block->k > 0 ? block->c : task->init ? task->init + block->m * task->init_row + block->j : NULL;
    const ptrdiff_t init_row = block->k > 0 ? block->c_row : task->init_row;
    const bool fetch = !block->packed_b && block->tiles.count >= OFTEN; /* few tiles would wait for so much at once */
    for (ptrdiff_t i = 0, done = 0; i < block->panels.count; i++) {
        const ptrdiff_t vecs = part_size(block->panels, i), width = vecs * VEC_LANES, at = block->j + done;
        const ptrdiff_t columns = at_most(block->columns - done, width);
        const real *b = block->packed_b ? block->packed_b + done * block->depth : b_at(task, block->k, at);
        const ptrdiff_t b_step = block->packed_b ? width : task->b_row;
        const ptrdiff_t fetches = fetch && i + 1 < block->panels.count ? block->depth / block->tiles.count : 0;
        const real *next = b + width;
        for (ptrdiff_t t = 0, row = 0; t < block->tiles.count; t++) {
            const ptrdiff_t rows = part_size(block->tiles, t);
            const real *a = block->packed_a ? block->packed_a + packed_begin(row, t, block->depth)
                                            : a_at(task, block->m + row, block->k);
            functions[vecs - 1][rows - 1](block->depth, a, block->packed_a ? rows : task->a_row, b, b_step,
                                          block->c + row * block->c_row + done, block->c_row,
                                          init ? init + row * init_row + done : NULL, init_row, columns);
            for (ptrdiff_t k = 0; k < fetches; k++) {
                vec_prefetch(next);
                next += b_step;
            }
            row += rows;
        }
        done += width;
    }
}

/* Panels of the block's part of B. */
static void pack_b(const product_task *task, const product_block *block) {
    const real *b = b_at(task, block->k, block->j);
    if (task->b_lies == TRANSPOSED) {
        pack_transposed(block->panels, block->depth, block->columns, block->packed_b, b, task->b_row);
    } else {
        pack_as_it_lies(block->panels, VEC_LANES, block->depth, block->columns, block->packed_b, 0, b, task->b_row);
    }
}

/* `rows` rows of C, which begin with row m and lie at c, are done in the columns from j on. */
static void follow_up(const product_task *task, ptrdiff_t m, ptrdiff_t rows, ptrdiff_t j, ptrdiff_t columns,
                      const real *c, ptrdiff_t c_row) {
    if (columns == task->c_row) {
        task->then(task->context, m * columns, rows * columns, c);
        return;
    }
    for (ptrdiff_t r = 0; r < rows; r++) {
        task->then(task->context, (m + r) * task->c_row + j, columns, c + r * c_row);
    }
}

/* Tiles of the block, as many at a time as stay in L2: their rows of A, and of C where it is needed again. */
static void multiply_tiles(const product_task *task, product_block *block, parts all) {
    const bool last = block->k + block->depth == task->K;
    const ptrdiff_t m = block->m;
    ptrdiff_t count = all.count;
    if (block->packed_a) {
        count = at_most(count, A_BLOCK / packed_begin(TILE_ROWS, 1, block->depth));
    } else if (task->a_lies == AS_IT_LIES && block->depth > 0) {
        count = at_most(count, at_least(A_BLOCK / (TILE_ROWS * block->depth), OFTEN));
    }
    if (task->then) {
        count = at_most(count, at_least(C_BLOCK / (TILE_ROWS * block->columns), 1));
    }
    for (ptrdiff_t t = 0; t < all.count; t += count) {
        block->tiles = some_parts(all, t, count);
        block->m = m + part_begin(all, t);
        block->c = block->passed_c ? block->passed_c : task->c + block->m * task->c_row + block->j;
        block->c_row = block->passed_c ? block->columns : task->c_row;
        if (block->packed_a) {
            pack_as_it_lies(block->tiles, 1, block->depth, part_begin(block->tiles, block->tiles.count),
                            block->packed_a, A_GAP, a_at(task, block->m, block->k), task->a_row);
        }
        multiply_block(task, block);
        if (task->then && last) {
            follow_up(task, block->m, part_begin(block->tiles, block->tiles.count), block->j, block->columns, block->c,
                      block->c_row);
        }
    }
    block->m = m;
}

/* Where rows of B are near, tiles do as well, except for a single row. Only sums that begin at 0 are turned. */
static bool has_few_rows(const product_task *task, ptrdiff_t rows) {
    if (rows < 1 || rows > FEW_ROWS || task->a_lies == TRANSPOSED) {
        return false;
    }
    return task->b_lies == TRANSPOSED ? !task->init : task->b_row >= (rows == 1 ? 4 * PANEL : FAR);
}

static void multiply_few(const product_task *task, ptrdiff_t m, ptrdiff_t m_end, ptrdiff_t j, ptrdiff_t j_end) {
    const real *const a = a_at(task, m, 0), *const b = b_at(task, 0, j);
    real *const c = task->c + m * task->c_row + j;
    if (task->b_lies == TRANSPOSED) {
        multiply_few_turned(m_end - m, task->K, j_end - j, a, task->a_row, b, task->b_row, c, task->c_row);
    } else {
        multiply_few_rows(m_end - m, task->K, j_end - j, a, task->a_row, b, task->b_row, c, task->c_row,
                          task->init ? task->init + m * task->init_row + j : NULL, task->init_row);
    }
    if (task->then) {
        follow_up(task, m, m_end - m, j, j_end - j, c, task->c_row);
    }
}

/* grad_w of a large batch: its x and phi leave L1 before they are needed again, and C is too large to be gone through for
 * every few samples. */
static bool is_deep(const product_task *task, ptrdiff_t columns) {
    return task->a_lies == TRANSPOSED && task->K > DEEP && columns >= SOME * PANEL && task->M * columns > C_BLOCK;
}

/* Whether B is worth packing where it need not be turned: if its rows lie far apart; if they lie a multiple of 1 KB apart,
 * which is as bad as soon as B does not stay in L2; and, however they lie, if it hardly does and many tiles read it. */
static bool is_worth_packing_b(const product_task *task, ptrdiff_t tiles, ptrdiff_t columns) {
    if (tiles < OFTEN) {
        return false;
    }
    if (task->b_row >= FAR || is_deep(task, columns)) {
        return true;
    }
    const ptrdiff_t size = task->K * task->b_row;
    return task->a_lies == AS_IT_LIES &&
           ((size > B_BLOCK && task->b_row % (FAR / 2) == 0) || (size >= B_BLOCK && tiles >= 4 * OFTEN));
}

/* How many samples grad_w takes at a time: phi stays in L2 and, unless it is packed or read only once, x does too. */
static ptrdiff_t samples_at_once(bool packed_x, ptrdiff_t in, ptrdiff_t out) {
    return packed_x      ? at_least(B_BLOCK / out, 2 * DEEP)
           : out > PANEL ? at_least(B_BLOCK / at_least(in, out), DEEP)
                         : K_BLOCK;
}

/* Rows m ... m_end - 1 and columns j ... j_end - 1 of C. `ready`, if not NULL, is all of B, packed. */
static void multiply(const product_task *task, ptrdiff_t m, ptrdiff_t m_end, ptrdiff_t j, ptrdiff_t j_end,
                     real *ready) {
    if (!ready && has_few_rows(task, m_end - m)) {
        multiply_few(task, m, m_end, j, j_end);
        return;
    }
    _Alignas(64) real little[LITTLE];
    const parts tiles = divide(m_end - m, TILE_ROWS);
    const bool turn_b = task->b_lies == TRANSPOSED;
    const bool deep = is_deep(task, j_end - j);
    const bool far_a = deep || (task->a_lies == TRANSPOSED && task->a_row >= FAR && j_end - j >= OFTEN * PANEL);
    const bool far_b = is_worth_packing_b(task, tiles.count, j_end - j);
    real *const scratch = turn_b || far_a || far_b || task->passing ? mlp_thread_scratch() : NULL;
    product_block block = {.packed_a = far_a && scratch ? scratch + B_ROOM : NULL, .packed_b = ready};
    if (!ready && (turn_b || far_b)) {
        block.packed_b = scratch ? scratch : turn_b ? little : NULL;
    }
    const ptrdiff_t room = block.packed_b == little ? LITTLE : ready || block.packed_a ? B_ROOM : B_BLOCK;
    ptrdiff_t deepest = at_most(K_BLOCK, room / PANEL);
    if (task->a_lies == TRANSPOSED && !ready) {
        deepest = at_most(deepest, samples_at_once(block.packed_a, m_end - m, j_end - j));
    }
    const parts depths = divide(task->K, deepest);
    if (task->passing && depths.count == 1 && TILE_ROWS * (j_end - j) <= C_BLOCK) {
        block.passed_c = scratch ? scratch + B_ROOM + A_BLOCK : NULL;
    }
    const parts chunks = divide_columns(j_end - j, room / at_least(part_size(depths, 0), 1) / PANEL * PANEL);

    for (ptrdiff_t chunk = 0; chunk < chunks.count; chunk++) {
        block.j = j + part_begin(chunks, chunk) * VEC_LANES;
        block.columns = at_most(part_size(chunks, chunk) * VEC_LANES, j_end - block.j);
        block.panels = divide_columns(block.columns, PANEL);
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
