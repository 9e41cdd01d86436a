/*
 * Everything is transposed: a block of WIDTH queries lies across the lanes, so the softmax over the keys is a loop down
 * the rows without sums across lanes, and heads of any size make full tiles. Keys come in parts, whose scores stay in the
 * nearest cache; where they are later than some of the queries, only the vectors of those that may look at them are there.
 */
#include "attention.h"

#include <math.h>

enum { PART = 64 }; /* keys */

/* Floats of a panel of queries. */
static size_t block_floats(size_t head_size) {
    return head_size * WIDTH;
}

size_t tsws_attention_scratch(size_t head_size) {
    size_t rows = tsws_panel_floats(WIDTH, head_size);

    return 2 * PART * WIDTH + 5 * block_floats(head_size) + rows + 3 * WIDTH;
}

/* Keys [begin, end), and which queries of a block look at them: those of its vectors from `skipped` on. */
struct part {
    size_t begin, end;
    size_t skipped; /* vectors */
    bool is_edge;   /* in the first of the vectors a query sees only the keys up to its own */
};

/* The part after this one, for a block that begins at `first`, and `keys` in all; false: there is none. */
static bool next_part(struct part *part, size_t first, size_t keys) {
    size_t begin = part->end;
    bool is_edge = begin >= first;
    size_t limit = is_edge ? keys : first;
    size_t step = is_edge ? LANES : PART;

    *part = (struct part){
        .begin = begin,
        .end = limit - begin < step ? limit : begin + step,
        .skipped = is_edge ? (begin - first) / LANES : 0,
        .is_edge = is_edge,
    };
    return begin < keys;
}

/* Which queries of a part's first vector may look at a key, counted from the part's first. */
static inline ivec may_look(size_t key) {
    ivec query;

    for (int lane = 0; lane < LANES; lane++) {
        query[lane] = lane;
    }
    return (ivec)(query >= (int32_t)key);
}

/* A block of queries (or of gradients of outputs) as a panel (head_size, WIDTH): query q is column q. */
static void pack_block(float *panel, const float *rows, size_t stride, size_t count, size_t head_size, float scale) {
    for (size_t i = 0; i < head_size; i++) {
        for (size_t q = 0; q < WIDTH; q++) {
            panel[i * WIDTH + q] = q < count ? rows[q * stride + i] * scale : 0.0f;
        }
    }
}

