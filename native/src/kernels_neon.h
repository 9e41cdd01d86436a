/* What the files of the NEON table share. Include it inside #if defined(__aarch64__). */
#ifndef TSWS_KERNELS_NEON_H
#define TSWS_KERNELS_NEON_H

#include "kernels.h"
#include "unroll.h"

#include <arm_neon.h>

#define TSWS_NEON_INLINE static inline __attribute__((always_inline))

enum { TSWS_NEON_LANES = 4, TSWS_NEON_ROWS = 16 /* of a panel: four vectors */ };

/* The first n numbers; the other lanes are 0. */
TSWS_NEON_INLINE float32x4_t tsws_neon_load_first(const float *x, size_t n) {
    float four[TSWS_NEON_LANES] = {0.0f};

    if (n >= TSWS_NEON_LANES) {
        return vld1q_f32(x);
    }
    for (size_t i = 0; i < n; i++) {
        four[i] = x[i];
    }
    return vld1q_f32(four);
}

TSWS_NEON_INLINE void tsws_neon_store_first(float *out, float32x4_t x, size_t n) {
    float four[TSWS_NEON_LANES];

    if (n >= TSWS_NEON_LANES) {
        vst1q_f32(out, x);
        return;
    }
    vst1q_f32(four, x);
    for (size_t i = 0; i < n; i++) {
        out[i] = four[i];
    }
}

/* A mask of the first n lanes. */
TSWS_NEON_INLINE uint32x4_t tsws_neon_first(size_t n) {
    const uint32_t lanes[TSWS_NEON_LANES] = {0, 1, 2, 3};

    return vcltq_u32(vld1q_u32(lanes), vdupq_n_u32(n < TSWS_NEON_LANES ? (uint32_t)n : TSWS_NEON_LANES));
}

/* 2^n for a whole n of -126 to 127 */
TSWS_NEON_INLINE float32x4_t tsws_neon_whole_power(int32x4_t n) {
    return vreinterpretq_f32_s32(vshlq_n_s32(vaddq_s32(n, vdupq_n_s32(127)), 23));
}

/* 2^(n + f) for a whole n and |f| <= 1/2; 2^f by a polynomial that is minimax in relative error (2e-9). */
TSWS_NEON_INLINE float32x4_t tsws_neon_power(float32x4_t n, float32x4_t f) {
    int32x4_t whole = vcvtnq_s32_f32(n);
    int32x4_t half = vshrq_n_s32(whole, 1); /* in two steps, for one can not reach the smallest floats */
    float32x4_t p = vdupq_n_f32(1.53533620e-4f);

    p = vfmaq_f32(vdupq_n_f32(1.33988750e-3f), p, f);
    p = vfmaq_f32(vdupq_n_f32(9.61843692e-3f), p, f);
    p = vfmaq_f32(vdupq_n_f32(5.55033237e-2f), p, f);
    p = vfmaq_f32(vdupq_n_f32(2.40226477e-1f), p, f);
    p = vfmaq_f32(vdupq_n_f32(6.93147182e-1f), p, f);
    p = vfmaq_f32(vdupq_n_f32(1.0f), p, f);
    p = vmulq_f32(p, tsws_neon_whole_power(half));
    return vmulq_f32(p, tsws_neon_whole_power(vsubq_s32(whole, half)));
}

/* 2^x for x <= 0, within 1 ulp; -infinity gives 0, and NaN stays NaN. */
TSWS_NEON_INLINE float32x4_t tsws_neon_exp2(float32x4_t x) {
    float32x4_t bounded = vmaxq_f32(vdupq_n_f32(-160.0f), x);
    float32x4_t n = vrndnq_f32(bounded);

    return tsws_neon_power(n, vsubq_f32(bounded, n));
}

/* e^x for any x, within 2 ulp; what is out of range gives 0 or infinity, and NaN stays NaN. */
TSWS_NEON_INLINE float32x4_t tsws_neon_exp(float32x4_t x) {
    const float32x4_t log2_e = vdupq_n_f32(1.44269504f);
    float32x4_t bounded = vminq_f32(vdupq_n_f32(110.0f), vmaxq_f32(vdupq_n_f32(-110.0f), x));
    float32x4_t n = vrndnq_f32(vmulq_f32(bounded, log2_e));
    /* ln 2 in two parts, the first with so few digits that its products with n are exact (Cody and Waite 1980) */
    float32x4_t rest = vfmsq_f32(vfmsq_f32(bounded, n, vdupq_n_f32(0.693359375f)), n, vdupq_n_f32(-2.12194440e-4f));

    return tsws_neon_power(n, vmulq_f32(rest, log2_e));
}

/* The four vectors of a panel's rows, as far as the matrix has rows. */
TSWS_NEON_INLINE void tsws_neon_store_rows(float *out, const float32x4_t *rows, size_t n_rows) {
    for (size_t i = 0; i < TSWS_NEON_ROWS && i < n_rows; i += TSWS_NEON_LANES) {
        tsws_neon_store_first(out + i, rows[i / TSWS_NEON_LANES], n_rows - i);
    }
}

/* The table's parts, each in a file of its own. */
void tsws_neon_float_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                            size_t n_vectors, size_t first_panel, size_t last_panel);
void tsws_neon_code_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                           size_t n_vectors, size_t first_panel, size_t last_panel, void *scratch);
size_t tsws_neon_code_scratch(size_t columns, size_t group, size_t n_vectors);
size_t tsws_neon_cache_floats(size_t max_positions, size_t head_size);
void tsws_neon_remember(float *cache, size_t max_positions, size_t position, const float *key, const float *value,
                        size_t head_size);
size_t tsws_neon_attend_scratch(size_t max_positions, size_t head_size, size_t n_queries);
void tsws_neon_attend(float *out, const float *queries, size_t n_queries, const float *cache, size_t max_positions,
                      size_t n_positions, size_t head_size, float *scratch);

#endif
