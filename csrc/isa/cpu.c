/* cpu.c: what this processor can do, and whether the system lets us: a vector register that the system does not save
 * when it changes threads cannot be used, so CPUID is not enough and XGETBV is asked too. */
#include "isa.h"

#if defined(__x86_64__) || defined(_M_X64)
#if defined(_MSC_VER) && !defined(__clang__) /* clang-cl has no xgetbv in <intrin.h> without a target for it */
#include <intrin.h>
static void cpuid(unsigned leaf, unsigned r[4]) { __cpuidex((int *)r, (int)leaf, 0); }
static unsigned long long saved_registers(void) { return _xgetbv(0); }
#else
#include <cpuid.h>
static void cpuid(unsigned leaf, unsigned r[4]) {
    if (!__get_cpuid_count(leaf, 0, &r[0], &r[1], &r[2], &r[3])) {
        r[0] = r[1] = r[2] = r[3] = 0;
    }
}
static unsigned long long saved_registers(void) {
    unsigned low, high;
    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (unsigned long long)high << 32 | low;
}
#endif

enum { EBX = 1, ECX = 2 };

/* Each feature is one bit of one register of one leaf; `needs` are the register files the system must save. */
enum { YMM = 0x6, ZMM = 0xe6 };
static const struct {
    const char *name;
    unsigned leaf;
    int word, bit;
    unsigned long long needs;
} FEATURES[] = {
    {"fma", 1, ECX, 12, YMM},      {"avx2", 7, EBX, 5, YMM},      {"avx512f", 7, EBX, 16, ZMM},
    {"avx512dq", 7, EBX, 17, ZMM}, {"avx512bw", 7, EBX, 30, ZMM}, {"avx512vl", 7, EBX, 31, ZMM},
};
enum { FEATURE_COUNT = sizeof FEATURES / sizeof *FEATURES };

const char *mlp_cpu_feature(int i, bool *present) {
    if (i >= FEATURE_COUNT) {
        return NULL;
    }
    unsigned basic[4], leaf[4];
    cpuid(1, basic);
    cpuid(FEATURES[i].leaf, leaf);
    bool system_saves = basic[ECX] >> 27 & 1 && (saved_registers() & FEATURES[i].needs) == FEATURES[i].needs;
    *present = system_saves && (leaf[FEATURES[i].word] >> FEATURES[i].bit & 1);
    return FEATURES[i].name;
}
#elif defined(__aarch64__) || defined(_M_ARM64)
/* What kernels are written for belongs to every 64-bit ARM. */
const char *mlp_cpu_feature(int i, bool *present) {
    *present = true;
    return i == 0 ? "neon" : NULL;
}
#else
const char *mlp_cpu_feature(int i, bool *present) {
    (void)i, (void)present;
    return NULL;
}
#endif

#include <string.h>

static bool has(const char *feature) {
    bool present;
    const char *name;
    for (int i = 0; (name = mlp_cpu_feature(i, &present)); i++) {
        if (strcmp(name, feature) == 0) {
            return present;
        }
    }
    return false;
}

bool mlp_cpu_has_avx2(void) { return has("avx2") && has("fma"); }
bool mlp_cpu_has_avx512(void) { return mlp_cpu_has_avx2() && has("avx512f") && has("avx512dq"); }
