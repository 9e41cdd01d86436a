/*
 * Matrices of int8 codes times vectors, with NEON, and its dot products where the compiler's target has them.
 */
#if defined(__aarch64__)

#include "kernels_neon.h"
#include "pack.h"
#include "size.h"

#include <string.h>

/* A quantised vector: codes, and one scale a group. */
struct neon_codes {
    int8_t *codes;
    float *scales;
};

static size_t neon_line(size_t bytes) {
    return tsws_size_mul(tsws_size_add(bytes, 63) / 64, 64);
}

static size_t neon_vector_bytes(size_t columns, size_t group) {
    size_t n_groups = columns / group;

    return tsws_size_add(neon_line(tsws_size_mul(n_groups, tsws_padded_group(group))),
                         neon_line(tsws_size_mul(n_groups, sizeof(float))));
}

size_t tsws_neon_code_scratch(size_t columns, size_t group, size_t n_vectors) {
    return tsws_size_mul(neon_vector_bytes(columns, group), n_vectors);
}

static inline struct neon_codes neon_codes_at(void *scratch, size_t v, size_t columns, size_t group) {
    size_t n_groups = columns / group;
    unsigned char *start = (unsigned char *)scratch + v * neon_vector_bytes(columns, group);
    float *scales = (float *)(void *)(start + neon_line(n_groups * tsws_padded_group(group)));

    return (struct neon_codes){(int8_t *)start, scales};
}

enum { NEON_QUARTERS_OF_CODES = 4 }; /* of a panel's rows: one vector register each */

/* Ties go to even, and codes are x * (127 / largest): a last bit may differ from tsws_quantize_group. */
static void neon_quantize_group(int8_t *codes, float *scale, const float *x, size_t group) {
    float32x4_t largest = vdupq_n_f32(0.0f);
    float factor;
    float most;

    for (size_t i = 0; i < group; i += TSWS_NEON_LANES) {
        largest = vmaxq_f32(largest, vabsq_f32(tsws_neon_load_first(x + i, group - i)));
    }
    most = vmaxvq_f32(largest);
    *scale = most * (1.0f / 127.0f);
    factor = most > 0.0f ? 127.0f / most : 0.0f;
    for (size_t i = 0; i < group; i += TSWS_NEON_LANES) {
        int32x4_t whole = vcvtnq_s32_f32(vmulq_n_f32(tsws_neon_load_first(x + i, group - i), factor));
        int16x4_t words = vqmovn_s32(whole);
        int8_t eight[8];

        vst1_s8(eight, vqmovn_s16(vcombine_s16(words, words)));
        memcpy(codes + i, eight, group - i < TSWS_NEON_LANES ? group - i : TSWS_NEON_LANES);
    }
}

static void neon_quantize_all(void *scratch, const float *x, size_t x_stride, size_t n_vectors, size_t columns,
                              size_t group) {
    size_t padded = tsws_padded_group(group);

    for (size_t v = 0; v < n_vectors; v++) {
        struct neon_codes quantized = neon_codes_at(scratch, v, columns, group);

        if (padded != group) {
            memset(quantized.codes, 0, columns / group * padded);
        }
        for (size_t i = 0; i < columns / group; i++) {
            neon_quantize_group(quantized.codes + i * padded, &quantized.scales[i], x + v * x_stride + i * group,
                                group);
        }
    }
}

/* sum + the products of four bytes a lane */
TSWS_NEON_INLINE int32x4_t neon_dot(int32x4_t sum, int8x16_t w, int8x16_t x) {
#if defined(__ARM_FEATURE_DOTPROD)
    return vdotq_s32(sum, w, x);
#else
    int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(w), vget_low_s8(x)));
    int32x4_t high = vpaddlq_s16(vmull_high_s8(w, x));

    return vaddq_s32(sum, vpaddq_s32(low, high));
#endif
}

