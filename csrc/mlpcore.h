/* mlpcore.h: every operation that a kernel does, with its formula and shapes. What has a name stands in catalogue/.
 *
 * Symbols are the paper's (docs/paper.md). A batch has n samples, one a row; a layer has `in` inputs and `out` units.
 *
 *     x    (n, in)     a layer's input a^{j-1}          phi     (n, out)   gradient of the loss with respect to z
 *     w    (in, out)   memory order: w[k*out + i] is    grad_a  (n, out)   gradient with respect to a
 *                      w_{i,k}, unit i's weight of      grad_x  (n, in)    gradient with respect to x
 *                      input k (docs/decisions)         grad_w  (in, out)  eq. 3, in w's order
 *     b    (out)                                        grad_b  (out)      eq. 4
 *     z, a (n, out)    a = sigma(z)                     y       (n, out)   ground truth; y_hat is a of the last layer
 *
 * Every array is contiguous. Sizes count elements, never bytes. Outputs come first and are overwritten, never added to.
 * Operations cannot fail, allocate nothing and keep no state. Arrays do not overlap, except where "in place" is said.
 * csrc/reference/ defines every result bit for bit; NaN is only promised to be a NaN, not which.
 */
#ifndef MLPCORE_H
#define MLPCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalogue/catalogue.h"

/* Whose random words a step draws: word number i is a function of these and of i alone (reference/dropout.c). */
typedef struct {
    uint32_t key[2]; /* of the layer, under a seed */
    uint64_t batch;
} mlp_words;

/* What metrics are computed from, three sums for each class or label and two for each output. */
enum { MLP_RIGHT, MLP_PREDICTED, MLP_ACTUAL, MLP_COUNTS };
enum { MLP_ABSOLUTE, MLP_SQUARES, MLP_ERRORS };

/* The table of an embedding's column, (categories, dim): which column of x its rows replace, at which column of y the numbers
 * begin, and at which of the parameters. */
typedef struct {
    ptrdiff_t column, first, categories, dim, begin;
} mlp_table;

/* An embedding of x (n, in) in y (n, out), its tables in ascending order of their columns (reference/embedding.c). */
typedef struct {
    ptrdiff_t in, out, tables;
    const mlp_table *table;
} mlp_embedding;

/* The operations for float (suffix _f32) and for double (suffix _f64): one text, read twice. */
#define MLP_REAL_BITS 32
#include "operations.h"
#undef MLP_REAL_BITS
#define MLP_REAL_BITS 64
#include "operations.h"
#undef MLP_REAL_BITS

#endif
