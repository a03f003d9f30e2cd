/* fma.c: mlp_fma and mlp_fmaf of csrc/fma.h beside the processor's instruction, bit for bit.
 *
 *     fma COUNT             the directed triples, and COUNT random ones of each type; without an instruction, says so
 *     fma compute BITS      triples of float (BITS 32) or double (64) from standard input, their results to standard output
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fma.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define INSTRUCTION __attribute__((target("fma"), noinline))
static bool has_instruction(void) { return __builtin_cpu_supports("fma"); }
#else
#define INSTRUCTION
static bool has_instruction(void) {
#if defined(__aarch64__) && defined(__GNUC__)
    return true;
#else
    return false;
#endif
}
#endif

/* SplitMix64. */
static uint64_t state = 2008;
static uint64_t draw(void) {
    uint64_t x = state += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}
static int draw_between(int least, int most) { return least + (int)(draw() % (uint64_t)(most - least + 1)); }

#define MLP_REAL_BITS 32
#include "fma.inc.c"
#undef MLP_REAL_BITS

#define MLP_REAL_BITS 64
#include "fma.inc.c"

/* c is even, and the product half of its unit and 2^-77 of it more: a sum just above the middle. */
static long compare_just_above_a_middle(void) {
    const double a = 0x1ce8f5a85428c0p0, b = 0x11b5cb76b30a87p0, c = 0x1p158;
    return compare_one_f64(a, b, c) + compare_one_f64(-a, b, -c) + compare_one_f64(-a, b, c);
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "compute") == 0) {
        return strcmp(argv[2], "32") == 0 ? compute_f32() : compute_f64();
    }
    if (argc != 2) {
        return 2;
    }
    if (!has_instruction()) {
        puts("this processor has no fma");
        return 0;
    }
    const long count = strtol(argv[1], NULL, 10);
    const long wrong = compare_f32(count) + compare_f64(count) + compare_just_above_a_middle();
    printf("%ld wrong\n", wrong);
    return wrong != 0;
}
