/* peak.c: how many multiplications and additions one core does a second when nothing else limits it.
 *
 * As many chains of fma as the product's micro-tile has accumulators, all in registers: a chain waits for its own last
 * result, but enough of them side by side keep every fma unit busy. Whoever claims "85 % of the peak" claims 85 % of this.
 *
 * Prints:  <instruction set> <GFLOP/s> <GHz>
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include <stdio.h>
#include <time.h>

#include "native.h"

enum { CHAINS = TILE_ROWS * TILE_VECS, TURNS = 250000, REPEATS = 100 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds for TURNS fma in each chain. The factor keeps the numbers finite and normal; were two chains equal, the compiler
 * would compute one. */
static double fma_seconds(void) {
    volatile real given = (real)0.999;
    const vec factor = vec_broadcast(given);
    vec chain[TILE_ROWS][TILE_VECS];
    EACH (r, TILE_ROWS) {
        EACH (v, TILE_VECS) {
            chain[r][v] = vec_broadcast((real)(r * TILE_VECS + v));
        }
    }

    double start = now();
    for (int turn = 0; turn < TURNS; turn++) {
        EACH (r, TILE_ROWS) {
            EACH (v, TILE_VECS) {
                chain[r][v] = vec_fma(chain[r][v], factor, factor);
            }
        }
    }
    double seconds = now() - start;

    real numbers[VEC_LANES];
    volatile real used = 0; /* or the compiler would drop the chains */
    EACH (r, TILE_ROWS) {
        EACH (v, TILE_VECS) {
            vec_store(numbers, chain[r][v]);
            used = used + numbers[0];
        }
    }
    return seconds;
}

/* Seconds for 8 * TURNS additions of integers, each waiting for the one before: a cycle each. */
static double cycle_seconds(void) {
    volatile size_t given = 3;
    size_t sum = 0, step = given;
    double start = now();
    for (int turn = 0; turn < TURNS; turn++) {
        EACH (i, 8) {
            sum += step;
            __asm__ volatile("" : "+r"(sum)); /* or the compiler would multiply instead */
        }
    }
    return now() - start;
}

int main(void) {
    double fma = 1, cycles = 1;
    for (int i = 0; i < REPEATS; i++) {
        double f = fma_seconds(), c = cycle_seconds();
        fma = f < fma ? f : fma;
        cycles = c < cycles ? c : cycles;
    }
    printf("%s %.2f %.3f\n", NATIVE, 2e-9 * CHAINS * VEC_LANES * TURNS / fma, 8e-9 * TURNS / cycles);
}
#include "simd/vec_end.h"
