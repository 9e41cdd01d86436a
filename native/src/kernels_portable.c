/*
 * Plain C. Sums run in llama2.c's order; it is fast all the same, because the rows of a panel are summed side by side
 * and a compiler can give each of them a lane of a vector register.
 */
#include "kernels.h"
#include "pack.h"
#include "size.h"

#include <math.h>
#include <string.h>

enum { PORTABLE_ROWS = 16 }; /* of a panel */

/* ---- Matrices -------------------------------------------------------------------------------------------------- */

static size_t portable_packed_bytes(size_t rows, size_t columns, size_t group) {
    return tsws_pack_bytes(PORTABLE_ROWS, rows, columns, group);
}

static void portable_pack(void *data, const tsws_matrix *matrix, size_t group) {
    tsws_pack_panels(data, matrix, group, PORTABLE_ROWS, 0);
}

/* A quantised vector: one scale a group, then the codes, groups filled up as in the panels. */
static size_t portable_vector_bytes(size_t columns, size_t group) {
    return tsws_size_mul(columns / group, tsws_size_add(sizeof(float), tsws_padded_group(group)));
}

static size_t portable_matmul_scratch(size_t columns, size_t group, size_t n_vectors) {
    return group == 0 ? 0 : tsws_size_mul(portable_vector_bytes(columns, group), n_vectors);
}

static void portable_quantize(void *quantized, const float *x, size_t columns, size_t group) {
    size_t n_groups = columns / group;
    float *scales = quantized;
    int8_t *codes = (int8_t *)(scales + n_groups);

    memset(codes, 0, n_groups * tsws_padded_group(group));
    for (size_t i = 0; i < n_groups; i++) {
        scales[i] = tsws_quantize_group(codes + i * tsws_padded_group(group), x + i * group, group);
    }
}

static void portable_float_panel(float *sums, const float *panel, const float *x, size_t columns) {
    for (size_t i = 0; i < columns; i++) {
        for (size_t row = 0; row < PORTABLE_ROWS; row++) {
            sums[row] += panel[i * PORTABLE_ROWS + row] * x[i];
        }
    }
}

/* The products of a group are summed as integers, the groups as floats, one after another. */
static void portable_code_panel(float *sums, const unsigned char *panel, const void *quantized, size_t columns,
                                size_t group) {
    const float *x_scales = quantized;
    const int8_t *x = (const int8_t *)(x_scales + columns / group);
    size_t padded = tsws_padded_group(group);

    for (size_t i = 0; i < columns / group; i++) {
        const float *scales = (const float *)(const void *)panel;
        const int8_t *codes = (const int8_t *)(scales + PORTABLE_ROWS);
        int32_t products[PORTABLE_ROWS] = {0};

        for (size_t quad = 0; quad < padded; quad += TSWS_QUAD) {
            for (size_t row = 0; row < PORTABLE_ROWS; row++) {
                const int8_t *w = codes + quad * PORTABLE_ROWS + row * TSWS_QUAD;

                products[row] += w[0] * x[quad] + w[1] * x[quad + 1] + w[2] * x[quad + 2] + w[3] * x[quad + 3];
            }
        }
        for (size_t row = 0; row < PORTABLE_ROWS; row++) {
            sums[row] += (float)products[row] * scales[row] * x_scales[i];
        }
        panel += PORTABLE_ROWS * (sizeof(float) + padded);
        x += padded;
    }
}

static void portable_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                            size_t n_vectors, size_t first_panel, size_t last_panel, void *scratch) {
    size_t columns = matrix->columns;
    size_t group = matrix->group;
    size_t panel_bytes = tsws_panel_bytes(PORTABLE_ROWS, columns, group);
    size_t vector_bytes = group == 0 ? 0 : portable_vector_bytes(columns, group);
    unsigned char *quantized = scratch;

    for (size_t v = 0; group != 0 && v < n_vectors; v++) {
        portable_quantize(quantized + v * vector_bytes, x + v * x_stride, columns, group);
    }
    for (size_t i = first_panel; i < last_panel; i++) {
        const unsigned char *panel = (const unsigned char *)matrix->data + i * panel_bytes;
        size_t row = i * PORTABLE_ROWS;
        size_t n_rows = matrix->rows - row < PORTABLE_ROWS ? matrix->rows - row : PORTABLE_ROWS;

        for (size_t v = 0; v < n_vectors; v++) {
            float sums[PORTABLE_ROWS] = {0.0f};

            if (group == 0) {
                portable_float_panel(sums, (const float *)(const void *)panel, x + v * x_stride, columns);
            } else {
                portable_code_panel(sums, panel, quantized + v * vector_bytes, columns, group);
            }
            memcpy(out + v * out_stride + row, sums, n_rows * sizeof(float));
        }
    }
}

