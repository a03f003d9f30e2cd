#include "memory.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

ptrdiff_t mlp_size_product(ptrdiff_t a, ptrdiff_t b) {
    if (a < 0 || b < 0 || (b > 0 && a > PTRDIFF_MAX / b)) {
        return -1;
    }
    return a * b;
}

ptrdiff_t mlp_size_sum(ptrdiff_t a, ptrdiff_t b) { return a < 0 || b < 0 || a > PTRDIFF_MAX - b ? -1 : a + b; }

static atomic_ullong allocations;

unsigned long long mlp_allocation_count(void) { return atomic_load(&allocations); }

/* calloc returns fresh zero pages without touching them. The pointer it returned is stored just before the block. */
void *mlp_alloc(ptrdiff_t count, size_t element_size) {
    ptrdiff_t margin = MLP_ALIGNMENT + (ptrdiff_t)sizeof(void *);
    ptrdiff_t bytes = mlp_size_sum(mlp_size_product(count, (ptrdiff_t)element_size), margin);
    char *given = bytes < 0 ? NULL : calloc((size_t)bytes, 1);
    if (!given) {
        return NULL;
    }
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
    char *block = given + margin;
    block -= (uintptr_t)block % MLP_ALIGNMENT;
    memcpy(block - sizeof given, &given, sizeof given);
    return block;
}

void mlp_free(void *block) {
    if (block) {
        char *given;
        memcpy(&given, (char *)block - sizeof given, sizeof given);
        free(given);
    }
}
