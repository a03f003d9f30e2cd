/* initializers.c: what the first weights are drawn from. All in double, from +, -, *, /, square roots and elementary functions
 * of our own, so that they are the same on every machine; and each number from a draw of its own, whatever was drawn before.
 */
#include "initializers.h"

#include <math.h>

#include "../isa/isa.h"

/* ---- the rows of the catalogue ---------------------------------------------------------------------------------- */

/* The standard deviation of normal numbers truncated at +-2, by which the rows that promise one divide. */
static const double TRUNCATED_DEVIATION = 0.87962566103423978;

static mlp_distribution even(double limit) { return (mlp_distribution){.shape = MLP_EVEN, .spread = limit}; }
static mlp_distribution always(double value) { return (mlp_distribution){.shape = MLP_EVEN, .center = value}; }
static mlp_distribution truncated(double deviation) {
    return (mlp_distribution){.shape = MLP_TRUNCATED_NUMBER, .spread = deviation / TRUNCATED_DEVIATION};
}

/* Each from how many inputs and outputs a layer has, and from the constants c of the row. */
#define ROW(id) static mlp_distribution id##_of(double in, double out, const double *c)
ROW(glorot_uniform) { return (void)c, even(sqrt(6 / (in + out))); }
ROW(he_uniform) { return (void)c, (void)out, even(sqrt(6 / in)); }
ROW(lecun_uniform) { return (void)c, (void)out, even(sqrt(3 / in)); }
ROW(glorot_normal) { return (void)c, truncated(sqrt(2 / (in + out))); }
ROW(he_normal) { return (void)c, (void)out, truncated(sqrt(2 / in)); }
ROW(lecun_normal) { return (void)c, (void)out, truncated(sqrt(1 / in)); }
ROW(zeros) { return (void)c, (void)in, (void)out, always(0); }
ROW(ones) { return (void)c, (void)in, (void)out, always(1); }
ROW(constant) { return (void)in, (void)out, always(c[0]); }
ROW(uniform) {
    (void)in, (void)out;
    return (mlp_distribution){.shape = MLP_EVEN, .center = (c[0] + c[1]) / 2, .spread = (c[1] - c[0]) / 2};
}
ROW(normal) {
    (void)in, (void)out;
    return (mlp_distribution){.shape = MLP_NORMAL_NUMBER, .center = c[0], .spread = c[1]};
}
ROW(truncated_normal) {
    (void)in, (void)out;
    return (mlp_distribution){.shape = MLP_TRUNCATED_NUMBER, .center = c[0], .spread = c[1]};
}
ROW(orthogonal) {
    (void)in, (void)out;
    return (mlp_distribution){.shape = MLP_ORTHONORMAL, .spread = c[0]};
}
#undef ROW

mlp_distribution mlp_distribution_of(const mlp_initializer *initializer, double in, double out) {
    switch (initializer->id) {
#define INITIALIZER(ID, id, ...)                                                                                       \
    case MLP_INITIALIZER_##ID: return id##_of(in, out, initializer->constants);
#include "../catalogue/initializers.def"
    }
    return (mlp_distribution){0}; /* not reached */
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

/* The z that a normal number is below with probability p, 0 < p < 1. */
static double normal_quantile(double p) {
    double z;
    mlp_current_f64()->elementary(MLP_ELEMENTARY_NORMAL_QUANTILE, 1, &z, &p);
    return z;
}

static double draw_normal(mlp_stream stream, uint64_t index) {
    const double u = mlp_draw_uniform(stream, index);
    return normal_quantile(u > 0 ? u : 0x1p-54);
}

double mlp_draw_number(const mlp_distribution *d, mlp_stream stream, uint64_t index) {
    const double below = 0.022750131948179207, within = 0.95449973610364159; /* probabilities of z < -2 and |z| < 2 */
    double x = 0;
    if (d->spread > 0) {
        switch (d->shape) {
        case MLP_EVEN: x = 2 * mlp_draw_uniform(stream, index) - 1; break;
        case MLP_NORMAL_NUMBER: x = draw_normal(stream, index); break;
        case MLP_TRUNCATED_NUMBER: x = normal_quantile(below + within * mlp_draw_uniform(stream, index)); break;
        case MLP_ORTHONORMAL: break; /* has no numbers of their own */
        }
    }
    return d->center + d->spread * x;
}

/* ---- orthonormal rows ------------------------------------------------------------------------------------------- */

enum { LANES = 8 };

/* Number i goes to partial sum i % LANES, and these are added in order. */
static double dot(ptrdiff_t n, const double *a, const double *b) {
    double lane[LANES] = {0}, sum = 0;
    ptrdiff_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++) {
            lane[l] += a[i + l] * b[i + l];
        }
    }
    for (int l = 0; i < n; i++, l++) {
        lane[l] += a[i] * b[i];
    }
    for (int l = 0; l < LANES; l++) {
        sum += lane[l];
    }
    return sum;
}

