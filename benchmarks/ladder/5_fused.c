/* Rung 5, fused: ReLU is applied to the sums while they are still in registers.
 *
 * As a pass of its own it reads and writes all of a once more: one load and one store for every `in` fma. That is nothing
 * where `in` is 1024 and a good part of the time where it is 16. The bias has been fused all along, since a sum starts
 * from it. The engine fuses the derivative of ReLU into the store of its backward product in the same way.
 */
#include <stdlib.h>

#include "ladder.h"
#include "native.h"

enum { ROWS = TILE_ROWS, COLUMNS = TILE_VECS * VEC_LANES };

static void pack(const layer *l, ptrdiff_t i, float *panel) {
    for (ptrdiff_t k = 0; k < l->in; k++) {
        EACH (v, TILE_VECS) {
            vec_store(panel + k * COLUMNS + v * VEC_LANES, vec_load(l->w + k * l->out + i + v * VEC_LANES));
        }
    }
}

static void tile(const layer *l, ptrdiff_t s, ptrdiff_t i, const float *panel) {
    vec sum[ROWS][TILE_VECS], of_w[TILE_VECS];
    EACH (r, ROWS) {
        EACH (v, TILE_VECS) {
            sum[r][v] = vec_load(l->b + i + v * VEC_LANES);
        }
    }
    for (ptrdiff_t k = 0; k < l->in; k++) {
        EACH (v, TILE_VECS) {
            of_w[v] = vec_load(panel + k * COLUMNS + v * VEC_LANES);
        }
        EACH (r, ROWS) {
            vec of_x = vec_broadcast(l->x[(s + r) * l->in + k]);
            EACH (v, TILE_VECS) {
                sum[r][v] = vec_fma(of_x, of_w[v], sum[r][v]);
            }
        }
    }
    const vec zero = vec_broadcast(0);
    EACH (r, ROWS) {
        EACH (v, TILE_VECS) {
            vec_store(l->a + (s + r) * l->out + i + v * VEC_LANES,
                      vec_select(vec_less_equal(sum[r][v], zero), zero, sum[r][v]));
        }
    }
}

void fused(const layer *l) {
    float *panel = aligned_alloc(64, (size_t)(l->in * COLUMNS) * sizeof *panel);
    if (!panel || l->n < ROWS || l->out < COLUMNS) {
        free(panel);
        packed(l);
        return;
    }
    for (ptrdiff_t i = 0; i < l->out; i += COLUMNS) {
        pack(l, whole(i, COLUMNS, l->out), panel);
        for (ptrdiff_t s = 0; s < l->n; s += ROWS) {
            tile(l, whole(s, ROWS, l->n), whole(i, COLUMNS, l->out), panel);
        }
    }
    free(panel);
}

#include "simd/vec_end.h"
