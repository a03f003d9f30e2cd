/* initialize.c: the first weights of a layer, drawn in double (initializers.c) and rounded. */

/* Rows and columns of a matrix, or columns and rows: whichever are fewer are orthonormal. */
static bool initialize_orthonormal(real *w, const mlp_segment *own, double gain, mlp_stream stream, uint64_t index,
                                   double *scratch, const mlp_interrupt *interrupt) {
    const bool wide = own->rows < own->columns;
    const ptrdiff_t few = wide ? own->rows : own->columns, many = wide ? own->columns : own->rows;
    if (!mlp_draw_orthonormal(few, many, scratch, stream, index, interrupt)) {
        return false;
    }
    for (ptrdiff_t i = 0; i < own->rows; i++) {
        for (ptrdiff_t j = 0; j < own->columns; j++) {
            w[i * own->columns + j] = (real)(gain * scratch[wide ? i * many + j : j * many + i]);
        }
    }
    return true;
}

/* Draw number i is that of number i of the layer's parameters. A vector, such as b, has the inputs and outputs of w. */
static bool initialize(mlp_net *net, ptrdiff_t step, ptrdiff_t segment, const mlp_initializer *initializer,
                       uint64_t seed, double *scratch, const mlp_interrupt *interrupt) {
    enum { DRAWS = 1 << 14, DRAW_WORK = 64 }; /* between two looks at the poller; what a draw costs in multiply-adds */
    const mlp_step *plan = &net->step[step];
    const mlp_segment *first = &net->segment[plan->segment], *own = first + segment;
    const mlp_segment *layer = own->rows > 1 ? own : first;
    const mlp_distribution drawn = mlp_distribution_of(initializer, (double)layer->rows, (double)layer->columns);
    const mlp_stream stream = {.seed = seed, .purpose = MLP_DRAW_WEIGHTS, .which = plan->layer};
    const ptrdiff_t count = own->rows * own->columns, index = own->begin - first->begin;
    real *const w = (real *)net->params + own->begin;
    if (drawn.shape == MLP_ORTHONORMAL) {
        return initialize_orthonormal(w, own, drawn.spread, stream, (uint64_t)index, scratch, interrupt);
    }
    mlp_poller poller = mlp_poller_new(interrupt, DRAWS * DRAW_WORK);
    for (ptrdiff_t i = 0; i < count; i++) {
        w[i] = (real)mlp_draw_number(&drawn, stream, (uint64_t)(index + i));
        if (i % DRAWS == DRAWS - 1 && mlp_should_stop(&poller, i)) {
            return false;
        }
    }
    return true;
}
