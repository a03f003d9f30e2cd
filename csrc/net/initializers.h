/* initializers.h: the first weights of a layer as numbers in double, which a net of either type rounds to its own. */
#ifndef MLPCORE_INITIALIZERS_H
#define MLPCORE_INITIALIZERS_H

#include "../runtime/rng.h"
#include "net.h"

/* center + spread x, where x is drawn: uniformly from -1 to 1, or a normal number, truncated at +-2 or not; or the whole
 * segment is `spread` times a matrix with orthonormal rows or columns. */
typedef struct {
    enum { MLP_EVEN, MLP_NORMAL_NUMBER, MLP_TRUNCATED_NUMBER, MLP_ORTHONORMAL } shape;
    double center, spread;
} mlp_distribution;

/* What an initializer draws from, for a layer of so many inputs and outputs. */
mlp_distribution mlp_distribution_of(const mlp_initializer *initializer, double in, double out);

/* A number of any shape but MLP_ORTHONORMAL, from draw number `index` of the stream. */
double mlp_draw_number(const mlp_distribution *distribution, mlp_stream stream, uint64_t index);

/* q becomes `few` orthonormal rows of `many` numbers each, few <= many, from draws `index` ... of the stream. q has room for
 * few * (many + 2) numbers. False: the interrupt callback stopped it. */
bool mlp_draw_orthonormal(ptrdiff_t few, ptrdiff_t many, double *q, mlp_stream stream, uint64_t index,
                          const mlp_interrupt *interrupt);

#endif
