#include "gemm.h"

enum how { ROWS, COLUMNS }; /* a's element (i, k) is a[i * stride + k] or a[k * stride + i] */

#define INLINE static inline __attribute__((always_inline))

/* A tile of c: `rows` x `vectors` sums kept in registers over the whole of k. `columns` of them count. */
INLINE void tile(float *c, size_t c_stride, bool add, const float *a, size_t a_stride, enum how how, const float *b,
                 size_t k, size_t columns, const int rows, const int vectors) {
    vec sums[12][TILE_VECTORS];
    const size_t width = (size_t)vectors * LANES;

#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            sums[i][v] = (vec){0};
        }
    }
    for (size_t step = 0; step < k; step++) {
        vec right[TILE_VECTORS];

#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            right[v] = load(b + step * width + (size_t)v * LANES);
        }
#pragma GCC unroll 12
        for (int i = 0; i < rows; i++) {
            vec left = all(how == ROWS ? a[(size_t)i * a_stride + step] : a[step * a_stride + (size_t)i]);

#pragma GCC unroll 4
            for (int v = 0; v < vectors; v++) {
                sums[i][v] += left * right[v];
            }
        }
    }
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
        float *row = c + (size_t)i * c_stride;

#pragma GCC unroll 4
        for (int v = 0; v < vectors; v++) {
            size_t first = (size_t)v * LANES;

            if (first + LANES <= columns) {
                store(row + first, add ? load(row + first) + sums[i][v] : sums[i][v]);
            } else {
                float lanes[LANES];

                memcpy(lanes, &sums[i][v], sizeof lanes);
                for (size_t lane = 0; first + lane < columns; lane++) {
                    row[first + lane] = add ? row[first + lane] + lanes[lane] : lanes[lane];
                }
            }
        }
    }
}

/* All rows of c in one panel's columns: tall tiles first, then what is left in shorter ones. */
INLINE void panel(float *c, size_t c_stride, bool add, const float *a, size_t a_stride, enum how how, const float *b,
                  size_t m, size_t k, size_t columns, const int tall, const int vectors) {
    size_t row = 0;

#define TILES(rows)                                                                                                    \
    for (; row + (rows) <= m; row += (rows)) {                                                                         \
        tile(c + row * c_stride, c_stride, add, a + (how == ROWS ? row * a_stride : row), a_stride, how, b, k,         \
             columns, (rows), vectors);                                                                                \
    }
    if (tall == 12) {
        TILES(12)
    }
    if (tall >= 8) {
        TILES(8)
    }
    if (tall >= 6) {
        TILES(6)
    }
    TILES(4)
    TILES(2)
    TILES(1)
#undef TILES
}

INLINE void multiply(float *c, size_t c_stride, bool add, const float *a, size_t a_stride, enum how how,
                     const float *panels, size_t m, size_t n, size_t k) {
    for (size_t first = 0; first < n; first += WIDTH) {
        size_t columns = n - first < WIDTH ? n - first : WIDTH;
        const float *b = panels + first * k;

        switch ((columns + LANES - 1) / LANES) {
        case 1: panel(c + first, c_stride, add, a, a_stride, how, b, m, k, columns, 12, 1); break;
#if TILE_VECTORS == 2
        default: panel(c + first, c_stride, add, a, a_stride, how, b, m, k, columns, 6, 2); break;
#else
        case 2: panel(c + first, c_stride, add, a, a_stride, how, b, m, k, columns, 12, 2); break;
        case 3: panel(c + first, c_stride, add, a, a_stride, how, b, m, k, columns, 8, 3); break;
        default: panel(c + first, c_stride, add, a, a_stride, how, b, m, k, columns, 6, 4); break;
#endif
        }
    }
}

void tsws_gemm(float *c, size_t c_stride, bool add, const float *a, size_t a_stride, const float *panels, size_t m,
               size_t n, size_t k) {
    multiply(c, c_stride, add, a, a_stride, ROWS, panels, m, n, k);
}

void tsws_gemm_transposed(float *c, size_t c_stride, bool add, const float *a, size_t a_stride, const float *panels,
                          size_t m, size_t n, size_t k) {
    multiply(c, c_stride, add, a, a_stride, COLUMNS, panels, m, n, k);
}

static size_t padded(size_t columns) {
    return (columns + LANES - 1) / LANES * LANES;
}

size_t tsws_panel_floats(size_t k, size_t n) {
    return padded(n) * k;
}

void tsws_pack(float *panels, const float *b, size_t stride, size_t k, size_t n) {
    for (size_t first = 0; first < n; first += WIDTH) {
        size_t columns = n - first < WIDTH ? n - first : WIDTH;
        size_t width = padded(columns);

        for (size_t row = 0; row < k; row++) {
            float *to = panels + first * k + row * width;

            memcpy(to, b + row * stride + first, columns * sizeof *to);
            memset(to + columns, 0, (width - columns) * sizeof *to);
        }
    }
}

void tsws_pack_transposed(float *panels, const float *b, size_t stride, size_t k, size_t n) {
    for (size_t first = 0; first < n; first += WIDTH) {
        size_t columns = n - first < WIDTH ? n - first : WIDTH;
        size_t width = padded(columns);
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
