/* product.inc.h: C = init + A B, every number of it one chain of fma with k ascending: the loops around the micro-tile.
 *
 * The chain fixes the bits and leaves the rest free: K is cut into blocks whose partial sums go through C, rows and
 * columns into tiles, in any order and on any thread.
 *
 *              columns of a chunk                  for each chunk of columns of B and C
 *              +---+---+---+                         for each block of K
 *            K |   |   |   | B                         pack B's block, if that pays           (in L2)
 *              +---+---+---+                           for each tile's rows of A and C
 *     +---+    +---+---+---+                             pack them, if that pays              (in L1)
 *     | A |    | C |   |   |                             for each panel of columns
 *     +---+    +---+---+---+                               micro-tile                         (in registers)
 *
 * Rows and columns are divided evenly: 9 rows are 5 + 4, not 8 + 1.
 */

enum {
    PANEL = TILE_VECS * VEC_LANES,          /* columns of the widest micro-tile                             */
    K_BLOCK = 512,                          /* depth of a packed block                                      */
    BLOCK = 128 * 1024 / (int)sizeof(real), /* numbers of a packed block of B: half of a small L2   */
    FAR = 2048 / (int)sizeof(real),         /* rows this far apart fall into few sets of L1: packing pays   */
};
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

/* Where part `i` of `parts` nearly equal parts of `total` things begins. */
static ptrdiff_t part_begin(ptrdiff_t total, ptrdiff_t parts, ptrdiff_t i) {
    return total / parts * i + (i < total % parts ? i : total % parts);
}

/* Panels of a chunk: whole vectors of columns, but for the last one of the last panel. */
typedef struct {
    ptrdiff_t begin, width; /* in the chunk, in columns        */
    ptrdiff_t used;         /* columns of them that there are  */
} panel;

static panel panel_of(ptrdiff_t columns, ptrdiff_t panels, ptrdiff_t i) {
    ptrdiff_t vecs = divided(columns, VEC_LANES);
    ptrdiff_t begin = VEC_LANES * part_begin(vecs, panels, i), end = VEC_LANES * part_begin(vecs, panels, i + 1);
    return (panel){.begin = begin, .width = end - begin, .used = (end < columns ? end : columns) - begin};
}

/* Columns j ... j + columns - 1 of rows m_begin ... m_end - 1 of C. */
static void multiply_chunk(const product_task *task, ptrdiff_t m_begin, ptrdiff_t m_end, ptrdiff_t j,
                           ptrdiff_t columns) {
    _Alignas(64) real packed_b[BLOCK];
    _Alignas(64) real packed_a[TILE_ROWS * K_BLOCK];
    const ptrdiff_t row_tiles = divided(m_end - m_begin, TILE_ROWS), panels = divided(columns, PANEL);
    const bool pack_b = task->b_lies == TRANSPOSED || (task->b_row >= FAR && row_tiles > 2);
    const bool pack_a = task->a_lies == TRANSPOSED && task->a_row >= FAR && panels > 1;
    tile_function *const(*tiles)[8] = task->a_lies == TRANSPOSED ? TILES_OF_COLUMNS : TILES_OF_ROWS;

    for (ptrdiff_t k = 0; k == 0 || k < task->K; k += K_BLOCK) {
        ptrdiff_t depth = task->K - k < K_BLOCK ? task->K - k : K_BLOCK;
        const real *init = k == 0 ? task->init : task->c;
        ptrdiff_t init_row = k == 0 ? task->init_row : task->c_row;
        for (ptrdiff_t i = 0; pack_b && i < panels; i++) {
            panel p = panel_of(columns, panels, i);
            pack_panel(task->b_lies, depth, p.used, p.width, packed_b + p.begin * depth, b_at(task, k, j + p.begin),
                       task->b_row);
        }
        for (ptrdiff_t tile = 0; tile < row_tiles; tile++) {
            ptrdiff_t m = m_begin + part_begin(m_end - m_begin, row_tiles, tile);
            ptrdiff_t rows = m_begin + part_begin(m_end - m_begin, row_tiles, tile + 1) - m;
            const real *a = a_at(task, m, k);
            if (pack_a) {
                pack_panel(AS_IT_LIES, depth, rows, TILE_ROWS, packed_a, a, task->a_row);
                a = packed_a;
            }
            for (ptrdiff_t i = 0; i < panels; i++) {
                panel p = panel_of(columns, panels, i);
                const ptrdiff_t at = j + p.begin, vecs = p.width / VEC_LANES;
                tiles[vecs - 1][rows - 1](
                    depth, a, pack_a ? TILE_ROWS : task->a_row, pack_b ? packed_b + p.begin * depth : b_at(task, k, at),
                    pack_b ? p.width : task->b_row, task->c + m * task->c_row + at, task->c_row,
                    init ? init + m * init_row + at : NULL, init_row, mask_first(VEC_LANES - (p.width - p.used)));
            }
        }
    }
}

static void product(const product_task *task) {
    ptrdiff_t depth = task->K < K_BLOCK ? task->K : K_BLOCK;
    ptrdiff_t chunks = divided(task->N, BLOCK / depth / PANEL * PANEL), vecs = divided(task->N, VEC_LANES);
    for (ptrdiff_t i = 0; i < chunks; i++) {
        ptrdiff_t begin = VEC_LANES * part_begin(vecs, chunks, i), end = VEC_LANES * part_begin(vecs, chunks, i + 1);
        multiply_chunk(task, 0, task->M, begin, (end < task->N ? end : task->N) - begin);
    }
}
