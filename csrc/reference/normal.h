/* normal.h: real_normal_quantile, the z that a standard normal number is below with probability p.
 *
 * Wichura, "Algorithm AS 241: the percentage points of the normal distribution", 1988: PPND7 for float, about 1 part in 10^7,
 * and PPND16 for double, about 1 part in 10^16. A quotient of two polynomials in the middle, |p - 1/2| <= 0.425, and in two
 * parts of the tails. Nothing is fused: the first weights of networks follow from these numbers. As measured by
 * tests/test_elementary.py the relative error stays below 8 units of 2^-24 or 2^-53.
 */
#if MLP_REAL_BITS == 32
enum { QUANTILE_DEGREE = 3 };
#else
enum { QUANTILE_DEGREE = 7 };
#endif

typedef struct {
    real over[QUANTILE_DEGREE + 1], under[QUANTILE_DEGREE + 1]; /* from the highest power to the lowest */
} quantile_quotient;

#if MLP_REAL_BITS == 32
static const quantile_quotient QUANTILE_MIDDLE = {
    {5.9109374720e+1f, 1.5929113202e+2f, 5.0434271938e+1f, 3.3871327179e+0f},
    {6.7187563600e+1f, 7.8757757664e+1f, 1.7895169469e+1f, 1}};
static const quantile_quotient QUANTILE_NEAR_TAIL = {
    {1.7023821103e-1f, 1.3067284816e+0f, 2.7568153900e+0f, 1.4234372777e+0f},
    {0, 1.2021132975e-1f, 7.3700164250e-1f, 1}};
static const quantile_quotient QUANTILE_FAR_TAIL = {
    {1.7337203997e-2f, 4.2868294337e-1f, 3.0812263860e+0f, 6.6579051150e+0f},
    {0, 1.2258202635e-2f, 2.4197894225e-1f, 1}};
#else
static const quantile_quotient QUANTILE_MIDDLE = {
    {2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4,
     1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080e+0},
    {5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4,
     5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1}};
static const quantile_quotient QUANTILE_NEAR_TAIL = {
    {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258e+0,
     3.64784832476320460504e+0, 5.76949722146069140550e+0, 4.63033784615654529590e+0, 1.42343711074968357734e+0},
    {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
     6.89767334985100004550e-1, 1.67638483018380384940e+0, 2.05319162663775882187e+0, 1}};
static const quantile_quotient QUANTILE_FAR_TAIL = {
    {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
     2.96560571828504891230e-1, 1.78482653991729133580e+0, 5.46378491116411436990e+0, 6.65790464350110377720e+0},
    {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
     1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1}};
#endif

static inline real quotient_at(const quantile_quotient *q, real r) {
    real over = q->over[0], under = q->under[0];
    for (int k = 1; k <= QUANTILE_DEGREE; k++) {
        over = over * r + q->over[k];
        under = under * r + q->under[k];
    }
    return over / under;
}

/* -infinity at 0, infinity at 1, NaN where p is no probability. */
static inline real real_normal_quantile(real p) {
    const real q = p - REAL(0.5);
    if (real_abs(q) <= REAL(0.425)) {
        return q * quotient_at(&QUANTILE_MIDDLE, REAL(0.180625) - q * q);
    }
    const real r = real_sqrt(-real_log(q < 0 ? p : 1 - p));
    real z = r <= 5 ? quotient_at(&QUANTILE_NEAR_TAIL, r - REAL(1.6)) : quotient_at(&QUANTILE_FAR_TAIL, r - 5);
    z = r == (real)INFINITY ? r : z;
    return q < 0 ? -z : z;
}
