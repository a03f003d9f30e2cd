/* tile_rows.inc.h: the tiles of VECS vectors with 1 to 8 rows. */
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
#define ROWS 7
#include "tile.inc.h"
#undef ROWS
#define ROWS 8
#include "tile.inc.h"
#undef ROWS
