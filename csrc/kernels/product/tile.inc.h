/* tile.inc.h: the micro-kernel. It computes a micro-tile of C, ROWS rows by VECS vectors, held in registers while k
 * runs.
 *
 *     c[r][j] = init[r][j] + sum over k of a[r][k] b[k][j]         one chain of fma an element, k ascending
 *
 * tiles.inc.h includes this text once for every ROWS and VECS, so that the bounds below are constants and every loop
 * over them unrolls into registers. The last vector ends with the last column, which may be inside the vector before:
 * elements computed twice are the same, and no mask is needed. Only fewer columns than one vector need one.
 */
#define MICRO_KERNEL_PASTE(form, rows, vecs) micro_kernel_##form##_##rows##x##vecs
#define MICRO_KERNEL_EXPAND(form, rows, vecs) MICRO_KERNEL_PASTE(form, rows, vecs)
#define MICRO_KERNEL(form) MICRO_KERNEL_EXPAND(form, ROWS, VECS)

/* Where vector v begins if the last one begins at `last`. */
#define AT(v) ((v) < VECS - 1 ? (v) * VEC_LANES : last)

/* a[r][k] is at a + r * row_stride + k * k_stride. */
static ALWAYS_INLINE void MICRO_KERNEL(lanes)(ptrdiff_t K, const real *a, ptrdiff_t row_stride, ptrdiff_t k_stride,
                                              const real *b, ptrdiff_t ldb, real *c, ptrdiff_t ldc, const real *init,
                                              ptrdiff_t ld_init, ptrdiff_t last, lane_set lanes) {
    vec sum[ROWS][VECS];
    EACH (r, ROWS) {
        EACH (v, VECS) {
            sum[r][v] = init ? load_lanes(init + r * ld_init + AT(v), lanes) : vec_broadcast(0);
        }
    }
    TWICE
    for (ptrdiff_t k = 0; k < K; k++) {
        vec of_b[VECS];
        EACH (v, VECS) {
            of_b[v] = load_lanes(b + AT(v), lanes);
        }
        EACH (r, ROWS) {
            vec of_a = vec_broadcast(a[r * row_stride]);
            EACH (v, VECS) {
                sum[r][v] = vec_fma(of_a, of_b[v], sum[r][v]);
            }
        }
        a += k_stride;
        b += ldb;
    }
    EACH (r, ROWS) {
        EACH (v, VECS) {
            store_lanes(c + r * ldc + AT(v), sum[r][v], lanes);
        }
    }
}

static ALWAYS_INLINE void MICRO_KERNEL(columns)(ptrdiff_t K, const real *a, ptrdiff_t row_stride, ptrdiff_t k_stride,
                                                const real *b, ptrdiff_t ldb, real *c, ptrdiff_t ldc, const real *init,
                                                ptrdiff_t ld_init, ptrdiff_t columns) {
#if VECS == 1
    if (columns < VEC_LANES) {
        MICRO_KERNEL(lanes)(K, a, row_stride, k_stride, b, ldb, c, ldc, init, ld_init, 0, first_lanes(columns));
        return;
    }
#endif
    const ptrdiff_t last = columns - VEC_LANES;
    MICRO_KERNEL(lanes)(K, a, row_stride, k_stride, b, ldb, c, ldc, init, ld_init, last, ALL_LANES);
}

/* NO_TRANSPOSE: a row of a is contiguous, as in the forward product. */
static void MICRO_KERNEL(n)(ptrdiff_t K, const real *a, ptrdiff_t lda, const real *b, ptrdiff_t ldb, real *c,
                            ptrdiff_t ldc, const real *init, ptrdiff_t ld_init, ptrdiff_t columns) {
    MICRO_KERNEL(columns)(K, a, lda, 1, b, ldb, c, ldc, init, ld_init, columns);
}

/* TRANSPOSE: a column of a is contiguous, as in grad_w = phiᵀ x. */
static void MICRO_KERNEL(t)(ptrdiff_t K, const real *a, ptrdiff_t lda, const real *b, ptrdiff_t ldb, real *c,
                            ptrdiff_t ldc, const real *init, ptrdiff_t ld_init, ptrdiff_t columns) {
    MICRO_KERNEL(columns)(K, a, 1, lda, b, ldb, c, ldc, init, ld_init, columns);
}

#undef AT
#undef MICRO_KERNEL
#undef MICRO_KERNEL_EXPAND
#undef MICRO_KERNEL_PASTE
