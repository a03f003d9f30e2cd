/* measure.c: metrics (net/metrics.h): what each batch adds to the sums, and what all samples together say when they are over. */

/* Before the first row, whose turn is `begin`. */
static void begin_measures(mlp_measures *m, ptrdiff_t out, ptrdiff_t begin) {
    memset(m->room, 0, (size_t)mlp_measure_room(m, out) * sizeof *m->room);
    m->begin = begin;
    m->rows = 0;
    m->weight = 0;
}

/* ---- part by part ----------------------------------------------------------------------------------------------- */

/* What the parts before have summed up. */
static void take_sums(const mlp_part *part, double *loss, double *weight, double *correct, mlp_measures *m,
                      ptrdiff_t out) {
    const double *sums = part->sums;
    *loss = sums[0];
    *weight = sums[1];
    *correct = sums[2];
    if (m) {
        m->rows = (ptrdiff_t)sums[3];
        m->weight = sums[4];
        memcpy(m->room, sums + MLP_PART_SUMS, (size_t)mlp_measure_room(m, out) * sizeof *m->room);
    }
}

/* The same with this part, for the next one; the metrics have been passed on by pass_measures. */
static void hand_on_sums(const mlp_part *part, double loss, double weight, double correct, const mlp_measures *m,
                         ptrdiff_t out) {
    double *sums = part->sums;
    sums[0] = loss;
    sums[1] = weight;
    sums[2] = correct;
    if (m) {
        sums[3] = (double)m->rows;
        sums[4] = m->weight;
        memcpy(sums + MLP_PART_SUMS, m->room, (size_t)mlp_measure_room(m, out) * sizeof *m->room);
    }
}

/* ---- batch by batch --------------------------------------------------------------------------------------------- */

static double log_losses(const kernels *k, const head *h, const mlp_measures *m, ptrdiff_t n, const real *y,
                         const real *weight) {
    const loss_function loss = {.id = m->answers == MLP_ANSWERS_CLASSES ? MLP_CCE : MLP_BCE};
    real *value = m->losses;
    k->output_loss(&loss, &h->sigma, n, h->out, value, h->z, h->a, y);
    double sum = 0;
    for (ptrdiff_t s = 0; s < n; s++) {
        sum += (weight ? (double)weight[s] : 1) * (double)value[s];
    }
    return sum;
}

/* The rule that a metric counts by; `accuracy` stands for one of them. */
static mlp_metric_id rule_of(const mlp_measures *m, mlp_measure_id id) {
    if ((int)id < (int)MLP_METRIC_COUNT) {
        return (mlp_metric_id)id;
    }
    return m->answers == MLP_ANSWERS_CLASSES ? MLP_CATEGORICAL_ACCURACY
           : m->threshold == 0               ? MLP_SIGN_ACCURACY
                                             : MLP_BINARY_ACCURACY;
}

/* What n rows add to the sums. */
static void add_rows(const kernels *k, const head *h, mlp_measures *m, ptrdiff_t n, const real *y, const real *weight) {
    const mlp_measured at = mlp_measured_in(m, h->out);
    for (ptrdiff_t i = 0; i < m->count; i++) {
        const mlp_measure *measure = &m->measure[i];
        switch (mlp_source_of(measure->id)) {
        case MLP_FROM_RIGHT: at.sums[i] += k->count_correct(rule_of(m, measure->id), n, h->out, h->a, y, weight); break;
        case MLP_FROM_TOP_K:
            at.sums[i] += k->count_top_k((ptrdiff_t)measure->constants[0], n, h->out, h->a, y, weight);
            break;
        case MLP_FROM_LOSSES: at.sums[i] += log_losses(k, h, m, n, y, weight); break;
        case MLP_FROM_COUNTS:
        case MLP_FROM_ERRORS:
        case MLP_FROM_RANKS: break; /* several metrics have them in common */
        }
    }
    if (mlp_measures_from(m, MLP_FROM_COUNTS)) {
        k->count_answers(m->answers, (real)m->threshold, n, h->out, at.counts, h->a, y, weight);
    }
    if (mlp_measures_from(m, MLP_FROM_ERRORS)) {
        k->add_errors(n, h->out, at.errors, h->a, y, weight);
    }
}

/* After the forward of n rows, of which the first's turn is `begin`. */
static void measure_batch(const kernels *k, const head *h, mlp_measures *m, ptrdiff_t n, const real *y,
                          const real *weight, const ptrdiff_t *order, ptrdiff_t begin) {
    if (m->count > 0) {
        add_rows(k, h, m, n, y, weight);
    }
    for (ptrdiff_t s = 0; m->predictions && s < n; s++) {
        const ptrdiff_t row = order ? order[begin + s] : begin + s;
        memcpy((real *)m->predictions + row * h->out, h->a + s * h->out, (size_t)h->out * sizeof(real));
    }
}

/* ---- all samples ------------------------------------------------------------------------------------------------ */

/* The samples that were measured: those whose turns are begin ... end - 1. */
typedef struct {
    const mlp_measures *m;
    const mlp_samples *samples;
    const ptrdiff_t *order;
    bool has_labels;
    ptrdiff_t out, begin, end;
} measured_rows;

/* In the order of the data, where all are there: it costs less, and the sums do not depend on the shuffle. */
static ptrdiff_t row_at(const measured_rows *r, ptrdiff_t turn) {
    return r->order && r->begin > 0 ? r->order[turn] : turn;
}

static double weight_at(const measured_rows *r, ptrdiff_t row) {
    const real *weight = r->samples->weight;
    return weight ? (double)weight[row] : 1;
}

/* y of one output; by a class index too. */
static real y_at(const measured_rows *r, ptrdiff_t row, ptrdiff_t k) {
    const real *y = r->samples->y;
    return r->has_labels ? (real)(y[row] == (real)k) : y[row * r->out + k];
}

