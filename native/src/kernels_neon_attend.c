/*
 * Attention with NEON. Keys lie in blocks of 4 positions, (block, head_size, 4), so that a vector holds the scores
 * of 4 positions and nothing is summed across lanes; values (position, head_size filled up to 4).
 */
#if defined(__aarch64__)

#include "kernels_neon.h"
#include "size.h"

#include <math.h>

static size_t neon_up(size_t n) {
    return tsws_size_mul(tsws_size_add(n, TSWS_NEON_LANES - 1) / TSWS_NEON_LANES, TSWS_NEON_LANES);
}

size_t tsws_neon_cache_floats(size_t max_positions, size_t head_size) {
    size_t count = tsws_size_add(tsws_size_mul(neon_up(max_positions), head_size),
                                 tsws_size_mul(max_positions, neon_up(head_size)));

    return tsws_size_mul(tsws_size_add(count, 15) / 16, 16);
}

void tsws_neon_remember(float *cache, size_t max_positions, size_t position, const float *key, const float *value,
                        size_t head_size) {
    float *keys = cache + position / TSWS_NEON_LANES * TSWS_NEON_LANES * head_size + position % TSWS_NEON_LANES;
    float *values = cache + neon_up(max_positions) * head_size + position * neon_up(head_size);

    for (size_t i = 0; i < head_size; i++) {
        keys[i * TSWS_NEON_LANES] = key[i];
        values[i] = value[i];
    }
    for (size_t i = head_size; i < neon_up(head_size); i++) {
        values[i] = 0.0f;
    }
}

/* Weights of two queries at a time, (2, max_positions filled up to 4). */
size_t tsws_neon_attend_scratch(size_t max_positions, size_t head_size, size_t n_queries) {
    (void)head_size;
    (void)n_queries;
    return tsws_size_mul(neon_up(max_positions), 2);
}

/* Scores of n_blocks blocks and n_queries queries, both constants. Gives nothing back but scores. */
TSWS_NEON_INLINE void neon_score(float *scores, size_t scores_stride, const float *keys, const float *queries,
                                 size_t head_size, size_t n_blocks, size_t n_queries) {
    float32x4_t sums[8];

    TSWS_UNROLL
    for (size_t i = 0; i < n_queries * n_blocks; i++) {
        sums[i] = vdupq_n_f32(0.0f);
    }
    for (size_t i = 0; i < head_size; i++) {
        float32x4_t factors[2];

        TSWS_UNROLL
        for (size_t q = 0; q < n_queries; q++) {
            factors[q] = vdupq_n_f32(queries[q * head_size + i]);
        }
        TSWS_UNROLL
        for (size_t block = 0; block < n_blocks; block++) {
            float32x4_t key = vld1q_f32(keys + (block * head_size + i) * TSWS_NEON_LANES);

            TSWS_UNROLL
            for (size_t q = 0; q < n_queries; q++) {
                sums[block * n_queries + q] = vfmaq_f32(sums[block * n_queries + q], key, factors[q]);
            }
        }
    }
    TSWS_UNROLL
    for (size_t block = 0; block < n_blocks; block++) {
        TSWS_UNROLL
        for (size_t q = 0; q < n_queries; q++) {
            vst1q_f32(scores + q * scores_stride + block * TSWS_NEON_LANES, sums[block * n_queries + q]);
        }
    }
}

TSWS_NEON_INLINE void neon_score_all(float *scores, size_t scores_stride, const float *keys, const float *queries,
                                     size_t head_size, size_t n_positions, size_t n_queries) {
    size_t n_blocks = (n_positions + TSWS_NEON_LANES - 1) / TSWS_NEON_LANES;
    size_t at_once = 8 / n_queries;
    size_t block = 0;

    for (; block + at_once <= n_blocks; block += at_once) {
        neon_score(scores + block * TSWS_NEON_LANES, scores_stride, keys + block * TSWS_NEON_LANES * head_size, queries,
                   head_size, at_once, n_queries);
    }
    for (; block + 2 <= n_blocks; block += 2) {
        neon_score(scores + block * TSWS_NEON_LANES, scores_stride, keys + block * TSWS_NEON_LANES * head_size, queries,
                   head_size, 2, n_queries);
    }
    if (block < n_blocks) {
        neon_score(scores + block * TSWS_NEON_LANES, scores_stride, keys + block * TSWS_NEON_LANES * head_size, queries,
                   head_size, 1, n_queries);
    }
}