/* The panel without its first vectors: itself where there are none, else a copy in `narrow`. */
static const float *without(size_t skipped, const float *panel, float *narrow, size_t head_size) {
    size_t columns = WIDTH - skipped * LANES;

    for (size_t i = 0; skipped > 0 && i < head_size; i++) {
        for (size_t column = 0; column < columns; column += LANES) {
            store(narrow + i * columns + column, load(panel + i * WIDTH + skipped * LANES + column));
        }
    }
    return skipped > 0 ? narrow : panel;
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

/*
 * Scores (keys of the part, columns) become weights relative to the largest score so far, `top`; what was summed relative to an
 * older one, in `sum` and in the block `mixed`, is brought down to it.
 */
static void softmax_forward(float *scores, const struct part *part, vec *top, vec *sum, float *mixed,
                            size_t head_size) {
    size_t columns = WIDTH - part->skipped * LANES;
    size_t keys = part->end - part->begin;

    for (size_t v = part->skipped; v < TILE_VECTORS; v++) {
        float *own = scores + (v - part->skipped) * LANES;
        bool is_edge = part->is_edge && v == part->skipped;
        vec before = top[v];
        vec less;

        for (size_t key = 0; key < keys; key++) {
            vec score = load(own + key * columns);

            if (is_edge) {
                score = choose(may_look(key), score, all(-INFINITY));
                store(own + key * columns, score);
            }
            top[v] = larger(score, top[v]);
        }
        less = vec_exp(before - top[v]);
        sum[v] *= less;
        for (size_t i = 0; i < head_size; i++) {
            float *place = mixed + i * WIDTH + v * LANES;

            store(place, load(place) * less);
        }
        for (size_t key = 0; key < keys; key++) {
            vec weight = vec_exp(load(own + key * columns) - top[v]);

            if (is_edge) {
                weight = choose(may_look(key), weight, (vec){0});
            }
            store(own + key * columns, weight);
            sum[v] += weight;
        }
    }
}

void tsws_attention_forward(const tsws_head *head, float *out, size_t out_stride, float *log_sums, float *scratch) {
    const size_t size = head->head_size;
    const float scale = 1.0f / sqrtf((float)size);
    float *scores = scratch; /* (PART, WIDTH) */
    float *block = scores + PART * WIDTH;
    float *narrow = block + block_floats(size);
    float *mixed = narrow + block_floats(size);
    float *inverse = mixed + block_floats(size);

    for (size_t first = 0; first < head->positions; first += WIDTH) {
        size_t count = head->positions - first < WIDTH ? head->positions - first : WIDTH;
        struct part part = {0};
        vec top[TILE_VECTORS], sum[TILE_VECTORS];

        pack_block(block, head->query + first * head->stride, head->stride, count, size, scale);
        memset(mixed, 0, block_floats(size) * sizeof *mixed);
        for (size_t v = 0; v < TILE_VECTORS; v++) {
            top[v] = all(-INFINITY);
            sum[v] = (vec){0};
        }
        while (next_part(&part, first, first + count)) {
            size_t offset = part.skipped * LANES;
            size_t keys = part.end - part.begin;
            size_t place = part.begin * head->stride;

            tsws_gemm(scores, WIDTH - offset, false, head->key + place, head->stride,
                      without(part.skipped, block, narrow, size), keys, WIDTH - offset, size);
            softmax_forward(scores, &part, top, sum, mixed, size);
            tsws_gemm_transposed(mixed + offset, WIDTH, true, head->value + place, head->stride, scores, size,
                                 WIDTH - offset, keys);
        }
        for (size_t q = 0; q < count; q++) {
            float total = sum[q / LANES][q % LANES];

            inverse[q] = 1.0f / total;
            log_sums[first + q] = top[q / LANES][q % LANES] + logf(total);
        }
        unpack_block(out + first * out_stride, out_stride, count, size, mixed, inverse, false);
    }
}

/* Scores become weights, and gradients of weights those of scores; both (keys of the part, columns). */
static void softmax_backward(float *weights, float *d_scores, const struct part *part, const float *logs,
                             const float *inner, float scale) {
    size_t offset = part->skipped * LANES;
    size_t columns = WIDTH - offset;

    for (size_t key = 0; key < part->end - part->begin; key++) {
        for (size_t column = 0; column < columns; column += LANES) {
            size_t place = key * columns + column;
            vec weight = vec_exp(load(weights + place) - load(logs + offset + column));

            if (part->is_edge && column == 0) {
                weight = choose(may_look(key), weight, (vec){0});
            }
            store(weights + place, weight);
            store(d_scores + place, weight * (load(d_scores + place) - load(inner + offset + column)) * scale);
        }
    }
}

void tsws_attention_backward(const tsws_head *head, const float *out, const float *d_out, size_t out_stride,
                             const float *log_sums, float *d_query, float *d_key, float *d_value, size_t d_stride,
                             float *scratch) {
    const size_t size = head->head_size;
    const float scale = 1.0f / sqrtf((float)size);
    float *weights = scratch;                            /* (PART, WIDTH) */
    float *d_scores = weights + PART * WIDTH;            /* (PART, WIDTH) */
    float *block = d_scores + PART * WIDTH;              /* queries: (size, WIDTH) */
    float *d_block = block + block_floats(size);         /* gradients: (size, WIDTH) */
    float *narrow = d_block + block_floats(size);        /* one of the two without its first vectors */
    float *changes = narrow + block_floats(size);        /* (size, WIDTH) */
    float *rows = changes + block_floats(size);          /* queries or gradients not transposed, packed: (WIDTH, size) */
    float *logs = rows + tsws_panel_floats(WIDTH, size); /* (WIDTH,) */
    float *inner = logs + WIDTH;                         /* (WIDTH,): out . d_out of each query */
    float *ones = inner + WIDTH;                         /* (WIDTH,) */

    for (size_t first = 0; first < head->positions; first += WIDTH) {
        size_t count = head->positions - first < WIDTH ? head->positions - first : WIDTH;
        const float *query_rows = head->query + first * head->stride;
        const float *d_rows = d_out + first * out_stride;
        struct part part = {0};

        for (size_t q = 0; q < WIDTH; q++) {
            float sum = 0.0f;

            for (size_t i = 0; q < count && i < size; i++) {
                sum += out[(first + q) * out_stride + i] * d_rows[q * out_stride + i];
            }
            inner[q] = sum;
            logs[q] = q < count ? log_sums[first + q] : 0.0f;
            ones[q] = 1.0f;
        }
        pack_block(block, query_rows, head->stride, count, size, scale);
        pack_block(d_block, d_rows, out_stride, count, size, 1.0f);
        memset(changes, 0, block_floats(size) * sizeof *changes);
        while (next_part(&part, first, first + count)) {
            size_t offset = part.skipped * LANES;
            size_t columns = WIDTH - offset;
            size_t keys = part.end - part.begin;
            size_t place = part.begin * head->stride;
            size_t d_place = part.begin * d_stride;

            tsws_gemm(weights, columns, false, head->key + place, head->stride,
                      without(part.skipped, block, narrow, size), keys, columns, size);
            tsws_gemm(d_scores, columns, false, head->value + place, head->stride,
                      without(part.skipped, d_block, narrow, size), keys, columns, size);
            softmax_backward(weights, d_scores, &part, logs, inner, scale);
            /* Only as many rows are multiplied as there are queries, so what stands in the other lanes counts for nothing. */
            tsws_pack(rows, d_rows + offset * out_stride, out_stride, count - offset, size);
            tsws_gemm(d_value + d_place, d_stride, true, weights, columns, rows, keys, size, count - offset);
            tsws_pack(rows, query_rows + offset * head->stride, head->stride, count - offset, size);
            tsws_gemm(d_key + d_place, d_stride, true, d_scores, columns, rows, keys, size, count - offset);
            tsws_gemm_transposed(changes + offset, WIDTH, true, head->key + place, head->stride, d_scores, size,
                                 columns, keys);
        }
        unpack_block(d_query + first * d_stride, d_stride, count, size, changes, ones, true);
    }
}