/* x -= factor u */
static void subtract(ptrdiff_t n, double *x, double factor, const double *u) {
    for (ptrdiff_t i = 0; i < n; i++) {
        x[i] -= factor * u[i];
    }
}

/* x (n) becomes the u of the reflection x - tau (u x) u that sends it to (r, 0, ..., 0); returns tau, 0 for no reflection. */
static double reflection_of(ptrdiff_t n, double *x, double *r) {
    const double length = sqrt(dot(n, x, x));
    *r = x[0] > 0 ? -length : length;
    x[0] -= *r;
    const double square = dot(n, x, x);
    return square > 0 ? 2 / square : 0;
}

/* Householder's factorization of the transposed matrix, Q R, whose columns are the rows here; then Q itself in the same
 * memory, from its last column to the first. A column whose R_jj is negative turns round, which makes Q unique. */
bool mlp_draw_orthonormal(ptrdiff_t few, ptrdiff_t many, double *q, mlp_stream stream, uint64_t index,
                          const mlp_interrupt *interrupt) {
    enum { DRAW_WORK = 64 }; /* what a draw costs in multiply-adds */
    double *const tau = q + few * many, *const r = tau + few;
    mlp_poller poller = mlp_poller_new(interrupt, DRAW_WORK * (double)many);
    for (ptrdiff_t j = 0; j < few; j++) {
        for (ptrdiff_t i = 0; i < many; i++) {
            q[j * many + i] = draw_normal(stream, index + (uint64_t)(j * many + i));
        }
        if (mlp_should_stop(&poller, j)) {
            return false;
        }
    }
    poller = mlp_poller_new(interrupt, 2 * (double)many);
    for (ptrdiff_t j = 0; j < few; j++) {
        double *const u = q + j * many + j;
        tau[j] = reflection_of(many - j, u, &r[j]);
        for (ptrdiff_t k = j + 1; k < few; k++) {
            double *const x = q + k * many + j;
            subtract(many - j, x, tau[j] * dot(many - j, u, x), u);
            if (mlp_should_stop(&poller, j)) {
                return false;
            }
        }
    }
    for (ptrdiff_t j = few - 1; j >= 0; j--) {
        double *const row = q + j * many, *const u = row + j;
        for (ptrdiff_t k = j + 1; k < few; k++) {
            double *const x = q + k * many + j;
            x[0] = 0; /* what stood here and before belonged to R */
            subtract(many - j, x, tau[j] * dot(many - j, u, x), u);
            if (mlp_should_stop(&poller, j)) {
                return false;
            }
        }
        const double factor = tau[j] * u[0];
        for (ptrdiff_t i = 0; i < many - j; i++) {
            u[i] = (i == 0) - factor * u[i];
        }
        for (ptrdiff_t i = 0; i < j; i++) {
            row[i] = 0;
        }
    }
    for (ptrdiff_t j = 0; j < few; j++) {
        for (ptrdiff_t i = 0; r[j] < 0 && i < many; i++) {
            q[j * many + i] = -q[j * many + i];
        }
    }
    return true;
}
