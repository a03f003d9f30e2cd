/* Rung 2, tiled: 3 x 4 sums at a time, all of them in registers.
 *
 *                        4 numbers of w       Twelve chains run side by side, so that none has to wait: while one
 *                         |  |  |  |          fma is under way, eleven others begin.
 *                       +--+--+--+--+
 *     3 numbers of x  --|  |  |  |  |         And what is loaded is used again: 7 loads for 12 fma, where rung 1
 *                     --|  | sums|  |         has 2 for each. The four numbers of w lie in one cache line.
 *                     --|  |  |  |  |
 *                       +--+--+--+--+
 *
 * The bounds of the tile are constants: only then do the loops over it unroll, and do the sums stay in registers.
 */
#include "ladder.h"

enum { ROWS = 3, COLUMNS = 4 };

static void tile(const layer *l, ptrdiff_t s, ptrdiff_t i) {
    float sum[ROWS][COLUMNS];
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLUMNS; c++) {
            sum[r][c] = l->b[i + c];
        }
    }
    for (ptrdiff_t k = 0; k < l->in; k++) {
        for (int r = 0; r < ROWS; r++) {
            for (int c = 0; c < COLUMNS; c++) {
                sum[r][c] = fmaf(l->x[(s + r) * l->in + k], l->w[k * l->out + i + c], sum[r][c]);
            }
        }
    }
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLUMNS; c++) {
            l->a[(s + r) * l->out + i + c] = sum[r][c];
        }
    }
}

static void relu(const layer *l) {
    for (ptrdiff_t i = 0; i < l->n * l->out; i++) {
        l->a[i] = l->a[i] <= 0 ? 0 : l->a[i];
    }
}

void tiled(const layer *l) {
    if (l->n < ROWS || l->out < COLUMNS) {
        naive(l);
        return;
    }
    for (ptrdiff_t i = 0; i < l->out; i += COLUMNS) {
        for (ptrdiff_t s = 0; s < l->n; s += ROWS) {
            tile(l, whole(s, ROWS, l->n), whole(i, COLUMNS, l->out));
        }
    }
    relu(l);
}
