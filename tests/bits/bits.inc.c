/* bits.inc.c: the calls that are tried, for one real type; bits_f32.c and bits_f64.c read it. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "runtime/threads.h"
#include "real.h"

#if MLP_REAL_BITS == 32
#define LARGEST FLT_MAX
#define SUBNORMAL FLT_TRUE_MIN
#define TABLE f32
typedef uint32_t real_bits;
#else
#define LARGEST DBL_MAX
#define SUBNORMAL DBL_TRUE_MIN
#define TABLE f64
typedef uint64_t real_bits;
#endif

/* The micro-tiles of the pages in csrc/simd are at most this large; tests/test_bits.py compares. */
enum { TILE_ROWS_MOST = 8, TILE_COLUMNS_MOST = 3 * 64 / (int)sizeof(real) };

typedef REAL_NAME(mlp_kernels) kernels;
static const kernels *const reference = &REAL_NAME(mlp_reference);

#include "numbers.inc.h"

#include "check.inc.h"

#include "updates.inc.h"

#include "products.inc.h"

#include "norms.inc.h"

#include "tables.inc.h"

#include "rows.inc.h"

#include "counts.inc.h"

static void try_small_kernels(void) {
    enum { LAST = 300, OFFSETS = 8 };
    for (int offset = 0; offset < OFFSETS; offset++) {
        try_rows(0, 1, offset);
        for (ptrdiff_t count = 0; count <= LAST; count++) {
            if (!chosen(offset == 0 ? 1 : 8)) {
                continue;
            }
            try_count(count, offset);
            if (count > 0) {
                try_rows(1 + random_below(3), count, offset);
            }
        }
    }
    /* Many rows of few units. */
    for (ptrdiff_t n = 1; n <= 33; n++) {
        for (ptrdiff_t out = 1; out <= 33; out++) {
            if (chosen(6)) {
                try_rows(n, out, 0);
            }
        }
    }
    /* Around the chunks that threads take of a step. */
    static const ptrdiff_t LARGE[] = {4095, 4096, 4097, 8191, 8192, 8193, 24575, 24577, 100003};
    for (size_t i = 0; i < sizeof LARGE / sizeof *LARGE; i++) {
        try_updates(LARGE[i], 0);
    }
}

void REAL_NAME(try_kernels)(void) {
    make_copies();
    fill_pools();
    try_small_kernels();
    try_products_around_tiles();
    try_large_products();
    try_products_of_blocks();
    free_copies();
}

void REAL_NAME(try_blocks)(void) {
    make_copies();
    fill_pools();
    try_products_of_blocks();
    free_copies();
}
