/*
 * Everything is transposed: a block of WIDTH queries lies across the lanes, so the softmax over the keys is a loop down
 * the rows without sums across lanes, and heads of any size make full tiles.
 */
#include "attention.h"

#include <math.h>

size_t tsws_attention_scratch(size_t positions, size_t head_size) {
    size_t padded_head = (head_size + WIDTH - 1) / WIDTH * WIDTH;

    return 2 * positions * WIDTH + 4 * padded_head * WIDTH + 4 * WIDTH;
}

/* A block of queries (or of gradients of outputs) as a panel (head_size, WIDTH): query q is column q. */
static void pack_block(float *panel, const float *rows, size_t stride, size_t count, size_t head_size, float scale) {
    for (size_t i = 0; i < head_size; i++) {
        for (size_t q = 0; q < WIDTH; q++) {
            panel[i * WIDTH + q] = q < count ? rows[q * stride + i] * scale : 0.0f;
        }
    }
}

/* Adds (or sets) a block (head_size, WIDTH) to the rows that its columns are. */
static void unpack_block(float *rows, size_t stride, size_t count, size_t head_size, const float *block,
                         const float *scales, bool add) {
    for (size_t q = 0; q < count; q++) {
        for (size_t i = 0; i < head_size; i++) {
            float value = block[i * WIDTH + q] * scales[q];

            rows[q * stride + i] = add ? rows[q * stride + i] + value : value;
        }
    }
}

/* Which queries of a block that begins at `first` may look at `key`. */
static inline ivec may_look(size_t key, size_t first, size_t v) {
    ivec query;

    for (int lane = 0; lane < LANES; lane++) {
        query[lane] = (int32_t)(first + v * LANES) + lane;
    }
    return (ivec)(query >= (int32_t)key);
}

/* Keys before this are open to all queries of the block. */
#define OPEN(first) (first)

void tsws_attention_forward(const tsws_head *head, float *out, size_t out_stride, float *log_sums, float *scratch) {
    const size_t size = head->head_size;
    const float scale = 1.0f / sqrtf((float)size);
    float *scores = scratch; /* (keys, WIDTH) */
    float *block = scores + head->positions * WIDTH;
    float *mixed = block + size * WIDTH;
    float *inverse = mixed + size * WIDTH;

    for (size_t first = 0; first < head->positions; first += WIDTH) {
        size_t count = head->positions - first < WIDTH ? head->positions - first : WIDTH;
        size_t keys = first + count;
        vec top[TILE_VECTORS], sum[TILE_VECTORS];

        pack_block(block, head->query + first * head->stride, head->stride, count, size, scale);
        tsws_gemm(scores, WIDTH, false, head->key, head->stride, block, keys, WIDTH, size);
        for (size_t v = 0; v < TILE_VECTORS; v++) {
            top[v] = all(-INFINITY);
            sum[v] = (vec){0};
        }
        for (size_t key = 0; key < keys; key++) {
            for (size_t v = 0; v < TILE_VECTORS; v++) {
                vec score = load(scores + key * WIDTH + v * LANES);

                if (key > OPEN(first)) {
                    score = choose(may_look(key, first, v), score, all(-INFINITY));
                    store(scores + key * WIDTH + v * LANES, score);
                }
                top[v] = larger(score, top[v]);
            }
        }
        for (size_t key = 0; key < keys; key++) {
            for (size_t v = 0; v < TILE_VECTORS; v++) {
                float *score = scores + key * WIDTH + v * LANES;
                vec weight = vec_exp(load(score) - top[v]);

                if (key > OPEN(first)) {
                    weight = choose(may_look(key, first, v), weight, (vec){0});
                }
                store(score, weight);
                sum[v] += weight;
            }
        }
        tsws_gemm_transposed(mixed, WIDTH, false, head->value, head->stride, scores, size, WIDTH, keys);
        for (size_t q = 0; q < count; q++) {
            float total = sum[q / LANES][q % LANES];

            inverse[q] = 1.0f / total;
            log_sums[first + q] = top[q / LANES][q % LANES] + logf(total);
        }
        unpack_block(out + first * out_stride, out_stride, count, size, mixed, inverse, false);
    }
}

void tsws_attention_backward(const tsws_head *head, const float *out, const float *d_out, size_t out_stride,
                             const float *log_sums, float *d_query, float *d_key, float *d_value, size_t d_stride,
                             float *scratch) {
    const size_t size = head->head_size;
    const size_t padded_size = tsws_panel_floats(1, size);
    const float scale = 1.0f / sqrtf((float)size);
    float *weights = scratch;                               /* (keys, WIDTH) */
    float *d_scores = weights + head->positions * WIDTH;    /* (keys, WIDTH) */
    float *block = d_scores + head->positions * WIDTH;      /* queries, gradients: (size, WIDTH) */
    float *rows = block + size * WIDTH;                     /* the same not transposed, packed: (WIDTH, padded size) */
    float *changes = rows + padded_size * WIDTH;            /* (size, WIDTH) */
    float *logs = changes + size * WIDTH;                   /* (WIDTH,) */
    float *inner = logs + WIDTH;                            /* (WIDTH,): out . d_out of each query */
    float *ones = inner + WIDTH;                            /* (WIDTH,) */

    for (size_t first = 0; first < head->positions; first += WIDTH) {
        size_t count = head->positions - first < WIDTH ? head->positions - first : WIDTH;
        size_t keys = first + count;
        const float *d_rows = d_out + first * out_stride;

        for (size_t q = 0; q < WIDTH; q++) {
            float sum = 0.0f;

            for (size_t i = 0; q < count && i < size; i++) {
                sum += out[(first + q) * out_stride + i] * d_rows[q * out_stride + i];
            }
            inner[q] = sum;
            logs[q] = q < count ? log_sums[first + q] : 0.0f;
            ones[q] = 1.0f;
        }
        pack_block(block, head->query + first * head->stride, head->stride, count, size, scale);
        tsws_gemm(weights, WIDTH, false, head->key, head->stride, block, keys, WIDTH, size);
        pack_block(block, d_rows, out_stride, count, size, 1.0f);
        tsws_gemm(d_scores, WIDTH, false, head->value, head->stride, block, keys, WIDTH, size);
        for (size_t key = 0; key < keys; key++) {
            for (size_t v = 0; v < TILE_VECTORS; v++) {
                size_t place = key * WIDTH + v * LANES;
                vec weight = vec_exp(load(weights + place) - load(logs + v * LANES));

                if (key > OPEN(first)) {
                    weight = choose(may_look(key, first, v), weight, (vec){0});
                }
                store(weights + place, weight);
                store(d_scores + place, weight * (load(d_scores + place) - load(inner + v * LANES)) * scale);
            }
        }
        /* Rows of queries that are not there are zero in `rows`, so what stands in their lanes counts for nothing. */
        tsws_pack(rows, d_rows, out_stride, count, size);
        tsws_gemm(d_value, d_stride, true, weights, WIDTH, rows, keys, size, count);
        tsws_pack(rows, head->query + first * head->stride, head->stride, count, size);
        tsws_gemm(d_key, d_stride, true, d_scores, WIDTH, rows, keys, size, count);
        tsws_gemm_transposed(changes, WIDTH, false, head->key, head->stride, d_scores, size, WIDTH, keys);
        unpack_block(d_query + first * d_stride, d_stride, count, size, changes, ones, true);
    }
}
