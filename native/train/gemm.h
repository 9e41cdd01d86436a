/*
 * Products of matrices, on one thread. The right factor is packed: panels of WIDTH columns, a panel's rows one after another, the
 * last panel only as wide as whole vectors need, filled up with zeros.
 */
#ifndef TSWS_TRAIN_GEMM_H
#define TSWS_TRAIN_GEMM_H

#include "vector.h"

#include <stdbool.h>

#ifdef TSWS_PLAIN_TILES /* for checks by a sanitizer: one loop for all tiles, compiled in no time */
#define INLINE static inline
#else
#define INLINE static inline __attribute__((always_inline))
#endif

enum tsws_how { ROWS, COLUMNS }; /* a's element (i, k) is a[i * stride + k] or a[k * stride + i] */

/* Columns filled up to whole vectors. */
static inline size_t tsws_padded(size_t columns) {
    return (columns + LANES - 1) / LANES * LANES;
}

/* Floats of a packed (k, n) matrix. */
size_t tsws_panel_floats(size_t k, size_t n);

/* Packs b (k, n), row-major with `stride`. */
void tsws_pack(float *panels, const float *b, size_t stride, size_t k, size_t n);

/* Packs the transpose of b (n, k), row-major with `stride`: a weight, as layers multiply by it. */
void tsws_pack_transposed(float *panels, const float *b, size_t stride, size_t k, size_t n);

/* c (m, n) = a (m, k) x b, or += when `add`; a and c are row-major with their strides. */
void tsws_gemm(float *c, size_t c_stride, bool add, const float *a, size_t a_stride, const float *panels, size_t m,
               size_t n, size_t k);

/* The same with a given as its transpose, (k, m). */
void tsws_gemm_transposed(float *c, size_t c_stride, bool add, const float *a, size_t a_stride, const float *panels,
                          size_t m, size_t n, size_t k);

#endif
