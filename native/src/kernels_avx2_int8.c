/*
 * Matrices of int8 codes times vectors, with AVX2: products are summed in 16 bits first, two at a time, then in 32.
 */
#if defined(__x86_64__)

#include "kernels_avx2.h"
#include "pack.h"
#include "size.h"

#include <string.h>

/* A quantised vector: codes, and one scale a group. */
struct avx2_codes {
    int8_t *codes;
    float *scales;
};

static size_t avx2_line(size_t bytes) {
    return tsws_size_mul(tsws_size_add(bytes, 63) / 64, 64);
}

static size_t avx2_vector_bytes(size_t columns, size_t group) {
    size_t n_groups = columns / group;

    return tsws_size_add(avx2_line(tsws_size_mul(n_groups, tsws_padded_group(group))),
                         avx2_line(tsws_size_mul(n_groups, sizeof(float))));
}

size_t tsws_avx2_code_scratch(size_t columns, size_t group, size_t n_vectors) {
    return tsws_size_mul(avx2_vector_bytes(columns, group), n_vectors);
}

static inline struct avx2_codes avx2_codes_at(void *scratch, size_t v, size_t columns, size_t group) {
    size_t n_groups = columns / group;
    unsigned char *start = (unsigned char *)scratch + v * avx2_vector_bytes(columns, group);
    float *scales = (float *)(void *)(start + avx2_line(n_groups * tsws_padded_group(group)));

    return (struct avx2_codes){(int8_t *)start, scales};
}

/* Ties go to even, and codes are x * (127 / largest): a last bit may differ from tsws_quantize_group. */
TSWS_AVX2_INLINE __m128i avx2_eight_codes(const float *x, __m256i mask, __m256 factor) {
    __m256i whole = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_maskload_ps(x, mask), factor));
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));

    /* -128 only where a number is none: its magnitude, and so a sum of two products, would be too large */
    return _mm_max_epi8(_mm_packs_epi16(words, words), _mm_set1_epi8(-127));
}

TSWS_AVX2 static void avx2_quantize_group(int8_t *codes, float *scale, const float *x, size_t group) {
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 largest = _mm256_setzero_ps();
    __m256 factor;
    size_t i = 0;
    float most;

    for (i = 0; i < group; i += TSWS_AVX2_LANES) {
        __m256 some = _mm256_maskload_ps(x + i, tsws_avx2_first(group - i));

        largest = _mm256_max_ps(largest, _mm256_andnot_ps(sign, some));
    }
    most = tsws_avx2_largest(largest);
    *scale = most * (1.0f / 127.0f);
    factor = _mm256_set1_ps(most > 0.0f ? 127.0f / most : 0.0f);
    for (i = 0; i < group; i += TSWS_AVX2_LANES) {
        int64_t eight = _mm_cvtsi128_si64(avx2_eight_codes(x + i, tsws_avx2_first(group - i), factor));

        memcpy(codes + i, &eight, group - i < sizeof eight ? group - i : sizeof eight);
    }
}

static void avx2_quantize_all(void *scratch, const float *x, size_t x_stride, size_t n_vectors, size_t columns,
                              size_t group) {
    size_t padded = tsws_padded_group(group);

    for (size_t v = 0; v < n_vectors; v++) {
        struct avx2_codes quantized = avx2_codes_at(scratch, v, columns, group);

        if (padded != group) {
            memset(quantized.codes, 0, columns / group * padded);
        }
        for (size_t i = 0; i < columns / group; i++) {
            avx2_quantize_group(quantized.codes + i * padded, &quantized.scales[i], x + v * x_stride + i * group,
                                group);
        }
    }
}

/*
 * sum + the products of four bytes a lane. vpmaddubsw wants the first ones unsigned, so the sign of w goes over to x; two
 * products, at most 128 * 127 each, never saturate 16 bits.
 */
TSWS_AVX2_INLINE __m256i avx2_dot(__m256i sum, __m256i w, __m256i x) {
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));

    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

/* sums[v][half] += one quad of a panel times those of n_vectors */
TSWS_AVX2_INLINE void avx2_add_quad(__m256i *sums, const int8_t *codes, const int8_t *x, size_t vector_bytes,
                                    size_t n_vectors) {
    __m256i low = _mm256_load_si256((const __m256i *)(const void *)codes);
    __m256i high = _mm256_load_si256((const __m256i *)(const void *)(codes + TSWS_QUAD * TSWS_AVX2_LANES));

    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        __m256i factor;
        int32_t quad;

        memcpy(&quad, x + v * vector_bytes, sizeof quad);
        factor = _mm256_set1_epi32(quad);
        sums[2 * v] = avx2_dot(sums[2 * v], low, factor);
        sums[2 * v + 1] = avx2_dot(sums[2 * v + 1], high, factor);
    }
}

