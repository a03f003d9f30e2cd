#include "memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

ptrdiff_t mlp_size_product(ptrdiff_t a, ptrdiff_t b) {
    if (a < 0 || b < 0 || (b > 0 && a > PTRDIFF_MAX / b)) {
        return -1;
    }
    return a * b;
}

ptrdiff_t mlp_size_sum(ptrdiff_t a, ptrdiff_t b) {
    return a < 0 || b < 0 || a > PTRDIFF_MAX - b ? -1 : a + b;
}

void *mlp_alloc(ptrdiff_t count, size_t element_size) {
    ptrdiff_t bytes = mlp_size_sum(mlp_size_product(count, (ptrdiff_t)element_size), MLP_ALIGNMENT - 1);
    if (bytes < 0) {
        return NULL;
    }
    size_t rounded = (size_t)bytes / MLP_ALIGNMENT * MLP_ALIGNMENT;
    rounded = rounded > 0 ? rounded : MLP_ALIGNMENT;
#ifdef _WIN32
    void *block = _aligned_malloc(rounded, MLP_ALIGNMENT);
#else
    void *block = aligned_alloc(MLP_ALIGNMENT, rounded);
#endif
    if (block) {
        memset(block, 0, rounded);
    }
    return block;
}

void mlp_free(void *block) {
#ifdef _WIN32
    _aligned_free(block);
#else
    free(block);
#endif
}
