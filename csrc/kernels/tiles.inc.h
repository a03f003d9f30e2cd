/* tiles.inc.h: the micro-tile of tile.inc.h in every size up to TILE_ROWS by TILE_VECS, and the table to find them in. */
typedef void tile_function(ptrdiff_t K, const real *a, ptrdiff_t a_stride, const real *b, ptrdiff_t b_step, real *c,
                           ptrdiff_t c_row, const real *init, ptrdiff_t init_row, ptrdiff_t columns);

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

#define TILE_LIST(form, vecs)                                                                                          \
    {tile_##form##_1x##vecs, tile_##form##_2x##vecs, tile_##form##_3x##vecs, tile_##form##_4x##vecs,                   \
     tile_##form##_5x##vecs, tile_##form##_6x##vecs, tile_##form##_7x##vecs, tile_##form##_8x##vecs}

/* [vecs - 1][rows - 1] */
static tile_function *const TILES_OF_ROWS[3][8] = {TILE_LIST(rows, 1), TILE_LIST(rows, 2), TILE_LIST(rows, 3)};
static tile_function *const TILES_OF_COLUMNS[3][8] = {TILE_LIST(columns, 1), TILE_LIST(columns, 2),
                                                      TILE_LIST(columns, 3)};
#undef TILE_LIST
