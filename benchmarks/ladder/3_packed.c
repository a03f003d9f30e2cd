/* Rung 3, packed: the 4 columns of w that a column of tiles needs, a panel, are first copied into one straight line.
 *
 *     w                                   packed
 *     +---------+---------+----           +---------+---------+---------+----
 *     | 0 1 2 3 |         |       k = 0   | 0 1 2 3 | 0 1 2 3 | 0 1 2 3 |
 *     +---------+---------+----     ->    +---------+---------+---------+----
 *     | 0 1 2 3 |         |       k = 1      k = 0     k = 1     k = 2
 *
 * In w the rows of a panel lie `out` numbers apart. If that is a power of two, as it likes to be, all of them compete for
 * the same few places of the cache and push each other out before the next tile comes back for them. Packed, they are
 * read once from w and then, n / 3 times, from the cache, in the order in which they lie.
 */
#include <stdlib.h>

#include "ladder.h"

enum { ROWS = 3, COLUMNS = 4 };

static void pack(const layer *l, ptrdiff_t i, float *panel) {
    for (ptrdiff_t k = 0; k < l->in; k++) {
        for (int c = 0; c < COLUMNS; c++) {
            panel[k * COLUMNS + c] = l->w[k * l->out + i + c];
        }
    }
}

static void tile(const layer *l, ptrdiff_t s, ptrdiff_t i, const float *panel) {
    float sum[ROWS][COLUMNS];
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < COLUMNS; c++) {
            sum[r][c] = l->b[i + c];
        }
    }
    for (ptrdiff_t k = 0; k < l->in; k++) {
        for (int r = 0; r < ROWS; r++) {
            for (int c = 0; c < COLUMNS; c++) {
                sum[r][c] = fmaf(l->x[(s + r) * l->in + k], panel[k * COLUMNS + c], sum[r][c]);
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

void packed(const layer *l) {
    float *panel = malloc((size_t)(l->in * COLUMNS) * sizeof *panel);
    if (!panel || l->n < ROWS || l->out < COLUMNS) {
        free(panel);
        naive(l);
        return;
    }
    for (ptrdiff_t i = 0; i < l->out; i += COLUMNS) {
        pack(l, whole(i, COLUMNS, l->out), panel);
        for (ptrdiff_t s = 0; s < l->n; s += ROWS) {
            tile(l, whole(s, ROWS, l->n), whole(i, COLUMNS, l->out), panel);
        }
    }
    free(panel);
    relu(l);
}
