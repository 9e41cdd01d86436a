#include "gemm.h"

#define NUMBER float
#define WIDE vec
#define SPREAD(x) all(x)
#define FETCH(p) load(p)
#define MULTIPLY_ADD(sums, left, right) ((sums) + (left) * (right))
#define NAMED(x) x
#include "tile.inc"

void tsws_gemm(float *c, size_t c_stride, bool add, const float *a, size_t a_stride, const float *panels, size_t m,
               size_t n, size_t k) {
    multiply(c, c_stride, add, a, a_stride, ROWS, panels, m, n, k);
}

void tsws_gemm_transposed(float *c, size_t c_stride, bool add, const float *a, size_t a_stride, const float *panels,
                          size_t m, size_t n, size_t k) {
    multiply(c, c_stride, add, a, a_stride, COLUMNS, panels, m, n, k);
}

size_t tsws_panel_floats(size_t k, size_t n) {
    return tsws_padded(n) * k;
}

void tsws_pack(float *panels, const float *b, size_t stride, size_t k, size_t n) {
    for (size_t first = 0; first < n; first += WIDTH) {
        size_t columns = n - first < WIDTH ? n - first : WIDTH;
        size_t width = tsws_padded(columns);

        for (size_t row = 0; row < k; row++) {
            const float *from = b + row * stride + first;
            float *to = panels + first * k + row * width;

            for (size_t column = 0; column < columns; column += LANES) {
                store(to + column, load_some(from + column, columns - column, 0.0f));
            }
        }
    }
}

void tsws_pack_transposed(float *panels, const float *b, size_t stride, size_t k, size_t n) {
    for (size_t first = 0; first < n; first += WIDTH) {
        size_t columns = n - first < WIDTH ? n - first : WIDTH;
        size_t width = tsws_padded(columns);
        float *to = panels + first * k;

        for (size_t block = 0; block < k; block += LANES) { /* a block of reads stays in the nearest cache */
            size_t end = k - block < LANES ? k : block + LANES;

            for (size_t column = 0; column < width; column++) {
                const float *from = b + (first + column) * stride;

                for (size_t row = block; row < end; row++) {
                    to[row * width + column] = column < columns ? from[row] : 0.0f;
                }
            }
        }
    }
}
