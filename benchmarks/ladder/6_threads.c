/* Rung 6, threads: each of two threads computes half of the samples.
 *
 * Threads divide rows or columns of a and never k, so the chains stay whole and the bits do not depend on how many
 * threads there are. Starting a thread takes about 20 microseconds, which the small layers do not even last: the engine
 * keeps a pool of threads, hands out pieces of work by tickets, so that nobody waits for a thread whose core is busy
 * elsewhere, and leaves small products to one thread.
 */
#include <pthread.h>

#include "ladder.h"

enum { THREADS = 2 };

static void *compute(void *part) {
    fused(part);
    return NULL;
}

/* Part `i` of the layer: some of its samples, all of its weights. */
static layer part(const layer *l, int i) {
    ptrdiff_t begin = l->n * i / THREADS, end = l->n * (i + 1) / THREADS;
    return (layer){end - begin, l->in, l->out, l->x + begin * l->in, l->w, l->b, l->a + begin * l->out};
}

void threads(const layer *l) {
    layer parts[THREADS];
    pthread_t helpers[THREADS];
    int started = 1; /* this thread is one of them */
    for (int i = 0; i < THREADS; i++) {
        parts[i] = part(l, i);
    }
    while (started < THREADS && pthread_create(&helpers[started], NULL, compute, &parts[started]) == 0) {
        started++;
    }
    compute(&parts[0]);
    for (int i = 1; i < THREADS; i++) {
        if (i < started) {
            pthread_join(helpers[i], NULL);
        } else {
            compute(&parts[i]);
        }
    }
}
