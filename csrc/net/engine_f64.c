/* The engine for double: the chapters of engine/engine.inc.c with `real` meaning double. */
#include "../mlpcore.h"

#define MLP_REAL_BITS 64
#include "engine/engine.inc.c"
