/*
 * Matrices of floats times vectors, with NEON.
 *
 * A sum has two parts, of the even and of the odd columns, which are added at the end: so that one vector alone keeps
 * eight chains of fused multiply-adds going. Four vectors share what is loaded of the matrix; they form one part
 * after the other, for want of registers.
 */
#if defined(__aarch64__)

#include "kernels_neon.h"

enum { NEON_PARTS = 2, NEON_QUARTERS = 4 /* of a panel's rows: one vector register each */ };

/* sums[v][part - first_part][quarter] of one column. */
TSWS_NEON_INLINE void neon_add_column(float32x4_t *sums, const float *weights, const float *x, size_t x_stride,
                                      size_t n_vectors, size_t n_parts) {
    TSWS_UNROLL
    for (size_t i = 0; i < NEON_QUARTERS; i++) {
        float32x4_t rows = vld1q_f32(weights + i * TSWS_NEON_LANES);

        TSWS_UNROLL
        for (size_t v = 0; v < n_vectors; v++) {
            float32x4_t *sum = sums + v * n_parts * NEON_QUARTERS + i;

            *sum = vfmaq_n_f32(*sum, rows, x[v * x_stride]);
        }
    }
}

/* The counts are constants: everything is unrolled. */
TSWS_NEON_INLINE void neon_float_parts(float32x4_t *sums, const float *panel, const float *x, size_t x_stride,
                                       size_t columns, size_t n_vectors, size_t first_part, size_t n_parts) {
    size_t column = 0;

    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * n_parts * NEON_QUARTERS; i++) {
        sums[i] = vdupq_n_f32(0.0f);
    }
    for (; column + NEON_PARTS <= columns; column += NEON_PARTS) {
        TSWS_UNROLL
        for (size_t part = 0; part < n_parts; part++) {
            size_t at = column + first_part + part;

            neon_add_column(sums + part * NEON_QUARTERS, panel + at * TSWS_NEON_ROWS, x + at, x_stride, n_vectors,
                            n_parts);
        }
    }
    if (column < columns && first_part == 0) {
        neon_add_column(sums, panel + column * TSWS_NEON_ROWS, x + column, x_stride, n_vectors, n_parts);
    }
}

static void neon_float_one(float *out, const float *panel, const float *x, size_t columns, size_t n_rows) {
    float32x4_t sums[NEON_PARTS * NEON_QUARTERS];

    neon_float_parts(sums, panel, x, 0, columns, 1, 0, NEON_PARTS);
    TSWS_UNROLL
    for (size_t i = 0; i < NEON_QUARTERS; i++) {
        sums[i] = vaddq_f32(sums[i], sums[NEON_QUARTERS + i]);
    }
    tsws_neon_store_rows(out, sums, n_rows);
}

/* Two to four vectors. */
TSWS_NEON_INLINE void neon_float_many(float *out, size_t out_stride, const float *panel, const float *x,
                                      size_t x_stride, size_t columns, size_t n_vectors, size_t n_rows) {
    float32x4_t even[4 * NEON_QUARTERS];
    float32x4_t odd[4 * NEON_QUARTERS];

    neon_float_parts(even, panel, x, x_stride, columns, n_vectors, 0, 1);
    neon_float_parts(odd, panel, x, x_stride, columns, n_vectors, 1, 1);
    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * NEON_QUARTERS; i++) {
        even[i] = vaddq_f32(even[i], odd[i]);
    }
    for (size_t v = 0; v < n_vectors; v++) {
        tsws_neon_store_rows(out + v * out_stride, even + v * NEON_QUARTERS, n_rows);
    }
}

static void neon_float_panel(float *out, size_t out_stride, const float *panel, const float *x, size_t x_stride,
                             size_t n_vectors, size_t columns, size_t n_rows) {
    for (; n_vectors >= 4; n_vectors -= 4) {
        neon_float_many(out, out_stride, panel, x, x_stride, columns, 4, n_rows);
        out += 4 * out_stride;
        x += 4 * x_stride;
    }
    switch (n_vectors) {
    case 3: neon_float_many(out, out_stride, panel, x, x_stride, columns, 3, n_rows); break;
    case 2: neon_float_many(out, out_stride, panel, x, x_stride, columns, 2, n_rows); break;
    case 1: neon_float_one(out, panel, x, columns, n_rows); break;
    default: break;
    }
}

void tsws_neon_float_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                            size_t n_vectors, size_t first_panel, size_t last_panel) {
    size_t columns = matrix->columns;

    for (size_t i = first_panel; i < last_panel; i++) {
        neon_float_panel(out + i * TSWS_NEON_ROWS, out_stride,
                         (const float *)matrix->data + i * TSWS_NEON_ROWS * columns, x, x_stride, n_vectors, columns,
                         matrix->rows - i * TSWS_NEON_ROWS);
    }
}

#endif
