/* ladder.c: climbs the ladder. Proves that each rung gives the bits of the first, then prints how fast each is. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "ladder.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct {
    const char *name;
    void (*run)(const layer *l);
} RUNGS[] = {{"naive", naive},   {"tiled", tiled}, {"packed", packed},
             {"vector", vector}, {"fused", fused}, {"threads", threads}};
enum { RUNG_COUNT = sizeof RUNGS / sizeof *RUNGS };

/* Samples, inputs, units: a layer of few inputs, one for handwritten digits, a wide one. */
static const ptrdiff_t SIZES[][3] = {{256, 16, 256}, {64, 784, 128}, {256, 1024, 1024}};
enum { SIZE_COUNT = sizeof SIZES / sizeof *SIZES };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *numbers(ptrdiff_t count) {
    float *p = malloc((size_t)(count + 1) * sizeof *p); /* + 1: malloc(0) may give NULL */
    if (!p) {
        abort();
    }
    static uint32_t state = 1;
    for (ptrdiff_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        p[i] = (float)(state >> 8) * 0x1p-23f - 1;
    }
    return p;
}

static layer new_layer(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out) {
    return (layer){n, in, out, numbers(n * in), numbers(in * out), numbers(out), numbers(n * out)};
}

static void free_layer(const layer *l) {
    free((void *)l->x);
    free((void *)l->w);
    free((void *)l->b);
    free(l->a);
}

/* Ends the program if a rung gives other bits than the first. */
static void prove(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out) {
    layer l = new_layer(n, in, out);
    size_t bytes = (size_t)(n * out) * sizeof *l.a;
    float *expected = l.a;
    naive(&l);
    l.a = numbers(n * out);
    for (int i = 1; i < RUNG_COUNT; i++) {
        memset(l.a, 0xff, bytes);
        RUNGS[i].run(&l);
        if (memcmp(l.a, expected, bytes) != 0) {
            fprintf(stderr, "%s differs from naive for %td samples, %td inputs, %td units\n", RUNGS[i].name, n, in,
                    out);
            exit(1);
        }
    }
    free(expected);
    free_layer(&l);
}

/* GFLOP/s of every rung, the best of some turns of at least `seconds`; the rungs take turns. */
static void measure(const ptrdiff_t size[3], int rounds, double seconds, double gflops[RUNG_COUNT]) {
    layer l = new_layer(size[0], size[1], size[2]);
    double flop = 2.0 * (double)(l.n * l.in * l.out);
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < RUNG_COUNT; i++) {
            int times = 0;
            double start = now(), spent = 0;
            for (; spent < seconds; spent = now() - start) {
                RUNGS[i].run(&l);
                times++;
            }
            double reached = 1e-9 * flop * times / spent;
            gflops[i] = reached > gflops[i] ? reached : gflops[i];
        }
    }
    free_layer(&l);
}

int main(int argc, char **argv) {
    int quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    int sizes = quick ? SIZE_COUNT - 1 : SIZE_COUNT; /* the naive rung takes seconds for the last */
    for (ptrdiff_t n = 1; n <= 18; n++) {
        for (ptrdiff_t out = 1; out <= 100; out += 7) {
            prove(n, n * out % 7, out);
        }
    }
    printf("%-10s", "GFLOP/s");
    static double gflops[SIZE_COUNT][RUNG_COUNT];
    for (int s = 0; s < sizes; s++) {
        prove(SIZES[s][0], SIZES[s][1], SIZES[s][2]);
        measure(SIZES[s], quick ? 1 : 5, quick ? 0.001 : 0.1, gflops[s]);
        char text[64];
        snprintf(text, sizeof text, "%td x %td x %td", SIZES[s][0], SIZES[s][1], SIZES[s][2]);
        printf("%20s", text);
    }
    for (int i = 0; i < RUNG_COUNT; i++) {
        printf("\n%-10s", RUNGS[i].name);
        for (int s = 0; s < sizes; s++) {
            printf("%20.2f", gflops[s][i]);
        }
    }
    printf("\nEach rung gave the bits of the first.\n");
}
