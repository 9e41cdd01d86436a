/*
 * Products of matrices whose factors are rounded to bfloat16, summed in float. Neighbours along k travel together, two in 32 bits;
 * an odd k is filled up with a zero. Right everywhere, but quick only where the processor multiplies pairs (AVX512_BF16).
 */
#ifndef TSWS_TRAIN_GEMM16_H
#define TSWS_TRAIN_GEMM16_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether the processor that this was compiled for multiplies pairs of them. */
bool tsws_is_bfloat16_quick(void);

/* Pairs along k. */
static inline size_t tsws_pairs(size_t k) {
    return (k + 1) / 2;
}

/* 32-bit words of a packed (k, n) matrix. */
size_t tsws_panel16_words(size_t k, size_t n);

/* Rounds rows (m, k) to (m, pairs of k): a left factor. */
void tsws_round_rows(uint32_t *rows, const float *a, size_t stride, size_t m, size_t k);

/* Rounds columns: a (k, m) to (pairs of k, m): a left factor given as its transpose. */
void tsws_round_columns(uint32_t *columns, const float *a, size_t stride, size_t k, size_t m);

/* Packs b (k, n) to panels, as tsws_pack does. */
void tsws_pack16(uint32_t *panels, const float *b, size_t stride, size_t k, size_t n);

/* Packs the transpose of b (n, k), as tsws_pack_transposed does. */
void tsws_pack16_transposed(uint32_t *panels, const float *b, size_t stride, size_t k, size_t n);

/* c (m, n) = rows (m, k) x panels, or += when `add`. */
void tsws_gemm16(float *c, size_t c_stride, bool add, const uint32_t *rows, const uint32_t *panels, size_t m, size_t n,
                 size_t k);

/* c (m, n) = columns^T x panels, or += when `add`. */
void tsws_gemm16_transposed(float *c, size_t c_stride, bool add, const uint32_t *columns, const uint32_t *panels,
                            size_t m, size_t n, size_t k);

#endif
