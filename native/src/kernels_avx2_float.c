/*
 * Matrices of floats times vectors, with AVX2 and its fused multiply-add.
 *
 * A sum has four parts, of the columns 0, 4, 8 ..., 1, 5, 9 ... and so on, which are added as (0 + 1) + (2 + 3): so that
 * one vector alone keeps eight chains of fused multiply-adds going, enough to hide their latency. Several
 * vectors share what is loaded of the matrix; they form one part after another, for want of registers.
 */
#if defined(__x86_64__)

#include "kernels_avx2.h"

enum {
    AVX2_PARTS = 4,
    AVX2_HALVES = 2, /* of a panel's rows: one vector register each */
    AVX2_AHEAD = 64  /* columns that are fetched before their turn */
};

/* sums[v][part - first_part][half] of one column. */
TSWS_AVX2_INLINE void avx2_add_column(__m256 *sums, const float *weights, const float *x, size_t x_stride,
                                      size_t n_vectors, size_t n_parts) {
    __m256 low = _mm256_load_ps(weights);
    __m256 high = _mm256_load_ps(weights + TSWS_AVX2_LANES);

    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        __m256 *sum = sums + v * n_parts * AVX2_HALVES;
        __m256 factor = _mm256_set1_ps(x[v * x_stride]);

        sum[0] = _mm256_fmadd_ps(low, factor, sum[0]);
        sum[1] = _mm256_fmadd_ps(high, factor, sum[1]);
    }
}

/* The counts are constants: everything is unrolled. */
TSWS_AVX2_INLINE void avx2_float_parts(__m256 *sums, const float *panel, const float *x, size_t x_stride,
                                       size_t columns, size_t n_vectors, size_t first_part, size_t n_parts) {
    size_t column = 0;

    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * n_parts * AVX2_HALVES; i++) {
        sums[i] = _mm256_setzero_ps();
    }
    for (; column + AVX2_PARTS <= columns; column += AVX2_PARTS) {
        TSWS_UNROLL
        for (size_t part = 0; part < n_parts; part++) {
            const float *weights = panel + (column + first_part + part) * TSWS_AVX2_ROWS;

            _mm_prefetch((const char *)(weights + AVX2_AHEAD * TSWS_AVX2_ROWS), _MM_HINT_T0);
            avx2_add_column(sums + part * AVX2_HALVES, weights, x + column + first_part + part, x_stride, n_vectors,
                            n_parts);
        }
    }
    TSWS_UNROLL
    for (size_t part = 0; part < n_parts; part++) {
        size_t last = column + first_part + part;

        if (last < columns) {
            avx2_add_column(sums + part * AVX2_HALVES, panel + last * TSWS_AVX2_ROWS, x + last, x_stride, n_vectors,
                            n_parts);
        }
    }
}

TSWS_AVX2 static void avx2_float_one(float *out, const float *panel, const float *x, size_t columns, size_t n_rows) {
    __m256 s[AVX2_PARTS * AVX2_HALVES];

    avx2_float_parts(s, panel, x, 0, columns, 1, 0, AVX2_PARTS);
    tsws_avx2_store_rows(out, _mm256_add_ps(_mm256_add_ps(s[0], s[2]), _mm256_add_ps(s[4], s[6])),
                         _mm256_add_ps(_mm256_add_ps(s[1], s[3]), _mm256_add_ps(s[5], s[7])), n_rows);
}

/* Two to six vectors, one part at a time. */
TSWS_AVX2_INLINE void avx2_float_many(float *out, size_t out_stride, const float *panel, const float *x,
                                      size_t x_stride, size_t columns, size_t n_vectors, size_t n_rows) {
    __m256 parts[AVX2_PARTS][6 * AVX2_HALVES];

    for (size_t part = 0; part < AVX2_PARTS; part++) {
        __m256 sums[6 * AVX2_HALVES];

        avx2_float_parts(sums, panel, x, x_stride, columns, n_vectors, part, 1);
        TSWS_UNROLL
        for (size_t i = 0; i < n_vectors * AVX2_HALVES; i++) {
            parts[part][i] = sums[i];
        }
    }
    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        size_t low = v * AVX2_HALVES;
        size_t high = low + 1;

        tsws_avx2_store_rows(
            out + v * out_stride,
            _mm256_add_ps(_mm256_add_ps(parts[0][low], parts[1][low]), _mm256_add_ps(parts[2][low], parts[3][low])),
            _mm256_add_ps(_mm256_add_ps(parts[0][high], parts[1][high]), _mm256_add_ps(parts[2][high], parts[3][high])),
            n_rows);
    }
}

TSWS_AVX2 static void avx2_float_panel(float *out, size_t out_stride, const float *panel, const float *x,
                                       size_t x_stride, size_t n_vectors, size_t columns, size_t n_rows) {
    for (; n_vectors >= 6; n_vectors -= 6) {
        avx2_float_many(out, out_stride, panel, x, x_stride, columns, 6, n_rows);
        out += 6 * out_stride;
        x += 6 * x_stride;
    }
    switch (n_vectors) {
    case 5: avx2_float_many(out, out_stride, panel, x, x_stride, columns, 5, n_rows); break;
    case 4: avx2_float_many(out, out_stride, panel, x, x_stride, columns, 4, n_rows); break;
    case 3: avx2_float_many(out, out_stride, panel, x, x_stride, columns, 3, n_rows); break;
    case 2: avx2_float_many(out, out_stride, panel, x, x_stride, columns, 2, n_rows); break;
    case 1: avx2_float_one(out, panel, x, columns, n_rows); break;
    default: break;
    }
}

TSWS_AVX2 void tsws_avx2_float_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x,
                                      size_t x_stride, size_t n_vectors, size_t first_panel, size_t last_panel) {
    size_t columns = matrix->columns;

    for (size_t i = first_panel; i < last_panel; i++) {
        avx2_float_panel(out + i * TSWS_AVX2_ROWS, out_stride,
                         (const float *)matrix->data + i * TSWS_AVX2_ROWS * columns, x, x_stride, n_vectors, columns,
                         matrix->rows - i * TSWS_AVX2_ROWS);
    }
}

#endif
