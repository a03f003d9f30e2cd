/* lbfgs.c: iterations of L-BFGS. Parameters are the network's, float or double; everything else here is in double, and every
 * sum has one order: the result does not depend on the machine. See lbfgs.h.
 */
#include "lbfgs.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "../runtime/memory.h"
#include "line_search.h"

enum { MOST_EVALUATIONS = 20 }; /* in one line search */

ptrdiff_t mlp_lbfgs_scratch(const mlp_net *net, ptrdiff_t history) {
    return mlp_size_sum(mlp_size_product(net->parameters, 3), mlp_size_product(history, 2));
}

/* ---- vectors ---------------------------------------------------------------------------------------------------- */

/* In the order of reference/sums.h. */
static double dot(ptrdiff_t count, const double *a, const double *b) {
    enum { LANES = 16 };
    double lanes[LANES] = {0};
    for (ptrdiff_t i = 0; i < count; i++) {
        lanes[i % LANES] += a[i] * b[i];
    }
    for (int half = LANES / 2; half > 0; half /= 2) {
        for (int l = 0; l < half; l++) {
            lanes[l] += lanes[l + half];
        }
    }
    return lanes[0];
}

/* to += factor from */
static void add(ptrdiff_t count, double *to, double factor, const double *from) {
    for (ptrdiff_t i = 0; i < count; i++) {
        to[i] += factor * from[i];
    }
}

static void copy(ptrdiff_t count, double *to, const double *from) { memcpy(to, from, (size_t)count * sizeof *to); }

static bool all_finite(ptrdiff_t count, const double *x) {
    for (ptrdiff_t i = 0; i < count; i++) {
        if (!isfinite(x[i])) {
            return false;
        }
    }
    return true;
}

static void read_reals(const mlp_net *net, double *to, const void *from) {
    for (ptrdiff_t i = 0; i < net->parameters; i++) {
        to[i] = net->bits == 32 ? (double)((const float *)from)[i] : ((const double *)from)[i];
    }
}

static void write_params(mlp_net *net, const double *from) {
    for (ptrdiff_t i = 0; i < net->parameters; i++) {
        if (net->bits == 32) {
            ((float *)net->params)[i] = (float)from[i];
        } else {
            ((double *)net->params)[i] = from[i];
        }
    }
}

/* ---- the objective ---------------------------------------------------------------------------------------------- */

/* What stays the same during a training, and the vectors of an iteration. */
typedef struct {
    mlp_net *net;
    mlp_workspace work;
    const mlp_training *training;
    mlp_lbfgs *l;
    ptrdiff_t count;
    double *direction, *point, *gradient; /* the last two: of the trial */
    double *alpha, *rho;                  /* of the pairs                                                      */
    mlp_score score;                      /* of the trial */
    mlp_poller poller;
    ptrdiff_t done; /* iterations */
    bool failed, interrupted;
    bool is_shown; /* the last evaluation was where the parameters are */
} minimizer;

/* The objective at the network's parameters: the loss of all samples and the sum of l2 w^2 / 2; its gradient in m->gradient. */
static double objective(minimizer *m) {
    const mlp_net *net = m->net;
    m->failed = !mlp_net_whole_gradient(m->net, m->work, m->training, &m->score);
    m->l->numbers->evaluations += 1;
    m->is_shown = false;
    if (m->failed) {
        return NAN;
    }
    read_reals(net, m->point, net->params);
    read_reals(net, m->gradient, net->grads);
    double sum = m->score.loss;
    for (ptrdiff_t i = 0; i < net->segments; i++) {
        const mlp_segment *segment = &net->segment[i];
        const ptrdiff_t size = segment->rows * segment->columns;
        double *g = m->gradient + segment->begin, *w = m->point + segment->begin;
        if (!segment->trainable) {
            memset(g, 0, (size_t)size * sizeof *g);
        } else if (segment->l2 > 0) {
            sum += segment->l2 / 2 * dot(size, w, w);
            add(size, g, segment->l2, w);
        }
    }
    return all_finite(m->count, m->gradient) ? sum : NAN;
}

/* Whether an iteration can begin where the last one ended: nobody has changed the parameters since. */
static bool is_where_it_was(minimizer *m) {
    read_reals(m->net, m->point, m->net->params);
    return m->l->numbers->is_known != 0 && memcmp(m->point, m->l->point, (size_t)m->count * sizeof *m->point) == 0;
}

/* The trial becomes the point where the next iteration begins. */
static void accept(minimizer *m, double value) {
    mlp_lbfgs_numbers *numbers = m->l->numbers;
    numbers->is_known = isfinite(value);
    numbers->objective = value;
    numbers->loss = m->score.loss;
    numbers->accuracy = m->score.accuracy;
    copy(m->count, m->l->point, m->point);
    copy(m->count, m->l->gradient, m->gradient);
    m->is_shown = true;
}

/* ---- the direction ---------------------------------------------------------------------------------------------- */

/* The place of the pair that came `back` pairs before the newest. */
static ptrdiff_t place(const mlp_lbfgs *l, ptrdiff_t back) {
    return ((ptrdiff_t)l->numbers->newest - back + l->history) % l->history;
}

/* -H gradient, where H comes from the identity times s y / y y by a BFGS update with each pair, the oldest first: the two-loop
 * recursion, algorithm 7.4. */
