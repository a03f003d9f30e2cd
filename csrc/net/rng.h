/* rng.h: random numbers by counter, so that they depend on what they are for and not on who asks first.
 *
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) is a function of a key and a
 * counter: draw number `index` of a `purpose` under a seed is the same whatever was drawn before, on any thread.
 */
#ifndef MLPCORE_RNG_H
#define MLPCORE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What a stream of draws is for. The values are part of the results: never change one. */
typedef enum { MLP_DRAW_WEIGHTS = 0, MLP_DRAW_SHUFFLE = 1 } mlp_purpose;

/* A stream: `which` tells streams of one purpose apart (the layer of the weights, the epoch of the shuffle). */
typedef struct {
    uint64_t seed;
    mlp_purpose purpose;
    uint32_t which;
} mlp_stream;

void mlp_philox(uint32_t block[4], const uint32_t counter[4], const uint32_t key[2]);

/* Draw number `index` of the stream: 64 random bits, or a double in [0, 1) with 53 random bits. */
uint64_t mlp_draw_bits(mlp_stream stream, uint64_t index);
double mlp_draw_uniform(mlp_stream stream, uint64_t index);

/* order (n) becomes a random permutation of 0 ... n-1. */
void mlp_draw_permutation(mlp_stream stream, ptrdiff_t n, ptrdiff_t *order);

#endif
