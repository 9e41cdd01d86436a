/* What the files of the AVX-512 table share. Include it inside #if defined(__x86_64__). */
#ifndef TSWS_KERNELS_AVX512_H
#define TSWS_KERNELS_AVX512_H

#include "kernels.h"
#include "unroll.h"

#include <immintrin.h>

#define TSWS_AVX512        __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")))
#define TSWS_AVX512_INLINE static inline __attribute__((always_inline)) TSWS_AVX512

/* Holds a vector in a register: where it has several uses, gcc would load it from memory for each. */
#define TSWS_AVX512_KEEP(vector) __asm__("" : "+v"(vector))

enum { TSWS_AVX512_LANES = 16, TSWS_AVX512_ROWS = 32 /* of a panel: two vectors */ };

/* The first n lanes; all from 16 on. */
TSWS_AVX512_INLINE __mmask16 tsws_avx512_first(size_t n) {
    return (__mmask16)(n >= TSWS_AVX512_LANES ? 0xFFFFu : (1u << n) - 1u);
}

/* 2^(n + f) for a whole n and |f| <= 1/2; 2^f by a polynomial that is minimax in relative error (2e-9). */
TSWS_AVX512_INLINE __m512 tsws_avx512_power(__m512 n, __m512 f) {
    __m512 p = _mm512_set1_ps(1.53533620e-4f);

    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.33988750e-3f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.61843692e-3f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.55033237e-2f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.40226477e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.93147182e-1f));
    p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
    return _mm512_scalef_ps(p, n);
}

/* 2^x for x <= 0, within 1 ulp; -infinity gives 0, and NaN stays NaN. */
TSWS_AVX512_INLINE __m512 tsws_avx512_exp2(__m512 x) {
    __m512 bounded = _mm512_max_ps(_mm512_set1_ps(-160.0f), x); /* in this order NaN passes */
    __m512 n = _mm512_roundscale_ps(bounded, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);

    return tsws_avx512_power(n, _mm512_sub_ps(bounded, n));
}

/* e^x for any x, within 2 ulp; what is out of range gives 0 or infinity, and NaN stays NaN. */
TSWS_AVX512_INLINE __m512 tsws_avx512_exp(__m512 x) {
    const __m512 log2_e = _mm512_set1_ps(1.44269504f);
    __m512 bounded = _mm512_min_ps(_mm512_set1_ps(110.0f), _mm512_max_ps(_mm512_set1_ps(-110.0f), x));
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(bounded, log2_e), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    /* ln 2 in two parts, the first with so few digits that its products with n are exact (Cody and Waite 1980) */
    __m512 rest = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f),
                                   _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), bounded));

    return tsws_avx512_power(n, _mm512_mul_ps(rest, log2_e));
}

/* The two vectors of a panel's rows, as far as the matrix has rows. */
TSWS_AVX512_INLINE void tsws_avx512_store_rows(float *out, __m512 low, __m512 high, size_t n_rows) {
    if (n_rows >= TSWS_AVX512_ROWS) {
        _mm512_storeu_ps(out, low);
        _mm512_storeu_ps(out + TSWS_AVX512_LANES, high);
        return;
    }
    _mm512_mask_storeu_ps(out, tsws_avx512_first(n_rows), low);
    if (n_rows > TSWS_AVX512_LANES) {
        _mm512_mask_storeu_ps(out + TSWS_AVX512_LANES, tsws_avx512_first(n_rows - TSWS_AVX512_LANES), high);
    }
}

/* The table's parts, each in a file of its own. */
size_t tsws_avx512_float_scratch(size_t columns, size_t n_vectors);
void tsws_avx512_float_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                              size_t n_vectors, size_t first_panel, size_t last_panel, void *scratch);
void tsws_avx512_code_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                             size_t n_vectors, size_t first_panel, size_t last_panel, void *scratch);
size_t tsws_avx512_code_scratch(size_t columns, size_t group, size_t n_vectors);
size_t tsws_avx512_cache_floats(size_t max_positions, size_t head_size);
void tsws_avx512_remember(float *cache, size_t max_positions, size_t position, const float *key, const float *value,
                          size_t head_size);
size_t tsws_avx512_attend_scratch(size_t max_positions, size_t head_size, size_t n_queries);
void tsws_avx512_attend(float *out, const float *queries, size_t n_queries, const float *cache, size_t max_positions,
                        size_t n_positions, size_t head_size, float *scratch);

#endif
