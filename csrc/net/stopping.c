/* stopping.c: see stopping.h. */
#include "stopping.h"

bool mlp_watch_epoch(const mlp_early_stopping *s, double number) {
    mlp_stopping_progress *p = s->progress;
    const bool first = p->best_epoch < 0 && number == number;
    const bool better =
        first || (s->larger_is_better ? number > p->best + s->min_delta : number < p->best - s->min_delta);
    const bool best_of_all = first || (s->larger_is_better ? number > p->best : number < p->best);
    const bool is_best = s->best_of_all ? best_of_all : better;
    if (is_best) {
        p->best = number;
        p->best_epoch = p->epochs;
    }
    p->epochs += 1;
    p->waited = better ? 0 : p->waited + 1;
    p->stopped = p->waited >= s->patience && !better;
    return is_best;
}
