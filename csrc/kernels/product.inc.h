/* product.inc.h: C = init + A B, every number of it one chain of fma with k ascending: the loops around the micro-tile.
 *
 * The chain fixes the bits and leaves the rest free: K is cut into blocks whose partial sums go through C, rows and
 * columns into tiles, in any order and on any thread.
 *
 *              columns of a chunk                  for each chunk of columns of B and C
 *              +---+---+---+                         for each block of K
 *            K |   |   |   | B   (packed, in L2)       pack B's block, if that pays
 *              +---+---+---+                           for each tile's rows of A and C
 *     +---+    +---+---+---+                             pack them, if that pays        (in L1)
 *     | A |    | C |   |   |                             for each panel of columns
 *     +---+    +---+---+---+                               micro-tile                   (registers)
 *
 * Rows and columns are divided evenly: 9 rows are 5 + 4, not 8 + 1.
 */

enum {
    PANEL = TILE_VECS * VEC_LANES, /* columns of the widest micro-tile                                  */
    K_BLOCK = 512,                 /* a tile's rows of A: TILE_ROWS * K_BLOCK numbers, half of L1        */
    CHUNK_BYTES = 128 * 1024,      /* a packed block of B: half of the smallest L2 in use                */
    CHUNK = CHUNK_BYTES / (int)sizeof(real) / K_BLOCK / PANEL * PANEL,
    FAR = 2048 / (int)sizeof(real), /* rows further apart than this meet in one set of L1: worth packing  */
};
_Static_assert(CHUNK >= PANEL, "a chunk holds at least one panel");

typedef enum { AS_IT_LIES, TRANSPOSED } orientation;

/* The operands. `a` is M x K, `b` K x N; transposed, they lie in memory as K x M and N x K. Row r of c begins at
 * c + r*c_row and starts as init + r*init_row; init NULL: as 0. */
typedef struct {
    ptrdiff_t M, N, K;
    orientation a_lies, b_lies;
    const real *a, *b, *init;
    ptrdiff_t a_row, b_row, init_row, c_row;
    real *c;
} product_task;

/* The begin of part `i` of `parts` nearly equal parts of `total` things. */
static inline ptrdiff_t part_begin(ptrdiff_t total, ptrdiff_t parts, ptrdiff_t i) {
    return total / parts * i + (i < total % parts ? i : total % parts);
}

static inline ptrdiff_t divided(ptrdiff_t total, ptrdiff_t at_most) { return (total + at_most - 1) / at_most; }

static void product(const product_task *task) {
    _Alignas(64) real packed_b[CHUNK * K_BLOCK];
    _Alignas(64) real packed_a[TILE_ROWS * K_BLOCK];
    const ptrdiff_t M = task->M, N = task->N, K = task->K;
    const ptrdiff_t row_tiles = divided(M, TILE_ROWS), chunks = divided(N, CHUNK);
    const int pack_b = task->b_lies == TRANSPOSED || (task->b_row >= FAR && row_tiles > 2);
    const int pack_a = task->a_lies == TRANSPOSED && task->a_row >= FAR && N > 2 * PANEL;
    tile_function *const(*tiles)[8] = task->a_lies == TRANSPOSED ? TILES_OF_COLUMNS : TILES_OF_ROWS;

    for (ptrdiff_t chunk = 0; chunk < chunks; chunk++) {
        ptrdiff_t lanes_begin = VEC_LANES * part_begin(divided(N, VEC_LANES), chunks, chunk);
        ptrdiff_t lanes_end = VEC_LANES * part_begin(divided(N, VEC_LANES), chunks, chunk + 1);
        ptrdiff_t columns = (lanes_end < N ? lanes_end : N) - lanes_begin;
        ptrdiff_t vecs = divided(columns, VEC_LANES), panels = divided(vecs, TILE_VECS);
        mask last = mask_first(columns - (vecs - 1) * VEC_LANES), all = mask_first(VEC_LANES);

        for (ptrdiff_t k = 0; k == 0 || k < K; k += K_BLOCK) {
            ptrdiff_t depth = K - k < K_BLOCK ? K - k : K_BLOCK;
            const real *init = k > 0 ? task->c : task->init;
            ptrdiff_t init_row = k > 0 ? task->c_row : task->init_row;

            for (ptrdiff_t panel = 0; pack_b && panel < panels; panel++) {
                ptrdiff_t begin = VEC_LANES * part_begin(vecs, panels, panel);
                ptrdiff_t end = VEC_LANES * part_begin(vecs, panels, panel + 1);
                ptrdiff_t width = end - begin, used = (end < columns ? end : columns) - begin;
                ptrdiff_t j = lanes_begin + begin;
                real *to = packed_b + begin * K_BLOCK;
                if (task->b_lies == TRANSPOSED) {
                    pack_panel_transposed(depth, used, width, to, task->b + j * task->b_row + k, task->b_row);
                } else {
                    pack_panel(depth, used, width, to, task->b + k * task->b_row + j, task->b_row);
                }
            }

            for (ptrdiff_t tile = 0; tile < row_tiles; tile++) {
                ptrdiff_t m = part_begin(M, row_tiles, tile), rows = part_begin(M, row_tiles, tile + 1) - m;
                const real *a =
                    task->a_lies == TRANSPOSED ? task->a + k * task->a_row + m : task->a + m * task->a_row + k;
                ptrdiff_t a_stride = task->a_row;
                if (pack_a) {
                    pack_panel(depth, rows, TILE_ROWS, packed_a, a, a_stride);
                    a = packed_a;
                    a_stride = TILE_ROWS;
                }
                for (ptrdiff_t panel = 0; panel < panels; panel++) {
                    ptrdiff_t first = part_begin(vecs, panels, panel),
                              count = part_begin(vecs, panels, panel + 1) - first;
                    ptrdiff_t j = lanes_begin + first * VEC_LANES;
                    const real *b = pack_b ? packed_b + first * VEC_LANES * K_BLOCK : task->b + k * task->b_row + j;
                    tiles[count - 1][rows - 1](depth, a, a_stride, b, pack_b ? count * VEC_LANES : task->b_row,
                                               task->c + m * task->c_row + j, task->c_row,
                                               init ? init + m * init_row + j : NULL, init_row,
                                               panel == panels - 1 && lanes_end >= N ? last : all);
                }
            }
        }
    }
}
