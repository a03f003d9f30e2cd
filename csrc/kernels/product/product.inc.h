/* product.inc.h: C = init + A B, every element one chain of fma with k ascending.
 *
 * The chain fixes the bits and leaves the rest free: K is cut into blocks whose partial sums are kept in C, rows and columns
 * are cut into micro-tiles, in any order and on any thread.
 */

enum { MR = TILE_ROWS, NR = TILE_VECS * VEC_LANES }; /* rows and columns of the largest micro-tile */

typedef enum { NO_TRANSPOSE, TRANSPOSE } transposition;

/* A is M x K and B is K x N; with TRANSPOSE they lie in memory as K x M and N x K. Leading dimensions: row r of c begins at
 * c + r * ldc, of init at init + r * ld_init (0: the same row for all of C), and so on. init NULL: sums begin at 0.
 *
 * The epilogue, if not NULL, is called while elements of C that are done are still in the caches: `count` of them at
 * `block`, which belong at c + begin; each once, on any thread. discard_c: only the epilogue needs C. */
typedef struct {
    ptrdiff_t M, N, K;
    transposition trans_a, trans_b;
    const real *a, *b, *init;
    ptrdiff_t lda, ldb, ld_init, ldc;
    real *c;
    bool discard_c;
    void (*epilogue)(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *block);
    const void *epilogue_context;
} product_task;

#include "parts.inc.h"

#include "tiles.inc.h"

#include "pack.inc.h"

#include "few_rows.inc.h"

#include "loops.inc.h"

#include "parallel.inc.h"
