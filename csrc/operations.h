/* operations.h: the table of operations for one real type; mlpcore.h reads it once with MLP_REAL_BITS 32, once with 64. */
#include "real.h"

/* An activation or a loss with the values of its constants, in the order of its row in the catalogue. */
typedef struct {
    mlp_activation_id id;
    real constants[MLP_HYPERS];
} REAL_NAME(mlp_activation);

typedef struct {
    mlp_loss_id id;
    real constants[MLP_HYPERS];
} REAL_NAME(mlp_loss);

/* What is done with each block of a product's result soon after it is computed, while it is in the caches: `count` numbers
 * that belong at index `begin` of the result. Each number comes once, on any thread, in blocks of any size. */
typedef struct {
    void (*apply)(const void *context, ptrdiff_t begin, ptrdiff_t count, const real *block);
    const void *context;
} REAL_NAME(mlp_epilogue);

/* The mask of one step: number i is kept if its random word is at least `threshold`. */
typedef struct {
    mlp_words words;
    uint32_t threshold; /* rate * 2^32                                                             */
    real scale;         /* dropout: a number that is kept is multiplied by 1 / (1 - rate);         */
    real shift;         /* alpha_dropout: it becomes scale x + shift, where scale is a and shift b */
    real dropped;       /* and one that is not becomes a alpha' + b                                */
} REAL_NAME(mlp_mask);

/* One step of an optimizer. The constants are computed once a step (mlp_update_constants), in an order that is the rule's
 * own; its states lie like the weights, and one that the rule does without now is NULL. */
typedef struct {
    mlp_optimizer_id rule;
    real constants[MLP_CONSTANTS];
    real *state[MLP_STATES];
    bool adjusts;    /* the gradient is not taken as it is, but by the next four; then w -= constants[MLP_DECAY] w */
    real grad_scale; /* clipping by the global norm: what it is multiplied by     */
    real clip_value; /* then cut off at +-clip_value                              */
    real l1, l2;     /* then grad += l1 sign(w) + l2 w                            */
} REAL_NAME(mlp_update);

/* The sample after this one in training with one sample a batch: its x (in), the layer's b (out) or NULL, and z (out), to be
 * computed. */
typedef struct {
    const real *x, *b;
    real *z;
} REAL_NAME(mlp_next_sample);

