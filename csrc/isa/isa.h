/* isa.h: the sets of kernels that this build holds, one for each instruction set, and the one in use. */
#ifndef MLPCORE_ISA_H
#define MLPCORE_ISA_H

#include <stdatomic.h>
#include <stdbool.h>

#include "../mlpcore.h"

typedef struct {
    const char *name;
    bool (*available)(void); /* whether this machine, and its system, can run it */
    const mlp_kernels_f32 *f32;
    const mlp_kernels_f64 *f64;
} mlp_isa;

/* From the fastest to the reference, which every machine can run; the list ends with a NULL name. */
extern const mlp_isa mlp_isas[];

/* The first of the list that this machine can run is the default. A computation in progress keeps its kernels when
 * another set is chosen; all of them give the same bits. */
const mlp_isa *mlp_isa_current(void);

/* Selects the set of this name. False: unknown, or not available on this machine. */
bool mlp_isa_use(const char *name);

static inline const mlp_kernels_f32 *mlp_current_f32(void) { return mlp_isa_current()->f32; }
static inline const mlp_kernels_f64 *mlp_current_f64(void) { return mlp_isa_current()->f64; }

/* Features of this processor that matter here, in words, from the list in cpu.c; NULL after the last one. */
const char *mlp_cpu_feature(int i, bool *present);

bool mlp_cpu_has_avx2(void);
bool mlp_cpu_has_avx512(void);

#endif
