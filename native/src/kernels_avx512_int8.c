/*
 * Matrices of int8 codes times vectors, with AVX-512 VNNI: vpdpbusd adds four products of an unsigned and a signed
 * byte to each lane. Codes of the matrix are moved by 128 to be unsigned when they are packed; what
 * that adds, 128 times the sum of a group of the vector's codes, is the same for all rows and is where the sums begin.
 */
#if defined(__x86_64__)

#include "kernels_avx512.h"
#include "pack.h"
#include "size.h"

#include <string.h>

enum { AVX512_BYTES_AHEAD = 4096 }; /* of a panel, fetched before their turn */

/* A quantised vector: codes, one scale a group, and what the group's sums begin with. */
struct avx512_codes {
    int8_t *codes;
    float *scales;
    int32_t *starts;
};

static size_t avx512_line(size_t bytes) {
    return tsws_size_mul(tsws_size_add(bytes, 63) / 64, 64);
}

static size_t avx512_vector_bytes(size_t columns, size_t group) {
    size_t n_groups = columns / group;

    return tsws_size_add(avx512_line(tsws_size_mul(n_groups, tsws_padded_group(group))),
                         avx512_line(tsws_size_mul(n_groups, sizeof(float) + sizeof(int32_t))));
}

size_t tsws_avx512_code_scratch(size_t columns, size_t group, size_t n_vectors) {
    return tsws_size_mul(avx512_vector_bytes(columns, group), n_vectors);
}

static inline struct avx512_codes avx512_codes_at(void *scratch, size_t v, size_t columns, size_t group) {
    size_t n_groups = columns / group;
    unsigned char *start = (unsigned char *)scratch + v * avx512_vector_bytes(columns, group);
    float *scales = (float *)(void *)(start + avx512_line(n_groups * tsws_padded_group(group)));

    return (struct avx512_codes){(int8_t *)start, scales, (int32_t *)(void *)(scales + n_groups)};
}

/* One group. Ties go to even, and codes are x * (127 / largest): a last bit may differ from tsws_quantize_group. */
TSWS_AVX512_INLINE void avx512_quantize_group(int8_t *codes, float *scale, int32_t *start, const float *x,
                                              size_t group) {
    __m512 largest = _mm512_setzero_ps();
    __m512i sum = _mm512_setzero_si512();
    __m512 factor;
    float most;

    for (size_t i = 0; i < group; i += TSWS_AVX512_LANES) {
        __m512 some = _mm512_maskz_loadu_ps(tsws_avx512_first(group - i), x + i);

        largest = _mm512_max_ps(largest, _mm512_abs_ps(some));
    }
    most = _mm512_reduce_max_ps(largest);
    *scale = most * (1.0f / 127.0f);
    factor = _mm512_set1_ps(most > 0.0f ? 127.0f / most : 0.0f);
    for (size_t i = 0; i < group; i += TSWS_AVX512_LANES) {
        __mmask16 mask = tsws_avx512_first(group - i);
        __m512i some = _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_maskz_loadu_ps(mask, x + i), factor));
        __m128i bytes = _mm512_cvtsepi32_epi8(some);

        if (mask == 0xFFFF) {
            _mm_storeu_si128((__m128i *)(void *)(codes + i), bytes);
        } else {
            _mm_mask_storeu_epi8(codes + i, mask, bytes);
        }
        sum = _mm512_add_epi32(sum, _mm512_cvtepi8_epi32(bytes));
    }
    *start = -128 * _mm512_reduce_add_epi32(sum);
}

TSWS_AVX512_INLINE void avx512_quantize(const struct avx512_codes *quantized, const float *x, size_t n_groups,
                                        size_t group) {
    for (size_t i = 0; i < n_groups; i++) {
        avx512_quantize_group(quantized->codes + i * tsws_padded_group(group), &quantized->scales[i],
                              &quantized->starts[i], x + i * group, group);
    }
}

TSWS_AVX512 static void avx512_quantize_all(void *scratch, const float *x, size_t x_stride, size_t n_vectors,
                                            size_t columns, size_t group) {
    for (size_t v = 0; v < n_vectors; v++) {
        struct avx512_codes quantized = avx512_codes_at(scratch, v, columns, group);

        if (group == 32) {
            avx512_quantize(&quantized, x + v * x_stride, columns / 32, 32);
        } else if (group == 64) {
            avx512_quantize(&quantized, x + v * x_stride, columns / 64, 64);
        } else {
            if (group % TSWS_QUAD != 0) {
                memset(quantized.codes, 0, columns / group * tsws_padded_group(group));
            }
            avx512_quantize(&quantized, x + v * x_stride, columns / group, group);
        }
    }
}

/* sums[v][part][half] += some quads of a panel times those of n_vectors, the one after the other for one part each. */
TSWS_AVX512_INLINE void avx512_add_quads(__m512i *sums, const uint8_t *codes, const int8_t *x, size_t vector_bytes,
                                         size_t n_vectors, size_t n_quads, size_t n_parts) {
    TSWS_UNROLL
    for (size_t i = 0; i < n_quads; i++) {
        __m512i low = _mm512_load_si512(codes + i * TSWS_QUAD * TSWS_AVX512_ROWS);
        __m512i high = _mm512_load_si512(codes + i * TSWS_QUAD * TSWS_AVX512_ROWS + 64);

        TSWS_UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            __m512i *sum = sums + (v * n_parts + i % n_parts) * 2;
            __m512i factor;
            int32_t quad;

            memcpy(&quad, x + v * vector_bytes + i * TSWS_QUAD, sizeof quad);
            factor = _mm512_set1_epi32(quad);
            sum[0] = _mm512_dpbusd_epi32(sum[0], low, factor);
            sum[1] = _mm512_dpbusd_epi32(sum[1], high, factor);
        }
    }
}

