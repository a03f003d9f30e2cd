/* steps.c: the steps of a plan with the addresses of one call. They are computed once, before the first batch. */

/* What all steps of a call share. */
typedef struct {
    const mlp_net *net;
    const kernels *k; /* of the instruction set in use */
    mlp_mode mode;
    ptrdiff_t n; /* rows of the batch */
    bool keep;   /* all values and gradients are to be shown afterwards */

    /* One sample a batch (fusion.c, rule 5): x of the next one, or NULL; and whether z of the first step was computed so. */
    const real *next_x;
    bool z_is_there;
    struct bound_step *steps;
} pass;

typedef struct bound_step {
    const mlp_step *plan;
    const pass *pass;
    const real *x;
    real *y, *grad_x, *grad_y;  /* grad_x NULL: nothing below needs it */
    real *params, *grads;       /* of the first segment */
    real *state, *kept;         /* numbers beside the parameters; what forward keeps for backward, NULL in predict */
    epilogue forward, backward; /* what a product does with each block; no epilogue: apply is NULL */
    activation sigma;
    mask drawn; /* of kinds that draw random numbers, without the batch */
} bound_step;

/* What an optimizer does while gradients pass by (update.c). */
typedef struct {
    const mlp_optimizer *optimizer;
    double rate;  /* the learning rate of this step */
    update plain; /* the step of segments without settings of their own */
    bool fused;   /* weights take their step as soon as their gradient is there */
    real *params;
} weight_updater;

/* A kind of layer: how its steps are planned, run and passed back. */
typedef struct {
    bool (*plan)(mlp_net *net, mlp_step *step, const mlp_step_spec *spec);
    void (*draw)(bound_step *s);                                          /* sets s->drawn; or NULL: draws nothing */
    bool (*forward)(const bound_step *s);                                 /* false: it failed */
    bool (*backward)(const bound_step *s, const weight_updater *updater); /* updater NULL: only gradients */
    void (*move)(const bound_step *s); /* after a batch of training: its numbers beside the parameters; or NULL */
    /* Of kinds that work element by element: `count` numbers from number `begin` of a value or gradient on. */
    void (*forward_elements)(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *x);
    void (*backward_elements)(const bound_step *s, ptrdiff_t begin, ptrdiff_t count, const real *grad_y);
} layer_kind;

static const layer_kind KINDS[];

/* The plan of kinds without parameters, whose output is as wide as their input. */
static bool keep_width(mlp_net *net, mlp_step *step, const mlp_step_spec *spec) {
    (void)net, (void)spec;
    step->out = step->in;
    return true;
}

/* ---- the epilogues of products (fusion.c, rules 1 and 3) ---------------------------------------------------------- */

/* The steps after a product, on a block of its result. */
static void run_steps_after(const void *product, ptrdiff_t begin, ptrdiff_t count, const real *block) {
    const bound_step *s = product;
    for (const bound_step *last = s + s->plan->forward_epilogue; s++ < last;) {
        KINDS[s->plan->kind].forward_elements(s, begin, count, block);
        block = s->y + begin;
    }
}

/* The steps below a product, on a block of the gradient that it passes down. */
static void run_steps_below(const void *product, ptrdiff_t begin, ptrdiff_t count, const real *block) {
    const bound_step *s = product;
    for (const bound_step *last = s - s->plan->backward_epilogue; s-- > last;) {
        KINDS[s->plan->kind].backward_elements(s, begin, count, block);
        block = s->grad_x + begin;
    }
}

/* One activation is the rule: spared the loop. */
static void run_activation_after(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *block) {
    KINDS[MLP_ACTIVATION].forward_elements(context, begin, count, block);
}

static void run_activation_below(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *block) {
    KINDS[MLP_ACTIVATION].backward_elements(context, begin, count, block);
}

static void bind_forward_epilogue(bound_step *s) {
    const mlp_step *plan = s->plan;
    if (plan->forward_epilogue == 1 && s[1].plan->kind == MLP_ACTIVATION) {
        s->forward = (epilogue){run_activation_after, s + 1};
    } else if (plan->forward_epilogue > 0) {
        s->forward = (epilogue){run_steps_after, s};
    }
}

static void bind_backward_epilogue(bound_step *s) {
    const mlp_step *plan = s->plan;
    if (plan->backward_epilogue == 1 && s[-1].plan->kind == MLP_ACTIVATION) {
        s->backward = (epilogue){run_activation_below, s - 1};
    } else if (plan->backward_epilogue > 0) {
        s->backward = (epilogue){run_steps_below, s};
    }
}

