/* The kernels for double: bits.inc.c with `real` meaning double. */
#include "bits.h"

#define MLP_REAL_BITS 64
#include "bits.inc.c"
