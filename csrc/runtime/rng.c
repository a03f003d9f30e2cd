#include "rng.h"

void mlp_philox(uint32_t block[4], const uint32_t counter[4], const uint32_t key[2]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < MLP_PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)MLP_PHILOX_M0 * c0;
        uint64_t p1 = (uint64_t)MLP_PHILOX_M1 * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += MLP_PHILOX_W0;
        k1 += MLP_PHILOX_W1;
    }
    block[0] = c0;
    block[1] = c1;
    block[2] = c2;
    block[3] = c3;
}

uint64_t mlp_draw_bits(mlp_stream stream, uint64_t index) {
    uint32_t key[2] = {(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)};
    uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream.which, (uint32_t)stream.purpose};
    uint32_t block[4];
    mlp_philox(block, counter, key);
    return (uint64_t)block[1] << 32 | block[0];
}

double mlp_draw_uniform(mlp_stream stream, uint64_t index) {
    return (double)(mlp_draw_bits(stream, index) >> 11) * 0x1p-53;
}

/* The upper half of the 128-bit product: maps 64 random bits to 0 ... b-1 without a division. */
static uint64_t multiply_high(uint64_t a, uint64_t b) {
    uint64_t low_low = (a & UINT32_MAX) * (b & UINT32_MAX);
    uint64_t high_low = (a >> 32) * (b & UINT32_MAX) + (low_low >> 32);
    uint64_t low_high = (a & UINT32_MAX) * (b >> 32) + (high_low & UINT32_MAX);
    return (a >> 32) * (b >> 32) + (high_low >> 32) + (low_high >> 32);
}

/* Fisher and Yates's shuffle, from the end. */
bool mlp_draw_permutation(mlp_stream stream, uint64_t first, ptrdiff_t n, ptrdiff_t *order,
                          const mlp_interrupt *interrupt, ptrdiff_t done) {
    enum { DRAWS = 1 << 14, DRAW_WORK = 64 }; /* between two looks at the poller; what a draw costs in multiply-adds */
    mlp_poller poller = mlp_poller_new(interrupt, DRAWS * DRAW_WORK);
    for (ptrdiff_t i = 0; i < n; i++) {
        order[i] = i;
    }
    for (ptrdiff_t i = n - 1; i > 0; i--) {
        ptrdiff_t j = (ptrdiff_t)multiply_high(mlp_draw_bits(stream, first + (uint64_t)i), (uint64_t)i + 1);
        ptrdiff_t moved = order[i];
        order[i] = order[j];
        order[j] = moved;
        if (i % DRAWS == 0 && mlp_should_stop(&poller, done)) {
            return false;
        }
    }
    return true;
}
