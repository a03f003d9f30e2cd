/* elementary.c: csrc/reference/elementary.h in float, on all 2^32 inputs, against the C library in double.
 *
 *     cc -std=c11 -O3 -ffp-contract=off -mfma -pthread -Icsrc tests/exhaustive/elementary.c \
 *         csrc/reference/reference_f32.c $(find csrc/catalogue csrc/runtime -name '*.c') \
 *         -lm -o build/exhaustive-elementary && build/exhaustive-elementary
 *
 * (without -mfma where the processor is no x86; tests/exhaustive/run.py does all that). Prints the worst error of each
 * function in ulp, units in the last place of the exact result, and where it is. Exits with 1 if one is above
 * what elementary.h states, or if a NaN, an infinity, an exact zero or the sign of any result is not what the C library
 * gives, or tanh is not odd.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "mlpcore.h"

enum { THREADS = 2, CHUNK = 1 << 14 };

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static const struct {
    const char *name;
    mlp_elementary_id function;
    double (*exact)(double);
    double most_ulp; /* what elementary.h states */
} FUNCTIONS[] = {
    {"exp", MLP_ELEMENTARY_EXP, exp, 1.05},
    {"log", MLP_ELEMENTARY_LOG, log, 0.9},
    {"log1p", MLP_ELEMENTARY_LOG1P, log1p, 0.95},
    {"tanh", MLP_ELEMENTARY_TANH, tanh, 1.75},
    {"sigmoid", MLP_ELEMENTARY_SIGMOID, sigmoid, 1.7},
};
enum { FUNCTION_COUNT = sizeof FUNCTIONS / sizeof FUNCTIONS[0] };

/* |y - exact| in ulp of a float of exact's size; infinite where an exact agreement is due and missing. */
static double error_in_ulp(float y, double exact) {
    float nearest = (float)exact;
    if (isnan(nearest)) {
        return isnan(y) ? 0 : (double)INFINITY;
    }
    if (signbit(y) != signbit(nearest) || isnan(y)) {
        return (double)INFINITY;
    }
    if (isinf(nearest) || isinf(y) || exact == 0) {
        return y == nearest ? 0 : (double)INFINITY;
    }
    uint64_t bits;
    memcpy(&bits, &exact, sizeof bits);
    uint64_t exponent = bits >> 52 & 2047, smallest = 1023 - 126; /* subnormal floats share one ulp */
    bits = (1023 + 1023 + 23 - (exponent > smallest ? exponent : smallest)) << 52;
    double per_ulp;
    memcpy(&per_ulp, &bits, sizeof per_ulp);
    return fabs((double)y - exact) * per_ulp;
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
            mlp_reference_f32.elementary(FUNCTIONS[f].function, CHUNK, y, x);
            int odd = FUNCTIONS[f].function == MLP_ELEMENTARY_TANH;
            if (odd) {
                mlp_reference_f32.elementary(MLP_ELEMENTARY_TANH, CHUNK, y_of_minus_x, minus_x);
            }
            for (int i = 0; i < CHUNK; i++) {
                double error = error_in_ulp(y[i], FUNCTIONS[f].exact((double)x[i]));
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

int main(void) {
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
        int t = 0;
        for (int other = 1; other < THREADS; other++) {
            t = of[other].error[f] > of[t].error[f] ? other : t;
        }
        int good = of[t].error[f] <= FUNCTIONS[f].most_ulp;
        printf("%-8s float  worst %.3f ulp at %a  %s\n", FUNCTIONS[f].name, of[t].error[f], (double)of[t].input[f],
               good ? "ok" : "FAILED");
        failures += !good;
    }
    return failures != 0;
}
