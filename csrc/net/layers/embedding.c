/* embedding.c: Embedding, the first step of a network: rows of tables in place of columns that tell a category. Each table is a
 * segment. Nothing below it needs a gradient.
 */

/* The caller has made sure that the columns are those of the input, in ascending order. */
static bool embedding_plan(mlp_net *net, mlp_step *step, const mlp_step_spec *spec) {
    mlp_table *table = mlp_alloc(spec->segments, sizeof *table);
    net->embedding = (mlp_embedding){.in = step->in, .tables = spec->segments, .table = table};
    step->out = step->in;
    for (ptrdiff_t t = 0; t < spec->segments; t++) {
        const ptrdiff_t categories = spec->shapes[t][0], dim = spec->shapes[t][1];
        if (!table) {
            return false;
        }
        table[t] = (mlp_table){.column = spec->columns[t],
                               .first = spec->columns[t] + step->out - step->in,
                               .categories = categories,
                               .dim = dim,
                               .begin = net->parameters};
        step->out = mlp_size_sum(step->out, dim - 1);
        if (step->out < 0 || !mlp_claim_segment(net, step, categories, dim)) {
            return false;
        }
    }
    net->embedding.out = step->out;
    return true;
}

static bool embedding_forward(const bound_step *s) {
    s->pass->k->embedding_forward(&s->pass->net->embedding, s->pass->n, s->y, s->x, s->params);
    return true;
}

static bool embedding_backward(const bound_step *s, const weight_updater *updater) {
    s->pass->k->embedding_backward_tables(&s->pass->net->embedding, s->pass->n, s->grads, s->grad_y, s->x);
    update_layer(s, updater);
    return true;
}
