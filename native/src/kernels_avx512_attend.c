/*
 * Attention with AVX-512. Keys lie in blocks of 16 positions, (block, head_size, 16), so that a vector holds the scores
 * of 16 positions and nothing is summed across lanes; values (position, head_size filled up to 16).
 */
#if defined(__x86_64__)

#include "kernels_avx512.h"
#include "size.h"

#include <math.h>

static size_t avx512_up(size_t n) {
    return tsws_size_mul(tsws_size_add(n, TSWS_AVX512_LANES - 1) / TSWS_AVX512_LANES, TSWS_AVX512_LANES);
}

size_t tsws_avx512_cache_floats(size_t max_positions, size_t head_size) {
    return tsws_size_add(tsws_size_mul(avx512_up(max_positions), head_size),
                         tsws_size_mul(max_positions, avx512_up(head_size)));
}

void tsws_avx512_remember(float *cache, size_t max_positions, size_t position, const float *key, const float *value,
                          size_t head_size) {
    float *keys = cache + position / TSWS_AVX512_LANES * TSWS_AVX512_LANES * head_size + position % TSWS_AVX512_LANES;
    float *values = cache + avx512_up(max_positions) * head_size + position * avx512_up(head_size);

    for (size_t i = 0; i < head_size; i++) {
        keys[i * TSWS_AVX512_LANES] = key[i];
        values[i] = value[i];
    }
    for (size_t i = head_size; i < avx512_up(head_size); i++) {
        values[i] = 0.0f;
    }
}

/* Weights of two queries at a time, (2, max_positions filled up to 16). */
size_t tsws_avx512_attend_scratch(size_t max_positions, size_t head_size, size_t n_queries) {
    (void)head_size;
    return tsws_size_mul(avx512_up(max_positions), n_queries < 2 ? 1 : 2);
}

/* Scores of n_blocks blocks and n_queries queries, both constants. Gives nothing back but scores. */
TSWS_AVX512_INLINE void avx512_score(float *scores, size_t scores_stride, const float *keys, const float *queries,
                                     size_t head_size, size_t n_blocks, size_t n_queries) {
    __m512 sums[8];

    TSWS_UNROLL
    for (size_t i = 0; i < n_queries * n_blocks; i++) {
        sums[i] = _mm512_setzero_ps();
    }
    for (size_t i = 0; i < head_size; i++) {
        __m512 factors[2];

        TSWS_UNROLL
        for (size_t q = 0; q < n_queries; q++) {
            factors[q] = _mm512_set1_ps(queries[q * head_size + i]);
        }
        TSWS_UNROLL
        for (size_t block = 0; block < n_blocks; block++) {
            __m512 key = _mm512_load_ps(keys + (block * head_size + i) * TSWS_AVX512_LANES);

            if (n_queries > 1) {
                TSWS_AVX512_KEEP(key);
            }

            TSWS_UNROLL
            for (size_t q = 0; q < n_queries; q++) {
                sums[block * n_queries + q] = _mm512_fmadd_ps(key, factors[q], sums[block * n_queries + q]);
            }
        }
    }
    TSWS_UNROLL
    for (size_t block = 0; block < n_blocks; block++) {
        TSWS_UNROLL
        for (size_t q = 0; q < n_queries; q++) {
            _mm512_store_ps(scores + q * scores_stride + block * TSWS_AVX512_LANES, sums[block * n_queries + q]);
        }
    }
}

TSWS_AVX512_INLINE void avx512_score_all(float *scores, size_t scores_stride, const float *keys, const float *queries,
                                         size_t head_size, size_t n_positions, size_t n_queries) {
    size_t n_blocks = (n_positions + TSWS_AVX512_LANES - 1) / TSWS_AVX512_LANES;
    size_t at_once = 8 / n_queries;
    size_t block = 0;

    for (; block + at_once <= n_blocks; block += at_once) {
        avx512_score(scores + block * TSWS_AVX512_LANES, scores_stride, keys + block * TSWS_AVX512_LANES * head_size,
                     queries, head_size, at_once, n_queries);
    }
    for (; block + 2 <= n_blocks; block += 2) {
        avx512_score(scores + block * TSWS_AVX512_LANES, scores_stride, keys + block * TSWS_AVX512_LANES * head_size,
                     queries, head_size, 2, n_queries);
    }
    if (block < n_blocks) {
        avx512_score(scores + block * TSWS_AVX512_LANES, scores_stride, keys + block * TSWS_AVX512_LANES * head_size,
                     queries, head_size, 1, n_queries);
    }
}

/* Scores become weights that are still to be divided by their sum, which is returned; the lanes behind the last are 0. */
TSWS_AVX512_INLINE float avx512_weigh(float *scores, size_t n_positions, float scale) {
    size_t whole = n_positions / TSWS_AVX512_LANES * TSWS_AVX512_LANES;
    __mmask16 rest = tsws_avx512_first(n_positions - whole);
    __m512 lowest = _mm512_set1_ps(-INFINITY);
    __m512 largest = lowest;
    __m512 sum = _mm512_setzero_ps();
    __m512 factor = _mm512_set1_ps(scale);
    __m512 offset;

    for (size_t i = 0; i < whole; i += TSWS_AVX512_LANES) {
        largest = _mm512_max_ps(largest, _mm512_load_ps(scores + i));
    }
    if (rest != 0) {
        largest = _mm512_max_ps(largest, _mm512_mask_load_ps(lowest, rest, scores + whole));
    }
    offset = _mm512_mul_ps(_mm512_set1_ps(_mm512_reduce_max_ps(largest)), factor);
    for (size_t i = 0; i < whole; i += TSWS_AVX512_LANES) {
        __m512 weight = tsws_avx512_exp2(_mm512_fmsub_ps(_mm512_load_ps(scores + i), factor, offset));

        sum = _mm512_add_ps(sum, weight);
        _mm512_store_ps(scores + i, weight);
    }
    if (rest != 0) {
        __m512 weight = _mm512_maskz_mov_ps(
            rest, tsws_avx512_exp2(_mm512_fmsub_ps(_mm512_load_ps(scores + whole), factor, offset)));

        sum = _mm512_add_ps(sum, weight);
        _mm512_store_ps(scores + whole, weight);
    }
    return _mm512_reduce_add_ps(sum);
}

