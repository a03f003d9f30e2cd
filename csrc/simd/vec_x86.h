/* vec_x86.h: shared by AVX2 and AVX-512: intrinsics whose names differ in the width alone. The page
 * says by OF_REAL, OF_BITS, OF_REGISTER and OF_WIDTH how they begin and end. */
static inline vec vec_broadcast(real x) { return OF_REAL(set1)(x); }
static inline vec vec_load(const real *p) { return OF_REAL(loadu)(p); }
static inline void vec_store(real *p, vec v) { OF_REAL(storeu)(p, v); }

static inline void vec_prefetch(const real *p) { _mm_prefetch((const char *)p, _MM_HINT_T0); }

static inline vec vec_add(vec a, vec b) { return OF_REAL(add)(a, b); }
static inline vec vec_sub(vec a, vec b) { return OF_REAL(sub)(a, b); }
static inline vec vec_mul(vec a, vec b) { return OF_REAL(mul)(a, b); }
static inline vec vec_div(vec a, vec b) { return OF_REAL(div)(a, b); }
static inline vec vec_sqrt(vec a) { return OF_REAL(sqrt)(a); }
static inline vec vec_fma(vec a, vec b, vec c) { return OF_REAL(fmadd)(a, b, c); }
static inline vec vec_fnma(vec a, vec b, vec c) { return OF_REAL(fnmadd)(a, b, c); }

static inline mask vec_less(vec a, vec b) { return OF_REAL_MASK(cmp)(a, b, _CMP_LT_OQ); }
static inline mask vec_less_equal(vec a, vec b) { return OF_REAL_MASK(cmp)(a, b, _CMP_LE_OQ); }
static inline mask vec_equal(vec a, vec b) { return OF_REAL_MASK(cmp)(a, b, _CMP_EQ_OQ); }

static inline ivec ivec_add(ivec a, ivec b) { return OF_BITS(add)(a, b); }
static inline ivec ivec_sub(ivec a, ivec b) { return OF_BITS(sub)(a, b); }
static inline ivec ivec_and(ivec a, ivec b) { return OF_REGISTER (and)(a, b); }
static inline ivec ivec_or(ivec a, ivec b) { return OF_REGISTER(or)(a, b); }
static inline ivec ivec_xor(ivec a, ivec b) { return OF_REGISTER(xor)(a, b); }
#define ivec_shift_left(i, n) OF_BITS(slli)(i, n)
#define ivec_shift_right(i, n) OF_BITS(srli)(i, n)

static inline vec vec_zip_low(vec a, vec b) { return OF_REAL(unpacklo)(a, b); }
static inline vec vec_zip_high(vec a, vec b) { return OF_REAL(unpackhi)(a, b); }

/* Halves, then halves of halves, which is the order of reference/sums.h, from 32 bytes on. */
#if MLP_REAL_BITS == 32
#define HALVES_OF_32_BYTES(op, v)                                                                                      \
    __m128 four = _mm_##op##_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));                               \
    __m128 two = _mm_##op##_ps(four, _mm_movehl_ps(four, four));                                                       \
    return _mm_cvtss_f32(_mm_##op##_ss(two, _mm_movehdup_ps(two)))
#else
#define HALVES_OF_32_BYTES(op, v)                                                                                      \
    __m128d two = _mm_##op##_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));                               \
    return _mm_cvtsd_f64(_mm_##op##_sd(two, _mm_unpackhi_pd(two, two)))
#endif

typedef ivec wide;
enum { WIDE_LANES = sizeof(wide) / 8 };
static inline wide wide_load(const uint64_t *p) { return OF_REGISTER(loadu)((const void *)p); }
static inline void wide_store(uint64_t *p, wide w) { OF_REGISTER(storeu)((void *)p, w); }
static inline wide wide_broadcast(uint64_t bits) { return SET_WIDE((long long)bits); }
static inline wide wide_mul(wide a, wide b) { return OF_WIDTH(mul_epu32)(a, b); }
static inline wide wide_xor(wide a, wide b) { return OF_REGISTER(xor)(a, b); }
static inline wide wide_high(wide a) { return OF_WIDTH(srli_epi64)(a, 32); }
