/* fma.h: what real_fma is in the reference: x y + z, rounded once.
 *
 * The processor's instruction where the compiler may use it, glibc's function where it is known to be right, and
 * otherwise the functions below: other C libraries round twice, some only where the result is subnormal
 * (docs/decisions/fma.md). They expect rounding to nearest, and neither read nor change the floating-point environment.
 * MLP_OWN_FMA takes them everywhere, for the tests.
 *
 * "Rounded to odd": a number that has to lose digits becomes that one of its two neighbours whose last bit is 1. The
 * last bit then still says that something was lost, so that rounding to nearest later, to two digits fewer or more, gives
 * what rounding once does (Boldo and Melquiond, Emulation of a FMA and correctly rounded sums, 2008).
 */
#include <stdint.h>
#include <stdbool.h>
#include <string.h>

#if defined(__FMA__) || defined(__aarch64__)
#define FMA_IS_RIGHT 1 /* an instruction */
#elif MLP_REAL_BITS == 32 ? defined(__ARM_FEATURE_FMA) : (defined(__ARM_FEATURE_FMA) && (__ARM_FP & 8))
#define FMA_IS_RIGHT 1 /* an instruction; some microcontrollers have it for float alone */
#elif MLP_REAL_BITS == 32 ? defined(FP_FAST_FMAF) : defined(FP_FAST_FMA)
#define FMA_IS_RIGHT 1 /* an instruction, says the C library */
#elif defined(__GLIBC__) && defined(__x86_64__)
#define FMA_IS_RIGHT 1 /* the instruction where the processor has it, otherwise rounded to odd */
#else
#define FMA_IS_RIGHT 0
#endif

#if defined(MLP_OWN_FMA) || !FMA_IS_RIGHT
#undef real_fma
#define real_fma REAL_NAME(own_fma)

/* sum + *rest = a + b, exactly */
static inline double REAL_NAME(two_sum)(double a, double b, double *rest) {
    double sum = a + b, b_in_sum = sum - a;
    *rest = (a - (sum - b_in_sum)) + (b - b_in_sum);
    return sum;
}

/* a + b rounded to odd; infinite and NaN as a + b is. */
static inline double REAL_NAME(odd_sum)(double a, double b) {
    double rest, sum = REAL_NAME(two_sum)(a, b, &rest);
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    if ((rest > 0 || rest < 0) && bits % 2 == 0) {
        bits += (rest > 0) == (sum > 0) ? UINT64_C(1) : ~UINT64_C(0); /* away from 0, or towards it */
        memcpy(&sum, &bits, sizeof bits);
    }
    return sum;
}

#if MLP_REAL_BITS == 32

/* A product of two floats is exact in double, which also has more than two digits more than a float. Rounding the sum to
 * double first can only be wrong where that is half way between two floats, which its last 29 bits tell, or where the float
 * is subnormal and has fewer digits. A sum of 0 is exact. */
static inline float own_fma_f32(float x, float y, float z) {
    const double product = (double)x * (double)y, sum = product + (double)z;
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    if ((bits & 0x1fffffff) == 0x10000000 || (fabs(sum) < 0x1p-125 && sum != 0)) {
        return (float)REAL_NAME(odd_sum)(product, (double)z);
    }
    return (float)sum;
}

#else

/* A number m 2^e, m != 0, without its sign. */
typedef struct {
    uint64_t high, low; /* of m */
    int e;
} fma_number;

/* The 53 bits of a finite x != 0, the first of which is 1. */
static fma_number fma_digits(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t m = bits & ((UINT64_C(1) << 52) - 1);
    int e = (int)(bits >> 52 & 0x7ff);
    if (e) {
        m |= UINT64_C(1) << 52;
    } else {
        for (e = 1; m >> 52 == 0; e--) {
            m <<= 1;
        }
    }
    return (fma_number){.low = m, .e = e - 1075};
}

static fma_number fma_up(fma_number a, int n) {
    if (n >= 64) {
        a.high = a.low << (n - 64);
        a.low = 0;
    } else if (n > 0) {
        a.high = a.high << n | a.low >> (64 - n);
        a.low <<= n;
    }
    a.e -= n;
    return a;
}

