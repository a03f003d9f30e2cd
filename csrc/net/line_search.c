/* line_search.c: the method of Moré & Thuente, with the constants of L-BFGS-B (Zhu et al. 1997). See line_search.h. */
#include "line_search.h"

#include <math.h>

static const double FTOL = 1e-3, GTOL = 0.9;
static const double XTOL = 0.1;             /* an interval so narrow, relative to its end, is not searched any more */
static const double LONGEST_STEP = 1e10;    /* that is tried                                         */
static const double EXTEND = 1.1, LEAP = 4; /* while the interval is open, steps grow by these factors */
static const double SHRINK = 0.66;          /* a closed interval shrinks at least so much in two steps */

static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

static double largest(double a, double b, double c) {
    const double ab = fabs(a) > fabs(b) ? fabs(a) : fabs(b);
    return ab > fabs(c) ? ab : fabs(c);
}

/* The cubic with the values and slopes of two points. Its minimum is at p + r (q - p), r = ratio. `gamma` is the root in its
 * formula, with the sign that makes it the minimum; it is 0 where the cubic has none. */
typedef struct {
    double ratio, gamma;
} cubic;

static cubic cubic_of(mlp_line_point p, mlp_line_point q) {
    const double theta = 3 * (p.value - q.value) / (q.step - p.step) + p.slope + q.slope;
    const double scale = largest(theta, p.slope, q.slope);
    const double square = theta / scale * (theta / scale) - p.slope / scale * (q.slope / scale);
    double gamma = scale * sqrt(square > 0 ? square : 0);
    if (q.step < p.step) {
        gamma = -gamma;
    }
    return (cubic){.ratio = (gamma - p.slope + theta) / (gamma - p.slope + gamma + q.slope), .gamma = gamma};
}

static double between(mlp_line_point p, mlp_line_point q, double ratio) { return p.step + ratio * (q.step - p.step); }

/* The minimum of the parabola with the value and slope of p and the value of q, and of the one with both slopes. */
static double parabola_by_value(mlp_line_point p, mlp_line_point q) {
    return between(p, q, p.slope / ((p.value - q.value) / (q.step - p.step) + p.slope) / 2);
}

static double parabola_by_slopes(mlp_line_point p, mlp_line_point q) {
    return between(p, q, p.slope / (p.slope - q.slope));
}

static double nearer(double to, double a, double b) { return fabs(a - to) < fabs(b - to) ? a : b; }
static double farther(double to, double a, double b) { return fabs(a - to) > fabs(b - to) ? a : b; }

/* Moré & Thuente, section 4: the next step from the trial, and the interval with the trial as one of its ends. */
static double next_trial(mlp_line_search *s, mlp_line_point *best, mlp_line_point *other, mlp_line_point trial) {
    const bool slope_turns = best->slope < 0 ? trial.slope > 0 : trial.slope < 0;
    double step;
    if (trial.value > best->value) { /* case 1: higher, so that a minimum lies between */
        const double by_cubic = between(*best, trial, cubic_of(*best, trial).ratio);
        const double by_parabola = parabola_by_value(*best, trial);
        step = fabs(by_cubic - best->step) < fabs(by_parabola - best->step) ? by_cubic
                                                                            : by_cubic + (by_parabola - by_cubic) / 2;
        s->bracketed = true;
    } else if (slope_turns) { /* case 2: lower, with a slope the other way: a minimum lies between */
        const double by_cubic = between(trial, *best, cubic_of(trial, *best).ratio);
        step = farther(trial.step, by_cubic, parabola_by_slopes(trial, *best));
        s->bracketed = true;
    } else if (fabs(trial.slope) < fabs(best->slope)) { /* case 3: lower and flatter: the minimum may lie beyond */
        const cubic c = cubic_of(trial, *best);
        const double end = trial.step > best->step ? s->high : s->low;
        const double by_cubic = c.ratio < 0 && c.gamma != 0 ? between(trial, *best, c.ratio) : end;
        const double by_slopes = parabola_by_slopes(trial, *best);
        if (s->bracketed) {
            const double limit = trial.step + SHRINK * (other->step - trial.step);
            step = nearer(trial.step, by_cubic, by_slopes);
            step = trial.step > best->step ? fmin(limit, step) : fmax(limit, step);
        } else {
            step = clamp(farther(trial.step, by_cubic, by_slopes), s->low, s->high);
        }
    } else if (s->bracketed) { /* case 4: lower and no flatter */
        step = between(trial, *other, cubic_of(trial, *other).ratio);
    } else {
        step = trial.step > best->step ? s->high : s->low;
    }
    if (trial.value > best->value) {
        *other = trial;
    } else {
        if (slope_turns) {
            *other = *best;
        }
        *best = trial;
    }
    return step;
}

mlp_line_search mlp_line_search_new(mlp_line_point start, double step) {
    return (mlp_line_search){.start = start,
                             .best = start,
                             .other = start,
                             .step = clamp(step, 0, LONGEST_STEP),
                             .low = 0,
                             .high = step + LEAP * step,
                             .width = LONGEST_STEP,
                             .width_before = 2 * LONGEST_STEP};
}

/* The function without the decrease that is asked for: its minimum has enough of it (Moré & Thuente, section 2). */
static mlp_line_point without(mlp_line_point point, double slope) {
    return (mlp_line_point){point.step, point.value - point.step * slope, point.slope - slope};
}

static bool is_exhausted(const mlp_line_search *s) {
    return s->bracketed && (s->step <= s->low || s->step >= s->high || s->high - s->low <= XTOL * s->high);
}

mlp_search_status mlp_line_search_next(mlp_line_search *s, double value, double slope) {
    const mlp_line_point trial = {s->step, value, slope};
    const double asked = FTOL * s->start.slope, enough = s->start.value + s->step * asked;
    if (value <= enough && fabs(slope) <= GTOL * -s->start.slope) {
        return MLP_SEARCH_FOUND;
    }
    if (is_exhausted(s) || (s->step >= LONGEST_STEP && value <= enough && slope <= asked)) {
        return MLP_SEARCH_STUCK;
    }
    s->decreased = s->decreased || (value <= enough && slope >= 0);
    if (!s->decreased && value <= s->best.value && value > enough) {
        mlp_line_point best = without(s->best, asked), other = without(s->other, asked);
        s->step = next_trial(s, &best, &other, without(trial, asked));
        s->best = without(best, -asked);
        s->other = without(other, -asked);
    } else {
        s->step = next_trial(s, &s->best, &s->other, trial);
    }
    const double width = fabs(s->other.step - s->best.step);
    if (s->bracketed) {
        if (width >= SHRINK * s->width_before) {
            s->step = s->best.step + (s->other.step - s->best.step) / 2;
        }
        s->width_before = s->width;
        s->width = width;
        s->low = fmin(s->best.step, s->other.step);
        s->high = fmax(s->best.step, s->other.step);
    } else {
        s->low = s->step + EXTEND * (s->step - s->best.step);
        s->high = s->step + LEAP * (s->step - s->best.step);
    }
    s->step = clamp(s->step, 0, LONGEST_STEP);
    if (is_exhausted(s)) {
        s->step = s->best.step;
    }
    return MLP_SEARCH_GOES_ON;
}

void mlp_line_search_retreat(mlp_line_search *s) { s->step = s->best.step + (s->step - s->best.step) / 10; }
