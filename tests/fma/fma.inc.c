/* fma.inc.c: what fma.c does with one type, which MLP_REAL_BITS names. */
#include "real.h"

#if MLP_REAL_BITS == 32
#define OWN mlp_fmaf
#define INSTRUCTION_NAME __builtin_fmaf
#define BITS uint32_t
enum { REAL_NAME(DIGITS) = 24, REAL_NAME(LOWEST) = -149, REAL_NAME(HIGHEST) = 127 };
#else
#define OWN mlp_fma
#define INSTRUCTION_NAME __builtin_fma
#define BITS uint64_t
enum { REAL_NAME(DIGITS) = 53, REAL_NAME(LOWEST) = -1074, REAL_NAME(HIGHEST) = 1023 };
#endif
#define DIGITS REAL_NAME(DIGITS)     /* of a significand                               */
#define LOWEST REAL_NAME(LOWEST)     /* exponent of the smallest number                */
#define HIGHEST REAL_NAME(HIGHEST)   /* exponent of the largest power of two           */
#define NORMAL (LOWEST + DIGITS - 1) /* exponent of the smallest normal number       */

INSTRUCTION static real REAL_NAME(instruction)(real a, real b, real c) { return INSTRUCTION_NAME(a, b, c); }

static BITS REAL_NAME(bits)(real x) {
    BITS bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* 1: not the same bits; any NaN is as good as another. */
static long REAL_NAME(compare_one)(real a, real b, real c) {
    const real own = OWN(a, b, c), right = REAL_NAME(instruction)(a, b, c);
    if (REAL_NAME(bits)(own) == REAL_NAME(bits)(right) || (own != own && right != right)) {
        return 0;
    }
    printf("%a * %a + %a: %a, expected %a\n", (double)a, (double)b, (double)c, (double)own, (double)right);
    return 1;
}

/* significand * 2^exponent, for a significand of at most DIGITS bits; rounded where that is subnormal. */
static real REAL_NAME(scaled)(uint64_t significand, int exponent) {
    const double x = (double)significand;
    return (real)(MLP_REAL_BITS == 32 ? ldexp(x, exponent < -1000 ? -1000 : exponent) : ldexp(x, exponent));
}

/* A significand of DIGITS bits whose highest is 1: any, one with few bits set, or one with few bits clear. */
static uint64_t REAL_NAME(draw_significand)(void) {
    const uint64_t highest = (uint64_t)1 << (DIGITS - 1),
                   few = (uint64_t)1 << draw() % DIGITS | 1ull << draw() % DIGITS;
    switch (draw() % 4) {
    case 0: return highest | few;
    case 1: return highest | ((2 * highest - 1) & ~few);
    default: return highest | (draw() & (highest - 1));
    }
}

static real REAL_NAME(draw_with_exponent)(int exponent) {
    const real x = REAL_NAME(scaled)(REAL_NAME(draw_significand)(), exponent - (DIGITS - 1));
    return draw() & 1 ? -x : x;
}

/* Every operand matters: c is not far from the product, or cancels most of it. The product lies anywhere that its result can
 * be a number, and in half of the triples at the subnormal end. */
static long REAL_NAME(compare_random)(long count) {
    long wrong = 0;
    for (long i = 0; i < count; i++) {
        const int of_product =
            draw() & 1 ? draw_between(LOWEST - 3, NORMAL + DIGITS + 3) : draw_between(LOWEST, HIGHEST);
        const int least = of_product - HIGHEST > LOWEST ? of_product - HIGHEST : LOWEST;
        const int most = of_product - LOWEST < HIGHEST ? of_product - LOWEST : HIGHEST;
        const int of_a = draw_between(least, most);
        const real a = REAL_NAME(draw_with_exponent)(of_a), b = REAL_NAME(draw_with_exponent)(of_product - of_a);
        real c = REAL_NAME(draw_with_exponent)(of_product + draw_between(-2 * DIGITS - 3, DIGITS + 3));
        if (draw() % 8 == 0) {
            c = -(a * b) * (1 + (real)draw_between(-2, 2) * REAL_NAME(scaled)(1, 1 - DIGITS));
        }
        wrong += REAL_NAME(compare_one)(a, b, c);
    }
    return wrong;
}

/* All triples of these numbers: special ones, neighbours of powers of two, and both ends of the range. Their products and
 * sums are ties, traps of a second rounding, cancellations and gaps of every size. */
static long REAL_NAME(compare_directed)(void) {
    const int exponents[] = {
        LOWEST,      LOWEST + 1,  NORMAL - 1, NORMAL,     NORMAL + 1, LOWEST / 2, NORMAL / 2, NORMAL / 2 - 1,
        -2 * DIGITS, -DIGITS - 1, -DIGITS,    1 - DIGITS, -1,         0,          1,          DIGITS,
        HIGHEST / 2, HIGHEST - 1, HIGHEST};
    enum { EXPONENTS = sizeof exponents / sizeof *exponents };
    real numbers[8 * EXPONENTS + 8];
    int count = 0;
    const uint64_t one = (uint64_t)1 << (DIGITS - 1), significands[] = {one, one + 1, one + one / 2, 2 * one - 1};
    for (int i = 0; i < EXPONENTS; i++) {
        for (int k = 0; k < 4; k++) {
            const real x = REAL_NAME(scaled)(significands[k], exponents[i] - (DIGITS - 1));
            numbers[count++] = x;
            numbers[count++] = -x;
        }
    }
    const real specials[] = {0, -(real)0, (real)INFINITY, -(real)INFINITY, (real)NAN};
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++) {
        numbers[count++] = specials[i];
    }
    long wrong = 0;
    for (int i = 0; i < count; i++) {
        for (int j = 0; j < count; j++) {
            for (int k = 0; k < count; k++) {
                wrong += REAL_NAME(compare_one)(numbers[i], numbers[j], numbers[k]);
            }
        }
    }
    /* The middle of two neighbours in and above the subnormal numbers, exactly, and less or more by what only an exact
     * addition sees: c is m + 1 units or halves of them, and a * b brings the half and what is beside it. */
    for (int i = 0; i < 1000; i++) {
        const real c = REAL_NAME(scaled)(draw() >> (64 - draw_between(1, DIGITS)), LOWEST);
        for (int beside = -1; beside <= 1; beside++) {
            const real a = REAL_NAME(scaled)(one + (uint64_t)(beside > 0), LOWEST / 2 - (DIGITS - 1));
            const real b = REAL_NAME(scaled)(beside < 0 ? 2 * one - 1 : one,
                                             LOWEST - 1 - LOWEST / 2 - (DIGITS - 1) - (beside < 0));
            wrong +=
                REAL_NAME(compare_one)(a, b, c) + REAL_NAME(compare_one)(-a, b, c) + REAL_NAME(compare_one)(a, b, -c);
        }
    }
    return wrong;
}

static long REAL_NAME(compare)(long count) { return REAL_NAME(compare_directed)() + REAL_NAME(compare_random)(count); }

static int REAL_NAME(compute)(void) {
    real triple[3];
    while (fread(triple, sizeof triple, 1, stdin) == 1) {
        const real result = OWN(triple[0], triple[1], triple[2]);
        if (fwrite(&result, sizeof result, 1, stdout) != 1) {
            return 1;
        }
    }
    return 0;
}

#undef OWN
#undef INSTRUCTION_NAME
#undef BITS
#undef DIGITS
#undef LOWEST
#undef HIGHEST
#undef NORMAL
