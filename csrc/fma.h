/* fma.h: a * b + c with one rounding to nearest, ties to even, where neither the compiler has an instruction for it nor
 * the C library is known to be right. real.h chooses. Why: docs/decisions/fma.md.
 *
 * Needs double and float in IEEE 754's formats and arithmetic in round to nearest; nothing of the C library's own.
 */
#ifndef MLPCORE_FMA_H
#define MLPCORE_FMA_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t mlp_double_bits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline double mlp_double_of(uint64_t bits) {
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* The product of two floats is exact in double. The sum is rounded to odd: one that is not exact becomes that neighbour in
 * double whose last bit is 1. It is then never a float, nor the middle of two, and rounds to the float that the exact sum
 * rounds to, normal or subnormal (S. Boldo, G. Melquiond, "Emulation of FMA and correctly rounded sums: proved algorithms
 * using rounding to odd", IEEE Trans. Computers 57(4), 2008). */
static inline float mlp_fmaf(float a, float b, float c) {
    const double product = (double)a * (double)b, sum = product + (double)c;
    /* What the sum has lost, exactly: Knuth's TwoSum. NaN where the sum is not finite. */
    const double c_of_sum = sum - product;
    const double lost = (product - (sum - c_of_sum)) + ((double)c - c_of_sum);
    uint64_t bits = mlp_double_bits(sum);
    if ((lost > 0 || lost < 0) && (bits & 1) == 0) {
        bits += (lost > 0) == (sum > 0) ? 1 : UINT64_MAX; /* one up or down in magnitude */
    }
    return (float)mlp_double_of(bits);
}

/* A natural number of 128 bits. */
typedef struct {
    uint64_t high, low;
} mlp_wide;

static inline mlp_wide mlp_wide_product(uint64_t a, uint64_t b) {
    const uint64_t a_low = a & UINT32_MAX, a_high = a >> 32, b_low = b & UINT32_MAX, b_high = b >> 32;
    const uint64_t low = a_low * b_low;
    const uint64_t middle = a_high * b_low + (low >> 32); /* these sums cannot overflow */
    const uint64_t other_middle = a_low * b_high + (middle & UINT32_MAX);
    return (mlp_wide){.high = a_high * b_high + (middle >> 32) + (other_middle >> 32),
                      .low = other_middle << 32 | (low & UINT32_MAX)};
}

static inline mlp_wide mlp_wide_sum(mlp_wide a, mlp_wide b) {
    const uint64_t low = a.low + b.low;
    return (mlp_wide){.high = a.high + b.high + (low < a.low), .low = low};
}

static inline mlp_wide mlp_wide_difference(mlp_wide a, mlp_wide b) {
    return (mlp_wide){.high = a.high - b.high - (a.low < b.low), .low = a.low - b.low};
}

static inline bool mlp_wide_less(mlp_wide a, mlp_wide b) { return a.high != b.high ? a.high < b.high : a.low < b.low; }

/* n in 0 ... 63 */
static inline mlp_wide mlp_wide_shift_left(mlp_wide a, int n) {
    return n == 0 ? a : (mlp_wide){.high = a.high << n | a.low >> (64 - n), .low = a.low << n};
}

/* Rounds to odd: bit 0 of the result is also 1 if any bit that is shifted out was. */
static inline mlp_wide mlp_wide_shift_right(mlp_wide a, int n) {
    if (n == 0) {
        return a;
    }
    if (n >= 128) {
        return (mlp_wide){.high = 0, .low = (a.high | a.low) != 0};
    }
    if (n >= 64) {
        const bool lost = a.low != 0 || (n > 64 && a.high << (128 - n) != 0);
        return (mlp_wide){.high = 0, .low = a.high >> (n - 64) | lost};
    }
    const bool lost = a.low << (64 - n) != 0;
    return (mlp_wide){.high = a.high >> n, .low = a.high << (64 - n) | a.low >> n | lost};
}

/* |x| = significand * 2^exponent, with the highest bit of the significand at MLP_TOP. */
typedef struct {
    mlp_wide significand;
    int exponent;
    bool negative;
} mlp_unpacked;

enum {
    MLP_TOP = 126,       /* one bit above is left for the carry of a sum */
    MLP_TOP_OF_HIGH = 62 /* the same bit, counted within `high`          */
};

/* x is not 0. */
static inline mlp_unpacked mlp_normalize(mlp_unpacked x) {
    if (x.significand.high >> (MLP_TOP_OF_HIGH + 1) != 0) {
        x.significand = mlp_wide_shift_right(x.significand, 1);
        x.exponent++;
    }
    while (x.significand.high >> MLP_TOP_OF_HIGH == 0) {
        x.significand = mlp_wide_shift_left(x.significand, 1);
        x.exponent--;
    }
    return x;
}

/* x is finite and not 0. */
static inline mlp_unpacked mlp_unpack(double x) {
    const uint64_t bits = mlp_double_bits(x), fraction = bits & 0xfffffffffffff;
    const int biased = (int)(bits >> 52 & 0x7ff);
    const uint64_t significand = biased == 0 ? fraction : fraction | (uint64_t)1 << 52;
    return mlp_normalize((mlp_unpacked){.significand = {.high = significand << 10, .low = 0},
                                        .exponent = (biased == 0 ? 1 : biased) - 1075 - 74,
                                        .negative = bits >> 63 != 0});
}

/* Rounds to 53 bits, fewer where the result is subnormal. x is not 0. */
static inline double mlp_pack(mlp_unpacked x) {
    enum { LOWEST = -1074 - 74 }; /* below this exponent, 53 bits would end below 2^-1074, where doubles end */
    if (x.exponent < LOWEST) {
        x.significand = mlp_wide_shift_right(x.significand, LOWEST - x.exponent);
        x.exponent = LOWEST;
    }
    const uint64_t sign = (uint64_t)x.negative << 63, infinity = (uint64_t)0x7ff << 52;
    const int biased = x.exponent - LOWEST + 1;
    if (biased >= 0x7ff) {
        return mlp_double_of(sign | infinity);
    }
    const uint64_t high = x.significand.high | (x.significand.low != 0), rest = high & 0x3ff, half = 0x200;
    uint64_t rounded = high >> 10;
    rounded += rest > half || (rest == half && (rounded & 1) != 0);
    /* The highest of 53 bits counts on the exponent, and so does the carry of rounding, up to infinity. */
    return mlp_double_of(sign | (((uint64_t)(biased - 1) << 52) + rounded));
}

/* The sum of product and c, rounded to odd in 127 bits, of which the last is far below where the result is rounded: a bit is
 * lost only if the exponents differ by more than 21, and then the sum has its highest bit at MLP_TOP - 1 or above. */
static inline double mlp_fma_finite(double a, double b, double c) {
    const mlp_unpacked of_a = mlp_unpack(a), of_b = mlp_unpack(b);
    /* The significands as integers of 53 bits have a product of 105 or 106 bits. */
    mlp_unpacked big = {
        .significand = mlp_wide_product(of_a.significand.high >> 10, of_b.significand.high >> 10),
        .exponent = of_a.exponent + of_b.exponent + 2 * 74,
        .negative = of_a.negative != of_b.negative,
    };
    big.significand = mlp_wide_shift_left(big.significand, 21);
    big.exponent -= 21;
    big = mlp_normalize(big);
    mlp_unpacked small = mlp_unpack(c);
    if (big.exponent < small.exponent ||
        (big.exponent == small.exponent && mlp_wide_less(big.significand, small.significand))) {
        const mlp_unpacked other = big;
        big = small;
        small = other;
    }
    small.significand = mlp_wide_shift_right(small.significand, big.exponent - small.exponent);
    big.significand = big.negative == small.negative ? mlp_wide_sum(big.significand, small.significand)
                                                     : mlp_wide_difference(big.significand, small.significand);
    return (big.significand.high | big.significand.low) == 0 ? 0 : mlp_pack(mlp_normalize(big));
}

static inline double mlp_fma(double a, double b, double c) {
    const uint64_t infinity = (uint64_t)0x7ff << 52, magnitude = UINT64_MAX >> 1;
    const bool finite_product =
        (mlp_double_bits(a) & magnitude) < infinity && (mlp_double_bits(b) & magnitude) < infinity;
    if (finite_product && (mlp_double_bits(c) & magnitude) >= infinity) {
        return c + c; /* infinity or NaN, even if a * b overflows */
    }
    if (!finite_product || a == 0 || b == 0) {
        return a * b + c; /* the product is infinite, NaN or 0 */
    }
    return c == 0 ? a * b : mlp_fma_finite(a, b, c); /* not + c: a product that rounds to -0 keeps its sign */
}

#endif