/* Rounds to odd. */
static fma_number fma_down(fma_number a, int n) {
    uint64_t lost = 0;
    a.e += n;
    if (n >= 128) {
        lost = a.high | a.low;
        a.high = a.low = 0;
    } else if (n >= 64) {
        lost = a.low | (n > 64 ? a.high << (128 - n) : 0);
        a.low = a.high >> (n - 64);
        a.high = 0;
    } else if (n > 0) {
        lost = a.low << (64 - n);
        a.low = a.low >> n | a.high << (64 - n);
        a.high >>= n;
    }
    a.low |= lost != 0;
    return a;
}

static fma_number fma_product(fma_number x, fma_number y) {
    const uint64_t half = UINT32_MAX;
    uint64_t x1 = x.low >> 32, x0 = x.low & half, y1 = y.low >> 32, y0 = y.low & half;
    uint64_t low = x0 * y0, middle = x1 * y0 + (low >> 32), other = x0 * y1 + (middle & half);
    return (fma_number){
        .high = x1 * y1 + (middle >> 32) + (other >> 32), .low = other << 32 | (low & half), .e = x.e + y.e};
}

/* To nearest, ties to even. */
static double fma_round(fma_number a, bool negative) {
    while (a.high >> 63 == 0) {
        a = fma_up(a, a.high ? 1 : 64);
    }
    a = fma_down(a, 64);
    int above = a.e + 63 + 1022; /* the exponent of the first bit, above that of the smallest normal number */
    if (above < 0) {
        a = fma_down(a, -above);
        above = 0;
    }
    uint64_t m = a.low >> 11, rest = a.low & 0x7ff, bits = UINT64_C(0x7ff) << 52; /* infinity */
    if (above < 0x7fe) {
        m += rest > 0x400 || (rest == 0x400 && m % 2);
        bits = ((uint64_t)above << 52) + m; /* the first bit of m counts the exponent up; so does a carry */
    }
    bits |= (uint64_t)negative << 63;
    double result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

/* For finite numbers that are not 0, by integers: 126 bits of the larger of x y and z, with those of the smaller one that
 * lie below rounded to odd. Either loses bits only where the other is so much larger that nothing cancels. */
#if defined(__GNUC__)
__attribute__((noinline, cold))
#endif
static double fma_by_integers(double x, double y, double z) {
    fma_number a = fma_up(fma_product(fma_digits(x), fma_digits(y)), 20), b = fma_up(fma_digits(z), 73);
    bool a_negative = signbit(x) != signbit(y), b_negative = signbit(z);
    if (a.e < b.e) {
        a = fma_down(a, b.e - a.e);
    } else {
        b = fma_down(b, a.e - b.e);
    }
    bool a_less = a.high < b.high || (a.high == b.high && a.low < b.low);
    fma_number large = a_less ? b : a, small = a_less ? a : b;
    if (a_negative == b_negative) {
        large.low += small.low;
        large.high += small.high + (large.low < small.low);
    } else {
        large.high -= small.high + (large.low < small.low);
        large.low -= small.low;
    }
    return large.high | large.low ? fma_round(large, a_less ? b_negative : a_negative) : 0.0;
}

/* x in two halves whose products are exact (Veltkamp) */
static inline double fma_upper_half(double x) {
    double scaled = 0x8000001p+0 * x;
    return scaled - (scaled - x);
}

static inline bool fma_is_between(double x, double low, double high) {
    double size = fabs(x);
    return size >= low && size <= high;
}

static inline double own_fma_f64(double x, double y, double z) {
    if (fma_is_between(x, 0x1p-450, 0x1p450) && fma_is_between(y, 0x1p-450, 0x1p450) &&
        fma_is_between(z, 0x1p-900, 0x1p900)) { /* nothing overflows, nothing gets subnormal */
        double x1 = fma_upper_half(x), x0 = x - x1, y1 = fma_upper_half(y), y0 = y - y1;
        double product = x * y, product_rest = ((x1 * y1 - product) + x1 * y0 + x0 * y1) + x0 * y0; /* Dekker */
        double low_rest, low = REAL_NAME(two_sum)(z, product_rest, &low_rest);
        double rest, sum = REAL_NAME(two_sum)(product, low, &rest);
        return sum + REAL_NAME(odd_sum)(low_rest, rest);
    }
    if (x == 0 || y == 0 || !isfinite(x) || !isfinite(y)) {
        return x * y + z; /* x y is exact */
    }
    if (z == 0) {
        return x * y;
    }
    return isfinite(z) ? fma_by_integers(x, y, z) : z;
}

#endif
#endif
#undef FMA_IS_RIGHT
