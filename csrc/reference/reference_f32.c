/* The reference for float: the chapters of reference.inc.c with `real` meaning float. */
#include "../mlpcore.h"

#define MLP_REAL_BITS 32
#include "reference.inc.c"
