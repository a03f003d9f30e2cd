#include "poll.h"

#include <time.h>

enum { POLL_MS = 50, CLOCK_WORK = 1 << 22 };

static int64_t milliseconds(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

mlp_poller mlp_poller_new(const mlp_interrupt *interrupt, double work) {
    ptrdiff_t units = 1 + (ptrdiff_t)(CLOCK_WORK / work);
    return (mlp_poller){
        .interrupt = interrupt, .units_between = units, .until_clock = units, .last_poll = milliseconds()};
}

static bool is_time_to_poll(mlp_poller *poller) {
    poller->until_clock = poller->units_between;
    const int64_t now = milliseconds();
    if (now >= poller->last_poll &&
        now - poller->last_poll < POLL_MS) { /* a clock that was set back counts as time gone by */
        return false;
    }
    poller->last_poll = now;
    return true;
}

bool mlp_should_stop(mlp_poller *poller, ptrdiff_t done) {
    if (--poller->until_clock > 0 || !is_time_to_poll(poller)) {
        return false;
    }
    return poller->interrupt && poller->interrupt->poll(poller->interrupt->context, done);
}
