#include "isa.h"

#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
extern const mlp_kernels_f32 mlp_avx2_f32, mlp_avx512_f32;
extern const mlp_kernels_f64 mlp_avx2_f64, mlp_avx512_f64;
#elif defined(__aarch64__) || defined(_M_ARM64)
extern const mlp_kernels_f32 mlp_neon_f32;
extern const mlp_kernels_f64 mlp_neon_f64;
#endif

static bool always(void) { return true; }

const mlp_isa mlp_isas[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {"avx512", mlp_cpu_has_avx512, &mlp_avx512_f32, &mlp_avx512_f64},
    {"avx2", mlp_cpu_has_avx2, &mlp_avx2_f32, &mlp_avx2_f64},
#elif defined(__aarch64__) || defined(_M_ARM64)
    {"neon", always, &mlp_neon_f32, &mlp_neon_f64},
#endif
    {"reference", always, &mlp_reference_f32, &mlp_reference_f64},
    {NULL, NULL, NULL, NULL},
};

static _Atomic(const mlp_isa *) in_use;

const mlp_isa *mlp_isa_current(void) {
    const mlp_isa *isa = atomic_load_explicit(&in_use, memory_order_relaxed);
    if (!isa) {
        for (isa = mlp_isas; !isa->available(); isa++) {
        }
        atomic_store_explicit(&in_use, isa, memory_order_relaxed);
    }
    return isa;
}

bool mlp_isa_use(const char *name) {
    for (const mlp_isa *isa = mlp_isas; isa->name; isa++) {
        if (strcmp(isa->name, name) == 0 && isa->available()) {
            atomic_store_explicit(&in_use, isa, memory_order_relaxed);
            return true;
        }
    }
    return false;
}
