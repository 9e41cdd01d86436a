/* What the files of the AVX2 table share. Include it inside #if defined(__x86_64__). */
#ifndef TSWS_KERNELS_AVX2_H
#define TSWS_KERNELS_AVX2_H

#include "kernels.h"
#include "unroll.h"

#include <immintrin.h>

#define TSWS_AVX2        __attribute__((target("avx2,fma")))
#define TSWS_AVX2_INLINE static inline __attribute__((always_inline)) TSWS_AVX2

enum { TSWS_AVX2_LANES = 8, TSWS_AVX2_ROWS = 16 /* of a panel: two vectors */ };

/* A mask of the first n lanes; all from 8 on. */
TSWS_AVX2_INLINE __m256i tsws_avx2_first(size_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(n < TSWS_AVX2_LANES ? (int)n : TSWS_AVX2_LANES),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

TSWS_AVX2_INLINE float tsws_avx2_sum(__m256 x) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));

    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

TSWS_AVX2_INLINE float tsws_avx2_largest(__m256 x) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));

    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/* 2^n for a whole n of -126 to 127 */
TSWS_AVX2_INLINE __m256 tsws_avx2_whole_power(__m256i n) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}

/* 2^(n + f) for a whole n and |f| <= 1/2; 2^f by a polynomial that is minimax in relative error (2e-9). */
TSWS_AVX2_INLINE __m256 tsws_avx2_power(__m256 n, __m256 f) {
    __m256i whole = _mm256_cvtps_epi32(n);
    __m256i half = _mm256_srai_epi32(whole, 1); /* in two steps, for one can not reach the smallest floats */
    __m256 p = _mm256_set1_ps(1.53533620e-4f);

    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1.33988750e-3f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(9.61843692e-3f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(5.55033237e-2f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(2.40226477e-1f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(6.93147182e-1f));
    p = _mm256_fmadd_ps(p, f, _mm256_set1_ps(1.0f));
    p = _mm256_mul_ps(p, tsws_avx2_whole_power(half));
    return _mm256_mul_ps(p, tsws_avx2_whole_power(_mm256_sub_epi32(whole, half)));
}

/* 2^x for x <= 0, within 1 ulp; -infinity gives 0, and NaN stays NaN. */
TSWS_AVX2_INLINE __m256 tsws_avx2_exp2(__m256 x) {
    __m256 bounded = _mm256_max_ps(_mm256_set1_ps(-160.0f), x); /* in this order NaN passes */
    __m256 n = _mm256_round_ps(bounded, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);

    return tsws_avx2_power(n, _mm256_sub_ps(bounded, n));
}

/* e^x for any x, within 2 ulp; what is out of range gives 0 or infinity, and NaN stays NaN. */
TSWS_AVX2_INLINE __m256 tsws_avx2_exp(__m256 x) {
    const __m256 log2_e = _mm256_set1_ps(1.44269504f);
    __m256 bounded = _mm256_min_ps(_mm256_set1_ps(110.0f), _mm256_max_ps(_mm256_set1_ps(-110.0f), x));
    __m256 n = _mm256_round_ps(_mm256_mul_ps(bounded, log2_e), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    /* ln 2 in two parts, the first with so few digits that its products with n are exact (Cody and Waite 1980) */
    __m256 rest = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f),
                                   _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), bounded));

    return tsws_avx2_power(n, _mm256_mul_ps(rest, log2_e));
}

/* The two vectors of a panel's rows, as far as the matrix has rows. */
TSWS_AVX2_INLINE void tsws_avx2_store_rows(float *out, __m256 low, __m256 high, size_t n_rows) {
    if (n_rows >= TSWS_AVX2_ROWS) {
        _mm256_storeu_ps(out, low);
        _mm256_storeu_ps(out + TSWS_AVX2_LANES, high);
        return;
    }
    _mm256_maskstore_ps(out, tsws_avx2_first(n_rows), low);
    if (n_rows > TSWS_AVX2_LANES) {
        _mm256_maskstore_ps(out + TSWS_AVX2_LANES, tsws_avx2_first(n_rows - TSWS_AVX2_LANES), high);
    }
}

/* The table's parts, each in a file of its own. */
void tsws_avx2_float_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                            size_t n_vectors, size_t first_panel, size_t last_panel);
void tsws_avx2_code_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                           size_t n_vectors, size_t first_panel, size_t last_panel, void *scratch);
size_t tsws_avx2_code_scratch(size_t columns, size_t group, size_t n_vectors);
size_t tsws_avx2_cache_floats(size_t max_positions, size_t head_size);
void tsws_avx2_remember(float *cache, size_t max_positions, size_t position, const float *key, const float *value,
                        size_t head_size);
size_t tsws_avx2_attend_scratch(size_t max_positions, size_t head_size, size_t n_queries);
void tsws_avx2_attend(float *out, const float *queries, size_t n_queries, const float *cache, size_t max_positions,
                      size_t n_positions, size_t head_size, float *scratch);

#endif
