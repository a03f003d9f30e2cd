/* product.inc.h: C = init + A B, every number of it one chain of fma with k ascending: the loops around the micro-tile.
 *
 * The chain fixes the bits and leaves the rest free: K is cut into blocks whose partial sums go through C, rows and
 * columns into tiles, in any order and on any thread.
 *
 *              columns of a chunk                  for each chunk of columns of B and C
 *              +---+---+---+                         for each block of K
 *            K |   |   |   | B                         pack B's block, if that pays           (in L2)
 *              +---+---+---+                           for each panel of columns              (in L1)
 *     +---+    +---+---+---+                             for each tile's rows of A and C
 *     | A |    | C |   |   |                               micro-tile                         (in registers)
 *     +---+    +---+---+---+
 *
 * Rows and columns are divided evenly: 9 rows are 5 + 4, not 8 + 1.
 */

enum {
    PANEL = TILE_VECS * VEC_LANES,          /* columns of the widest micro-tile                           */
    K_BLOCK = 512,                          /* depth of a block; its panel streams from L2                 */
    BLOCK = 384 * 1024 / (int)sizeof(real), /* numbers of a packed block of B: part of L2                  */
    FAR = 4096 / (int)sizeof(real),         /* rows this far apart share the same few sets of L1           */
    SPREAD = 1 << 20,                       /* bytes: a block over more than this does not stay in L2      */
    OFTEN = 32,                             /* a panel that so many tiles read is worth packing            */
    PIECES_PER_THREAD = 2,                  /* so that who is done first can take another one              */
};
static const double WORTH_SHARING = 2e6; /* multiply-adds that a second thread shortens */
_Static_assert(BLOCK >= PANEL * K_BLOCK, "a block holds at least one panel");

/* `a` is M x K and `b` K x N; transposed, they lie in memory as K x M and N x K. Row r of c begins at c + r*c_row and its
 * sums at init + r*init_row; init NULL: at 0. */
typedef struct {
    ptrdiff_t M, N, K;
    orientation a_lies, b_lies;
    const real *a, *b, *init;
    ptrdiff_t a_row, b_row, init_row, c_row;
    real *c;
} product_task;

static const real *a_at(const product_task *task, ptrdiff_t m, ptrdiff_t k) {
    return task->a + (task->a_lies == TRANSPOSED ? k * task->a_row + m : m * task->a_row + k);
}

static const real *b_at(const product_task *task, ptrdiff_t k, ptrdiff_t j) {
    return task->b + (task->b_lies == TRANSPOSED ? j * task->b_row + k : k * task->b_row + j);
}

static ptrdiff_t divided(ptrdiff_t total, ptrdiff_t at_most) { return (total + at_most - 1) / at_most; }

/* `total` things in `count` parts: the first `larger` have size + 1 things, the others size. */
typedef struct {
    ptrdiff_t count, size, larger;
} parts;

static parts divide(ptrdiff_t total, ptrdiff_t count) {
    return count <= 1 ? (parts){count, total, 0} : (parts){count, total / count, total % count};
}

static ptrdiff_t part_size(parts p, ptrdiff_t i) { return p.size + (i < p.larger); }
static ptrdiff_t part_begin(parts p, ptrdiff_t i) { return p.size * i + (i < p.larger ? i : p.larger); }

/* Columns in parts of whole vectors, but for the last vector of all. */
static parts divide_columns(ptrdiff_t columns, ptrdiff_t at_most) {
    return divide(divided(columns, VEC_LANES), divided(columns, at_most));
}

/* Rows k ... k + depth - 1 of B's columns j ... j_end - 1, panel after panel. */
static void pack_block(const product_task *task, ptrdiff_t k, ptrdiff_t depth, parts panels, ptrdiff_t j,
                       ptrdiff_t j_end, real *packed) {
    for (ptrdiff_t i = 0; i < panels.count; i++) {
        ptrdiff_t width = part_size(panels, i) * VEC_LANES;
        pack_panel(task->b_lies, depth, j + width < j_end ? width : j_end - j, width, packed, b_at(task, k, j),
                   task->b_row);
        packed += width * depth;
        j += width;
    }
}

/* Columns j ... j + columns - 1 of rows m_begin ... m_end - 1 of C. Tiles go down a panel, which stays in L1; but where
 * each tile's rows of A have to be packed, they go along the rows, which then do. */