/* sums[v][quarter] += one quad of a panel times those of n_vectors */
TSWS_NEON_INLINE void neon_add_quad(int32x4_t *sums, const int8_t *codes, const int8_t *x, size_t vector_bytes,
                                    size_t n_vectors) {
    TSWS_UNROLL
    for (size_t i = 0; i < NEON_QUARTERS_OF_CODES; i++) {
        int8x16_t rows = vld1q_s8(codes + i * TSWS_QUAD * TSWS_NEON_LANES);

        TSWS_UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            int32x4_t *sum = sums + v * NEON_QUARTERS_OF_CODES + i;
            int32_t quad;

            memcpy(&quad, x + v * vector_bytes, sizeof quad);
            *sum = neon_dot(*sum, rows, vreinterpretq_s8_s32(vdupq_n_s32(quad)));
        }
    }
}

/* One panel times n_vectors, a constant. */
TSWS_NEON_INLINE void neon_code_tile(float *out, size_t out_stride, const unsigned char *panel, void *scratch,
                                     size_t first_vector, size_t n_vectors, size_t columns, size_t group,
                                     size_t n_rows) {
    size_t vector_bytes = neon_vector_bytes(columns, group);
    struct neon_codes x = neon_codes_at(scratch, first_vector, columns, group);
    size_t padded = tsws_padded_group(group);
    float32x4_t totals[4 * NEON_QUARTERS_OF_CODES];

    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * NEON_QUARTERS_OF_CODES; i++) {
        totals[i] = vdupq_n_f32(0.0f);
    }
    for (size_t i = 0; i < columns / group; i++) {
        const float *scales = (const float *)(const void *)panel;
        const int8_t *codes = (const int8_t *)(scales + TSWS_NEON_ROWS);
        int32x4_t sums[4 * NEON_QUARTERS_OF_CODES];

        TSWS_UNROLL
        for (size_t j = 0; j < n_vectors * NEON_QUARTERS_OF_CODES; j++) {
            sums[j] = vdupq_n_s32(0);
        }
        for (size_t column = 0; column < padded; column += TSWS_QUAD) {
            neon_add_quad(sums, codes + column * TSWS_NEON_ROWS, x.codes + column, vector_bytes, n_vectors);
        }
        TSWS_UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            float scale;

            memcpy(&scale, (const char *)(x.scales + i) + v * vector_bytes, sizeof scale);
            TSWS_UNROLL
            for (size_t j = 0; j < NEON_QUARTERS_OF_CODES; j++) {
                size_t at = v * NEON_QUARTERS_OF_CODES + j;
                float32x4_t both = vmulq_n_f32(vld1q_f32(scales + j * TSWS_NEON_LANES), scale);

                totals[at] = vfmaq_f32(totals[at], vcvtq_f32_s32(sums[at]), both);
            }
        }
        x.codes += padded;
        panel += (sizeof(float) + padded) * TSWS_NEON_ROWS;
    }
    for (size_t v = 0; v < n_vectors; v++) {
        tsws_neon_store_rows(out + v * out_stride, totals + v * NEON_QUARTERS_OF_CODES, n_rows);
    }
}

static void neon_code_panel(float *out, size_t out_stride, const unsigned char *panel, void *scratch, size_t n_vectors,
                            size_t columns, size_t group, size_t n_rows) {
    size_t v = 0;

    for (; v + 4 <= n_vectors; v += 4) {
        neon_code_tile(out + v * out_stride, out_stride, panel, scratch, v, 4, columns, group, n_rows);
    }
    out += v * out_stride;
    switch (n_vectors - v) {
    case 3: neon_code_tile(out, out_stride, panel, scratch, v, 3, columns, group, n_rows); break;
    case 2: neon_code_tile(out, out_stride, panel, scratch, v, 2, columns, group, n_rows); break;
    case 1: neon_code_tile(out, out_stride, panel, scratch, v, 1, columns, group, n_rows); break;
    default: break;
    }
}

void tsws_neon_code_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                           size_t n_vectors, size_t first_panel, size_t last_panel, void *scratch) {
    size_t columns = matrix->columns;
    size_t group = matrix->group;
    size_t panel_bytes = columns / group * (tsws_padded_group(group) + sizeof(float)) * TSWS_NEON_ROWS;

    neon_quantize_all(scratch, x, x_stride, n_vectors, columns, group);
    for (size_t i = first_panel; i < last_panel; i++) {
        neon_code_panel(out + i * TSWS_NEON_ROWS, out_stride, (const unsigned char *)matrix->data + i * panel_bytes,
                        scratch, n_vectors, columns, group, matrix->rows - i * TSWS_NEON_ROWS);
    }
}

#endif
