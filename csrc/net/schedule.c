/* schedule.c: each schedule of catalogue/schedules.def as its formula. See schedule.h.
 *
 * Cosines are needed only as (1 - cos(2 pi x)) / 2 = sin^2(pi x), which loses no digits where it is small: its error is below
 * 5 units in the last place, the rounding of t / length included. A power is e^(y log x), whose relative error is about
 * |y log x| times that of one rounding: below 2e-13 for every power that a double can hold (tests/test_schedule.py).
 */
#include "schedule.h"

#include <math.h>

static double elementary(mlp_elementary_id function, double x) {
    double y;
    mlp_reference_f64.elementary(function, 1, &y, &x);
    return y;
}

static double power(double base, double exponent) {
    return base > 0 ? elementary(MLP_ELEMENTARY_EXP, exponent * elementary(MLP_ELEMENTARY_LOG, base)) : 0;
}

/* base^n for a whole n >= 0 by squaring: 0.1 * 0.5^3 is then 0.0125. */
static double whole_power(double base, double n) {
    double result = 1;
    for (n = n < 0x1p53 ? n : 0x1p53; n >= 1; n = floor(n / 2)) {
        result *= n - 2 * floor(n / 2) > 0 ? base : 1;
        base *= base;
    }
    return result;
}

/* c[0] + c[1] x + ... */
static double polynomial(int count, const double *c, double x) {
    double sum = 0;
    for (int k = count - 1; k >= 0; k--) {
        sum = sum * x + c[k];
    }
    return sum;
}

/* sin^2(pi x) for x >= 0: by its period x is brought into [0, 1/2] without a rounding, and then sine or cosine of an angle of at
 * most pi / 4 is its Taylor series, which is right beyond the last digit of a double. */
static double sine_squared(double x) {
    static const double PI = 3.14159265358979323846;
    static const double SINE[] = {1.0,
                                  -1.0 / 6,
                                  1.0 / 120,
                                  -1.0 / 5040,
                                  1.0 / 362880,
                                  -1.0 / 39916800,
                                  1.0 / 6227020800,
                                  -1.0 / 1307674368000,
                                  1.0 / 355687428096000};
    static const double COSINE[] = {1.0,
                                    -1.0 / 2,
                                    1.0 / 24,
                                    -1.0 / 720,
                                    1.0 / 40320,
                                    -1.0 / 3628800,
                                    1.0 / 479001600,
                                    -1.0 / 87178291200,
                                    1.0 / 20922789888000};
    x -= floor(x);
    x = x > 0.5 ? 1 - x : x;
    const double angle = PI * (x > 0.25 ? 0.5 - x : x), square = angle * angle;
    const double root = x > 0.25 ? polynomial(9, COSINE, square) : angle * polynomial(9, SINE, square);
    return root * root;
}

/* From `from` at part 0 to `to` at part 1 by half a cosine. */
static double cosine_between(double from, double to, double part) {
    return to + (from - to) * sine_squared((1 - part) / 2);
}

static double at_most(double t, double length) { return t < length ? t : length; }

/* ---- the schedules: the rate at t, in steps or epochs ----------------------------------------------------------- */

static double constant_rate(const mlp_schedule *s, double rate, double t) { return (void)s, (void)t, rate; }

enum { STEP_EVERY, STEP_FACTOR };

static double step_rate(const mlp_schedule *s, double rate, double t) {
    return rate * whole_power(s->constants[STEP_FACTOR], floor(t / s->constants[STEP_EVERY]));
}

enum { EXPONENTIAL_FACTOR, EXPONENTIAL_EVERY };

static double exponential_rate(const mlp_schedule *s, double rate, double t) {
    return rate * power(s->constants[EXPONENTIAL_FACTOR], t / s->constants[EXPONENTIAL_EVERY]);
}

enum { INVERSE_POWER, INVERSE_EVERY };

static double inverse_scaling_rate(const mlp_schedule *s, double rate, double t) {
    return rate / power(1 + t / s->constants[INVERSE_EVERY], s->constants[INVERSE_POWER]);
}

enum { LENGTH, POLYNOMIAL_POWER, POLYNOMIAL_MINIMUM };

static double polynomial_rate(const mlp_schedule *s, double rate, double t) {
    const double length = s->constants[LENGTH], minimum = s->constants[POLYNOMIAL_MINIMUM];
    const double left = (length - at_most(t, length)) / length;
    return minimum + (rate - minimum) * power(left, s->constants[POLYNOMIAL_POWER]);
}

