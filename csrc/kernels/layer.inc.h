/* layer.inc.h: reference/layer.c as products that go on with each block of their result while it is in the caches, on
 * the thread that computed it.
 */

typedef struct {
    mlp_activation sigma;
    real *to;
    const real *a; /* only backward */
} activation_task;

static void activate_some(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *z) {
    const activation_task *task = context;
    fast_activation_forward(task->sigma, 1, count, task->to + begin, z);
}

static void fast_layer_forward(mlp_activation sigma, ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *z, real *a,
                               const real *x, const real *w, const real *b) {
    if (is_one_tile(n, out, in) || sigma == MLP_SOFTMAX) { /* softmax needs whole rows */
        fast_dense_forward(n, in, out, z, x, w, b);
        fast_activation_forward(sigma, n, out, a, z);
        return;
    }
    const activation_task activation = {.sigma = sigma, .to = a};
    product_task task = forward_task(n, in, out, z, x, w, b);
    if (sigma != MLP_LINEAR || a != z) {
        task.epilogue = activate_some;
        task.epilogue_context = &activation;
    }
    product(&task);
}

static void pass_some_back(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *gradient) {
    const activation_task *task = context;
    fast_activation_backward(task->sigma, 1, count, task->to + begin, task->a + begin, gradient);
}

static void fast_layer_backward(mlp_activation sigma, ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, real *phi_below,
                                const real *phi, const real *x, const real *w) {
    if (out == 1 || sigma == MLP_SOFTMAX) {
        fast_dense_backward_x(n, in, out, phi_below, phi, w);
        fast_activation_backward(sigma, n, in, phi_below, x, phi_below);
        return;
    }
    const activation_task activation = {.sigma = sigma, .to = phi_below, .a = x};
    product_task task = grad_x_task(n, in, out, phi_below, phi, w);
    if (sigma != MLP_LINEAR) {
        task.epilogue = pass_some_back;
        task.epilogue_context = &activation;
    }
    product(&task);
}

static void step_of_numbers(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *grad) {
    step_task some = *(const step_task *)context;
    some.w += begin;
    some.m = some.m ? some.m + begin : NULL;
    some.v = some.v ? some.v + begin : NULL;
    some.grad = grad;
    step_of_some(&some, 0, count);
}

static void fast_layer_update(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, const REAL_NAME(mlp_step) * step, real *w,
                              real *m, real *v, real *grad_w, bool keep, const real *phi, const real *x) {
    step_task weights = {.w = w, .m = m, .v = v};
    if (step->algorithm == MLP_ADAM) {
        weights.adam = &step->adam;
    } else {
        weights.sgd = &step->sgd;
    }
    product_task task = grad_w_task(n, in, out, grad_w, phi, x);
    task.discard_c = !keep;
    task.epilogue = step_of_numbers;
    task.epilogue_context = &weights;
    product(&task);
}
