/* binding.h: a function of mlpcore.kernels, described as data: its arguments, which of them are names, what it computes with the
 * GIL released, and what it returns. mlp_run_binding is the one frame around them all.
 */
#ifndef MLPCORE_BINDING_H
#define MLPCORE_BINDING_H

#include "arrays.h"
#include "kernel.h"

enum { MLP_NO_PARAMETER = -1 };

/* A call whose arrays are there. sigma and loss point to the structs of the call's real type. */
typedef struct {
    mlp_call call;
    union {
        mlp_activation_f32 f32;
        mlp_activation_f64 f64;
    } sigma_of;
    union {
        mlp_loss_f32 f32;
        mlp_loss_f64 f64;
    } loss_of;
    const void *sigma, *loss;
    mlp_activation_id sigma_id;
    void *scratch[2];
    double number; /* what a function that returns a number returns */
} mlp_kernel_call;

typedef struct {
    mlp_function function;
    int activation, loss, weight; /* the parameters that are these; MLP_NO_PARAMETER                              */
    const char *scratch[2];       /* axes of the arrays that the computation needs beside the arguments; NULL: none */
    double work;                  /* what an element of the first array costs, in multiply-adds                    */
    void (*compute)(mlp_kernel_call *k);
    int results
        [3]; /* the parameters whose arrays it returns, as a tuple if there are several; MLP_NO_PARAMETER first: `number` */
} mlp_binding;

PyObject *mlp_run_binding(const mlp_binding *binding, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);

/* Constants of a row, in the call's real type. */
static inline void mlp_set_constants(bool is_double, float *f32, double *f64, const double *constants) {
    for (int i = 0; i < MLP_HYPERS; i++) {
        if (is_double) {
            f64[i] = constants[i];
        } else {
            f32[i] = (float)constants[i];
        }
    }
}

#endif
