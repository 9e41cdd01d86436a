/*
 * Attention with AVX2. Keys lie in blocks of 8 positions, (block, head_size, 8), so that a vector holds the scores
 * of 8 positions and nothing is summed across lanes; values (position, head_size filled up to 8).
 */
#if defined(__x86_64__)

#include "kernels_avx2.h"
#include "size.h"

#include <math.h>

static size_t avx2_up(size_t n) {
    return tsws_size_mul(tsws_size_add(n, TSWS_AVX2_LANES - 1) / TSWS_AVX2_LANES, TSWS_AVX2_LANES);
}

size_t tsws_avx2_cache_floats(size_t max_positions, size_t head_size) {
    size_t count = tsws_size_add(tsws_size_mul(avx2_up(max_positions), head_size),
                                 tsws_size_mul(max_positions, avx2_up(head_size)));

    return tsws_size_mul(tsws_size_add(count, 15) / 16, 16);
}

void tsws_avx2_remember(float *cache, size_t max_positions, size_t position, const float *key, const float *value,
                        size_t head_size) {
    float *keys = cache + position / TSWS_AVX2_LANES * TSWS_AVX2_LANES * head_size + position % TSWS_AVX2_LANES;
    float *values = cache + avx2_up(max_positions) * head_size + position * avx2_up(head_size);

    for (size_t i = 0; i < head_size; i++) {
        keys[i * TSWS_AVX2_LANES] = key[i];
        values[i] = value[i];
    }
    for (size_t i = head_size; i < avx2_up(head_size); i++) {
        values[i] = 0.0f;
    }
}

/* Weights of two queries at a time, (2, max_positions filled up to 8). */
size_t tsws_avx2_attend_scratch(size_t max_positions, size_t head_size, size_t n_queries) {
    (void)head_size;
    (void)n_queries;
    return tsws_size_mul(avx2_up(max_positions), 2);
}

/* Scores of n_blocks blocks and n_queries queries, both constants. Gives nothing back but scores. */
TSWS_AVX2_INLINE void avx2_score(float *scores, size_t scores_stride, const float *keys, const float *queries,
                                 size_t head_size, size_t n_blocks, size_t n_queries) {
    __m256 sums[8];

    TSWS_UNROLL
    for (size_t i = 0; i < n_queries * n_blocks; i++) {
        sums[i] = _mm256_setzero_ps();
    }
    for (size_t i = 0; i < head_size; i++) {
        __m256 factors[2];

        TSWS_UNROLL
        for (size_t q = 0; q < n_queries; q++) {
            factors[q] = _mm256_set1_ps(queries[q * head_size + i]);
        }
        TSWS_UNROLL
        for (size_t block = 0; block < n_blocks; block++) {
            __m256 key = _mm256_load_ps(keys + (block * head_size + i) * TSWS_AVX2_LANES);

            TSWS_UNROLL
            for (size_t q = 0; q < n_queries; q++) {
                sums[block * n_queries + q] = _mm256_fmadd_ps(key, factors[q], sums[block * n_queries + q]);
            }
        }
    }
    TSWS_UNROLL
    for (size_t block = 0; block < n_blocks; block++) {
        TSWS_UNROLL
        for (size_t q = 0; q < n_queries; q++) {
            _mm256_store_ps(scores + q * scores_stride + block * TSWS_AVX2_LANES, sums[block * n_queries + q]);
        }
    }
}

TSWS_AVX2_INLINE void avx2_score_all(float *scores, size_t scores_stride, const float *keys, const float *queries,
                                     size_t head_size, size_t n_positions, size_t n_queries) {
    size_t n_blocks = (n_positions + TSWS_AVX2_LANES - 1) / TSWS_AVX2_LANES;
    size_t at_once = 8 / n_queries;
    size_t block = 0;

    for (; block + at_once <= n_blocks; block += at_once) {
        avx2_score(scores + block * TSWS_AVX2_LANES, scores_stride, keys + block * TSWS_AVX2_LANES * head_size, queries,
                   head_size, at_once, n_queries);
    }
    for (; block + 2 <= n_blocks; block += 2) {
        avx2_score(scores + block * TSWS_AVX2_LANES, scores_stride, keys + block * TSWS_AVX2_LANES * head_size, queries,
                   head_size, 2, n_queries);
    }
    if (block < n_blocks) {
        avx2_score(scores + block * TSWS_AVX2_LANES, scores_stride, keys + block * TSWS_AVX2_LANES * head_size, queries,
                   head_size, 1, n_queries);
    }
}

