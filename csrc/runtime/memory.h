/* memory.h: the one allocator. Blocks are 64-byte aligned (a cache line, the widest vector) and begin as zeros. */
#ifndef MLPCORE_MEMORY_H
#define MLPCORE_MEMORY_H

#include <stddef.h>

enum { MLP_ALIGNMENT = 64 };

/* a * b or a + b; -1 if it overflows ptrdiff_t or an operand is negative, so that checks can be made at the end. */
ptrdiff_t mlp_size_product(ptrdiff_t a, ptrdiff_t b);
ptrdiff_t mlp_size_sum(ptrdiff_t a, ptrdiff_t b);

/* NULL: out of memory, or a negative or overflowing size. */
void *mlp_alloc(ptrdiff_t count, size_t element_size);
void mlp_free(void *block);

/* The number of blocks that mlp_alloc has allocated so far, on all threads. */
unsigned long long mlp_allocation_count(void);

#endif
