/* The engine for float: the chapters of engine/engine.inc.c with `real` meaning float. */
#include "../mlpcore.h"

#define MLP_REAL_BITS 32
#include "engine/engine.inc.c"
