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

/* A step of one optimizer or the other. */
typedef struct {
    mlp_algorithm algorithm;
    REAL_NAME(mlp_sgd) sgd;
    REAL_NAME(mlp_adam) adam;
} REAL_NAME(mlp_step);

/* clang-format off */
typedef struct {
    /* dense.c */
    void (*dense_forward)(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out,               /* z = x wᵀ + b                        */
                          real *z, const real *x, const real *w, const real *b);
    void (*dense_backward)(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out,              /* any of the three outputs may be NULL */
                           real *grad_x,                                          /* phi w: eq. 2 without sigma'          */
                           real *grad_w,                                          /* phiᵀ x: eq. 3                        */
                           real *grad_b,                                          /* the sum of phi's rows: eq. 4         */
                           const real *phi, const real *x, const real *w);

    /* activations.c */
    void (*activation_forward)(mlp_activation sigma, ptrdiff_t n, ptrdiff_t out,  /* a = sigma(z); in place: a == z       */
                               real *a, const real *z);
    void (*activation_backward)(mlp_activation sigma, ptrdiff_t n, ptrdiff_t out, /* grad_a through sigma'(z), from a;    */
                                real *phi, const real *a, const real *grad_a);    /* in place: phi == a or phi == grad_a  */

    /* losses.c; value (n) and scale (n) are one number a sample */
    void (*loss_value)(mlp_loss loss, ptrdiff_t n, ptrdiff_t out,                 /* L of each sample                     */
                       real *value, const real *y_hat, const real *y);
    void (*loss_gradient)(mlp_loss loss, ptrdiff_t n, ptrdiff_t out,              /* scale_s * gradient of L_s to y_hat;  */
                          real *grad_a, const real *y_hat, const real *y,         /* in place: grad_a == y_hat            */
                          const real *scale);
    void (*output_loss)(mlp_loss loss, mlp_activation sigma,                      /* L of each sample from z: finite      */
                        ptrdiff_t n, ptrdiff_t out,                               /* wherever L is                        */
                        real *value, const real *z, const real *a, const real *y);
    void (*output_phi)(mlp_loss loss, mlp_activation sigma,                       /* phi^J, eq. 1, times scale_s          */
                       ptrdiff_t n, ptrdiff_t out,
                       real *phi, const real *z, const real *a, const real *y, const real *scale);
    double (*output_step)(mlp_loss loss, mlp_activation sigma,                    /* activation_forward, output_loss,     */
                          ptrdiff_t n, ptrdiff_t out,                             /* output_phi and rows_right in one     */
                          real *a, real *value, real *phi, const real *z, const real *y, const real *scale);
    double (*rows_right)(mlp_loss loss, ptrdiff_t n, ptrdiff_t out,               /* how many rows' largest a is where    */
                         const real *a, const real *y);                           /* their largest y is, the first each;  */
                                                                                  /* BCE or one output: the part of their */
                                                                                  /* outputs on y's side of 1/2           */
    double (*batch_weight)(ptrdiff_t n, const real *weight);                      /* sum of the weights; NULL: n         */
    void (*batch_scale)(ptrdiff_t n, real *scale, const real *weight);            /* weight_s / their sum; NULL: 1/n      */
    double (*batch_mean)(ptrdiff_t n, const real *value, const real *weight);     /* weighted mean; weight NULL: plain    */

    /* optimizers.c; `count` weights, in place */
    void (*sgd_step)(ptrdiff_t count, const REAL_NAME(mlp_sgd) *step, real *w, real *velocity, const real *grad);
    void (*adam_step)(ptrdiff_t count, const REAL_NAME(mlp_adam) *step, real *w, real *m, real *v, const real *grad);
    REAL_NAME(mlp_adam) (*adam_at)(int64_t t, double learning_rate, double beta1, double beta2, double epsilon);

    /* layer.c */
    void (*layer_forward)(mlp_activation sigma,                                   /* dense_forward, activation_forward;   */
                          ptrdiff_t n, ptrdiff_t in, ptrdiff_t out,               /* in place: a == z                     */
                          real *z, real *a, const real *x, const real *w, const real *b);
    void (*layer_backward)(mlp_activation sigma,                                  /* phi of the layer below, whose a is x */
                           ptrdiff_t n, ptrdiff_t in, ptrdiff_t out,              /* and activation sigma: eq. 2          */
                           real *phi_below, const real *phi, const real *x, const real *w);
    void (*layer_update)(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out,                /* grad_w, eq. 3, and a step of w with  */
                         const REAL_NAME(mlp_step) *step,                         /* it. SGD: m is the velocity or NULL,  */
                         real *w, real *m, real *v,                               /* v is not used. !keep: grad_w is room */
                         real *grad_w, bool keep,                                 /* that may be used or not              */
                         const real *phi, const real *x);

    /* elementary.h */
    void (*elementary)(mlp_elementary function, ptrdiff_t count,                  /* y = exp x, log x, log(1+x), tanh x,  */
                       real *y, const real *x);                                   /* 1/(1+exp(-x)); in place: y == x      */
} REAL_NAME(mlp_kernels);
/* clang-format on */

extern const REAL_NAME(mlp_kernels) REAL_NAME(mlp_reference);
