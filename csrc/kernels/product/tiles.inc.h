/* tiles.inc.h: the micro-kernel of tile.inc.h in every size up to MR by TILE_VECS, and the table to find them in. */

/* `columns` of C, at most as many as the micro-kernel has vectors for; the leading dimensions are strides of rows. */
typedef void micro_kernel(ptrdiff_t K, const real *a, ptrdiff_t lda, const real *b, ptrdiff_t ldb, real *c,
                          ptrdiff_t ldc, const real *init, ptrdiff_t ld_init, ptrdiff_t columns);

_Static_assert(TILE_ROWS <= 8 && TILE_VECS <= 3, "the list below ends at 8 x 3");

#define VECS 1
#include "tile_rows.inc.h"
#undef VECS
#define VECS 2
#include "tile_rows.inc.h"
#undef VECS
#define VECS 3
#include "tile_rows.inc.h"
#undef VECS

#define SIZES(form, vecs)                                                                                              \
    {micro_kernel_##form##_1x##vecs, micro_kernel_##form##_2x##vecs, micro_kernel_##form##_3x##vecs,                   \
     micro_kernel_##form##_4x##vecs, micro_kernel_##form##_5x##vecs, micro_kernel_##form##_6x##vecs,                   \
     micro_kernel_##form##_7x##vecs, micro_kernel_##form##_8x##vecs}

/* [whether a is transposed][vecs - 1][rows - 1] */
static micro_kernel *const MICRO_KERNELS[2][3][8] = {
    [NO_TRANSPOSE] = {SIZES(n, 1), SIZES(n, 2), SIZES(n, 3)},
    [TRANSPOSE] = {SIZES(t, 1), SIZES(t, 2), SIZES(t, 3)},
};
#undef SIZES

static micro_kernel *micro_kernel_for(transposition trans_a, ptrdiff_t rows, ptrdiff_t columns) {
    return MICRO_KERNELS[trans_a][divided(columns, VEC_LANES) - 1][rows - 1];
}
