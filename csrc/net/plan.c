/* plan.c: from the specs of steps to a network: widths, parameters, and where everything lies. */
#include "plan.h"

#include <string.h>

#include "../runtime/memory.h"
#include "engine.h"

static size_t element_size(const mlp_net *net) { return net->bits == 32 ? sizeof(float) : sizeof(double); }

static const mlp_engine *engine(const mlp_net *net) { return net->bits == 32 ? &mlp_engine_f32 : &mlp_engine_f64; }

/* ---- parameters ------------------------------------------------------------------------------------------------- */

/* Appends a part of a flat buffer to the list of its parts, whose memory doubles when it is full. */
static bool claim(mlp_segment **list, ptrdiff_t *count, ptrdiff_t *end, ptrdiff_t rows, ptrdiff_t columns) {
    if ((*count & (*count - 1)) == 0) {
        mlp_segment *longer = mlp_alloc(mlp_size_product(*count ? *count : 1, 2), sizeof *longer);
        if (!longer) {
            return false;
        }
        if (*count) {
            memcpy(longer, *list, (size_t)*count * sizeof *longer);
        }
        mlp_free(*list);
        *list = longer;
    }
    (*list)[*count] =
        (mlp_segment){.begin = *end, .rows = rows, .columns = columns, .trainable = true, .rate_factor = 1};
    *count += 1;
    *end = mlp_size_sum(*end, mlp_size_product(rows, columns));
    return *end >= 0;
}

bool mlp_claim_segment(mlp_net *net, mlp_step *step, ptrdiff_t rows, ptrdiff_t columns) {
    step->segments += 1;
    return claim(&net->segment, &net->segments, &net->parameters, rows, columns);
}

bool mlp_claim_buffer(mlp_net *net, mlp_step *step, ptrdiff_t rows, ptrdiff_t columns) {
    step->buffers += 1;
    return claim(&net->buffer, &net->buffers, &net->buffer_size, rows, columns);
}

/* ---- where a batch lies ----------------------------------------------------------------------------------------- */

static mlp_slot new_slot(mlp_net *net, ptrdiff_t width) {
    mlp_slot slot = {.width = width, .before = net->work_width};
    net->work_width = mlp_size_sum(net->work_width, width);
    return slot;
}

/* A fork's output is its input, and the gradient to z lies where the one to a = sigma(z) of the same layer lay. */
static void lay_out_values(mlp_net *net, const mlp_step_spec *specs) {
    net->value[0] = new_slot(net, net->step[0].in);
    for (ptrdiff_t i = 0; i < net->steps; i++) {
        const mlp_step *step = &net->step[i];
        net->value[i + 1] = step->kind == MLP_FORK ? net->value[i] : new_slot(net, step->out);
        net->grad[i + 1] = specs[i].joined ? net->grad[i] : new_slot(net, step->out);
        net->widest = step->out > net->widest ? step->out : net->widest;
    }
    net->grad[0] = net->grad[1]; /* nobody asks for it */
    for (ptrdiff_t i = 0; i < net->steps; i++) {
        if (net->step[i].kept.width > 0) {
            net->step[i].kept = new_slot(net, net->step[i].kept.width);
        }
    }
    new_slot(net, mlp_net_outputs(net) + 3); /* y; weight, scale, value */
}

/* Whether a buffer of predict holds the input of one of the forks that are open, the last of which is `fork`; each one's join
 * knows, for now, the one around it. */
static bool waits_for_join(const mlp_net *net, ptrdiff_t fork, ptrdiff_t scratch) {
    for (; fork >= 0; fork = net->step[net->step[fork].partner].scratch) {
        if (net->step[fork].scratch == scratch) {
            return true;
        }
    }
    return false;
}

/* The first buffer that may be overwritten while `input` is read. */
static ptrdiff_t free_scratch(const mlp_net *net, ptrdiff_t fork, ptrdiff_t input) {
    ptrdiff_t scratch = 0;
    while (scratch == input || waits_for_join(net, fork, scratch)) {
        scratch++;
    }
    return scratch;
}

/* The buffer of the input itself, unless it is needed once more: by a join, or by the caller, whose samples it is. */
static ptrdiff_t scratch_in_place(const mlp_net *net, ptrdiff_t fork, ptrdiff_t input) {
    return input < 0 || waits_for_join(net, fork, input) ? free_scratch(net, fork, input) : input;
}

/* predict keeps no value longer than it is needed: a step writes in place, or into the first buffer that is free. Buffer -1 are
 * the samples themselves. */
