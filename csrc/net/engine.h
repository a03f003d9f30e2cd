/* engine.h: what net.h promises, for one real type: a table for float and one for double, whose functions stand in engine/ and
 * layers/. engine_f32.c and engine_f64.c compile these chapters, each in a translation unit of its own, where a function has
 * the plain name that it has in the text.
 */
#ifndef MLPCORE_ENGINE_H
#define MLPCORE_ENGINE_H

#include "net.h"

typedef struct {
    bool (*plan)(mlp_net *net, mlp_step *step, const mlp_step_spec *spec); /* width of the output, claims */
    size_t bound_step_size;                                                /* bytes that a step's addresses take */
    bool (*initialize)(mlp_net *net, ptrdiff_t step, ptrdiff_t segment, const mlp_initializer *initializer,
                       uint64_t seed, double *scratch, const mlp_interrupt *interrupt);
    bool (*forward)(const mlp_net *net, mlp_workspace work, ptrdiff_t n, const mlp_mode *mode);
    bool (*backward)(const mlp_net *net, mlp_workspace work, ptrdiff_t n, const mlp_mode *mode, const mlp_loss *loss,
                     const void *y, const void *weight, double *value);
    bool (*update)(mlp_net *net, const mlp_optimizer *optimizer, void *caller);
    bool (*predict)(const mlp_net *net, ptrdiff_t n, void *a, const void *x, void *scratch, void *caller,
                    const mlp_interrupt *interrupt);
    bool (*evaluate)(const mlp_net *net, const mlp_evaluation *evaluation, mlp_score *score);
    bool (*whole_gradient)(mlp_net *net, mlp_workspace work, const mlp_training *training, mlp_score *score);
    mlp_trained (*train)(mlp_net *net, mlp_workspace work, const mlp_training *training, mlp_cursor *cursor);
} mlp_engine;

extern const mlp_engine mlp_engine_f32, mlp_engine_f64;

/* Parts of a workspace have a multiple of 16 rows, so that each begins on a cache line of its own. */
static inline ptrdiff_t mlp_part_rows(ptrdiff_t capacity) { return (capacity + 15) / 16 * 16; }

enum { MLP_ROWS_AT_ONCE = 256 };

/* How many elements hold the addresses of all steps; a multiple of a cache line. */
ptrdiff_t mlp_bound_steps_elements(const mlp_net *net);

#endif
