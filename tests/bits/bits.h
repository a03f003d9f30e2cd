/* bits.h: what bits_f32.c and bits_f64.c share: random numbers, arrays between guard pages, the report. */
#ifndef BITS_H
#define BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "isa/isa.h"

extern bool full;                    /* try every size, not a sample of them              */
bool chosen(ptrdiff_t one_in);       /* for a sample: true if full, else once in so often  */
extern const mlp_isa *isas_to_try[]; /* the reference may be one; a NULL pointer ends them */

uint64_t random_bits(void);
ptrdiff_t random_below(ptrdiff_t end);

/* Operand i of a call lies in region i, `offset` bytes from the page that faults, which is before or after it. */
typedef enum { FRONT, END, SIDES } guarded_side;
enum {
    OPERANDS = 9,
    LARGEST_SIZE = 1025,
    FURTHEST_BEGIN = 99, /* of the weights that an update changes, in their array */
    LARGEST_OPERAND = LARGEST_SIZE * LARGEST_SIZE + FURTHEST_BEGIN
};

void *place(int i, size_t bytes, guarded_side side, size_t offset);

/* Whether the bytes around the operand in region i are still as `place` left them. */
bool surroundings_intact(int i);

/* The call that is under way; also what is said when it faults. */
typedef struct {
    const char *kernel, *variant, *isa;
    int bits;
    ptrdiff_t n, in, out;
    guarded_side side;
    int offset;  /* in elements */
    int threads; /* that the kernel may use */
} call;

void begin_call(const call *now);
void count_compared(ptrdiff_t numbers);

/* One more difference: `index` of the operand called `operand`. */
void report(const char *operand, ptrdiff_t index, double got, double expected);
void report_text(const char *operand, const char *what);

/* Every kernel for one real type. */
void try_kernels_f32(void);
void try_kernels_f64(void);

/* Products of more than one block alone. */
void try_blocks_f32(void);
void try_blocks_f64(void);

#endif