/* One panel times n_vectors, a constant. */
TSWS_AVX2_INLINE void avx2_code_tile(float *out, size_t out_stride, const unsigned char *panel, void *scratch,
                                     size_t first_vector, size_t n_vectors, size_t columns, size_t group,
                                     size_t n_rows) {
    size_t vector_bytes = avx2_vector_bytes(columns, group);
    struct avx2_codes x = avx2_codes_at(scratch, first_vector, columns, group);
    size_t padded = tsws_padded_group(group);
    __m256 totals[4 * 2];

    TSWS_UNROLL
    for (size_t i = 0; i < 2 * n_vectors; i++) {
        totals[i] = _mm256_setzero_ps();
    }
    for (size_t i = 0; i < columns / group; i++) {
        const float *scales = (const float *)(const void *)panel;
        const int8_t *codes = (const int8_t *)(scales + TSWS_AVX2_ROWS);
        __m256i sums[4 * 2];
        size_t column = 0;

        TSWS_UNROLL
        for (size_t j = 0; j < 2 * n_vectors; j++) {
            sums[j] = _mm256_setzero_si256();
        }
        for (; column + 2 * TSWS_QUAD <= padded; column += 2 * TSWS_QUAD) {
            avx2_add_quad(sums, codes + column * TSWS_AVX2_ROWS, x.codes + column, vector_bytes, n_vectors);
            avx2_add_quad(sums, codes + (column + TSWS_QUAD) * TSWS_AVX2_ROWS, x.codes + column + TSWS_QUAD,
                          vector_bytes, n_vectors);
        }
        if (column < padded) {
            avx2_add_quad(sums, codes + column * TSWS_AVX2_ROWS, x.codes + column, vector_bytes, n_vectors);
        }
        TSWS_UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            float scale;
            __m256 low_scales, high_scales;

            memcpy(&scale, (const char *)(x.scales + i) + v * vector_bytes, sizeof scale);
            low_scales = _mm256_mul_ps(_mm256_load_ps(scales), _mm256_set1_ps(scale));
            high_scales = _mm256_mul_ps(_mm256_load_ps(scales + TSWS_AVX2_LANES), _mm256_set1_ps(scale));
            totals[2 * v] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[2 * v]), low_scales, totals[2 * v]);
            totals[2 * v + 1] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[2 * v + 1]), high_scales, totals[2 * v + 1]);
        }
        x.codes += padded;
        panel += (sizeof(float) + padded) * TSWS_AVX2_ROWS;
    }
    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        tsws_avx2_store_rows(out + v * out_stride, totals[2 * v], totals[2 * v + 1], n_rows);
    }
}

TSWS_AVX2 static void avx2_code_panel(float *out, size_t out_stride, const unsigned char *panel, void *scratch,
                                      size_t n_vectors, size_t columns, size_t group, size_t n_rows) {
    size_t v = 0;

    for (; v + 4 <= n_vectors; v += 4) {
        avx2_code_tile(out + v * out_stride, out_stride, panel, scratch, v, 4, columns, group, n_rows);
    }
    out += v * out_stride;
    switch (n_vectors - v) {
    case 3: avx2_code_tile(out, out_stride, panel, scratch, v, 3, columns, group, n_rows); break;
    case 2: avx2_code_tile(out, out_stride, panel, scratch, v, 2, columns, group, n_rows); break;
    case 1: avx2_code_tile(out, out_stride, panel, scratch, v, 1, columns, group, n_rows); break;
    default: break;
    }
}

TSWS_AVX2 void tsws_avx2_code_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x,
                                     size_t x_stride, size_t n_vectors, size_t first_panel, size_t last_panel,
                                     void *scratch) {
    size_t columns = matrix->columns;
    size_t group = matrix->group;
    size_t panel_bytes = columns / group * (tsws_padded_group(group) + sizeof(float)) * TSWS_AVX2_ROWS;

    avx2_quantize_all(scratch, x, x_stride, n_vectors, columns, group);
    for (size_t i = first_panel; i < last_panel; i++) {
        avx2_code_panel(out + i * TSWS_AVX2_ROWS, out_stride, (const unsigned char *)matrix->data + i * panel_bytes,
                        scratch, n_vectors, columns, group, matrix->rows - i * TSWS_AVX2_ROWS);
    }
}

#endif
