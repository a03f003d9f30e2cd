/* pool.c: what the pool of threads costs and gains by itself, without mlpcore's work: `make bench-pool`.
 *
 * Prints medians: of the time of a job without work; of the time until a second thread begins, when it still spins and
 * when it sleeps; and of how much faster two threads do jobs of several lengths than one, with the second core free and
 * with another program keeping it busy.
 */
#define _GNU_SOURCE /* sched_setaffinity */
#include "runtime/threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 101, CHUNKS = 8, CALIBRATION = 1000000 };

static double microseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static int compare(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double times[ROUNDS]) {
    qsort(times, ROUNDS, sizeof *times, compare);
    return times[ROUNDS / 2];
}

/* ----------------------------------------------------------------------------------------------------- without work */

static void nothing(void *context, ptrdiff_t chunk) { (void)context, (void)chunk; }

static double time_without_work(int threads, ptrdiff_t chunks) {
    double times[ROUNDS];
    mlp_set_num_threads(threads);
    for (int i = 0; i < ROUNDS; i++) {
        const double start = microseconds();
        for (int job = 0; job < 1000; job++) {
            mlp_parallel(chunks, nothing, NULL);
        }
        times[i] = microseconds() - start; /* of 1000 jobs: nanoseconds a job */
    }
    return median(times);
}

/* ------------------------------------------------------------------------------------- until a second thread begins */

typedef struct {
    pthread_t caller;
    atomic_bool begun;
    double when;
} meeting;

static void meet(void *context, ptrdiff_t chunk) {
    (void)chunk;
    meeting *m = context;
    if (!pthread_equal(pthread_self(), m->caller)) {
        m->when = microseconds();
        atomic_store(&m->begun, true);
    } else {
        while (!atomic_load(&m->begun)) {
        }
    }
}

static double time_to_begin(long nanoseconds_before) {
    double times[ROUNDS];
    mlp_set_num_threads(2);
    for (int i = 0; i < ROUNDS; i++) {
        nanosleep(&(struct timespec){.tv_nsec = nanoseconds_before}, NULL);
        for (int job = 0; job < (nanoseconds_before ? 1 : 2); job++) { /* the second finds a thread that spins */
            meeting m = {.caller = pthread_self()};
            const double start = microseconds();
            mlp_parallel(2, meet, &m);
            times[i] = m.when - start;
        }
    }
    return median(times);
}

/* ----------------------------------------------------------------------------------------------- against one thread */

static volatile double sink[64 * CHUNKS]; /* a cache line or more for each chunk */

static void work(void *context, ptrdiff_t chunk) {
    double x = (double)chunk;
    for (int turn = *(const int *)context; turn > 0; turn--) {
        x = x * 0.999 + 1e-9;
    }
    sink[64 * chunk] = x;
}

static double time_of_work(int threads, int turns, int jobs) {
    mlp_set_num_threads(threads);
    const double start = microseconds();
    for (int job = 0; job < jobs; job++) {
        mlp_parallel(CHUNKS, work, &turns);
    }
    return (microseconds() - start) / jobs;
}

static void print_gains(const char *second_core) {
    int turns = CALIBRATION;
    double turn = 1;
    for (int i = 0; i < 5; i++) {
        const double start = microseconds();
        work(&turns, 0);
        const double now = (microseconds() - start) / CALIBRATION;
        turn = now < turn ? now : turn;
    }
    for (double length = 10; length < 3000; length *= 4) {
        double one[ROUNDS], two[ROUNDS], gain[ROUNDS];
        turns = (int)(length / CHUNKS / turn);
        for (int i = 0; i < ROUNDS; i++) { /* in turn, so that what else the machine does hits both */
            one[i] = time_of_work(1, turns, (int)(4000 / length) + 1);
            two[i] = time_of_work(2, turns, (int)(4000 / length) + 1);
            gain[i] = one[i] / two[i];
        }
        printf("second core %s: %7.1f us alone, %7.1f us with two threads, gain %.2f\n", second_core, median(one),
               median(two), median(gain));
    }
}

static pid_t keep_busy(size_t core) {
    const pid_t program = fork();
    if (program == 0) {
        cpu_set_t cores;
        CPU_ZERO(&cores);
        CPU_SET(core, &cores);
        sched_setaffinity(0, sizeof cores, &cores);
        for (;;) {
            __asm__ volatile("");
        }
    }
    return program;
}

int main(void) {
    cpu_set_t allowed, cores;
    CPU_ZERO(&allowed);
    CPU_ZERO(&cores);
    sched_getaffinity(0, sizeof allowed, &allowed);
    size_t core = 0;
    for (int found = 0; core < CPU_SETSIZE; core++) {
        if (CPU_ISSET(core, &allowed)) {
            CPU_SET(core, &cores);
            if (++found == 2) {
                break;
            }
        }
    }
    if (core == CPU_SETSIZE) {
        puts("There is only one core to use: nothing to measure with two threads.");
        return 0;
    }
    sched_setaffinity(0, sizeof cores, &cores);

    printf("without work: %.0f ns for 1 chunk, %.0f ns for 2 with one thread, %.0f ns with two threads\n",
           time_without_work(2, 1), time_without_work(1, 2), time_without_work(2, 2));
    printf("until a second thread begins: %.2f us if it spins, %.2f us if it sleeps\n", time_to_begin(0),
           time_to_begin(5000000));
    print_gains("free");
    const pid_t program = keep_busy(core);
    print_gains("busy");
    kill(program, SIGKILL);
    waitpid(program, NULL, 0);
}
