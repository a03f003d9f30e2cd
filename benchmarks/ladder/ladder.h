/* ladder.h: what every rung computes, a dense layer with ReLU: a = relu(x w + b), one sample a row.
 *
 *     x  n x in       w  in x out       b  out       a  n x out        row after row
 *
 *     a[s][i] = relu(b[i] + x[s][0] w[0][i] + x[s][1] w[1][i] + ...)   one chain of fma, from left to right
 *
 * The chain decides the bits. Everything else is free, which number is computed when, where and beside which others:
 * that is all the room the ladder needs.
 */
#ifndef LADDER_H
#define LADDER_H

#include <math.h>
#include <stddef.h>

typedef struct {
    ptrdiff_t n, in, out;
    const float *x, *w, *b;
    float *a;
} layer;

void naive(const layer *l);
void tiled(const layer *l);
void packed(const layer *l);
void vector(const layer *l);
void fused(const layer *l);
void threads(const layer *l);

/* Where the tile of `size` that covers `begin` starts: the last one of `total` is moved back until it is whole. It then
 * computes some numbers a second time, and the same ones. */
static inline ptrdiff_t whole(ptrdiff_t begin, ptrdiff_t size, ptrdiff_t total) {
    return begin + size <= total ? begin : total - size;
}

#endif
