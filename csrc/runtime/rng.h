/* rng.h: random numbers by counter, so that they depend on their purpose and not on the order of draws.
 *
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) is a function of a key and a
 * counter: draw number `index` of a `purpose` under a seed is the same whatever was drawn before, on any thread.
 */
#ifndef MLPCORE_RNG_H
#define MLPCORE_RNG_H

#include "poll.h"

/* The purpose of a stream of draws. The values are part of the results: never change one. */
typedef enum { MLP_DRAW_WEIGHTS = 0, MLP_DRAW_SHUFFLE = 1, MLP_DRAW_MASK_KEY = 2 } mlp_purpose;

/* A stream: `which` tells streams of one purpose apart (the layer of the weights, the epoch of the shuffle). */
typedef struct {
    uint64_t seed;
    mlp_purpose purpose;
    uint32_t which;
} mlp_stream;

/* Philox: ten rounds, each of which multiplies two words into four and mixes in the key, which a Weyl sequence moves on. */
enum { MLP_PHILOX_ROUNDS = 10 };
#define MLP_PHILOX_M0 0xD2511F53u
#define MLP_PHILOX_M1 0xCD9E8D57u
#define MLP_PHILOX_W0 0x9E3779B9u
#define MLP_PHILOX_W1 0xBB67AE85u
void mlp_philox(uint32_t block[4], const uint32_t counter[4], const uint32_t key[2]);

/* Draw number `index` of the stream: 64 random bits, or a double in [0, 1) with 53 random bits. */
uint64_t mlp_draw_bits(mlp_stream stream, uint64_t index);
double mlp_draw_uniform(mlp_stream stream, uint64_t index);

/* Where in a stream the draws of a permutation begin, if the rows of an epoch lie in blocks: each block has 2^32 draws, and so
 * has the order of the blocks, as block 2^32 - 1. Rows that lie in one block, number 0, are drawn like rows without blocks. */
static inline uint64_t mlp_draws_of_block(uint32_t block) { return (uint64_t)block << 32; }

/* order (n) becomes a random permutation of 0 ... n-1, by the draws from number `first` on. False: the interrupt callback
 * stopped it, `done` being `done`. */
bool mlp_draw_permutation(mlp_stream stream, uint64_t first, ptrdiff_t n, ptrdiff_t *order,
                          const mlp_interrupt *interrupt, ptrdiff_t done);

#endif
