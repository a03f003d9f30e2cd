/* poll.h: asks the caller of long work, about every 50 ms, whether to go on. */
#ifndef MLPCORE_POLL_H
#define MLPCORE_POLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Interrupt callback: nonzero stops the work. `done` counts what is done so far. Calls that take one take NULL for none. */
typedef struct {
    int (*poll)(void *context, ptrdiff_t done);
    void *context;
} mlp_interrupt;

typedef struct {
    const mlp_interrupt *interrupt;
    ptrdiff_t units_between, until_clock;
    int64_t last_poll;
} mlp_poller;

/* For work in units that cost `work` multiply-adds each: reading the clock costs as much as some hundred of them, so it is
 * read only after some milliseconds' worth. */
mlp_poller mlp_poller_new(const mlp_interrupt *interrupt, double work);

/* To be called once a unit, with what is done. True: stop. */
bool mlp_should_stop(mlp_poller *poller, ptrdiff_t done);

#endif
