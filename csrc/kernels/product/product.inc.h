/* product.inc.h: C = init + A B, every element one chain of fma with k ascending.
 *
 * The chain fixes the bits and leaves the rest free: K is cut into blocks whose partial sums are kept in C; rows and
 * columns are cut into micro-tiles, which are computed in any order and on any thread. product_plan.inc.h decides how,
 * loops.inc.h runs the five loops, parallel.inc.h runs them on several threads.
 *
 *              NC columns                loop 5: NC columns of B and C
 *              +---+---+---+               loop 4: KC rows of B, KC columns of A; B is packed here  (stays in L2)
 *           KC |   |   |   | B               loop 3: MC rows of A and C; A is packed here           (stays in L2)
 *      KC      +---+---+---+                   loop 2: one panel of B, NR columns                   (from L2)
 *     +---+    +---+---+---+                     loop 1: one micro-tile, MR rows of A and C         (in registers)
 *  MC | A |    | C |   |   |                       micro-kernel: the loop over KC
 *     +---+    +---+---+---+
 *               NR  NR  NR
 *
 *     packed B, KC rows of NR:  | k = 0 | k = 1 | ... | panel 0, then panel 1, then panel 2
 *     packed A, KC columns of MR:  | k = 0 | k = 1 | ... | micro-tile 0, then micro-tile 1 ...
 */

enum { MR = TILE_ROWS, NR = TILE_VECS * VEC_LANES }; /* rows and columns of the largest micro-tile */

typedef enum { NO_TRANSPOSE, TRANSPOSE } transposition;

/* A is M x K and B is K x N; with TRANSPOSE they lie in memory as K x M and N x K. Leading dimensions: row r of c
 * begins at c + r * ldc, of init at init + r * ld_init (0: the same row for all of C), and so on. init NULL: sums begin
 * at 0.
 *
 * The epilogue, if not NULL, is called while elements of C that are done are still in the caches: `count` of them at
 * `block`, which belong at c + begin; each once, on any thread. discard_c: only the epilogue, which there is then,
 * needs C; c may be written or not. */
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

/* Rows m ... m_end - 1 and columns n ... n_end - 1 of C. */
typedef struct {
    ptrdiff_t m, m_end, n, n_end;
} region;

static const real *a_at(const product_task *task, ptrdiff_t m, ptrdiff_t k) {
    return task->a + (task->trans_a == TRANSPOSE ? k * task->lda + m : m * task->lda + k);
}

static const real *b_at(const product_task *task, ptrdiff_t k, ptrdiff_t n) {
    return task->b + (task->trans_b == TRANSPOSE ? n * task->ldb + k : k * task->ldb + n);
}

/* The elements of `done` lie at block, whose leading dimension is ld. */
static void run_epilogue(const product_task *task, const region *done, const real *block, ptrdiff_t ld) {
    const ptrdiff_t columns = done->n_end - done->n;
    if (columns == task->ldc) {
        task->epilogue(task->epilogue_context, done->m * columns, (done->m_end - done->m) * columns, block);
        return;
    }
    for (ptrdiff_t m = done->m; m < done->m_end; m++) {
        task->epilogue(task->epilogue_context, m * task->ldc + done->n, columns, block + (m - done->m) * ld);
    }
}

#include "parts.inc.h"

#include "tiles.inc.h"

#include "pack.inc.h"

#include "few_rows.inc.h"

#include "product_plan.inc.h"

#include "loops.inc.h"

#include "parallel.inc.h"

static void product(const product_task *task) {
    const region all = {.m_end = task->M, .n_end = task->N};
    const ptrdiff_t threads = threads_for(task);
    if (threads > 1) {
        multiply_parallel(task, &all, threads);
    } else {
        multiply(task, &all, NULL);
    }
}
