/* vec.h: the vector operations that the kernels are written in. Each instruction set has a header that defines them for
 * `real`: vec_avx2.h, vec_avx512.h, vec_neon.h. A stub in isa/ includes the header, vec_end.h ends it.
 *
 *     vec                          VEC_LANES numbers           ivec     the same register as integers of real's size
 *     mask                         one yes or no a lane
 *
 *     vec_broadcast(x)             x in every lane             vec_load(p)  vec_store(p, v)    at any address
 *     vec_prefetch(p)              brings the line into L1     vec_load_masked(p, m)           0 in the other lanes
 *     mask_first(n)                yes in lanes 0 ... n-1      vec_store_masked(p, v, m)       leaves them as they are
 *     vec_add(a, b)  vec_sub  vec_mul  vec_div  vec_sqrt(a)    vec_fma(a, b, c)   a b + c      vec_fnma(a, b, c)  c - a b
 *     vec_less(a, b)  vec_less_equal  vec_equal  -> mask       NaN: no            vec_select(m, a, b)  m ? a : b
 *     mask_and(m, n)  mask_count(m)                            vec_reduce_add(v)  lanes halved and added, as sums.h says
 *     mask_lane(m)                 the first yes, or -1        vec_reduce_max(v)  of numbers without NaN
 *     vec_zip_low(a, b)            a0 b0 ... of the lower
 *     vec_zip_high(a, b)           and of the upper half of each block of 16 bytes
 *     vec_even_blocks(a, b)  vec_odd_blocks    every second block of a, then of b
 *     vec_as_ivec(v)  ivec_as_vec(i)           the same bits   ivec_broadcast(bits)     ivec_add  _sub  _and  _or  _xor
 *                                                              ivec_shift_left(i, n)  ivec_shift_right(i, n)  logical
 *     wide                         WIDE_LANES integers of 64 bits, for products of 32-bit words
 *     wide_load(p)  wide_store(p, w)  wide_broadcast(bits)     wide_mul(a, b)  of the lower words    wide_xor(a, b)
 *     wide_high(a)                 the upper words
 *
 * Operations round as IEEE 754 says, so that every page gives the same bits; none reads or writes a lane it was not
 * asked for. The mask of vec_load_masked and vec_store_masked is one of mask_first, since not every machine can do more.
 * A page also says how large the micro-tile of a product is: TILE_ROWS by TILE_VECS vectors; they are macros, so that
 * no larger tile is compiled. ONLINE_ROWS is how many rows of w take their step at once, with one sample a batch.
 */
#ifndef MLPCORE_VEC_H
#define MLPCORE_VEC_H

#ifdef _MSC_VER
#define ALWAYS_INLINE __forceinline
#define UNROLL
#define TWICE
#else
#define ALWAYS_INLINE inline __attribute__((always_inline))
#ifdef __clang__
#define UNROLL _Pragma("unroll")
#define TWICE _Pragma("clang loop unroll_count(2)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#define TWICE _Pragma("GCC unroll 2")
#endif
#endif

/* TWICE before a loop: unrolls it by two, so that loop overhead takes fewer issue slots.
 * EACH: a loop over an array of vectors with a constant bound: unrolled, so that the array lives in registers. */
#define EACH(i, count) UNROLL for (int i = 0; i < (count); i++)

#endif
