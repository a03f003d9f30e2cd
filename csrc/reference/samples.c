/* samples.c: from the losses of samples to the loss of a batch, their weighted mean. */

/* The sum of the weights; without weights each sample has 1. */
static double batch_weight(ptrdiff_t n, const real *weight) {
    if (!weight) {
        return (double)n;
    }
    double total = 0;
    for (ptrdiff_t s = 0; s < n; s++) {
        total += (double)weight[s];
    }
    return total;
}

/* scale_s = weight_s / total, the share of sample s in the mean; without weights 1/n. A batch whose weights are all 0 counts
 * for nothing. */
static void batch_scale(ptrdiff_t n, real *scale, const real *weight, double total) {
    for (ptrdiff_t s = 0; s < n; s++) {
        scale[s] = !weight ? (real)(1 / (double)n) : total > 0 ? (real)((double)weight[s] / total) : 0;
    }
}

/* sum of weight_s value_s / sum of weight_s; without weights the plain mean. Large weights are made smaller by a power of 2
 * first, which changes no digit, so that no product overflows that the mean does not. */
static double batch_mean(ptrdiff_t n, const real *value, const real *weight) {
    const double total = batch_weight(n, weight), unit = total > 0x1p500 ? 0x1p-520 : 1;
    double sum = 0;
    for (ptrdiff_t s = 0; s < n; s++) {
        sum += (weight ? (double)weight[s] * unit : 1) * (double)value[s];
    }
    return total > 0 ? sum / (total * unit) : 0;
}