/* Scores become weights that are still to be divided by their sum, which is returned; the lanes behind the last are 0. */
TSWS_NEON_INLINE float neon_weigh(float *scores, size_t n_positions, float scale) {
    size_t whole = n_positions / TSWS_NEON_LANES * TSWS_NEON_LANES;
    uint32x4_t rest = tsws_neon_first(n_positions - whole);
    float32x4_t lowest = vdupq_n_f32(-INFINITY);
    float32x4_t largest = lowest;
    float32x4_t sum = vdupq_n_f32(0.0f);
    float32x4_t factor = vdupq_n_f32(scale);
    float32x4_t offset;

    for (size_t i = 0; i < whole; i += TSWS_NEON_LANES) {
        largest = vmaxq_f32(largest, vld1q_f32(scores + i));
    }
    if (whole < n_positions) {
        largest = vmaxq_f32(largest, vbslq_f32(rest, vld1q_f32(scores + whole), lowest));
    }
    offset = vdupq_n_f32(-vmaxvq_f32(largest) * scale);
    for (size_t i = 0; i < whole; i += TSWS_NEON_LANES) {
        float32x4_t weight = tsws_neon_exp2(vfmaq_f32(offset, vld1q_f32(scores + i), factor));

        sum = vaddq_f32(sum, weight);
        vst1q_f32(scores + i, weight);
    }
    if (whole < n_positions) {
        float32x4_t weight =
            vbslq_f32(rest, tsws_neon_exp2(vfmaq_f32(offset, vld1q_f32(scores + whole), factor)), vdupq_n_f32(0.0f));

        sum = vaddq_f32(sum, weight);
        vst1q_f32(scores + whole, weight);
    }
    return vaddvq_f32(sum);
}

/* n_vectors vectors of the values' width for n_queries queries, `at_once` positions in flight; all three constants. */
TSWS_NEON_INLINE void neon_gather(float *out, size_t head_size, size_t width, const float *values, size_t stride,
                                  const float *weights, size_t weights_stride, const float *sums, size_t n_positions,
                                  size_t n_vectors, size_t n_queries, size_t at_once) {
    float32x4_t totals[8];
    size_t position = 0;

    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * n_queries * at_once; i++) {
        totals[i] = vdupq_n_f32(0.0f);
    }
    for (; position + at_once <= n_positions; position += at_once) {
        TSWS_UNROLL
        for (size_t p = 0; p < at_once; p++) {
            float32x4_t factors[2];

            TSWS_UNROLL
            for (size_t q = 0; q < n_queries; q++) {
                factors[q] = vdupq_n_f32(weights[q * weights_stride + position + p]);
            }
            TSWS_UNROLL
            for (size_t i = 0; i < n_vectors; i++) {
                float32x4_t value = vld1q_f32(values + (position + p) * stride + i * TSWS_NEON_LANES);
                float32x4_t *total = totals + (p * n_vectors + i) * n_queries;

                TSWS_UNROLL
                for (size_t q = 0; q < n_queries; q++) {
                    total[q] = vfmaq_f32(total[q], value, factors[q]);
                }
            }
        }
    }
    for (; position < n_positions; position++) {
        TSWS_UNROLL
        for (size_t i = 0; i < n_vectors; i++) {
            float32x4_t value = vld1q_f32(values + position * stride + i * TSWS_NEON_LANES);

            TSWS_UNROLL
            for (size_t q = 0; q < n_queries; q++) {
                float32x4_t factor = vdupq_n_f32(weights[q * weights_stride + position]);

                totals[i * n_queries + q] = vfmaq_f32(totals[i * n_queries + q], value, factor);
            }
        }
    }
    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors; i++) {
        TSWS_UNROLL
        for (size_t q = 0; q < n_queries; q++) {
            float32x4_t total = totals[i * n_queries + q];

            TSWS_UNROLL
            for (size_t p = 1; p < at_once; p++) {
                total = vaddq_f32(total, totals[(p * n_vectors + i) * n_queries + q]);
            }
            tsws_neon_store_first(out + q * head_size + i * TSWS_NEON_LANES, vmulq_n_f32(total, sums[q]),
                                  width - i * TSWS_NEON_LANES);
        }
    }
}

/* n_queries is a constant, 1 or 2. */
TSWS_NEON_INLINE void neon_attend_queries(float *out, const float *queries, size_t n_queries, const float *cache,
                                          size_t max_positions, size_t n_positions, size_t head_size, float *scores) {
    const float log2_e = 1.44269504f;
    const float *values = cache + neon_up(max_positions) * head_size;
    size_t scores_stride = neon_up(max_positions);
    size_t stride = neon_up(head_size);
    float scale = log2_e / sqrtf((float)head_size);
    float shares[2];

    neon_score_all(scores, scores_stride, cache, queries, head_size, n_positions, n_queries);
    TSWS_UNROLL
    for (size_t q = 0; q < n_queries; q++) {
        shares[q] = 1.0f / neon_weigh(scores + q * scores_stride, n_positions, scale);
    }
    for (size_t i = 0; i < head_size;) {
        size_t width = head_size - i;

        if (width > 4) {
            neon_gather(out + i, head_size, width, values + i, stride, scores, scores_stride, shares, n_positions, 2,
                        n_queries, 4 / n_queries);
            i += 8;
        } else {
            neon_gather(out + i, head_size, width, values + i, stride, scores, scores_stride, shares, n_positions, 1,
                        n_queries, 4 / n_queries);
            i += 4;
        }
    }
}

void tsws_neon_attend(float *out, const float *queries, size_t n_queries, const float *cache, size_t max_positions,
                      size_t n_positions, size_t head_size, float *scratch) {
    size_t q = 0;

    for (; q + 2 <= n_queries; q += 2) {
        neon_attend_queries(out + q * head_size, queries + q * head_size, 2, cache, max_positions, n_positions,
                            head_size, scratch);
    }
    if (q < n_queries) {
        neon_attend_queries(out + q * head_size, queries + q * head_size, 1, cache, max_positions, n_positions,
                            head_size, scratch);
    }
}

#endif
