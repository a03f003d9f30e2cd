/* pass.c: one batch through the network: forward, the head, backward. */

/* Steps begin ... end - 1; those that are the epilogue of a product are done within it. */
static bool forward_steps(const bound_step *steps, ptrdiff_t end) {
    for (ptrdiff_t i = 0; i < end; i += 1 + steps[i].plan->forward_epilogue) {
        if (!KINDS[steps[i].plan->kind].forward(&steps[i])) {
            return false;
        }
    }
    return true;
}

static bool backward_steps(const bound_step *steps, const mlp_net *net, const weight_updater *updater) {
    for (ptrdiff_t i = net->head - 1; i >= net->first_backward; i -= 1 + steps[i].plan->backward_epilogue) {
        if (!KINDS[steps[i].plan->kind].backward(&steps[i], updater)) {
            return false;
        }
    }
    return true;
}

/* After a batch of training that did not fail: moves the numbers beside the parameters. */
static void move_state(const bound_step *steps, const mlp_net *net) {
    for (ptrdiff_t i = 0; net->buffers > 0 && i < net->steps; i++) {
        if (KINDS[steps[i].plan->kind].move) {
            KINDS[steps[i].plan->kind].move(&steps[i]);
        }
    }
}

/* The last activation, the loss and phi^J (fusion.c, rule 2). Without an activation at the end a is z. */
typedef struct {
    activation sigma;
    loss_function loss;
    mlp_custom_loss custom; /* in place of the loss, if there is one */
    bool has_labels;
    ptrdiff_t out;
    const real *z;
    real *a, *phi;
} head;

static head head_of(const bound_step *steps, const mlp_net *net, const mlp_loss *given) {
    const bound_step *below = &steps[net->head - 1], *last = &steps[net->steps - 1];
    head h = {.loss = {.id = given->id},
              .custom = given->custom,
              .has_labels = given->has_labels,
              .out = mlp_net_outputs(net),
              .z = last->y,
              .a = last->y};
    for (int i = 0; i < MLP_HYPERS; i++) {
        h.loss.constants[i] = (real)given->constants[i];
    }
    if (net->head < net->steps) {
        h.sigma = last->sigma;
        h.z = last->x;
    }
    h.phi = net->head > 0 ? below->grad_y : last->grad_y;
    return h;
}

/* A loss that is written elsewhere, where a is there: the samples' values and, unless `scale` is NULL, phi^J, which is the
 * gradient to a times the samples' scale, through sigma'. False: it failed. */
static bool custom_loss(const pass *p, const head *h, real *value, const real *y, const real *scale) {
    real *phi = scale ? h->phi : NULL;
    if (h->custom.fill(h->custom.context, p->mode.caller, p->n, h->out, value, phi, h->a, y) != 0) {
        return false;
    }
    if (scale) {
        for (ptrdiff_t i = 0; i < p->n * h->out; i++) {
            phi[i] *= scale[i / h->out];
        }
        const real *source = mlp_derivative_needs_z(h->sigma.id) ? h->z : h->a;
        p->k->activation_backward(&h->sigma, p->n, h->out, phi, source, phi);
    }
    return true;
}

/* ---- a batch ---------------------------------------------------------------------------------------------------- */

/* n samples. x and y need not lie in the workspace, where only the last batch is shown. */
typedef struct {
    ptrdiff_t n;
    const real *x, *y, *weight;
    real *scale, *value; /* of the samples */
} batch;

/* Behind the values and gradients a workspace has room for a batch's y, weight, scale and value. */
typedef struct {
    real *y, *weight, *scale, *value;
} sample_room;

static sample_room room_of(const mlp_net *net, mlp_workspace work) {
    const ptrdiff_t rows = mlp_part_rows(work.capacity), out = mlp_net_outputs(net);
    sample_room room = {.y = (real *)work.block + rows * (net->work_width - out - 3)};
    room.weight = room.y + rows * out;
    room.scale = room.weight + rows;
    room.value = room.scale + rows;
    return room;
}

/* The y of the rows whose turn is from `begin` on, with a 1 in the place of each row's class. What is no index of a class has
 * none: others may change the memory of the labels while it is read. */
static const real *expand_labels(ptrdiff_t rows, ptrdiff_t out, real *room, const void *labels, const ptrdiff_t *order,
                                 ptrdiff_t begin) {
    memset(room, 0, (size_t)(rows * out) * sizeof *room);
    for (ptrdiff_t s = 0; s < rows; s++) {
        const real label = ((const real *)labels)[order ? order[begin + s] : begin + s];
        if (label >= 0 && label < (real)out) {
            room[s * out + (ptrdiff_t)label] = 1;
        }
    }
    return room;
}

/* The batch whose x lies in the workspace. */
static batch batch_of(const mlp_net *net, mlp_workspace work, ptrdiff_t n, const void *y, const void *weight) {
    const sample_room room = room_of(net, work);
    return (batch){.n = n, .x = work.block, .y = y, .weight = weight, .scale = room.scale, .value = room.value};
}

/* ---- one step by hand ------------------------------------------------------------------------------------------- */

static pass pass_of(const mlp_net *net, const mlp_mode *mode, ptrdiff_t n, bool keep) {
    return (pass){.net = net, .k = current_kernels(), .mode = *mode, .n = n, .keep = keep};
}

static bool forward(const mlp_net *net, mlp_workspace work, ptrdiff_t n, const mlp_mode *mode) {
    pass p = pass_of(net, mode, n, true);
    const bound_step *steps = bind_steps(&p, work);
    if (!forward_steps(steps, net->steps)) {
        return false;
    }
    if (mode->training) {
        move_state(steps, net);
    }
    return true;
}

static bool backward(const mlp_net *net, mlp_workspace work, ptrdiff_t n, const mlp_mode *mode, const mlp_loss *loss,
                     const void *y, const void *weight, double *value) {
    pass p = pass_of(net, mode, n, true);
    const bound_step *steps = bind_steps(&p, work);
    const head h = head_of(steps, net, loss);
    if (h.has_labels) {
        y = expand_labels(n, h.out, room_of(net, work).y, y, NULL, 0);
    }
    const batch b = batch_of(net, work, n, y, weight);
    p.k->batch_scale(n, b.scale, weight, p.k->batch_weight(n, weight));
    if (!h.custom.fill) {
        p.k->output_loss(&h.loss, &h.sigma, n, h.out, b.value, h.z, h.a, y);
        p.k->output_phi(&h.loss, &h.sigma, n, h.out, h.phi, h.z, h.a, y, b.scale);
    } else if (!custom_loss(&p, &h, b.value, y, b.scale)) {
        return false;
    }
    *value = p.k->batch_mean(n, b.value, weight);
    return backward_steps(steps, net, NULL);
}
