/* net.c: hands each call to the engine of the net's real type. */
#include "net.h"

#include "../runtime/memory.h"
#include "engine.h"
#include "initializers.h"

static const mlp_engine *engine(const mlp_net *net) { return net->bits == 32 ? &mlp_engine_f32 : &mlp_engine_f64; }

/* How many elements hold the addresses of all steps, which begin on a cache line. */
ptrdiff_t mlp_bound_steps_elements(const mlp_net *net) {
    ptrdiff_t bytes = mlp_size_product(net->steps, (ptrdiff_t)engine(net)->bound_step_size);
    bytes = mlp_size_sum(bytes, MLP_ALIGNMENT);
    return bytes < 0 ? -1 : bytes / MLP_ALIGNMENT * MLP_ALIGNMENT / (net->bits / 8);
}

ptrdiff_t mlp_workspace_elements(const mlp_net *net, ptrdiff_t capacity) {
    return capacity > PTRDIFF_MAX - 15 ? -1
                                       : mlp_size_sum(mlp_size_product(mlp_part_rows(capacity), net->work_width),
                                                      mlp_bound_steps_elements(net));
}

ptrdiff_t mlp_workspace_offset(ptrdiff_t capacity, mlp_slot slot) { return mlp_part_rows(capacity) * slot.before; }

ptrdiff_t mlp_rows_at_once(ptrdiff_t n) { return n < MLP_ROWS_AT_ONCE ? n : MLP_ROWS_AT_ONCE; }

ptrdiff_t mlp_predict_elements(const mlp_net *net, ptrdiff_t n) {
    ptrdiff_t rows = mlp_rows_at_once(n);
    return mlp_size_sum(mlp_size_product(net->scratches, mlp_size_product(rows, net->widest)),
                        mlp_bound_steps_elements(net));
}

bool mlp_net_initialize(mlp_net *net, ptrdiff_t step, ptrdiff_t segment, const mlp_initializer *initializer,
                        uint64_t seed, double *scratch, const mlp_interrupt *interrupt) {
    return engine(net)->initialize(net, step, segment, initializer, seed, scratch, interrupt);
}

/* Of an orthonormal matrix, all in double, and of its reflections two numbers each. */
ptrdiff_t mlp_initializer_elements(const mlp_net *net, ptrdiff_t step, ptrdiff_t segment,
                                   const mlp_initializer *initializer) {
    const mlp_segment *own = &net->segment[net->step[step].segment + segment];
    const ptrdiff_t few = own->rows < own->columns ? own->rows : own->columns;
    const bool whole = mlp_distribution_of(initializer, 1, 1).shape == MLP_ORTHONORMAL;
    return whole ? mlp_size_sum(mlp_size_product(own->rows, own->columns), mlp_size_product(few, 2)) : 0;
}

bool mlp_net_forward(const mlp_net *net, mlp_workspace work, ptrdiff_t n, const mlp_mode *mode) {
    return engine(net)->forward(net, work, n, mode);
}

bool mlp_net_backward(const mlp_net *net, mlp_workspace work, ptrdiff_t n, const mlp_mode *mode, const mlp_loss *loss,
                      const void *y, const void *weight, double *value) {
    return engine(net)->backward(net, work, n, mode, loss, y, weight, value);
}

bool mlp_net_update(mlp_net *net, const mlp_optimizer *optimizer, void *caller) {
    return engine(net)->update(net, optimizer, caller);
}

bool mlp_net_predict(const mlp_net *net, ptrdiff_t n, void *a, const void *x, void *scratch, void *caller,
                     const mlp_interrupt *interrupt) {
    return engine(net)->predict(net, n, a, x, scratch, caller, interrupt);
}

bool mlp_net_evaluate(const mlp_net *net, const mlp_evaluation *evaluation, mlp_score *score) {
    return engine(net)->evaluate(net, evaluation, score);
}

bool mlp_net_whole_gradient(mlp_net *net, mlp_workspace work, const mlp_training *training, mlp_score *score) {
    return engine(net)->whole_gradient(net, work, training, score);
}

mlp_trained mlp_net_train(mlp_net *net, mlp_workspace work, const mlp_training *training, mlp_cursor *cursor) {
    return engine(net)->train(net, work, training, cursor);
}