/* clang-format off */
typedef struct {
    /* dense.c; an epilogue may be NULL */
    void (*dense_forward)(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out,               /* z = x wᵀ + b; b NULL: 0             */
                          real *z, const real *x, const real *w, const real *b,
                          const REAL_NAME(mlp_epilogue) *epilogue);
    void (*dense_backward_x)(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out,            /* phi w: eq. 2 without sigma', which  */
                             real *grad_x, const real *phi, const real *w,        /* may be the epilogue                 */
                             const REAL_NAME(mlp_epilogue) *epilogue);
    void (*dense_backward_w)(ptrdiff_t n, ptrdiff_t in, ptrdiff_t out,            /* phiᵀ x: eq. 3; `discard`: only the  */
                             real *grad_w, bool discard,                          /* epilogue needs it, and grad_w is    */
                             const real *phi, const real *x,                      /* scratch that may be used or not     */
                             const REAL_NAME(mlp_epilogue) *epilogue);
    void (*dense_backward_b)(ptrdiff_t n, ptrdiff_t out,                          /* the sum of phi's rows: eq. 4        */
                             real *grad_b, const real *phi);
    void (*dense_update_online)(ptrdiff_t in, ptrdiff_t out,                      /* eq. 3 of one sample and a step of   */
                                const REAL_NAME(mlp_update) *update,              /* w, as `update` with that grad_w      */
                                ptrdiff_t begin, real *w,                         /* then forward of the next sample, if */
                                const real *phi, const real *x,                   /* there is one (or NULL)              */
                                const REAL_NAME(mlp_next_sample) *next);

    /* activations.c */
    void (*activation_forward)(const REAL_NAME(mlp_activation) *sigma,            /* a = sigma(z); in place: a == z       */
                               ptrdiff_t n, ptrdiff_t out, real *a, const real *z);
    void (*activation_backward)(const REAL_NAME(mlp_activation) *sigma,           /* phi = grad_a through sigma'(z); `s`  */
                                ptrdiff_t n, ptrdiff_t out,                       /* is z or a, as the row says;          */
                                real *phi, const real *s, const real *grad_a);    /* in place: phi == s or phi == grad_a  */

    /* losses.c; value (n) and scale (n) are one number a sample */
    void (*loss_value)(const REAL_NAME(mlp_loss) *loss, ptrdiff_t n, ptrdiff_t out, /* L of each sample                  */
                       real *value, const real *y_hat, const real *y);
    void (*loss_gradient)(const REAL_NAME(mlp_loss) *loss, ptrdiff_t n, ptrdiff_t out, /* scale_s * gradient of L_s to   */
                          real *grad_a, const real *y_hat, const real *y,         /* y_hat; in place: grad_a == y_hat    */
                          const real *scale);
    void (*output_loss)(const REAL_NAME(mlp_loss) *loss,                          /* L of each sample from z: finite      */
                        const REAL_NAME(mlp_activation) *sigma,                   /* wherever L is                        */
                        ptrdiff_t n, ptrdiff_t out, real *value, const real *z, const real *a, const real *y);
    void (*output_phi)(const REAL_NAME(mlp_loss) *loss,                           /* phi^J, eq. 1, times scale_s          */
                       const REAL_NAME(mlp_activation) *sigma, ptrdiff_t n, ptrdiff_t out,
                       real *phi, const real *z, const real *a, const real *y, const real *scale);
    double (*output_step)(const REAL_NAME(mlp_loss) *loss,                        /* activation_forward, output_loss,     */
                          const REAL_NAME(mlp_activation) *sigma,                 /* output_phi and count_correct in one  */
                          mlp_metric_id metric, ptrdiff_t n, ptrdiff_t out, real *a, real *value, real *phi,
                          const real *z, const real *y, const real *scale, const real *weight);

    /* metrics.c */
    double (*count_correct)(mlp_metric_id metric, ptrdiff_t n, ptrdiff_t out,     /* weights of the rows that are right   */
                            const real *a, const real *y, const real *weight);    /* by the rule; weight NULL: each 1     */

    /* measures.c; sums over all batches, which are added to; `threshold` parts yes from no */
    double (*count_top_k)(ptrdiff_t k, ptrdiff_t n, ptrdiff_t out,                /* weights of the rows whose class is   */
                          const real *a, const real *y, const real *weight);      /* among the k largest outputs          */
    void (*count_answers)(mlp_answers answers, real threshold, ptrdiff_t n,       /* MLP_COUNTS sums for each class or    */
                          ptrdiff_t out, double *counts, const real *a,           /* label                                */
                          const real *y, const real *weight);
    void (*add_errors)(ptrdiff_t n, ptrdiff_t out, double *errors,                /* MLP_ERRORS sums for each output      */
                       const real *a, const real *y, const real *weight);

    /* samples.c */
    double (*batch_weight)(ptrdiff_t n, const real *weight);                      /* sum of the weights; NULL: n         */
    void (*batch_scale)(ptrdiff_t n, real *scale, const real *weight, double total); /* weight_s / total; NULL: 1/n */
    double (*batch_mean)(ptrdiff_t n, const real *value, const real *weight);     /* weighted mean; weight NULL: plain    */

    /* dropout.c */
    void (*dropout)(const REAL_NAME(mlp_mask) *mask, ptrdiff_t begin, ptrdiff_t count, /* y = mask x / (1 - rate), of     */
                    real *y, const real *x);                                      /* numbers from begin on; in place: y == x */
    void (*alpha_dropout)(const REAL_NAME(mlp_mask) *mask, ptrdiff_t begin,       /* y = a (mask x + (1 - mask) alpha')  */
                          ptrdiff_t count, real *y, const real *x);               /* + b, likewise                       */

    /* noise.c */
    void (*gaussian_noise)(const mlp_words *words, real stddev, ptrdiff_t begin,  /* y = x + stddev z, likewise          */
                           ptrdiff_t count, real *y, const real *x);

    /* embedding.c; params and grads are where the tables begin */
    void (*embedding_forward)(const mlp_embedding *e, ptrdiff_t n, real *y,       /* rows of tables in place of columns  */
                              const real *x, const real *params);
    void (*embedding_backward_tables)(const mlp_embedding *e, ptrdiff_t n,        /* the sums of the gradients to what   */
                                      real *grads, const real *grad_y, const real *x); /* came from each row              */

    /* norm.c; gamma, beta (out); epsilon > 0 */
    void (*layer_norm_forward)(bool centred, ptrdiff_t n, ptrdiff_t out,          /* y = gamma x_hat + beta of each row; */
                               real *y, real *moments, const real *x,             /* moments (n, 2): mean and 1 / sqrt   */
                               const real *gamma, const real *beta,               /* (variance + epsilon), or NULL; beta */
                               real epsilon);                                     /* may be NULL                         */
    void (*layer_norm_backward_x)(bool centred, ptrdiff_t n, ptrdiff_t out, real *grad_x, const real *grad_y,
                                  const real *x, const real *moments, const real *gamma);
    void (*layer_norm_backward_gamma)(ptrdiff_t n, ptrdiff_t out, real *grad_gamma, const real *grad_y,
                                      const real *x, const real *moments);
    void (*batch_norm_moments)(ptrdiff_t n, ptrdiff_t out, real *mean,            /* of each column; weight (n) or NULL  */
                               real *variance, const real *x, const real *weight);
    void (*batch_norm_forward)(ptrdiff_t n, ptrdiff_t out, real *y,               /* y = gamma x_hat + beta of each      */
                               const real *x, const real *mean,                   /* column                              */
                               const real *variance, const real *gamma, const real *beta, real epsilon);
    void (*batch_norm_backward)(ptrdiff_t n, ptrdiff_t out, real *grad_x,         /* grad_x may be NULL; share (n): what */
                                real *grad_gamma, real *grad_beta,                /* a row counts in the moments         */
                                const real *grad_y, const real *x,
                                const real *mean, const real *variance, const real *gamma, real epsilon,
                                const real *share);

    /* scale.c; s, alpha (out) or, `shared`, one number */
    void (*scale)(ptrdiff_t n, ptrdiff_t out, real *y, const real *x, const real *s); /* y = s x of each row             */
    void (*scale_backward_s)(ptrdiff_t n, ptrdiff_t out, real *grad_s, const real *grad_y, const real *x);
    void (*prelu_forward)(bool shared, ptrdiff_t n, ptrdiff_t out,                /* a = z where z > 0, else alpha z     */
                          real *a, const real *z, const real *alpha);
    void (*prelu_backward_z)(bool shared, ptrdiff_t n, ptrdiff_t out, real *phi, const real *grad_a, const real *z,
                             const real *alpha);
    void (*prelu_backward_alpha)(bool shared, ptrdiff_t n, ptrdiff_t out, real *grad_alpha, const real *grad_a,
                                 const real *z);

    /* optimizers.c */
    void (*update)(const REAL_NAME(mlp_update) *update, ptrdiff_t begin, ptrdiff_t count, /* a step of w[begin ...] with  */
                   real *w, const real *grad);                                    /* grad[0 ...]                          */
    void (*max_norm)(ptrdiff_t in, ptrdiff_t out, real *w, real limit);           /* shortens the weights of each unit     */
    double (*sum_of_squares)(ptrdiff_t count, const real *x);                     /* in double                            */

    /* elementary.h */
    void (*elementary)(mlp_elementary_id function, ptrdiff_t count,                  /* y = f(x) of each; in place: y == x   */
                       real *y, const real *x);
} REAL_NAME(mlp_kernels);
/* clang-format on */

extern const REAL_NAME(mlp_kernels) REAL_NAME(mlp_reference);

/* The constants that a rule uses in step t = 1, 2, ... for every weight, from its hyperparameters (reference/optimizers.c).
 * Computed once a step, by the host, and so the same for every instruction set. */
void REAL_NAME(mlp_update_constants)(mlp_optimizer_id rule, const double *hypers, int64_t t, real *constants);