static void find_direction(minimizer *m) {
    const mlp_lbfgs *l = m->l;
    const ptrdiff_t count = m->count, pairs = (ptrdiff_t)l->numbers->pairs;
    double *d = m->direction;
    copy(count, d, l->gradient);
    for (ptrdiff_t back = 0; back < pairs; back++) {
        const ptrdiff_t i = place(l, back);
        const double *s = l->s + i * count, *y = l->y + i * count;
        m->rho[i] = 1 / dot(count, s, y);
        m->alpha[i] = m->rho[i] * dot(count, s, d);
        add(count, d, -m->alpha[i], y);
    }
    const double *newest = l->y + place(l, 0) * count;
    const double scale = pairs > 0 ? 1 / (m->rho[place(l, 0)] * dot(count, newest, newest)) : 1;
    for (ptrdiff_t i = 0; i < count; i++) {
        d[i] *= -scale;
    }
    for (ptrdiff_t back = pairs - 1; back >= 0; back--) {
        const ptrdiff_t i = place(l, back);
        const double beta = m->rho[i] * dot(count, l->y + i * count, d);
        add(count, d, -m->alpha[i] - beta, l->s + i * count);
    }
}

/* The change from the point where the iteration began to the trial, unless the curvature along it is lost in rounding errors or
 * is negative. It takes the place of the oldest pair. */
static void remember_change(minimizer *m, double descent) {
    mlp_lbfgs *l = m->l;
    const ptrdiff_t count = m->count, i = place(l, -1);
    double *s = l->s + i * count, *y = l->y + i * count;
    for (ptrdiff_t k = 0; k < count; k++) {
        s[k] = m->point[k] - l->point[k];
        y[k] = m->gradient[k] - l->gradient[k];
    }
    if (dot(count, s, y) > DBL_EPSILON * descent) {
        l->numbers->newest = (double)i;
        l->numbers->pairs += l->numbers->pairs < (double)l->history;
    } else if (l->numbers->pairs == (double)l->history) {
        l->numbers->pairs -= 1; /* the oldest has been overwritten */
    }
}

/* ---- an iteration ----------------------------------------------------------------------------------------------- */

/* A step along the direction that makes the objective smaller, which is then the next point. False: there is none, or the search
 * was ended, and the parameters are those of the point. */
static bool search_along_direction(minimizer *m, double slope) {
    mlp_lbfgs *l = m->l;
    const mlp_line_point start = {0, l->numbers->objective, slope};
    const double first = l->numbers->pairs > 0 ? 1 : 1 / sqrt(dot(m->count, m->direction, m->direction));
    mlp_line_search search = mlp_line_search_new(start, first);
    mlp_search_status status = MLP_SEARCH_GOES_ON;
    double value = NAN, step = 0;
    for (int i = 0; status == MLP_SEARCH_GOES_ON && i < MOST_EVALUATIONS; i++) {
        m->interrupted = mlp_should_stop(&m->poller, m->done);
        if (m->interrupted) {
            break;
        }
        step = search.step;
        copy(m->count, m->point, l->point);
        add(m->count, m->point, step, m->direction);
        write_params(m->net, m->point);
        value = objective(m);
        if (m->failed) {
            break;
        }
        if (isfinite(value)) {
            status = mlp_line_search_next(&search, value, dot(m->count, m->gradient, m->direction));
        } else {
            mlp_line_search_retreat(&search);
        }
    }
    if (!m->failed && !m->interrupted && value < start.value) {
        remember_change(m, -slope * step);
        accept(m, value);
        return true;
    }
    write_params(m->net, l->point);
    return false;
}

/* Along the direction of L-BFGS, or, where that leads nowhere, of steepest descent. */
static void iterate(minimizer *m) {
    mlp_lbfgs_numbers *numbers = m->l->numbers;
    bool again = true;
    while (again && numbers->is_stuck == 0) {
        find_direction(m);
        const double slope = dot(m->count, m->l->gradient, m->direction);
        if (slope < 0 && isfinite(slope) && search_along_direction(m, slope)) {
            return;
        }
        if (m->failed || m->interrupted) {
            return;
        }
        again = numbers->pairs > 0;
        numbers->is_stuck = !again;
        numbers->pairs = 0;
    }
}

mlp_trained mlp_net_minimize(mlp_net *net, mlp_workspace work, const mlp_training *training, mlp_lbfgs *lbfgs,
                             mlp_cursor *cursor) {
    const ptrdiff_t count = net->parameters;
    mlp_lbfgs_numbers *numbers = lbfgs->numbers;
    minimizer m = {.net = net, .work = work, .training = training, .l = lbfgs, .count = count};
    m.direction = lbfgs->scratch;
    m.point = m.direction + count;
    m.gradient = m.point + count;
    m.alpha = m.gradient + count;
    m.rho = m.alpha + lbfgs->history;
    m.poller = mlp_poller_new(training->interrupt, (double)count * (double)training->samples.n * 3);
    mlp_trained done = {.first_not_finite = -1, .rows = -1};
    for (ptrdiff_t epoch = 0; epoch < training->epochs; epoch++) {
        if (!is_where_it_was(&m)) {
            numbers->is_stuck = 0;
            const double value = objective(&m);
            if (!m.failed) {
                accept(&m, value);
            }
        }
        const mlp_score score = {.loss = numbers->loss, .accuracy = numbers->accuracy};
        if (!m.failed && numbers->is_known != 0) {
            iterate(&m);
        }
        if (m.failed || m.interrupted) {
            break;
        }
        if (!isfinite(score.loss) && done.first_not_finite < 0) {
            done.first_not_finite = done.batches;
        }
        training->scores[epoch] = score;
        *lbfgs->t += 1;
        *cursor = (mlp_cursor){.epoch = cursor->epoch + 1};
        done.batches += 1;
        m.done = done.batches;
    }
    if (!m.is_shown && !m.failed && !m.interrupted) {
        objective(&m);
        m.is_shown = !m.failed;
    }
    done.rows = m.is_shown ? training->samples.n : -1;
    done.failed = m.failed;
    return done;
}
