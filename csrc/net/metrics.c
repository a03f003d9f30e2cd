/* metrics.c: the values of metrics, as catalogue/metrics.def has their formulas. A ratio whose denominator is 0 is 0, as in
 * scikit-learn. See metrics.h.
 */
#include "metrics.h"

#include <math.h>

#include "../runtime/memory.h"

mlp_measure_source mlp_source_of(mlp_measure_id id) {
    switch (id) {
#define METRIC(ID, ...)                                                                                                \
    case MLP_MEASURE_##ID: return MLP_FROM_RIGHT;
#define MEASURE(ID, id, long_name, sums, ...)                                                                          \
    case MLP_MEASURE_##ID: return MLP_FROM_##sums;
#include "../catalogue/metrics.def"
    }
    return MLP_FROM_RIGHT; /* not reached */
}

bool mlp_measures_from(const mlp_measures *m, mlp_measure_source source) {
    for (ptrdiff_t i = 0; i < m->count; i++) {
        if (mlp_source_of(m->measure[i].id) == source) {
            return true;
        }
    }
    return false;
}

bool mlp_needs_all_samples(const mlp_measures *m) {
    for (ptrdiff_t i = 0; i < m->count; i++) {
        if (m->measure[i].id == MLP_MEASURE_R2) {
            return true;
        }
    }
    return m->predictions;
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

static ptrdiff_t classes_of(mlp_answers answers, ptrdiff_t out) { return answers == MLP_ANSWERS_BINARY ? 2 : out; }

/* The second of two classes, or the only output. */
ptrdiff_t mlp_positive_output(mlp_answers answers, ptrdiff_t out) {
    return answers != MLP_ANSWERS_BINARY && out > 1 ? 1 : 0;
}

ptrdiff_t mlp_measure_room(const mlp_measures *m, ptrdiff_t out) {
    const ptrdiff_t of_output = MLP_ERRORS + 2, counts = mlp_size_product(MLP_COUNTS, classes_of(m->answers, out));
    return mlp_size_sum(mlp_size_sum(m->count, counts), mlp_size_product(of_output, out));
}

mlp_measured mlp_measured_in(const mlp_measures *m, ptrdiff_t out) {
    mlp_measured found = {.answers = m->answers, .out = out, .sums = m->room};
    found.counts = found.sums + m->count;
    found.errors = found.counts + MLP_COUNTS * classes_of(m->answers, out);
    found.total_squares = found.errors + MLP_ERRORS * out;
    found.areas = found.total_squares + out;
    return found;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

/* What a class is right in, of so many: one of these. */
typedef double (*share)(const double *counts);

static double precision_of(const double *counts) { return ratio(counts[MLP_RIGHT], counts[MLP_PREDICTED]); }

static double recall_of(const double *counts) { return ratio(counts[MLP_RIGHT], counts[MLP_ACTUAL]); }

static double f1_of(const double *counts) {
    return ratio(2 * counts[MLP_RIGHT], counts[MLP_PREDICTED] + counts[MLP_ACTUAL]);
}

/* Of class 1, the yes. */
static double of_positive(const mlp_measured *m, share of) {
    return of(m->counts + (classes_of(m->answers, m->out) > 1 ? MLP_COUNTS : 0));
}

/* The mean over all labels, or over the classes that occur in y or in answers. */
static double over_classes(const mlp_measured *m, share of) {
    double sum = 0;
    ptrdiff_t classes = 0;
    for (ptrdiff_t c = 0; c < classes_of(m->answers, m->out); c++) {
        const double *counts = m->counts + MLP_COUNTS * c;
        const bool occurs = counts[MLP_ACTUAL] > 0 || counts[MLP_PREDICTED] > 0;
        if (occurs || m->answers == MLP_ANSWERS_LABELS) {
            sum += of(counts);
            classes++;
        }
    }
    return ratio(sum, (double)classes);
}

/* Of all counts together. */
static double over_answers(const mlp_measured *m, share of) {
    double total[MLP_COUNTS] = {0};
    for (ptrdiff_t c = 0; c < classes_of(m->answers, m->out); c++) {
        for (int i = 0; i < MLP_COUNTS; i++) {
            total[i] += m->counts[MLP_COUNTS * c + i];
        }
    }
    return of(total);
}

static double weighted_mean(const mlp_measured *m, double sum) { return ratio(sum, m->weight); }

static double sum_of_errors(const mlp_measured *m, int which) {
    double sum = 0;
    for (ptrdiff_t k = 0; k < m->out; k++) {
        sum += m->errors[MLP_ERRORS * k + which];
    }
    return sum / (double)m->out;
}

/* Of outputs whose y is always the same, scikit-learn's value: 1 if it is met, else 0. Of one row there is none. */
static double r2_value(const mlp_measured *m, double sum) {
    (void)sum;
    double total = 0;
    for (ptrdiff_t k = 0; k < m->out; k++) {
        const double missed = m->errors[MLP_ERRORS * k + MLP_SQUARES], whole = m->total_squares[k];
        total += whole > 0 ? 1 - missed / whole : missed > 0 ? 0 : 1 - missed;
    }
    return m->rows > 1 ? total / (double)m->out : (double)NAN;
}

static double roc_auc_ovr_value(const mlp_measured *m, double sum) {
    sum = 0;
    for (ptrdiff_t k = 0; k < m->out; k++) {
        sum += m->areas[k];
    }
    return sum / (double)m->out;
}

static double balanced_accuracy_value(const mlp_measured *m, double sum) {
    sum = 0;
    ptrdiff_t classes = 0;
    for (ptrdiff_t c = 0; c < classes_of(m->answers, m->out); c++) {
        sum += recall_of(m->counts + MLP_COUNTS * c);
        classes += m->counts[MLP_COUNTS * c + MLP_ACTUAL] > 0;
    }
    return ratio(sum, (double)classes);
}

/* The others in one line each. */
#define VALUE(id, expression)                                                                                          \
    static double id##_value(const mlp_measured *m, double sum) {                                                      \
        (void)sum;                                                                                                     \
        return expression;                                                                                             \
    }

VALUE(categorical_accuracy, weighted_mean(m, sum))
VALUE(binary_accuracy, weighted_mean(m, sum))
VALUE(sign_accuracy, weighted_mean(m, sum))
VALUE(accuracy, weighted_mean(m, sum))
VALUE(top_k_accuracy, weighted_mean(m, sum))
VALUE(log_loss, weighted_mean(m, sum))
VALUE(precision, of_positive(m, precision_of))
VALUE(precision_macro, over_classes(m, precision_of))
VALUE(precision_micro, over_answers(m, precision_of))
VALUE(recall, of_positive(m, recall_of))
VALUE(recall_macro, over_classes(m, recall_of))
VALUE(recall_micro, over_answers(m, recall_of))
VALUE(f1, of_positive(m, f1_of))
VALUE(f1_macro, over_classes(m, f1_of))
VALUE(f1_micro, over_answers(m, f1_of))
VALUE(roc_auc, m->areas[mlp_positive_output(m->answers, m->out)])
VALUE(mae, weighted_mean(m, sum_of_errors(m, MLP_ABSOLUTE)))
VALUE(rmse, sqrt(weighted_mean(m, sum_of_errors(m, MLP_SQUARES))))

double mlp_measure_value(const mlp_measured *m, mlp_measure_id id, double sum) {
    switch (id) {
#define METRIC(ID, id, ...)                                                                                            \
    case MLP_MEASURE_##ID: return id##_value(m, sum);
#define MEASURE METRIC
#include "../catalogue/metrics.def"
    }
    return 0; /* not reached */
}
