#include "kernels.h"

#include <math.h>

static void portable_matvec(float *out, const float *matrix, const float *vector, size_t rows, size_t columns) {
    size_t row = 0;

    /* Four rows at a time hide the latency of the additions, whose order within a row must stay. */
    for (; row + 4 <= rows; row += 4) {
        const float *a = matrix + row * columns;
        const float *b = a + columns;
        const float *c = b + columns;
        const float *d = c + columns;
        float sum_a = 0.0f, sum_b = 0.0f, sum_c = 0.0f, sum_d = 0.0f;

        for (size_t i = 0; i < columns; i++) {
            sum_a += a[i] * vector[i];
            sum_b += b[i] * vector[i];
            sum_c += c[i] * vector[i];
            sum_d += d[i] * vector[i];
        }
        out[row] = sum_a;
        out[row + 1] = sum_b;
        out[row + 2] = sum_c;
        out[row + 3] = sum_d;
    }
    for (; row < rows; row++) {
        const float *weights = matrix + row * columns;
        float sum = 0.0f;

        for (size_t i = 0; i < columns; i++) {
            sum += weights[i] * vector[i];
        }
        out[row] = sum;
    }
}

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

static void portable_softmax(float *x, size_t n) {
    float largest = x[0];
    float sum = 0.0f;

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

static void portable_attend(float *out, const float *query, const float *keys, const float *values, size_t stride,
                            size_t n_positions, size_t head_size, float *scores) {
    float scale = sqrtf((float)head_size);

    for (size_t position = 0; position < n_positions; position++) {
        const float *key = keys + position * stride;
        float score = 0.0f;

        for (size_t i = 0; i < head_size; i++) {
            score += query[i] * key[i];
        }
        scores[position] = score / scale;
    }
    portable_softmax(scores, n_positions);
    for (size_t i = 0; i < head_size; i++) {
        out[i] = 0.0f;
    }
    for (size_t position = 0; position < n_positions; position++) {
        const float *value = values + position * stride;
        float weight = scores[position];

        for (size_t i = 0; i < head_size; i++) {
            out[i] += weight * value[i];
        }
    }
}

static void portable_swiglu(float *gate, const float *up, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float x = gate[i];

        gate[i] = x * (1.0f / (1.0f + expf(-x))) * up[i];
    }
}

static void portable_accumulate(float *x, const float *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        x[i] += y[i];
    }
}

const tsws_kernels tsws_kernels_portable = {
    .name = "portable",
    .matvec = portable_matvec,
    .rmsnorm = portable_rmsnorm,
    .rope = portable_rope,
    .attend = portable_attend,
    .swiglu = portable_swiglu,
    .accumulate = portable_accumulate,
    .softmax = portable_softmax,
};
