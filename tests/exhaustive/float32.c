/* float32.c: csrc/reference/elementary.h and the activations made from it in float, on all 2^32 inputs, against the C
 * library in double.
 *
 *     cc -std=c11 -O3 -ffp-contract=off -mfma -pthread -Icsrc tests/exhaustive/float32.c \
 *         csrc/reference/reference_f*.c $(find csrc/catalogue csrc/runtime -name '*.c') \
 *         -lm -o build/exhaustive-float32 && build/exhaustive-float32
 *
 * (without -mfma where the processor is no x86; tests/exhaustive/run.py does all that). Prints the worst error of each
 * function in ulp, units in the last place of the exact result, and where it is. Exits with 1 if one is above
 * what elementary.h or reference/activations.c states, or if a NaN, an infinity, an exact zero or the sign of any result is
 * not what the C library gives (but for an activation that rounds to zero), or tanh or erf is not odd.
 */
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "mlpcore.h"

enum { THREADS = 2, CHUNK = 1 << 14 };

/* ---- the formulas in double, written such that no digits are lost --------------------------------------------------- */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double elu(double z) { return z > 0 ? z : expm1(z); }
static double selu(double z) { return 1.0507009873554804934 * (z > 0 ? z : 1.6732632423543772848 * expm1(z)); }
static double gelu(double z) { return z < -40 ? -0.0 : z * erfc(-z * 0.70710678118654752) / 2; }
static double gelu_tanh(double z) {
    return z < -40 ? -0.0 : z / (1 + exp(-1.5957691216057307118 * z * (1 + 0.044715 * z * z)));
}
static double silu(double z) { return z < -700 ? -0.0 : z / (1 + exp(-z)); }
static double mish(double z) {
    const double e = exp(-fabs(z));
    return z > 0 ? z * (1 + 2 * e) / (1 + 2 * e + 2 * e * e) : e == 0 ? -0.0 : z * e * (e + 2) / (e * e + 2 * e + 2);
}
static double softplus(double z) { return (z > 0 ? z : 0) + log1p(exp(-fabs(z))); }
static double softsign(double z) { return isinf(z) ? copysign(1, z) : z / (1 + fabs(z)); }
static double exponential(double z) { /* ends at the largest number */
    const double e = exp(z);
    return e > (double)FLT_MAX ? (double)FLT_MAX : e;
}
static double log_softmax(double z) { return -softplus(-z); } /* of the row (z, 0), the first */

static const struct {
    const char *name;
    double (*exact)(double);
    double most_ulp; /* what elementary.h and reference/activations.c state */
    int id, is_activation;
} FUNCTIONS[] = {
    {"exp", exp, 1.05, MLP_ELEMENTARY_EXP, 0},
    {"expm1", expm1, 1.75, MLP_ELEMENTARY_EXPM1, 0},
    {"log", log, 0.9, MLP_ELEMENTARY_LOG, 0},
    {"log1p", log1p, 0.95, MLP_ELEMENTARY_LOG1P, 0},
    {"tanh", tanh, 1.75, MLP_ELEMENTARY_TANH, 0},
    {"erf", erf, 1.5, MLP_ELEMENTARY_ERF, 0},
    {"sigmoid", sigmoid, 1.7, MLP_ELEMENTARY_SIGMOID, 0},
    {"elu", elu, 4, MLP_ELU, 1},
    {"selu", selu, 4, MLP_SELU, 1},
    {"celu", elu, 4, MLP_CELU, 1}, /* of alpha 1 */
    {"gelu", gelu, 4, MLP_GELU, 1},
    {"gelu_tanh", gelu_tanh, 4, MLP_GELU_TANH, 1},
    {"silu", silu, 4, MLP_SILU, 1},
    {"mish", mish, 4, MLP_MISH, 1},
    {"softplus", softplus, 4, MLP_SOFTPLUS, 1},
    {"softsign", softsign, 4, MLP_SOFTSIGN, 1},
    {"exponential", exponential, 4, MLP_EXPONENTIAL, 1},
    {"log_softmax", log_softmax, 4, MLP_LOG_SOFTMAX, 1},
};
enum { FUNCTION_COUNT = sizeof FUNCTIONS / sizeof FUNCTIONS[0] };

/* y = f(x) for a chunk */
static void compute(int f, float *y, const float *x) {
    if (!FUNCTIONS[f].is_activation) {
        mlp_reference_f32.elementary((mlp_elementary_id)FUNCTIONS[f].id, CHUNK, y, x);
        return;
    }
    const mlp_activation_f32 sigma = {.id = (mlp_activation_id)FUNCTIONS[f].id, .constants = {1}}; /* alpha */
    if (!mlp_is_per_row(sigma.id)) {
        mlp_reference_f32.activation_forward(&sigma, CHUNK, 1, y, x);
        return;
    }
    static _Thread_local float rows[CHUNK][2];
    for (int i = 0; i < CHUNK; i++) {
        rows[i][0] = x[i];
        rows[i][1] = 0;
    }
    mlp_reference_f32.activation_forward(&sigma, CHUNK, 2, rows[0], rows[0]);
    for (int i = 0; i < CHUNK; i++) {
        y[i] = rows[i][0];
    }
}

