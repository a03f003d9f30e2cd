#include "net.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "../isa/isa.h"
#include "memory.h"

/* -------------------------------------------------------------------------------------------------- what lies where */

static size_t element_size(const mlp_net *net) { return net->bits == 32 ? sizeof(float) : sizeof(double); }

mlp_net *mlp_net_new(int bits, ptrdiff_t depth, const ptrdiff_t *sizes, const mlp_activation *sigmas) {
    mlp_net *net = mlp_alloc(1, sizeof *net);
    if (!net) {
        return NULL;
    }
    net->bits = bits;
    net->depth = depth;
    net->layers = mlp_alloc(depth, sizeof *net->layers);
    if (!net->layers) {
        goto fail;
    }
    ptrdiff_t end = 0, width = sizes[0];
    for (ptrdiff_t j = 0; j < depth; j++) {
        ptrdiff_t in = sizes[j], out = sizes[j + 1];
        ptrdiff_t b = mlp_size_sum(end, mlp_size_product(in, out));
        net->layers[j] = (mlp_layer){.in = in, .out = out, .sigma = sigmas[j], .w = end, .b = b, .before = width};
        end = mlp_size_sum(b, out);
        width = mlp_size_sum(width, mlp_size_product(3, out)); /* z, a, phi */
        net->widest = out > net->widest ? out : net->widest;
    }
    net->parameters = end;
    net->work_width = mlp_size_sum(width, mlp_size_sum(sizes[depth], 3)); /* y; weight, scale, value */
    net->params = mlp_alloc(end, element_size(net));
    net->grads = mlp_alloc(end, element_size(net));
    if (!net->params || !net->grads) {
        goto fail;
    }
    return net;

fail:
    mlp_net_free(net);
    return NULL;
}

void mlp_net_free(mlp_net *net) {
    if (net) {
        mlp_free(net->layers);
        mlp_free(net->params);
        mlp_free(net->grads);
        mlp_free(net);
    }
}

/* Parts have a multiple of 16 rows, so that each begins on a cache line of its own. */
static ptrdiff_t part_rows(ptrdiff_t capacity) { return (capacity + 15) / 16 * 16; }

ptrdiff_t mlp_workspace_elements(const mlp_net *net, ptrdiff_t capacity) {
    return capacity > PTRDIFF_MAX - 15 ? -1 : mlp_size_product(part_rows(capacity), net->work_width);
}

ptrdiff_t mlp_workspace_offset(const mlp_net *net, ptrdiff_t capacity, ptrdiff_t j, mlp_part part) {
    if (part == MLP_X) {
        return j == 0 ? 0 : mlp_workspace_offset(net, capacity, j - 1, MLP_A);
    }
    return part_rows(capacity) * (net->layers[j].before + (part - MLP_Z) * net->layers[j].out);
}

enum { ROWS_AT_ONCE = 256 };

ptrdiff_t mlp_rows_at_once(ptrdiff_t n) { return n < ROWS_AT_ONCE ? n : ROWS_AT_ONCE; }

ptrdiff_t mlp_predict_elements(const mlp_net *net, ptrdiff_t n) {
    return mlp_size_product(2, mlp_size_product(mlp_rows_at_once(n), net->widest));
}

/* ---------------------------------------------------------------------------------------- when to look at the clock */

enum { LOOK_MS = 50, LOOK_WORK = 1 << 22, BATCH_WORK = 256 };

static int64_t milliseconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

typedef struct {
    const mlp_watch *watch;
    ptrdiff_t batches_between, until_look;
    int64_t looked;
} lookout;

/* Reading the clock costs as much as a small batch: do it after some milliseconds of multiply-adds, where a batch costs
 * as much as BATCH_WORK of them by itself. */
static lookout lookout_for(const mlp_watch *watch, const mlp_net *net, ptrdiff_t rows) {
    double work = (double)net->parameters * (double)rows + BATCH_WORK;
    ptrdiff_t batches = 1 + (ptrdiff_t)(LOOK_WORK / work);
    return (lookout){.watch = watch, .batches_between = batches, .until_look = batches, .looked = milliseconds()};
}

/* To be asked once a batch. */
static bool told_to_stop(lookout *out, ptrdiff_t done) {
    if (--out->until_look > 0) {
        return false;
    }
    out->until_look = out->batches_between;
    int64_t now = milliseconds();
    if (now >= out->looked && now - out->looked < LOOK_MS) { /* a clock that was set back counts as time gone by */
        return false;
    }
    out->looked = now;
    return out->watch && out->watch->look(out->watch->context, done);
}

/* ------------------------------------------------------------------------------------- what is done, for each dtype */

/* So few stay in the caches: one step of all costs less than one for each layer. */
enum { FEW_PARAMETERS = 16 * 1024 };

#define MLP_REAL_BITS 32
#include "net.inc.c"
#undef MLP_REAL_BITS
#define MLP_REAL_BITS 64
#include "net.inc.c"
#undef MLP_REAL_BITS

#define OF(net, call) ((net)->bits == 32 ? call##_f32 : call##_f64)

void mlp_net_initialize(mlp_net *net, ptrdiff_t j, mlp_initializer initializer, uint64_t seed) {
    OF(net, initialize)(net, j, initializer, seed);
}

void mlp_net_forward(const mlp_net *net, mlp_workspace work, ptrdiff_t n) { OF(net, forward)(net, work, n); }

double mlp_net_backward(const mlp_net *net, mlp_workspace work, ptrdiff_t n, mlp_loss loss, const void *y,
                        const void *weight) {
    return OF(net, backward)(net, work, n, loss, y, weight);
}

void mlp_net_update(mlp_net *net, const mlp_optimizer *optimizer) { OF(net, update)(net, optimizer); }

void mlp_net_predict(const mlp_net *net, ptrdiff_t n, void *a, const void *x, void *scratch, const mlp_watch *watch) {
    OF(net, predict)(net, n, a, x, scratch, watch);
}

mlp_score mlp_net_evaluate(const mlp_net *net, mlp_workspace work, mlp_loss loss, mlp_samples samples, void *value,
                           const mlp_watch *watch) {
    return OF(net, evaluate)(net, work, loss, samples, value, watch);
}

ptrdiff_t mlp_net_train(mlp_net *net, mlp_workspace work, const mlp_training *training) {
    return OF(net, train)(net, work, training);
}
