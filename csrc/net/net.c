#include "net.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "../isa/isa.h"
#include "memory.h"

/* -------------------------------------------------------------------------------------------------- what lies where */

enum { REALS_PER_LINE = 16 }; /* parts of a workspace begin 64 bytes apart at least, for double 128 */

static ptrdiff_t whole_lines(ptrdiff_t elements) {
    ptrdiff_t padded = mlp_size_sum(elements, REALS_PER_LINE - 1);
    return padded < 0 ? -1 : padded / REALS_PER_LINE * REALS_PER_LINE;
}

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
    ptrdiff_t end = 0;
    for (ptrdiff_t j = 0; j < depth; j++) {
        ptrdiff_t in = sizes[j], out = sizes[j + 1];
        ptrdiff_t b = mlp_size_sum(end, mlp_size_product(in, out));
        net->layers[j] = (mlp_layer){.in = in, .out = out, .sigma = sigmas[j], .w = end, .b = b};
        end = mlp_size_sum(b, out);
    }
    net->parameters = end;
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

/* A workspace holds, one after the other: x of the first layer; z, a, phi of each layer; and for an epoch a batch's y,
 * its weight, and the scale and value of each of its samples. */
static ptrdiff_t part_size(ptrdiff_t capacity, ptrdiff_t width) {
    return whole_lines(mlp_size_product(capacity, width));
}

static ptrdiff_t first_layer_begins(const mlp_net *net, ptrdiff_t capacity) {
    return part_size(capacity, net->layers[0].in);
}

static ptrdiff_t layer_begins(const mlp_net *net, ptrdiff_t capacity, ptrdiff_t j) {
    ptrdiff_t begin = first_layer_begins(net, capacity);
    for (ptrdiff_t l = 0; l < j; l++) {
        begin = mlp_size_sum(begin, mlp_size_product(3, part_size(capacity, net->layers[l].out)));
    }
    return begin;
}

ptrdiff_t mlp_workspace_elements(const mlp_net *net, ptrdiff_t capacity) {
    ptrdiff_t of_y = part_size(capacity, net->layers[net->depth - 1].out);
    ptrdiff_t of_samples = mlp_size_product(3, part_size(capacity, 1));
    return mlp_size_sum(layer_begins(net, capacity, net->depth), mlp_size_sum(of_y, of_samples));
}

ptrdiff_t mlp_workspace_offset(const mlp_net *net, ptrdiff_t capacity, ptrdiff_t j, mlp_part part) {
    if (part == MLP_X) {
        return j == 0 ? 0 : mlp_workspace_offset(net, capacity, j - 1, MLP_A);
    }
    return layer_begins(net, capacity, j) + (part - MLP_Z) * part_size(capacity, net->layers[j].out);
}

static ptrdiff_t widest(const mlp_net *net) {
    ptrdiff_t width = 0;
    for (ptrdiff_t j = 0; j < net->depth; j++) {
        width = net->layers[j].out > width ? net->layers[j].out : width;
    }
    return width;
}

enum { PREDICT_ROWS = 64 };

ptrdiff_t mlp_predict_elements(const mlp_net *net) {
    return mlp_size_product(2, mlp_size_product(PREDICT_ROWS, widest(net)));
}

/* ---------------------------------------------------------------------------------------- when to look at the clock */

enum { LOOK_MS = 50, LOOK_WORK = 1 << 20 };

static int64_t milliseconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reading the clock costs as much as a small batch: do it after about a million multiply-adds. */
static ptrdiff_t batches_between_looks(const mlp_net *net, ptrdiff_t rows) {
    return 1 + LOOK_WORK / (1 + net->parameters / 4 * rows);
}

/* ------------------------------------------------------------------------------------- what is done, for each dtype */

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

void mlp_net_predict(const mlp_net *net, ptrdiff_t n, void *a, const void *x, void *scratch) {
    OF(net, predict)(net, n, a, x, scratch);
}

mlp_score mlp_net_evaluate(const mlp_net *net, mlp_workspace work, mlp_loss loss, mlp_samples samples, void *value) {
    return OF(net, evaluate)(net, work, loss, samples, value);
}

mlp_epoch_result mlp_net_epoch(mlp_net *net, mlp_workspace work, const mlp_epoch *epoch) {
    return OF(net, run_epoch)(net, work, epoch);
}