enum { COSINE_MINIMUM = LENGTH + 1, COSINE_RESTARTS, COSINE_GROWTH };

static double cosine_rate(const mlp_schedule *s, double rate, double t) {
    enum { MOST_CYCLES = 64 }; /* of growing length, each at least twice as long as the one before */
    const double minimum = s->constants[COSINE_MINIMUM], growth = s->constants[COSINE_GROWTH];
    double length = s->constants[LENGTH];
    if (s->constants[COSINE_RESTARTS] != 0) {
        for (int i = 0; growth > 1 && t >= length && i < MOST_CYCLES; i++) {
            t -= length;
            length *= growth;
        }
        t -= length * floor(t / length);
    }
    return minimum + (rate - minimum) * sine_squared((length - at_most(t, length)) / (2 * length));
}

enum { COSLOG_CYCLES = LENGTH + 1 };

static double coslog_rate(const mlp_schedule *s, double rate, double t) {
    static const double LN2 = 0.69314718055994530942;
    const double length = s->constants[LENGTH], most = whole_power(2, s->constants[COSLOG_CYCLES]) - 1;
    return rate * sine_squared(elementary(MLP_ELEMENTARY_LOG1P, most * (at_most(t, length) / length)) / LN2);
}

enum { ONE_CYCLE_START = LENGTH + 1, ONE_CYCLE_DIV, ONE_CYCLE_FINAL_DIV };

static double one_cycle_rate(const mlp_schedule *s, double rate, double t) {
    const double length = s->constants[LENGTH], top = s->constants[ONE_CYCLE_START] * length - 1;
    const double first = rate / s->constants[ONE_CYCLE_DIV], last = first / s->constants[ONE_CYCLE_FINAL_DIV];
    return t < top ? cosine_between(first, rate, t / top)
                   : cosine_between(rate, last, at_most((t - top) / (length - 1 - top), 1));
}

enum { PLATEAU_FACTOR, PLATEAU_PATIENCE, PLATEAU_MIN_DELTA, PLATEAU_MINIMUM, PLATEAU_VALIDATION };

static double reduce_on_plateau_rate(const mlp_schedule *s, double rate, double t) {
    const double minimum = s->constants[PLATEAU_MINIMUM], reduced = rate * s->progress->scale;
    return (void)t, reduced > minimum ? reduced : minimum;
}

/* A loss that is NaN is no improvement. */
void mlp_schedule_loss(const mlp_schedule *s, double loss) {
    mlp_schedule_progress *p = s->progress;
    if (!p || s->id != MLP_SCHEDULE_REDUCE_ON_PLATEAU) {
        return;
    }
    if (loss < p->best - s->constants[PLATEAU_MIN_DELTA]) {
        p->best = loss;
        p->wait = 0;
        return;
    }
    p->wait += 1;
    if (p->wait >= s->constants[PLATEAU_PATIENCE]) {
        p->scale *= s->constants[PLATEAU_FACTOR];
        p->wait = 0;
    }
}

/* ---- any of them ------------------------------------------------------------------------------------------------ */

static double rate_at(const mlp_schedule *s, double rate, double t) {
    switch (s->id) {
#define SCHEDULE(ID, id, ...)                                                                                          \
    case MLP_SCHEDULE_##ID: return id##_rate(s, rate, t);
#include "../catalogue/schedules.def"
    }
    return rate; /* not reached */
}

double mlp_scheduled_rate(const mlp_schedule *s, double learning_rate, int64_t steps) {
    if (!s->progress) {
        return learning_rate;
    }
    const double step = (double)steps - s->progress->first_step;
    const double after = step > s->warmup ? step - s->warmup : 0;
    const double rate = rate_at(s, learning_rate, s->per_epoch ? s->progress->epochs : after);
    return at_most(step < s->warmup ? rate * ((step + 1) / s->warmup) : rate,
                   learning_rate); /* whatever was rounded up */
}

void mlp_schedule_epoch(const mlp_schedule *s, double loss) {
    if (!s->progress) {
        return;
    }
    s->progress->epochs += 1;
    if (s->id == MLP_SCHEDULE_REDUCE_ON_PLATEAU && s->constants[PLATEAU_VALIDATION] == 0) {
        mlp_schedule_loss(s, loss);
    }
}

void mlp_schedule_validated(const mlp_schedule *s, double loss) {
    if (s->progress && s->id == MLP_SCHEDULE_REDUCE_ON_PLATEAU && s->constants[PLATEAU_VALIDATION] != 0) {
        mlp_schedule_loss(s, loss);
    }
}