/* ---- Vectors --------------------------------------------------------------------------------------------------- */

static void portable_rmsnorm(float *out, const float *x, const float *weight, size_t n) {
    float squares = 0.0f;
    float scale;

    for (size_t i = 0; i < n; i++) {
        squares += x[i] * x[i];
    }
    scale = 1.0f / sqrtf(squares / (float)n + 1e-5f);
    for (size_t i = 0; i < n; i++) {
        out[i] = weight[i] * (scale * x[i]);
    }
}

static void portable_rope(float *x, size_t n_heads, size_t head_size, const float *cosines, const float *sines) {
    for (size_t head = 0; head < n_heads; head++) {
        float *pairs = x + head * head_size;

        for (size_t i = 0; i < head_size / 2; i++) {
            float real = pairs[2 * i];
            float imaginary = pairs[2 * i + 1];

            pairs[2 * i] = real * cosines[i] - imaginary * sines[i];
            pairs[2 * i + 1] = real * sines[i] + imaginary * cosines[i];
        }
    }
}

static void portable_swiglu(float *out, const float *gate, const float *up, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float x = gate[i];

        out[i] = x * (1.0f / (1.0f + expf(-x))) * up[i];
    }
}

static void portable_accumulate(float *x, const float *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        x[i] += y[i];
    }
}

static void portable_softmax(float *x, size_t n, float temperature) {
    float largest;
    float sum = 0.0f;

    for (size_t i = 0; i < n; i++) {
        x[i] /= temperature;
    }
    largest = x[0];
    for (size_t i = 1; i < n; i++) {
        if (x[i] > largest) {
            largest = x[i];
        }
    }
    for (size_t i = 0; i < n; i++) {
        x[i] = expf(x[i] - largest); /* the largest becomes 1: nothing overflows */
        sum += x[i];
    }
    for (size_t i = 0; i < n; i++) {
        x[i] /= sum;
    }
}

/* ---- Attention: keys (max_positions, head_size), then values, the same --------------------------------------------- */

static size_t portable_cache_floats(size_t max_positions, size_t head_size) {
    size_t count = tsws_size_mul(tsws_size_mul(max_positions, head_size), 2);

    return tsws_size_mul(count / 16 + (count % 16 != 0), 16);
}

static void portable_remember(float *cache, size_t max_positions, size_t position, const float *key, const float *value,
                              size_t head_size) {
    memcpy(cache + position * head_size, key, head_size * sizeof(float));
    memcpy(cache + (max_positions + position) * head_size, value, head_size * sizeof(float));
}

static size_t portable_attend_scratch(size_t max_positions, size_t head_size, size_t n_queries) {
    (void)head_size;
    (void)n_queries;
    return tsws_size_mul(max_positions / 16 + (max_positions % 16 != 0), 16);
}

static void portable_attend(float *out, const float *queries, size_t n_queries, const float *cache,
                            size_t max_positions, size_t n_positions, size_t head_size, float *scratch) {
    const float *values = cache + max_positions * head_size;
    float scale = sqrtf((float)head_size);

    for (size_t q = 0; q < n_queries; q++) {
        const float *query = queries + q * head_size;
        float *sums = out + q * head_size;

        for (size_t position = 0; position < n_positions; position++) {
            const float *key = cache + position * head_size;
            float score = 0.0f;

            for (size_t i = 0; i < head_size; i++) {
                score += query[i] * key[i];
            }
            scratch[position] = score / scale;
        }
        portable_softmax(scratch, n_positions, 1.0f);
        for (size_t i = 0; i < head_size; i++) {
            sums[i] = 0.0f;
        }
        for (size_t position = 0; position < n_positions; position++) {
            const float *value = values + position * head_size;
            float weight = scratch[position];

            for (size_t i = 0; i < head_size; i++) {
                sums[i] += weight * value[i];
            }
        }
    }
}

const tsws_kernels tsws_kernels_portable = {
    .name = "portable",
    .panel_rows = PORTABLE_ROWS,
    .packed_bytes = portable_packed_bytes,
    .pack = portable_pack,
    .matmul_scratch = portable_matmul_scratch,
    .matmul = portable_matmul,
    .rmsnorm = portable_rmsnorm,
    .rope = portable_rope,
    .cache_floats = portable_cache_floats,
    .remember = portable_remember,
    .attend_scratch = portable_attend_scratch,
    .attend = portable_attend,
    .swiglu = portable_swiglu,
    .accumulate = portable_accumulate,
    .softmax = portable_softmax,
};