/* |y - exact| in ulp of a float of exact's size; infinite where an exact agreement is due and missing, which a zero's sign is
 * unless any_zero. */
static double error_in_ulp(float y, double exact, int any_zero) {
    float nearest = (float)exact;
    if (isnan(nearest)) {
        return isnan(y) ? 0 : (double)INFINITY;
    }
    if ((signbit(y) != signbit(nearest) && !(any_zero && y == 0)) || isnan(y)) {
        return (double)INFINITY;
    }
    if (isinf(exact) || exact == 0 || (isinf(y) && isinf(nearest))) {
        return y == nearest ? 0 : (double)INFINITY;
    }
    const double found = isinf(y) ? copysign(0x1p128, (double)y) : (double)y; /* where floats would go on */
    uint64_t bits;
    memcpy(&bits, &exact, sizeof bits);
    uint64_t exponent = bits >> 52 & 2047, smallest = 1023 - 126; /* subnormal floats share one ulp */
    bits = (1023 + 1023 + 23 - (exponent > smallest ? exponent : smallest)) << 52;
    double per_ulp;
    memcpy(&per_ulp, &bits, sizeof per_ulp);
    return fabs(found - exact) * per_ulp;
}

static float float_of(uint64_t bits) {
    uint32_t low = (uint32_t)bits;
    float x;
    memcpy(&x, &low, sizeof x);
    return x;
}

typedef struct {
    int thread;
    double error[FUNCTION_COUNT]; /* the worst ... */
    float input[FUNCTION_COUNT];  /* ... and where */
} worst;

/* Functions that the command line names; none: all. */
static int is_wanted[FUNCTION_COUNT];

/* Whether all names are known. */
static int want(int count, char **names) {
    for (int f = 0; f < FUNCTION_COUNT; f++) {
        is_wanted[f] = count == 0;
    }
    for (int i = 0; i < count; i++) {
        int f = 0;
        while (f < FUNCTION_COUNT && strcmp(names[i], FUNCTIONS[f].name) != 0) {
            f++;
        }
        if (f == FUNCTION_COUNT) {
            fprintf(stderr, "%s is no function that is tried here\n", names[i]);
            return 0;
        }
        is_wanted[f] = 1;
    }
    return 1;
}

/* The chunks thread, thread + THREADS, ... of all bit patterns. */
static void *search(void *argument) {
    worst *w = argument;
    static _Thread_local float x[CHUNK], minus_x[CHUNK], y[CHUNK], y_of_minus_x[CHUNK];
    for (uint64_t first = (uint64_t)w->thread * CHUNK; first < (uint64_t)1 << 32; first += THREADS * CHUNK) {
        for (uint64_t i = 0; i < CHUNK; i++) {
            x[i] = float_of(first + i);
            minus_x[i] = -x[i];
        }
        for (int f = 0; f < FUNCTION_COUNT; f++) {
            if (!is_wanted[f]) {
                continue;
            }
            compute(f, y, x);
            const int odd = FUNCTIONS[f].exact == tanh || FUNCTIONS[f].exact == erf;
            if (odd) {
                compute(f, y_of_minus_x, minus_x);
            }
            for (int i = 0; i < CHUNK; i++) {
                double error = error_in_ulp(y[i], FUNCTIONS[f].exact((double)x[i]), FUNCTIONS[f].is_activation);
                if (odd && y_of_minus_x[i] != -y[i] && !isnan(x[i])) {
                    error = (double)INFINITY;
                }
                if (error > w->error[f]) {
                    w->error[f] = error;
                    w->input[f] = x[i];
                }
            }
        }
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (!want(count - 1, arguments + 1)) {
        return 1;
    }
    worst of[THREADS] = {0};
    pthread_t threads[THREADS];
    for (int t = 0; t < THREADS; t++) {
        of[t].thread = t;
        if (pthread_create(&threads[t], NULL, search, &of[t]) != 0) {
            fprintf(stderr, "cannot start a thread\n");
            return 1;
        }
    }
    for (int t = 0; t < THREADS; t++) {
        pthread_join(threads[t], NULL);
    }
    int failures = 0;
    for (int f = 0; f < FUNCTION_COUNT; f++) {
        if (!is_wanted[f]) {
            continue;
        }
        int t = 0;
        for (int other = 1; other < THREADS; other++) {
            t = of[other].error[f] > of[t].error[f] ? other : t;
        }
        int good = of[t].error[f] <= FUNCTIONS[f].most_ulp;
        printf("%-11s float  worst %.3f ulp at %a  %s\n", FUNCTIONS[f].name, of[t].error[f], (double)of[t].input[f],
               good ? "ok" : "FAILED");
        failures += !good;
    }
    return failures != 0;
}