/* sum of weight (y - mean y)^2 of an output */
static double total_squares(const measured_rows *r, ptrdiff_t k, row_watch *watch) {
    double sum = 0, weights = 0, squares = 0;
    for (ptrdiff_t turn = r->begin; turn < r->end && !stopped(watch, turn); turn++) {
        const ptrdiff_t row = row_at(r, turn);
        sum += weight_at(r, row) * (double)y_at(r, row, k);
        weights += weight_at(r, row);
    }
    const double mean = weights > 0 ? sum / weights : 0;
    for (ptrdiff_t turn = r->begin; turn < r->end && !stopped(watch, turn); turn++) {
        const ptrdiff_t row = row_at(r, turn);
        const double deviation = (double)y_at(r, row, k) - mean;
        squares += weight_at(r, row) * (deviation * deviation);
    }
    return squares;
}

/* Whether y of a row says yes to an output. */
static bool is_positive(const measured_rows *r, ptrdiff_t row, ptrdiff_t k) {
    if (r->m->answers != MLP_ANSWERS_CLASSES || r->has_labels) {
        return (double)y_at(r, row, k) > r->m->threshold;
    }
    const real *y = (const real *)r->samples->y + row * r->out;
    bool largest = y[k] > 0; /* the first of the largest */
    for (ptrdiff_t j = 0; largest && j < r->out; j++) {
        largest = j < k ? y[j] < y[k] : y[j] <= y[k];
    }
    return largest;
}

/* The chance that a yes has a larger score than a no, equal ones counting half: of the scores in ascending order, each yes with the
 * noes before it. NAN without a yes or a no, or with a score that is none. */
static double area_of(const measured_rows *r, ptrdiff_t k, row_watch *watch) {
    const real *scores = (const real *)r->m->predictions + k;
    const ptrdiff_t n = r->end - r->begin;
    mlp_ranked *items = r->m->ranking;
    for (ptrdiff_t i = 0; i < n && !stopped(watch, i); i++) {
        const ptrdiff_t row = row_at(r, r->begin + i);
        const real score = scores[row * r->out];
        if (score != score) {
            return (double)NAN;
        }
        const double weight = weight_at(r, row);
        items[i] = (mlp_ranked){ascending_bits(score), is_positive(r, row, k) ? weight : -weight};
    }
    items = sort_by_key(n, items, items + n, watch);
    double area = 0, yes = 0, no = 0;
    for (ptrdiff_t i = 0, next; i < n && !watch->stop; i = next) {
        double yes_here = 0, no_here = 0;
        for (next = i; next < n && items[next].key == items[i].key && !stopped(watch, next); next++) {
            const double weight = items[next].weight;
            yes_here += weight > 0 ? weight : 0;
            no_here -= weight < 0 ? weight : 0;
        }
        area += yes_here * (no + no_here / 2);
        yes += yes_here;
        no += no_here;
    }
    return watch->stop ? (double)NAN : area / (yes * no); /* 0 / 0 without one */
}

static bool has_measure(const mlp_measures *m, mlp_measure_id id) {
    for (ptrdiff_t i = 0; i < m->count; i++) {
        if (m->measure[i].id == id) {
            return true;
        }
    }
    return false;
}

/* Of the epoch's samples so far: those of its parts before, and these. */
static double weight_of_rows(const measured_rows *r, row_watch *watch) {
    if (!r->samples->weight) {
        return r->m->weight + (double)(r->end - r->begin);
    }
    double weight = r->m->weight;
    for (ptrdiff_t turn = r->begin; turn < r->end && !stopped(watch, turn); turn++) {
        weight += weight_at(r, row_at(r, turn));
    }
    return weight;
}

/* The samples are over, and their epoch is not. */
static void pass_measures(mlp_measures *m, const mlp_samples *samples, const head *h, const ptrdiff_t *order,
                          const mlp_interrupt *interrupt, ptrdiff_t done) {
    const measured_rows r = {m, samples, order, h->has_labels, h->out, m->begin, samples->n};
    row_watch watch = watch_rows(interrupt, done);
    m->weight = weight_of_rows(&r, &watch);
    m->rows += r.end - r.begin;
}

/* The values of all metrics when the samples with turns up to `end` were measured. Polls with `done`; true: stop, and the
 * values are nan. */
static bool finish_measures(const mlp_measures *m, const mlp_samples *samples, const head *h, const ptrdiff_t *order,
                            ptrdiff_t end, double *values, const mlp_interrupt *interrupt, ptrdiff_t done) {
    const ptrdiff_t out = h->out;
    const measured_rows r = {m, samples, order, h->has_labels, out, m->begin, end};
    mlp_measured found = mlp_measured_in(m, out);
    row_watch watch = watch_rows(interrupt, done);
    found.rows = m->rows + end - m->begin;
    found.weight = weight_of_rows(&r, &watch);
    for (ptrdiff_t j = 0; j < out && has_measure(m, MLP_MEASURE_R2); j++) {
        found.total_squares[j] = total_squares(&r, j, &watch);
    }
    for (ptrdiff_t j = 0; j < out && mlp_measures_from(m, MLP_FROM_RANKS); j++) {
        const bool needed = j == mlp_positive_output(m->answers, out) || has_measure(m, MLP_MEASURE_ROC_AUC_OVR);
        found.areas[j] = needed ? area_of(&r, j, &watch) : (double)NAN;
    }
    for (ptrdiff_t i = 0; i < m->count; i++) {
        const double value = mlp_measure_value(&found, m->measure[i].id, found.sums[i]);
        values[i] = watch.stop ? (double)NAN : value;
    }
    return watch.stop;
}
