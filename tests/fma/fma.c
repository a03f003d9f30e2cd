/* fma.c: the fma of csrc/reference/fma.h by itself.
 *
 *     fma BITS            answers lines "X Y Z" of hexadecimal bit patterns with the bits of x y + z; NaN is 7ff... there
 *     fma BITS COUNT      compares COUNT random triples with the processor's instruction; exit status 77: it has none
 */
#define MLP_OWN_FMA
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MLP_REAL_BITS 32
#include "real.h"

#include "reference/fma.h"
#undef MLP_REAL_BITS
#define MLP_REAL_BITS 64
#include "real.h"

#include "reference/fma.h"

#if defined(__x86_64__)
#define WITH_FMA __attribute__((target("fma")))
static bool has_instruction(void) { return __builtin_cpu_supports("fma") != 0; }
#else
#define WITH_FMA
#ifdef __aarch64__
static bool has_instruction(void) { return true; }
#else
static bool has_instruction(void) { return false; }
#endif
#endif

WITH_FMA static float instruction_f32(float x, float y, float z) { return __builtin_fmaf(x, y, z); }
WITH_FMA static double instruction_f64(double x, double y, double z) { return __builtin_fma(x, y, z); }

static uint64_t compute(int bits, bool own, const uint64_t of[3]) {
    if (bits == 32) {
        float v[3], result;
        for (int i = 0; i < 3; i++) {
            uint32_t word = (uint32_t)of[i];
            memcpy(&v[i], &word, sizeof word);
        }
        result = own ? own_fma_f32(v[0], v[1], v[2]) : instruction_f32(v[0], v[1], v[2]);
        uint32_t word;
        memcpy(&word, &result, sizeof word);
        return result == result ? word : UINT32_MAX >> 1;
    }
    double v[3], result;
    memcpy(v, of, sizeof v);
    result = own ? own_fma_f64(v[0], v[1], v[2]) : instruction_f64(v[0], v[1], v[2]);
    uint64_t word;
    memcpy(&word, &result, sizeof word);
    return result == result ? word : UINT64_MAX >> 1;
}

static uint64_t state = 1;

/* splitmix64 */
static uint64_t draw(void) {
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int within(int low, int high) { return low + (int)(draw() % (uint64_t)(high - low + 1)); }

/* A sign, the biased exponent, and fraction bits of which some last ones are 0 or 1 alike, as those of ties are. */
static uint64_t number(int fraction_bits, int exponent, int exponents) {
    uint64_t same = (UINT64_C(1) << within(0, fraction_bits)) - 1, fraction = draw();
    switch (draw() % 4) {
    case 0: fraction |= same; break;
    case 1: fraction &= ~same; break;
    case 2: fraction = (fraction & ~same) | 1; break;
    default: break;
    }
    exponent = exponent < 0 ? 0 : exponent > exponents ? exponents : exponent;
    return ((draw() % 2 * (uint64_t)(exponents + 1) + (uint64_t)exponent) << fraction_bits) |
           (fraction & ((UINT64_C(1) << fraction_bits) - 1));
}

/* z is about as large as x y, or so much larger or smaller that it just matters; every fourth x y is near the smallest
 * number. */
static bool random_is_right(int bits, long count) {
    int fraction = bits == 32 ? 23 : 52, exponents = bits == 32 ? 255 : 2047, bias = exponents / 2;
    for (long i = 0; i < count; i++) {
        int x = within(0, exponents), product = i % 4 ? within(0, exponents) : within(-fraction, 2 * fraction + 4);
        int y = product - x + bias, z = product + within(-2 * fraction - 6, 2 * fraction + 6);
        const uint64_t of[3] = {number(fraction, x, exponents), number(fraction, y, exponents),
                                number(fraction, z, exponents)};
        uint64_t own = compute(bits, true, of), right = compute(bits, false, of);
        if (own != right) {
            printf("%" PRIx64 " %" PRIx64 " %" PRIx64 ": %" PRIx64 ", expected %" PRIx64 "\n", of[0], of[1], of[2], own,
                   right);
            return false;
        }
    }
    return true;
}

int main(int count, char **arguments) {
    int bits = count > 1 ? atoi(arguments[1]) : 0;
    if (bits != 32 && bits != 64) {
        return 2;
    }
    if (count > 2) {
        return !has_instruction() ? 77 : !random_is_right(bits, atol(arguments[2]));
    }
    uint64_t of[3];
    while (scanf("%" SCNx64 "%" SCNx64 "%" SCNx64, &of[0], &of[1], &of[2]) == 3) {
        printf("%" PRIx64 "\n", compute(bits, true, of));
    }
    return 0;
}
