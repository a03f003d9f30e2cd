/* columns.c: what the columns of a raw table become before a network reads them, for one row, as
 * mlpcore.sklearn.preprocessing has it for many: numbers of float. Each function writes those of one column and returns where
 * the next ones go.
 */

static double clipped(double x, double lowest, double highest) {
    return x < lowest ? lowest : x > highest ? highest : x;
}

/* x: its distance from the median in units of 1 / factor, clipped smoothly to +-limits[2]; for each interval between two edges
 * limits[3] (2 t - 1), where x covers the share t of it; and, if that is told, 1 where x is missing, which NAN says. Nothing
 * overflows, because x is cut off at +-limits[0], and its distance at +-limits[1]. */
static real *numeric(real *inputs, double x, double median, double factor, const double *limits, ptrdiff_t edges,
                     const double *edge, bool tells_missing) {
    const bool missing = isnan(x);
    x = clipped(missing ? median : x, -limits[0], limits[0]);
    const double z = clipped((x - median) * factor, -limits[1], limits[1]), part = z / limits[2];
    *inputs++ = (real)(float)(z / sqrt(1 + part * part));
    for (ptrdiff_t k = 1; k < edges; k++) {
        const double begin = edge[k - 1], end = edge[k];
        *inputs++ = (real)(float)(limits[3] * (2 * (clipped(x, begin, end) - begin) / (end - begin) - 1));
    }
    if (tells_missing) {
        *inputs++ = missing ? 1 : 0;
    }
    return inputs;
}

/* Seconds since 1970: sine and cosine of frequency seconds */
static real *wave(real *inputs, double seconds, double frequency) {
    const double angle = frequency * seconds;
    *inputs++ = isnan(seconds) ? 0 : (real)(float)sin(angle);
    *inputs++ = isnan(seconds) ? 0 : (real)(float)cos(angle);
    return inputs;
}

/* The place of a label, or -1, as a number of C: NAN stands for the place of missing values; -2: x is neither. */
static ptrdiff_t place_of(double x, ptrdiff_t labels, ptrdiff_t missing) {
    if (isnan(x)) {
        return missing;
    }
    if (!(x >= -1 && x < (double)labels)) {
        return -2;
    }
    const ptrdiff_t place = (ptrdiff_t)x;
    return (double)place == x ? place : -2;
}

/* 1 for the label in this place, 0 for the others */
static real *one_hot(real *inputs, ptrdiff_t place, ptrdiff_t labels) {
    for (ptrdiff_t k = 0; k < labels; k++) {
        *inputs++ = k == place ? 1 : 0;
    }
    return inputs;
}

/* The place of a text among the labels, of which NULL is a missing value; -1: it is none of them. */
static double find_label(const char *text, ptrdiff_t labels, const char *const *label) {
    for (ptrdiff_t k = 0; k < labels; k++) {
        if (text && label[k] ? strcmp(text, label[k]) == 0 : text == label[k]) {
            return (double)k;
        }
    }
    return -1;
}

/* The place of the largest of some numbers, of the first if there are several */
static int largest(ptrdiff_t count, const real *y) {
    int found = 0;
    for (int k = 1; k < count; k++) {
        found = y[k] > y[found] ? k : found;
    }
    return found;
}
