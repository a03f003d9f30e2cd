/* shapes.h: checks of shapes, for arrays.c. */
#ifndef MLPCORE_SHAPES_H
#define MLPCORE_SHAPES_H

#include "arrays.h"

/* The place in mlp_sizes of the axis that a letter of mlp_parameter.axes stands for. */
int mlp_axis(char letter);

/* Fills call->size and call->count from the arrays; ValueError, with both shapes, where two do not fit together. */
int mlp_bind_shapes(mlp_call *call);

#endif