/* One panel times n_vectors, a constant. Fewer than three vectors need several parts a sum to hide latencies. */
TSWS_AVX512_INLINE void avx512_code_tile(float *out, size_t out_stride, const uint8_t *panel, void *scratch,
                                         size_t first_vector, size_t n_vectors, size_t columns, size_t group,
                                         size_t n_rows) {
    const size_t n_parts = n_vectors == 1 ? 4 : n_vectors == 2 ? 2 : 1;
    const size_t step = 4 * TSWS_QUAD;
    size_t vector_bytes = avx512_vector_bytes(columns, group);
    struct avx512_codes x = avx512_codes_at(scratch, first_vector, columns, group);
    size_t padded = tsws_padded_group(group);
    __m512 totals[6 * 2];

    TSWS_UNROLL
    for (size_t i = 0; i < 2 * n_vectors; i++) {
        totals[i] = _mm512_setzero_ps();
    }
    for (size_t i = 0; i < columns / group; i++) {
        const float *scales = (const float *)(const void *)panel;
        const uint8_t *codes = panel + TSWS_AVX512_ROWS * sizeof(float);
        __m512 low_scales = _mm512_load_ps(scales);
        __m512 high_scales = _mm512_load_ps(scales + TSWS_AVX512_LANES);
        __m512i sums[6 * 2];
        size_t column = 0;

        TSWS_UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            int32_t start;

            memcpy(&start, (const char *)(x.starts + i) + v * vector_bytes, sizeof start);
            TSWS_UNROLL
            for (size_t part = 0; part < n_parts; part++) {
                sums[(v * n_parts + part) * 2] = sums[(v * n_parts + part) * 2 + 1] =
                    part == 0 ? _mm512_set1_epi32(start) : _mm512_setzero_si512();
            }
        }
        for (; column + step <= padded; column += step) {
            TSWS_UNROLL
            for (size_t line = 0; line < 8; line++) {
                _mm_prefetch((const char *)(codes + column * TSWS_AVX512_ROWS + AVX512_BYTES_AHEAD + line * 64),
                             _MM_HINT_T0);
            }
            avx512_add_quads(sums, codes + column * TSWS_AVX512_ROWS, x.codes + column, vector_bytes, n_vectors, 4,
                             n_parts);
        }
        for (; column < padded; column += TSWS_QUAD) {
            avx512_add_quads(sums, codes + column * TSWS_AVX512_ROWS, x.codes + column, vector_bytes, n_vectors, 1,
                             n_parts);
        }
        TSWS_UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            __m512i *sum = sums + v * n_parts * 2;
            float scale;
            __m512 x_scale;

            TSWS_UNROLL
            for (size_t part = 1; part < n_parts; part++) {
                sum[0] = _mm512_add_epi32(sum[0], sum[2 * part]);
                sum[1] = _mm512_add_epi32(sum[1], sum[2 * part + 1]);
            }
            memcpy(&scale, (const char *)(x.scales + i) + v * vector_bytes, sizeof scale);
            x_scale = _mm512_set1_ps(scale);
            totals[2 * v] =
                _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum[0]), x_scale), low_scales, totals[2 * v]);
            totals[2 * v + 1] =
                _mm512_fmadd_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(sum[1]), x_scale), high_scales, totals[2 * v + 1]);
        }
        x.codes += padded;
        panel = codes + padded * TSWS_AVX512_ROWS;
    }
    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        tsws_avx512_store_rows(out + v * out_stride, totals[2 * v], totals[2 * v + 1], n_rows);
    }
}

TSWS_AVX512 static void avx512_code_panel(float *out, size_t out_stride, const uint8_t *panel, void *scratch,
                                          size_t n_vectors, size_t columns, size_t group, size_t n_rows) {
    size_t v = 0;

    for (; v + 6 <= n_vectors; v += 6) {
        avx512_code_tile(out + v * out_stride, out_stride, panel, scratch, v, 6, columns, group, n_rows);
    }
    out += v * out_stride;
    switch (n_vectors - v) {
    case 5: avx512_code_tile(out, out_stride, panel, scratch, v, 5, columns, group, n_rows); break;
    case 4: avx512_code_tile(out, out_stride, panel, scratch, v, 4, columns, group, n_rows); break;
    case 3: avx512_code_tile(out, out_stride, panel, scratch, v, 3, columns, group, n_rows); break;
    case 2: avx512_code_tile(out, out_stride, panel, scratch, v, 2, columns, group, n_rows); break;
    case 1: avx512_code_tile(out, out_stride, panel, scratch, v, 1, columns, group, n_rows); break;
    default: break;
    }
}

TSWS_AVX512 void tsws_avx512_code_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x,
                                         size_t x_stride, size_t n_vectors, size_t first_panel, size_t last_panel,
                                         void *scratch) {
    size_t columns = matrix->columns;
    size_t group = matrix->group;
    size_t panel_bytes = columns / group * (tsws_padded_group(group) + sizeof(float)) * TSWS_AVX512_ROWS;

    avx512_quantize_all(scratch, x, x_stride, n_vectors, columns, group);
    for (size_t i = first_panel; i < last_panel; i++) {
        avx512_code_panel(out + i * TSWS_AVX512_ROWS, out_stride, (const uint8_t *)matrix->data + i * panel_bytes,
                          scratch, n_vectors, columns, group, matrix->rows - i * TSWS_AVX512_ROWS);
    }
}

#endif