static void multiply_chunk(const product_task *task, ptrdiff_t m_begin, ptrdiff_t m_end, ptrdiff_t j,
                           ptrdiff_t columns) {
    _Alignas(64) real packed_b[BLOCK];
    _Alignas(64) real packed_a[TILE_ROWS * K_BLOCK];
    const parts tiles = divide(m_end - m_begin, divided(m_end - m_begin, TILE_ROWS));
    const parts panels = divide_columns(columns, PANEL);
    const ptrdiff_t deepest = task->K < K_BLOCK ? task->K : K_BLOCK;
    const bool pack_b = task->b_lies == TRANSPOSED || (task->b_row >= FAR && tiles.count > OFTEN);
    const bool pack_a =
        task->a_lies == TRANSPOSED && panels.count > 1 && deepest * task->a_row > (ptrdiff_t)(SPREAD / sizeof(real));
    const ptrdiff_t outer = pack_a ? tiles.count : panels.count, inner = pack_a ? panels.count : tiles.count;
    const ptrdiff_t j_end = j + columns;
    tile_function *const(*functions)[8] = task->a_lies == TRANSPOSED ? TILES_OF_COLUMNS : TILES_OF_ROWS;

    for (ptrdiff_t k = 0; k == 0 || k < task->K; k += K_BLOCK) {
        const ptrdiff_t depth = task->K - k < K_BLOCK ? task->K - k : K_BLOCK;
        const real *init = k == 0 ? task->init : task->c;
        const ptrdiff_t init_row = k == 0 ? task->init_row : task->c_row;
        if (pack_b) {
            pack_block(task, k, depth, panels, j, j_end, packed_b);
        }
        for (ptrdiff_t o = 0; o < outer; o++) {
            for (ptrdiff_t i = 0; i < inner; i++) {
                const ptrdiff_t tile = pack_a ? o : i, panel = pack_a ? i : o;
                const ptrdiff_t m = m_begin + part_begin(tiles, tile), rows = part_size(tiles, tile);
                const ptrdiff_t vecs = part_size(panels, panel), width = vecs * VEC_LANES;
                const ptrdiff_t at = j + part_begin(panels, panel) * VEC_LANES;
                const real *a = a_at(task, m, k);
                if (pack_a && i == 0) {
                    pack_panel(AS_IT_LIES, depth, rows, TILE_ROWS, packed_a, a, task->a_row);
                }
                functions[vecs - 1][rows - 1](depth, pack_a ? packed_a : a, pack_a ? TILE_ROWS : task->a_row,
                                              pack_b ? packed_b + (at - j) * depth : b_at(task, k, at),
                                              pack_b ? width : task->b_row, task->c + m * task->c_row + at, task->c_row,
                                              init ? init + m * init_row + at : NULL, init_row,
                                              mask_first(j_end - (at + width - VEC_LANES)));
            }
        }
    }
}

/* A product that is one tile. */
static void multiply_tile(const product_task *task) {
    ptrdiff_t vecs = divided(task->N, VEC_LANES);
    tile_function *const(*functions)[8] = task->a_lies == TRANSPOSED ? TILES_OF_COLUMNS : TILES_OF_ROWS;
    functions[vecs - 1][task->M - 1](task->K, task->a, task->a_row, task->b, task->b_row, task->c, task->c_row,
                                     task->init, task->init_row, mask_first(task->N - (vecs - 1) * VEC_LANES));
}

static void multiply(const product_task *task, ptrdiff_t m_begin, ptrdiff_t m_end, ptrdiff_t j, ptrdiff_t j_end) {
    ptrdiff_t depth = task->K > K_BLOCK ? K_BLOCK : task->K > 0 ? task->K : 1;
    const parts chunks = divide_columns(j_end - j, BLOCK / depth / PANEL * PANEL);
    for (ptrdiff_t i = 0; i < chunks.count; i++) {
        ptrdiff_t width = part_size(chunks, i) * VEC_LANES;
        multiply_chunk(task, m_begin, m_end, j, j + width < j_end ? width : j_end - j);
        j += width;
    }
}

/* A product in pieces that threads may take: some rows and all columns, or the other way round. */
typedef struct {
    const product_task *task;
    bool by_rows;
    parts pieces; /* of tiles' rows, or of vectors of columns */
} shared_product;

static void multiply_piece(void *context, ptrdiff_t i) {
    const shared_product *shared = context;
    const product_task *task = shared->task;
    ptrdiff_t unit = shared->by_rows ? TILE_ROWS : VEC_LANES, total = shared->by_rows ? task->M : task->N;
    ptrdiff_t begin = unit * part_begin(shared->pieces, i), end = unit * part_begin(shared->pieces, i + 1);
    end = end < total ? end : total;
    if (shared->by_rows) {
        multiply(task, begin, end, 0, task->N);
    } else {
        multiply(task, 0, task->M, begin, end);
    }
}

/* Each piece packs what it needs of B by itself, so pieces of columns share the work of packing and pieces of rows repeat
 * it; but where A is packed too, the repeated packing of the smaller B is the cheaper one. */
static void product(const product_task *task) {
    if (task->M <= TILE_ROWS && task->N <= PANEL && task->K <= K_BLOCK && task->b_lies == AS_IT_LIES && task->M > 0) {
        multiply_tile(task); /* for a net of a few units the loops would take longer than the arithmetic */
        return;
    }
    ptrdiff_t threads = mlp_get_num_threads(), most = threads * PIECES_PER_THREAD;
    if (threads == 1 || (double)task->M * (double)task->N * (double)task->K < WORTH_SHARING) {
        multiply(task, 0, task->M, 0, task->N);
        return;
    }
    shared_product shared = {.task = task, .by_rows = task->a_lies == TRANSPOSED || task->N < most * PANEL};
    ptrdiff_t units = shared.by_rows ? divided(task->M, TILE_ROWS) : divided(task->N, VEC_LANES);
    shared.pieces = divide(units, units < most ? units : most);
    mlp_parallel(shared.pieces.count, multiply_piece, &shared);
}
