/*
 * Matrices of floats times vectors, with AVX-512.
 *
 * A sum has four parts, of the columns 0, 4, 8 ..., 1, 5, 9 ... and so on, which are added as (0 + 1) + (2 + 3): so that
 * one vector alone keeps eight chains of fused multiply-adds going, enough to hide their latency. Several
 * vectors share what is loaded of the matrix; they form two parts, then the other two, for want of registers.
 */
#if defined(__x86_64__)

#include "kernels_avx512.h"

enum {
    AVX512_PARTS = 4,
    AVX512_HALVES = 2, /* of a panel's rows: one vector register each */
    AVX512_AHEAD = 32  /* columns that are fetched before their turn */
};

/* sums[v][part - first_part][half] of n_parts parts. The counts are constants: everything is unrolled. */
TSWS_AVX512_INLINE void avx512_float_parts(__m512 *sums, const float *panel, const float *x, size_t x_stride,
                                           size_t columns, size_t n_vectors, size_t first_part, size_t n_parts) {
    size_t column = 0;

    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * n_parts * AVX512_HALVES; i++) {
        sums[i] = _mm512_setzero_ps();
    }
    for (; column + AVX512_PARTS <= columns; column += AVX512_PARTS) {
        const float *weights = panel + (column + first_part) * TSWS_AVX512_ROWS;

        TSWS_UNROLL
        for (size_t i = 0; i < n_parts * AVX512_HALVES; i++) {
            _mm_prefetch((const char *)(weights + AVX512_AHEAD * TSWS_AVX512_ROWS + i * TSWS_AVX512_LANES),
                         _MM_HINT_T0);
        }
        TSWS_UNROLL
        for (size_t part = 0; part < n_parts; part++) {
            __m512 low = _mm512_load_ps(weights + part * TSWS_AVX512_ROWS);
            __m512 high = _mm512_load_ps(weights + part * TSWS_AVX512_ROWS + TSWS_AVX512_LANES);

            TSWS_UNROLL
            for (size_t v = 0; v < n_vectors; v++) {
                __m512 *sum = sums + (v * n_parts + part) * AVX512_HALVES;
                __m512 factor = _mm512_set1_ps(x[v * x_stride + column + first_part + part]);

                sum[0] = _mm512_fmadd_ps(low, factor, sum[0]);
                sum[1] = _mm512_fmadd_ps(high, factor, sum[1]);
            }
        }
    }
    TSWS_UNROLL
    for (size_t part = 0; part < n_parts; part++) {
        size_t last = column + first_part + part;

        if (last < columns) {
            __m512 low = _mm512_load_ps(panel + last * TSWS_AVX512_ROWS);
            __m512 high = _mm512_load_ps(panel + last * TSWS_AVX512_ROWS + TSWS_AVX512_LANES);

            TSWS_UNROLL
            for (size_t v = 0; v < n_vectors; v++) {
                __m512 *sum = sums + (v * n_parts + part) * AVX512_HALVES;
                __m512 factor = _mm512_set1_ps(x[v * x_stride + last]);

                sum[0] = _mm512_fmadd_ps(low, factor, sum[0]);
                sum[1] = _mm512_fmadd_ps(high, factor, sum[1]);
            }
        }
    }
}

/* Up to three vectors: all parts fit into the registers. */
TSWS_AVX512_INLINE void avx512_float_few(float *out, size_t out_stride, const float *panel, const float *x,
                                         size_t x_stride, size_t columns, size_t n_vectors, size_t n_rows) {
    __m512 sums[3 * AVX512_PARTS * AVX512_HALVES];

    avx512_float_parts(sums, panel, x, x_stride, columns, n_vectors, 0, AVX512_PARTS);
    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        const __m512 *s = sums + v * AVX512_PARTS * AVX512_HALVES;

        tsws_avx512_store_rows(out + v * out_stride,
                               _mm512_add_ps(_mm512_add_ps(s[0], s[2]), _mm512_add_ps(s[4], s[6])),
                               _mm512_add_ps(_mm512_add_ps(s[1], s[3]), _mm512_add_ps(s[5], s[7])), n_rows);
    }
}

/* Four to six vectors, two parts at a time. */
TSWS_AVX512_INLINE void avx512_float_many(float *out, size_t out_stride, const float *panel, const float *x,
                                          size_t x_stride, size_t columns, size_t n_vectors, size_t n_rows) {
    __m512 sums[6 * 2 * AVX512_HALVES];
    __m512 firsts[6 * AVX512_HALVES];

    avx512_float_parts(sums, panel, x, x_stride, columns, n_vectors, 0, 2);
    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        firsts[2 * v] = _mm512_add_ps(sums[4 * v], sums[4 * v + 2]);
        firsts[2 * v + 1] = _mm512_add_ps(sums[4 * v + 1], sums[4 * v + 3]);
    }
    avx512_float_parts(sums, panel, x, x_stride, columns, n_vectors, 2, 2);
    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        tsws_avx512_store_rows(
            out + v * out_stride, _mm512_add_ps(firsts[2 * v], _mm512_add_ps(sums[4 * v], sums[4 * v + 2])),
            _mm512_add_ps(firsts[2 * v + 1], _mm512_add_ps(sums[4 * v + 1], sums[4 * v + 3])), n_rows);
    }
}

TSWS_AVX512 static void avx512_float_panel(float *out, size_t out_stride, const float *panel, const float *x,
                                           size_t x_stride, size_t n_vectors, size_t columns, size_t n_rows) {
    for (; n_vectors >= 7; n_vectors -= 4) { /* four make the best of the registers */
        avx512_float_many(out, out_stride, panel, x, x_stride, columns, 4, n_rows);
        out += 4 * out_stride;
        x += 4 * x_stride;
    }
    switch (n_vectors) {
    case 6: avx512_float_many(out, out_stride, panel, x, x_stride, columns, 6, n_rows); break;
    case 5: avx512_float_many(out, out_stride, panel, x, x_stride, columns, 5, n_rows); break;
    case 4: avx512_float_many(out, out_stride, panel, x, x_stride, columns, 4, n_rows); break;
    case 3: avx512_float_few(out, out_stride, panel, x, x_stride, columns, 3, n_rows); break;
    case 2: avx512_float_few(out, out_stride, panel, x, x_stride, columns, 2, n_rows); break;
    case 1: avx512_float_few(out, out_stride, panel, x, x_stride, columns, 1, n_rows); break;
    default: break;
    }
}

TSWS_AVX512 void tsws_avx512_float_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x,
                                          size_t x_stride, size_t n_vectors, size_t first_panel, size_t last_panel) {
    size_t columns = matrix->columns;

    for (size_t i = first_panel; i < last_panel; i++) {
        avx512_float_panel(out + i * TSWS_AVX512_ROWS, out_stride,
                           (const float *)matrix->data + i * TSWS_AVX512_ROWS * columns, x, x_stride, n_vectors,
                           columns, matrix->rows - i * TSWS_AVX512_ROWS);
    }
}

#endif
