/* The kernels for float: bits.inc.c with `real` meaning float. */
#include "bits.h"

#define MLP_REAL_BITS 32
#include "bits.inc.c"
