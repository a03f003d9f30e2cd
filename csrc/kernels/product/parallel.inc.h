/* parallel.inc.h: a product in pieces that threads may take: some rows and all columns, or the other way round.
 */

enum { PIECES_PER_THREAD = 4 };              /* so that who is done first can take another one */
static const double MIN_PARALLEL_WORK = 5e5; /* multiply-adds that a second thread shortens    */

typedef struct {
    const product_task *task;
    bool by_rows;
    parts pieces; /* of tiles' rows, or of vectors of columns */
    real *packed_b;
} shared_product;

static void multiply_piece(void *context, ptrdiff_t i) {
    const shared_product *shared = context;
    const product_task *task = shared->task;
    ptrdiff_t unit = shared->by_rows ? MR : VEC_LANES, total = shared->by_rows ? task->M : task->N;
    ptrdiff_t begin = unit * part_begin(shared->pieces, i), end = unit * part_begin(shared->pieces, i + 1);
    end = end < total ? end : total;
    if (shared->by_rows) {
        multiply(task, begin, end, 0, task->N, shared->packed_b);
    } else {
        multiply(task, 0, task->M, begin, end, NULL);
    }
}

/* Pieces of columns each pack their part of B, and so share that work. Pieces of rows all need the whole of it, which is
 * therefore packed before, in pieces of its own, into the caller's scratch. */
enum { PANELS_PER_PIECE = 4 };

static void pack_piece(void *context, ptrdiff_t i) {
    const shared_product *shared = context;
    const product_task *task = shared->task;
    const parts all = divide_columns(task->N, NR);
    const ptrdiff_t first = i * PANELS_PER_PIECE;
    product_block block = {.depth = task->K, .panels = some_parts(all, first, PANELS_PER_PIECE)};
    block.j = part_begin(all, first) * VEC_LANES;
    block.columns = at_most(part_begin(block.panels, block.panels.count) * VEC_LANES, task->N - block.j);
    block.packed_b = shared->packed_b + block.j * block.depth;
    pack_b(task, &block);
}

static bool is_packed(const product_task *task) {
    return task->trans_b == TRANSPOSE || is_worth_packing_b(task, divided(task->M, MR), task->N);
}

static bool is_worth_packing_once(const product_task *task) {
    return is_packed(task) && task->K > 0 && task->K <= MAX_KC && task->N <= B_SCRATCH / task->K / NR * NR;
}

/* Pieces of rows suit what goes on with C, whose rows are contiguous, if there are enough and not each packs all of B. */
static bool is_shared_by_rows(const product_task *task, ptrdiff_t most) {
    if (task->trans_a == TRANSPOSE || task->N < most * NR) {
        return true;
    }
    return task->M >= 2 * most * MR && (!is_packed(task) || is_worth_packing_once(task));
}

/* At most so many pieces. */
static void split_among_threads(const product_task *task, ptrdiff_t most) {
    shared_product shared = {.task = task, .by_rows = is_shared_by_rows(task, most)};
    ptrdiff_t total = shared.by_rows ? divided(task->M, MR) : divided(task->N, VEC_LANES);
    shared.pieces = divide(total, divided(total, most));
    if (shared.by_rows && is_worth_packing_once(task) && (shared.packed_b = mlp_thread_scratch())) {
        mlp_parallel(divided(divide_columns(task->N, NR).count, PANELS_PER_PIECE), pack_piece, &shared);
    }
    mlp_parallel(shared.pieces.count, multiply_piece, &shared);
}

static void product(const product_task *task) {
    const ptrdiff_t threads = mlp_get_num_threads();
    if (threads == 1 || (double)task->M * (double)task->N * (double)task->K < MIN_PARALLEL_WORK) {
        multiply(task, 0, task->M, 0, task->N, NULL);
        return;
    }
    /* A large batch's grad_w some samples at a time: so their phi is packed once for all threads. */
    const ptrdiff_t deepest = is_deep(task, task->N) ? samples_at_once(true, task->M, task->N) : task->K;
    const parts depths = divide(task->K, at_most(MAX_KC, deepest));
    for (ptrdiff_t d = 0; d < depths.count; d++) {
        product_task part = *task;
        part.K = part_size(depths, d);
        part.a = a_at(task, 0, part_begin(depths, d));
        part.b = b_at(task, part_begin(depths, d), 0);
        if (d > 0) {
            part.init = task->c;
            part.ld_init = task->ldc;
        }
        if (d < depths.count - 1) {
            part.epilogue = NULL;
        }
        part.discard_c = task->discard_c && depths.count == 1;
        split_among_threads(&part, threads * PIECES_PER_THREAD);
    }
}