static void lay_out_predict(mlp_net *net) {
    ptrdiff_t fork = -1, input = -1;
    for (ptrdiff_t i = 0; i < net->steps; i++) {
        mlp_step *step = &net->step[i];
        switch (step->kind) {
        case MLP_FORK:
            step->scratch = input;
            net->step[step->partner].scratch = fork;
            fork = i;
            break;
        case MLP_DENSE:
        case MLP_BATCH_NORM:
        case MLP_LAYER_NORM:
        case MLP_RMS_NORM:
        case MLP_SCALE:
        case MLP_PRELU:
        case MLP_EMBEDDING:
        case MLP_CUSTOM: step->scratch = free_scratch(net, fork, input); break;
        case MLP_JOIN:
            fork = step->scratch;
            step->scratch = scratch_in_place(net, fork, input);
            break;
        case MLP_ACTIVATION:
        case MLP_DROPOUT:
        case MLP_ALPHA_DROPOUT:
        case MLP_GAUSSIAN_NOISE: step->scratch = scratch_in_place(net, fork, input); break;
        }
        input = step->scratch;
        net->scratches = input + 1 > net->scratches ? input + 1 : net->scratches;
    }
}

/* ---- life ------------------------------------------------------------------------------------------------------- */

/* Pairs each join with the last fork that is still open. */
static void match_branches(mlp_net *net) {
    ptrdiff_t open = -1; /* the last fork; `partner` of an open one is the one before it */
    for (ptrdiff_t i = 0; i < net->steps; i++) {
        mlp_step *step = &net->step[i];
        if (step->kind == MLP_FORK) {
            step->partner = open;
            open = i;
        } else if (step->kind == MLP_JOIN) {
            const ptrdiff_t fork = open;
            open = net->step[fork].partner;
            net->step[fork].partner = i;
            step->partner = fork;
        }
    }
}

static bool plan_steps(mlp_net *net, ptrdiff_t input_size, const mlp_step_spec *specs) {
    ptrdiff_t width = input_size;
    net->first_backward = net->steps;
    for (ptrdiff_t i = 0; i < net->steps; i++) {
        mlp_step *step = &net->step[i];
        *step = (mlp_step){.kind = specs[i].kind,
                           .in = width,
                           .layer = specs[i].layer,
                           .segment = net->segments,
                           .buffer = net->buffers,
                           .sigma = specs[i].sigma,
                           .custom = specs[i].custom};
        memcpy(step->constants, specs[i].constants, sizeof step->constants);
        if (!engine(net)->plan(net, step, &specs[i])) {
            return false;
        }
        width = step->out;
        if ((step->segments > 0 || step->kind == MLP_CUSTOM) && net->first_backward == net->steps) {
            net->first_backward = i;
        }
        net->has_custom = net->has_custom || step->kind == MLP_CUSTOM;
    }
    return true;
}

mlp_net *mlp_net_new(int bits, ptrdiff_t input_size, ptrdiff_t steps, const mlp_step_spec *specs) {
    mlp_net *net = mlp_alloc(1, sizeof *net);
    if (!net) {
        return NULL;
    }
    net->bits = bits;
    net->steps = steps;
    net->step = mlp_alloc(steps, sizeof *net->step);
    net->value = mlp_alloc(mlp_size_sum(steps, 1), sizeof *net->value);
    net->grad = mlp_alloc(mlp_size_sum(steps, 1), sizeof *net->grad);
    if (!net->step || !net->value || !net->grad || !plan_steps(net, input_size, specs)) {
        goto fail;
    }
    match_branches(net);
    lay_out_values(net, specs);
    lay_out_predict(net);
    mlp_fuse_steps(net);
    net->params = mlp_alloc(net->parameters, element_size(net));
    net->grads = mlp_alloc(net->parameters, element_size(net));
    net->state = mlp_alloc(net->buffer_size, element_size(net));
    if (!net->params || !net->grads || !net->state) {
        goto fail;
    }
    return net;

fail:
    mlp_net_free(net);
    return NULL;
}

void mlp_net_free(mlp_net *net) {
    if (net) {
        mlp_free(net->step);
        mlp_free(net->value);
        mlp_free(net->grad);
        mlp_free(net->segment);
        mlp_free((void *)net->embedding.table);
        mlp_free(net->buffer);
        mlp_free(net->params);
        mlp_free(net->grads);
        mlp_free(net->state);
        mlp_free(net);
    }
}
