/* line_search.h: how far to go along a direction of descent: a step that satisfies the strong Wolfe conditions
 *
 *     f(step) <= f(0) + FTOL step f'(0)    and    |f'(step)| <= GTOL |f'(0)|
 *
 * (Nocedal & Wright 2006, chapter 3), found by the method of Moré & Thuente (1994), "Line search algorithms with guaranteed
 * sufficient decrease". The caller computes f and f' where the search asks for them.
 */
#ifndef MLPCORE_LINE_SEARCH_H
#define MLPCORE_LINE_SEARCH_H

#include <stdbool.h>

/* A step, the function's value there and its slope along the direction. */
typedef struct {
    double step, value, slope;
} mlp_line_point;

typedef struct {
    mlp_line_point start, best,
        other;                  /* step 0; the ends of the interval that holds a good step, the better one first */
    double step;                /* where f and f' are wanted                      */
    double low, high;           /* between which the next step is looked for      */
    double width, width_before; /* of the interval, one and two steps ago         */
    bool bracketed;             /* the interval is closed                         */
    bool decreased;             /* a step with enough decrease and slope >= 0 was seen */
} mlp_line_search;

typedef enum {
    MLP_SEARCH_GOES_ON,
    MLP_SEARCH_FOUND,
    MLP_SEARCH_STUCK, /* rounding errors allow no more: `best` is as good as it gets */
} mlp_search_status;

/* start.slope < 0; `step` is the first to be tried. */
mlp_line_search mlp_line_search_new(mlp_line_point start, double step);

/* Takes f and f' at search->step, and sets the next one. */
mlp_search_status mlp_line_search_next(mlp_line_search *search, double value, double slope);

/* f or f' at search->step is no number: comes nearer to the best step. */
void mlp_line_search_retreat(mlp_line_search *search);

#endif