/* Scores become weights that are still to be divided by their sum, which is returned; the lanes behind the last are 0. */
TSWS_AVX2_INLINE float avx2_weigh(float *scores, size_t n_positions, float scale) {
    size_t whole = n_positions / TSWS_AVX2_LANES * TSWS_AVX2_LANES;
    __m256 rest = _mm256_castsi256_ps(tsws_avx2_first(n_positions - whole));
    __m256 lowest = _mm256_set1_ps(-INFINITY);
    __m256 largest = lowest;
    __m256 sum = _mm256_setzero_ps();
    __m256 factor = _mm256_set1_ps(scale);
    __m256 offset;

    for (size_t i = 0; i < whole; i += TSWS_AVX2_LANES) {
        largest = _mm256_max_ps(largest, _mm256_load_ps(scores + i));
    }
    if (whole < n_positions) {
        largest = _mm256_max_ps(largest, _mm256_blendv_ps(lowest, _mm256_load_ps(scores + whole), rest));
    }
    offset = _mm256_mul_ps(_mm256_set1_ps(tsws_avx2_largest(largest)), factor);
    for (size_t i = 0; i < whole; i += TSWS_AVX2_LANES) {
        __m256 weight = tsws_avx2_exp2(_mm256_fmsub_ps(_mm256_load_ps(scores + i), factor, offset));

        sum = _mm256_add_ps(sum, weight);
        _mm256_store_ps(scores + i, weight);
    }
    if (whole < n_positions) {
        __m256 weight =
            _mm256_and_ps(rest, tsws_avx2_exp2(_mm256_fmsub_ps(_mm256_load_ps(scores + whole), factor, offset)));

        sum = _mm256_add_ps(sum, weight);
        _mm256_store_ps(scores + whole, weight);
    }
    return tsws_avx2_sum(sum);
}

/* n_vectors vectors of the values' width for n_queries queries, `at_once` positions in flight; all three constants. */
TSWS_AVX2_INLINE void avx2_gather(float *out, size_t head_size, size_t width, const float *values, size_t stride,
                                  const float *weights, size_t weights_stride, const float *sums, size_t n_positions,
                                  size_t n_vectors, size_t n_queries, size_t at_once) {
    __m256 totals[8];
    size_t position = 0;

    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * n_queries * at_once; i++) {
        totals[i] = _mm256_setzero_ps();
    }
    for (; position + at_once <= n_positions; position += at_once) {
        TSWS_UNROLL
        for (size_t p = 0; p < at_once; p++) {
            __m256 factors[2];

            TSWS_UNROLL
            for (size_t q = 0; q < n_queries; q++) {
                factors[q] = _mm256_set1_ps(weights[q * weights_stride + position + p]);
            }
            TSWS_UNROLL
            for (size_t i = 0; i < n_vectors; i++) {
                __m256 value = _mm256_load_ps(values + (position + p) * stride + i * TSWS_AVX2_LANES);
                __m256 *total = totals + (p * n_vectors + i) * n_queries;

                TSWS_UNROLL
                for (size_t q = 0; q < n_queries; q++) {
                    total[q] = _mm256_fmadd_ps(value, factors[q], total[q]);
                }
            }
        }
    }
    for (; position < n_positions; position++) {
        TSWS_UNROLL
        for (size_t i = 0; i < n_vectors; i++) {
            __m256 value = _mm256_load_ps(values + position * stride + i * TSWS_AVX2_LANES);

            TSWS_UNROLL
            for (size_t q = 0; q < n_queries; q++) {
                __m256 factor = _mm256_set1_ps(weights[q * weights_stride + position]);

                totals[i * n_queries + q] = _mm256_fmadd_ps(value, factor, totals[i * n_queries + q]);
            }
        }
    }
    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors; i++) {
        TSWS_UNROLL
        for (size_t q = 0; q < n_queries; q++) {
            __m256 total = totals[i * n_queries + q];

            TSWS_UNROLL
            for (size_t p = 1; p < at_once; p++) {
                total = _mm256_add_ps(total, totals[(p * n_vectors + i) * n_queries + q]);
            }
            _mm256_maskstore_ps(out + q * head_size + i * TSWS_AVX2_LANES, tsws_avx2_first(width - i * TSWS_AVX2_LANES),
                                _mm256_mul_ps(total, _mm256_set1_ps(sums[q])));
        }
    }
}

/* n_queries is a constant, 1 or 2. */
TSWS_AVX2_INLINE void avx2_attend_queries(float *out, const float *queries, size_t n_queries, const float *cache,
                                          size_t max_positions, size_t n_positions, size_t head_size, float *scores) {
    const float log2_e = 1.44269504f;
    const float *values = cache + avx2_up(max_positions) * head_size;
    size_t scores_stride = avx2_up(max_positions);
    size_t stride = avx2_up(head_size);
    float scale = log2_e / sqrtf((float)head_size);
    float shares[2];

    avx2_score_all(scores, scores_stride, cache, queries, head_size, n_positions, n_queries);
    TSWS_UNROLL
    for (size_t q = 0; q < n_queries; q++) {
        shares[q] = 1.0f / avx2_weigh(scores + q * scores_stride, n_positions, scale);
    }
    for (size_t i = 0; i < head_size;) {
        size_t width = head_size - i;

        if (width > 8) {
            avx2_gather(out + i, head_size, width, values + i, stride, scores, scores_stride, shares, n_positions, 2,
                        n_queries, 4 / n_queries);
            i += 16;
        } else {
            avx2_gather(out + i, head_size, width, values + i, stride, scores, scores_stride, shares, n_positions, 1,
                        n_queries, 4 / n_queries);
            i += 8;
        }
    }
}

TSWS_AVX2 void tsws_avx2_attend(float *out, const float *queries, size_t n_queries, const float *cache,
                                size_t max_positions, size_t n_positions, size_t head_size, float *scratch) {
    size_t q = 0;

    for (; q + 2 <= n_queries; q += 2) {
        avx2_attend_queries(out + q * head_size, queries + q * head_size, 2, cache, max_positions, n_positions,
                            head_size, scratch);
    }
    if (q < n_queries) {
        avx2_attend_queries(out + q * head_size, queries + q * head_size, 1, cache, max_positions, n_positions,
                            head_size, scratch);
    }
}

#endif