/* n_vectors vectors of the values' width for n_queries queries, `at_once` positions in flight; all three constants. */
TSWS_AVX512_INLINE void avx512_gather(float *out, size_t head_size, size_t width, const float *values, size_t stride,
                                      const float *weights, size_t weights_stride, const float *sums,
                                      size_t n_positions, size_t n_vectors, size_t n_queries, size_t at_once) {
    __m512 totals[12];
    size_t position = 0;

    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * n_queries * at_once; i++) {
        totals[i] = _mm512_setzero_ps();
    }
    for (; position + at_once <= n_positions; position += at_once) {
        TSWS_UNROLL
        for (size_t p = 0; p < at_once; p++) {
            __m512 factors[2];

            TSWS_UNROLL
            for (size_t q = 0; q < n_queries; q++) {
                factors[q] = _mm512_set1_ps(weights[q * weights_stride + position + p]);
            }
            TSWS_UNROLL
            for (size_t i = 0; i < n_vectors; i++) {
                __m512 value = _mm512_load_ps(values + (position + p) * stride + i * TSWS_AVX512_LANES);
                __m512 *total = totals + (p * n_vectors + i) * n_queries;

                if (n_queries > 1) {
                    TSWS_AVX512_KEEP(value);
                }

                TSWS_UNROLL
                for (size_t q = 0; q < n_queries; q++) {
                    total[q] = _mm512_fmadd_ps(value, factors[q], total[q]);
                }
            }
        }
    }
    for (; position < n_positions; position++) {
        TSWS_UNROLL
        for (size_t i = 0; i < n_vectors; i++) {
            __m512 value = _mm512_load_ps(values + position * stride + i * TSWS_AVX512_LANES);

            TSWS_UNROLL
            for (size_t q = 0; q < n_queries; q++) {
                __m512 factor = _mm512_set1_ps(weights[q * weights_stride + position]);

                totals[i * n_queries + q] = _mm512_fmadd_ps(value, factor, totals[i * n_queries + q]);
            }
        }
    }
    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors; i++) {
        TSWS_UNROLL
        for (size_t q = 0; q < n_queries; q++) {
            __m512 total = totals[i * n_queries + q];

            TSWS_UNROLL
            for (size_t p = 1; p < at_once; p++) {
                total = _mm512_add_ps(total, totals[(p * n_vectors + i) * n_queries + q]);
            }
            _mm512_mask_storeu_ps(out + q * head_size + i * TSWS_AVX512_LANES,
                                  tsws_avx512_first(width - i * TSWS_AVX512_LANES),
                                  _mm512_mul_ps(total, _mm512_set1_ps(sums[q])));
        }
    }
}

/* n_queries is a constant, 1 or 2. */
TSWS_AVX512_INLINE void avx512_attend_queries(float *out, const float *queries, size_t n_queries, const float *cache,
                                              size_t max_positions, size_t n_positions, size_t head_size,
                                              float *scores) {
    const float log2_e = 1.44269504f;
    const float *values = cache + avx512_up(max_positions) * head_size;
    size_t scores_stride = avx512_up(max_positions);
    size_t stride = avx512_up(head_size);
    float scale = log2_e / sqrtf((float)head_size);
    float shares[2];

    avx512_score_all(scores, scores_stride, cache, queries, head_size, n_positions, n_queries);
    TSWS_UNROLL
    for (size_t q = 0; q < n_queries; q++) {
        shares[q] = 1.0f / avx512_weigh(scores + q * scores_stride, n_positions, scale);
    }
    for (size_t i = 0; i < head_size;) {
        size_t width = head_size - i;

        if (width > 48) {
            avx512_gather(out + i, head_size, width, values + i, stride, scores, scores_stride, shares, n_positions, 4,
                          n_queries, 2 / n_queries);
            i += 64;
        } else if (width > 32) {
            avx512_gather(out + i, head_size, width, values + i, stride, scores, scores_stride, shares, n_positions, 3,
                          n_queries, 4 / n_queries);
            i += 48;
        } else if (width > 16) {
            avx512_gather(out + i, head_size, width, values + i, stride, scores, scores_stride, shares, n_positions, 2,
                          n_queries, 4 / n_queries);
            i += 32;
        } else {
            avx512_gather(out + i, head_size, width, values + i, stride, scores, scores_stride, shares, n_positions, 1,
                          n_queries, 8 / n_queries);
            i += 16;
        }
    }
}

TSWS_AVX512 void tsws_avx512_attend(float *out, const float *queries, size_t n_queries, const float *cache,
                                    size_t max_positions, size_t n_positions, size_t head_size, float *scratch) {
    size_t q = 0;

    for (; q + 2 <= n_queries; q += 2) {
        avx512_attend_queries(out + q * head_size, queries + q * head_size, 2, cache, max_positions, n_positions,
                              head_size, scratch);
    }
    if (q < n_queries) {
        avx512_attend_queries(out + q * head_size, queries + q * head_size, 1, cache, max_positions, n_positions,
                              head_size, scratch);
    }
}

#endif
