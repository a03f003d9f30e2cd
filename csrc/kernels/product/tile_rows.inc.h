/* tile_rows.inc.h: the micro-kernels of VECS vectors with 1 to TILE_ROWS rows. */
#define ROWS 1
#include "tile.inc.h"
#undef ROWS
#define ROWS 2
#include "tile.inc.h"
#undef ROWS
#define ROWS 3
#include "tile.inc.h"
#undef ROWS
#define ROWS 4
#include "tile.inc.h"
#undef ROWS
#define ROWS 5
#include "tile.inc.h"
#undef ROWS
#define ROWS 6
#include "tile.inc.h"
#undef ROWS
#if TILE_ROWS == 8
#define ROWS 7
#include "tile.inc.h"
#undef ROWS
#define ROWS 8
#include "tile.inc.h"
#undef ROWS
#endif
