/* tiles.inc.h: the micro-kernel of tile.inc.h in every size up to TILE_ROWS by TILE_VECS, and the table to find them
 * in. Larger ones, which nothing could call, are not compiled.
 */

/* `columns` of C: at most as many as the micro-kernel has vectors for, more than one vector less has. */
typedef void micro_kernel(ptrdiff_t K, const real *a, ptrdiff_t lda, const real *b, ptrdiff_t ldb, real *c,
                          ptrdiff_t ldc, const real *init, ptrdiff_t ld_init, ptrdiff_t columns);

#define VECS 1
#include "tile_rows.inc.h"
#undef VECS
#define VECS 2
#include "tile_rows.inc.h"
#undef VECS
#if TILE_VECS == 3
#define VECS 3
#include "tile_rows.inc.h"
#undef VECS
#endif

#define NAME(form, rows, vecs) micro_kernel_##form##_##rows##x##vecs
#define UP_TO_6_ROWS(form, vecs)                                                                                       \
    NAME(form, 1, vecs), NAME(form, 2, vecs), NAME(form, 3, vecs), NAME(form, 4, vecs), NAME(form, 5, vecs),           \
        NAME(form, 6, vecs)
#if TILE_ROWS == 8
#define ALL_ROWS(form, vecs) {UP_TO_6_ROWS(form, vecs), NAME(form, 7, vecs), NAME(form, 8, vecs)}
#elif TILE_ROWS == 6
#define ALL_ROWS(form, vecs) {UP_TO_6_ROWS(form, vecs)}
#else
#error "TILE_ROWS is 6 or 8; another number needs its list here"
#endif
#if TILE_VECS == 3
#define ALL_SIZES(form) {ALL_ROWS(form, 1), ALL_ROWS(form, 2), ALL_ROWS(form, 3)}
#elif TILE_VECS == 2
#define ALL_SIZES(form) {ALL_ROWS(form, 1), ALL_ROWS(form, 2)}
#else
#error "TILE_VECS is 2 or 3; another number needs its list here"
#endif

/* [whether A is transposed][vecs - 1][rows - 1] */
static micro_kernel *const MICRO_KERNELS[2][TILE_VECS][TILE_ROWS] = {
    [NO_TRANSPOSE] = ALL_SIZES(n),
    [TRANSPOSE] = ALL_SIZES(t),
};
#undef ALL_SIZES
#undef ALL_ROWS
#undef UP_TO_6_ROWS
#undef NAME

static micro_kernel *micro_kernel_for(transposition trans_a, ptrdiff_t rows, ptrdiff_t columns) {
    return MICRO_KERNELS[trans_a][divided(columns, VEC_LANES) - 1][rows - 1];
}
