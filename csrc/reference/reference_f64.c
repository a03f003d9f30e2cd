/* The reference for double: the chapters of reference.inc.c with `real` meaning double. */
#include "../mlpcore.h"

#define MLP_REAL_BITS 64
#include "reference.inc.c"
