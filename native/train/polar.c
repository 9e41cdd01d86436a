#include "polar.h"

#include "gemm.h"

#include <math.h>

enum { POLAR_STEPS = 5 };

static const float polar_a = 3.4445f;
static const float polar_b = -4.7750f;
static const float polar_c = 2.0315f;

size_t tsws_train_polar_floats(int32_t rows, int32_t columns) {
    size_t m = (size_t)(rows < columns ? rows : columns);
    size_t n = (size_t)(rows < columns ? columns : rows);

    /* x twice, its square and the factor, and the largest right factor packed: x itself */
    return 2 * m * n + 2 * m * m + tsws_panel_floats(n, m);
}

/* to (columns, rows) = the transpose of from (rows, columns). */
static void transpose(float *to, const float *from, size_t rows, size_t columns) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t column = 0; column < columns; column++) {
            to[column * rows + row] = from[row * columns + column];
        }
    }
}

/* Divides by the Frobenius norm, so that no singular value is above 1. */
static void normalise(float *x, size_t count) {
    double sum = 0.0;
    float scale;

    for (size_t i = 0; i < count; i++) {
        sum += (double)x[i] * (double)x[i];
    }
    scale = (float)(1.0 / (sqrt(sum) + 1e-7));
    for (size_t i = 0; i < count; i++) {
        x[i] *= scale;
    }
}

/*
 * next (n, m) = x (a I + b S + c S^2) with S = x^T x: every right factor is packed as it lies. squares has room for two (m, m).
 */
static void iterate(float *next, const float *x, size_t m, size_t n, float *squares, float *panels) {
    float *s = squares;
    float *factor = squares + m * m;

    tsws_pack(panels, x, m, n, m);
    tsws_gemm_transposed(s, m, false, x, m, panels, m, m, n);
    tsws_pack(panels, s, m, m, m);
    tsws_gemm(factor, m, false, s, m, panels, m, m, m);
    for (size_t i = 0; i < m * m; i++) {
        factor[i] = polar_c * factor[i] + polar_b * s[i];
    }
    for (size_t i = 0; i < m; i++) {
        factor[i * m + i] += polar_a;
    }
    tsws_pack(panels, factor, m, m, m);
    tsws_gemm(next, m, false, x, m, panels, n, m, m);
}

void tsws_train_polar(float *matrix, int32_t rows, int32_t columns, float *scratch) {
    size_t m = (size_t)(rows < columns ? rows : columns);
    size_t n = (size_t)(rows < columns ? columns : rows);
    bool is_wide = rows < columns;
    float *x = scratch; /* (n, m) */
    float *next = x + m * n;
    float *squares = next + m * n;
    float *panels = squares + 2 * m * m;

    if (is_wide) {
        transpose(x, matrix, m, n);
    } else {
        memcpy(x, matrix, m * n * sizeof *x);
    }
    normalise(x, m * n);
    for (int step = 0; step < POLAR_STEPS; step++) {
        float *swap = x;

        iterate(next, x, m, n, squares, panels);
        x = next;
        next = swap;
    }
    if (is_wide) {
        transpose(matrix, x, n, m);
    } else {
        memcpy(matrix, x, m * n * sizeof *x);
    }
}
