/* operations.h: the table of operations for one real type; mlpcore.h reads it once with MLP_REAL_BITS 32, once with 64. */
#include "real.h"

/* One step of Adam (reference/optimizers.c): m_hat and v_hat are folded into two numbers, the same for every weight. */
typedef struct {
    real beta1, beta2; /* decay of m and of v                         */
    real rate;         /* learning_rate / (1 - beta1^t)               */
    real v_scale;      /* 1 / sqrt(1 - beta2^t)                       */
    real epsilon;      /* added to sqrt(v_hat)                        */
} REAL_NAME(mlp_adam);

typedef struct {
    real rate, momentum;
    int nesterov;
} REAL_NAME(mlp_sgd);

typedef struct {
    /* dense.c */
    void (*dense_forward)(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out, /*                                              */
                          real *z, const real *x, const real *w, const real *b); /* z = x wᵀ + b                     */
    void (*dense_backward)(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out,              /* any of the three may be NULL     */
                           real *grad_x, real *grad_w, real *grad_b,              /* phi w, phiᵀ x, sum of phi's rows */
                           const real *phi, const real *x, const real *w);        /* eq. 2 without sigma', 3, 4       */

    /* activations.c */
    void (*activation_forward)(mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, /*                                  */
                               real *a, const real *z);                          /* a = sigma(z); in place: a == z   */
    void (*activation_backward)(mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, /* phi = grad_a through sigma'(z), */
                                real *phi, const real *a, const real *grad_a);    /* from a; in place: phi == either */

    /* losses.c */
    void (*loss_value)(mlp_loss loss, ptrdiff_t n, ptrdiff_t out,       /* value (n): L of each sample                */
                       real *value, const real *y_hat, const real *y);  /*                                            */
    void (*loss_gradient)(mlp_loss loss, ptrdiff_t n, ptrdiff_t out,    /* scale_s * gradient of L_s to y_hat         */
                          real *grad_a, const real *y_hat, const real *y, const real *scale); /* in place: == y_hat  */
    void (*output_loss)(mlp_loss loss, mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, /* value (n): L from z, finite */
                        real *value, const real *z, const real *a, const real *y);       /* wherever L is            */
    void (*output_phi)(mlp_loss loss, mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, /* phi^J, eq. 1, times scale_s */
                       real *phi, const real *z, const real *a, const real *y, const real *scale);
    void (*batch_scale)(ptrdiff_t n, real *scale, const real *weight);    /* weight_s / sum of weight; NULL: 1 / n    */
    double (*batch_mean)(ptrdiff_t n, const real *value, const real *weight); /* weighted mean of value; NULL: plain   */

    /* optimizers.c; count weights, all in place */
    void (*sgd_step)(ptrdiff_t count, const REAL_NAME(mlp_sgd) * step, real *w, real *velocity, const real *grad);
    REAL_NAME(mlp_adam) (*adam_at)(int64_t t, double learning_rate, double beta1, double beta2, double epsilon);
    void (*adam_step)(ptrdiff_t count, const REAL_NAME(mlp_adam) * step, real *w, real *m, real *v, const real *grad);

    /* elementary.h: y = exp x, log x, log(1+x), tanh x, 1/(1+exp(-x)) of count numbers; in place: y == x */
    void (*elementary)(mlp_elementary function, ptrdiff_t count, real *y, const real *x);
} REAL_NAME(mlp_kernels);

extern const REAL_NAME(mlp_kernels) REAL_NAME(mlp_reference);
