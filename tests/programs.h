/* programs.h: what the C programs of the tests share: memory, and arrays of either type. */
#ifndef PROGRAMS_H
#define PROGRAMS_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "runtime/memory.h"

/* Zeros; without memory the program ends. */
static inline void *memory(ptrdiff_t count, size_t size) {
    void *block = mlp_alloc(count, size);
    if (!block) {
        fputs("no memory\n", stderr);
        exit(2);
    }
    return block;
}

static inline void store(void *array, int bits, ptrdiff_t i, double value) {
    if (bits == 32) {
        ((float *)array)[i] = (float)value;
    } else {
        ((double *)array)[i] = value;
    }
}

#endif
