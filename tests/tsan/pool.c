/* pool.c: several threads use the pool at once, while its size changes, jobs nest, and most are so short that threads
 * come late to them. Exits with 1 if a chunk did not run exactly once, or none on a thread of the pool;
 * ThreadSanitizer, which `make test-tsan` runs it under, sees the rest. */
#define _POSIX_C_SOURCE 200809L
#include "runtime/threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

enum { CALLERS = 4, JOBS = 20000, MAX_CHUNKS = 40 };

static atomic_int failures, shared;

/* Plain memory: if two threads ran one chunk, or the caller did not wait for one, ThreadSanitizer sees it. */
typedef struct {
    int runs[MAX_CHUNKS];
    uint64_t result[MAX_CHUNKS];
    pthread_t caller;
    int turns, depth;
    bool slow;
} job;

static void work(void *context, ptrdiff_t chunk) {
    job *const j = context;
    if (!pthread_equal(pthread_self(), j->caller)) {
        atomic_fetch_add(&shared, 1);
        if (j->slow) { /* the caller falls asleep over it */
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        }
    }
    uint64_t x = (uint64_t)chunk;
    for (int turn = 0; turn < j->turns; turn++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
    }
    j->runs[chunk]++;
    j->result[chunk] = x;
    if (j->depth > 0) {
        job inner = {.caller = pthread_self(), .turns = 10, .depth = j->depth - 1};
        mlp_parallel(3, work, &inner);
        j->runs[chunk] += inner.runs[0] + inner.runs[1] + inner.runs[2] - 3;
    }
}

static void check(const job *j, ptrdiff_t chunks) {
    for (ptrdiff_t chunk = 0; chunk < MAX_CHUNKS; chunk++) {
        if (j->runs[chunk] != (chunk < chunks)) {
            atomic_fetch_add(&failures, 1);
        }
    }
}

static void *caller(void *number) {
    uint32_t random = 12345u + (uint32_t)(uintptr_t)number;
    for (int i = 0; i < JOBS; i++) {
        random = random * 1664525u + 1013904223u;
        const ptrdiff_t chunks = (ptrdiff_t)(random >> 8) % (MAX_CHUNKS + 1);
        job j = {.caller = pthread_self(),
                 .turns = random >> 30 ? 0 : 2000,
                 .depth = random >> 4 & 1,
                 .slow = i % 1024 == 0};
        mlp_parallel(chunks, work, &j);
        check(&j, chunks);
        if (i % 64 == 0) {
            mlp_set_num_threads((int)(random >> 16) % 6);
        }
        if (i % 1024 == 512) { /* long enough for everybody to fall asleep */
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
        }
    }
    return NULL;
}

int main(void) {
    mlp_set_num_threads(4);
    pthread_t thread[CALLERS];
    for (uintptr_t i = 0; i < CALLERS; i++) {
        if (pthread_create(&thread[i], NULL, caller, (void *)i) != 0) {
            return 2;
        }
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(thread[i], NULL);
    }
    printf("%d jobs of up to %d chunks from %d threads, %d chunks on threads of the pool: %d failures\n",
           CALLERS * JOBS, MAX_CHUNKS, CALLERS, atomic_load(&shared), atomic_load(&failures));
    return atomic_load(&failures) > 0 || atomic_load(&shared) == 0;
}
