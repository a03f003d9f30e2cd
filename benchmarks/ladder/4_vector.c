/* Rung 4, vector: each column of the tile becomes a vector of 8 or 16 columns, which one instruction computes at once.
 *
 * The lanes of a vector are neighbouring units of one sample. Each lane runs its own chain, in the order of rung 1, so
 * that not a bit changes; lanes along k would hold parts of a sum, rounded otherwise. The tile is as large as the
 * registers allow, and so are all the reasons of rung 2 again: 6 x 2 vectors are 192 fma for 8 loads.
 *
 * The words are those of csrc/simd/vec.h: like the engine's, this text is the same for every instruction set.
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
    EACH (r, ROWS) {
        EACH (v, TILE_VECS) {
            vec_store(l->a + (s + r) * l->out + i + v * VEC_LANES, sum[r][v]);
        }
    }
}

static void relu(const layer *l) {
    for (ptrdiff_t i = 0; i < l->n * l->out; i += VEC_LANES) {
        float *a = l->a + whole(i, VEC_LANES, l->n * l->out);
        vec_store(a, vec_select(vec_less_equal(vec_load(a), vec_broadcast(0)), vec_broadcast(0), vec_load(a)));
    }
}

void vector(const layer *l) {
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
    relu(l);
}

#include "simd/vec_end.h"
