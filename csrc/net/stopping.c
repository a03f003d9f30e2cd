/* stopping.c: see stopping.h. */
#include "stopping.h"

bool mlp_watch_epoch(const mlp_early_stopping *s, double number) {
    mlp_stopping_progress *p = s->progress;
    const bool first = p->best_epoch < 0;
    const bool better = s->larger_is_better ? number > p->best + s->min_delta : number < p->best - s->min_delta;
    const bool is_best = number == number && (first || better);
    if (is_best) {
        p->best = number;
        p->best_epoch = p->epochs;
    }
    p->epochs += 1;
    const double since = p->epochs - 1 - p->best_epoch; /* without a best epoch: all, and one */
    p->stopped = since >= s->patience && !is_best;
    return is_best;
}