static const epilogue *if_any(const epilogue *e) { return e->apply ? e : NULL; }

/* ---- addresses -------------------------------------------------------------------------------------------------- */

static real *at(mlp_workspace work, mlp_slot slot) {
    return (real *)work.block + mlp_workspace_offset(work.capacity, slot);
}

static activation activation_of(const mlp_step *step) {
    activation sigma = {.id = step->sigma};
    for (int i = 0; i < MLP_HYPERS; i++) {
        sigma.constants[i] = (real)step->constants[i];
    }
    return sigma;
}

/* The key of a layer's random words is drawn, so that all of a counter is left for the number and the batch. */
static mlp_words words_of(const bound_step *s) {
    const mlp_stream stream = {.seed = s->pass->mode.seed, .purpose = MLP_DRAW_MASK_KEY, .which = s->plan->layer};
    const uint64_t key = mlp_draw_bits(stream, 0);
    return (mlp_words){.key = {(uint32_t)key, (uint32_t)(key >> 32)}};
}

/* What a step draws in the batch that is under way. */
static mask drawn_now(const bound_step *s) {
    mask m = s->drawn;
    m.words.batch = s->pass->mode.batch;
    return m;
}

/* y = x of a step that leaves its numbers alone; nothing to do in place. */
static void hand_on(ptrdiff_t count, real *y, const real *x) {
    if (y != x) {
        memcpy(y, x, (size_t)count * sizeof *y);
    }
}

/* What the network reads: the steps that hand it on unchanged read it too. */
static void set_input(bound_step *steps, const mlp_net *net, const real *x) {
    steps[0].x = x;
    for (ptrdiff_t i = 0; i + 1 < net->steps && net->step[i].kind == MLP_FORK; i++) {
        steps[i + 1].x = x;
    }
}

/* Where nothing is to be shown: a in place of z, if the derivative does not need z; and a gradient that steps pass down element
 * by element, in place. From the end, so that it goes through a row of such steps. */
static void reuse_memory(bound_step *steps, const mlp_net *net) {
    for (ptrdiff_t i = net->head - 1; i > 0; i--) {
        bound_step *s = &steps[i];
        const mlp_step *plan = s->plan;
        if (plan->kind == MLP_ACTIVATION && !mlp_derivative_needs_z(plan->sigma) && s[-1].plan->kind == MLP_DENSE) {
            s->x = s[-1].y = s->y;
        }
        if (mlp_is_elementwise(plan) && s->grad_x) {
            s->grad_x = s[-1].grad_y = s->grad_y;
        }
    }
}

/* The steps of a call on a workspace, whose end is their memory. */
static bound_step *bind_steps(pass *p, mlp_workspace work) {
    const mlp_net *net = p->net;
    bound_step *steps = (bound_step *)((real *)work.block + mlp_part_rows(work.capacity) * net->work_width);
    real *x = at(work, net->value[0]), *grad_x = NULL;
    for (ptrdiff_t i = 0; i < net->steps; i++) {
        const mlp_step *plan = &net->step[i];
        bound_step *s = &steps[i];
        *s = (bound_step){.plan = plan, .pass = p, .x = x, .y = at(work, net->value[i + 1])};
        s->grad_y = at(work, net->grad[i + 1]);
        s->grad_x = i > net->first_backward ? grad_x : NULL;
        if (plan->segments > 0) {
            s->params = (real *)net->params + net->segment[plan->segment].begin;
            s->grads = (real *)net->grads + net->segment[plan->segment].begin;
        }
        if (plan->buffers > 0) {
            s->state = (real *)net->state + net->buffer[plan->buffer].begin;
        }
        if (plan->kept.width > 0) {
            s->kept = at(work, plan->kept);
        }
        if (plan->kind == MLP_ACTIVATION) {
            s->sigma = activation_of(plan);
        } else if (plan->kind == MLP_FORK) {
            s->y = x;
        }
        if (KINDS[plan->kind].draw) {
            KINDS[plan->kind].draw(s);
        }
        x = s->y;
        grad_x = s->grad_y;
    }
    if (!p->keep) {
        reuse_memory(steps, net);
    }
    for (ptrdiff_t i = 0; i < net->steps; i++) {
        bind_forward_epilogue(&steps[i]);
        bind_backward_epilogue(&steps[i]);
    }
    p->steps = steps;
    return steps;
}
