/*
 * The arithmetic of the transformer, behind one table: a processor's own kernels are one more table.
 *
 * What is computed for one row of a matrix and one vector does not depend on which other rows and vectors are computed
 * with it: so neither the number of threads nor the width of a batch can change a text. In the portable table all
 * sums run in llama2.c's order, one accumulator a sum, without fused multiply-add (-ffp-contract=off); the others
 * may sum in another (fixed) order. Outputs must not overlap inputs unless it says so.
 */
#ifndef TSWS_KERNELS_H
#define TSWS_KERNELS_H

#include "matrix.h"

#include <stdbool.h>

/*
 * A matrix as a table's matmul wants it: panels of `panel_rows` rows, the last one filled up with rows of zeros.
 * Panels know nothing of each other: matrices of the same columns and group, packed one after another, are one matrix
 * of the sum of their panels.
 */
typedef struct tsws_packed {
    size_t rows; /* that are written; fewer than panels * panel_rows when the last panel is filled up */
    size_t columns;
    size_t group; /* 0: floats; else int8 codes with one scale for so many columns */
    size_t panels;
    const void *data; /* aligned to 64 */
} tsws_packed;

typedef struct tsws_kernels {
    const char *name;
    size_t panel_rows;

    /* Bytes that pack() fills, a multiple of 64; SIZE_MAX when there can not be so many. `group` as in tsws_packed. */
    size_t (*packed_bytes)(size_t rows, size_t columns, size_t group);

    /*
     * Lays a matrix out in `data`, which is aligned to 64. What the file has is brought to what `group` asks for: floats
     * become codes (see tsws_quantize_group), codes become floats, codes of another group are quantised anew.
     */
    void (*pack)(void *data, const tsws_matrix *matrix, size_t group);

    /* Bytes of scratch, aligned to 64, that matmul needs a thread; may be 0. */
    size_t (*matmul_scratch)(size_t columns, size_t group, size_t n_vectors);

    /*
     * out[v * out_stride + row] = matrix[row] . x[v * x_stride ...] for v < n_vectors and the rows of the panels
     * first_panel to last_panel - 1. With codes the vectors are quantised on the way, in groups of the same size.
     */
    void (*matmul)(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                   size_t n_vectors, size_t first_panel, size_t last_panel, void *scratch);

    /* out (n,) = x / rms(x) * weight; epsilon 1e-5; out may be x */
    void (*rmsnorm)(float *out, const float *x, const float *weight, size_t n);

    /* Turns each pair (x[2i], x[2i+1]) of all heads by the angle of i; cosines, sines (head_size / 2,) */
    void (*rope)(float *x, size_t n_heads, size_t head_size, const float *cosines, const float *sines);

    /* Floats of one key/value head's cache for so many positions, keys and values together; a multiple of 16. */
    size_t (*cache_floats)(size_t max_positions, size_t head_size);

    /* Writes key and value (head_size,) of one position into one head's cache, which is aligned to 64. */
    void (*remember)(float *cache, size_t max_positions, size_t position, const float *key, const float *value,
                     size_t head_size);

    /* Floats of scratch, aligned to 64, that attend needs; a multiple of 16. */
    size_t (*attend_scratch)(size_t max_positions, size_t head_size, size_t n_queries);

    /*
     * The n_queries heads that share one key/value head, at one position of one stream:
     * out[q] (head_size,) = softmax(queries[q] . keys / sqrt(head_size)) x values over n_positions >= 1 positions.
     * queries and out: (n_queries, head_size), contiguous.
     */
    void (*attend)(float *out, const float *queries, size_t n_queries, const float *cache, size_t max_positions,
                   size_t n_positions, size_t head_size, float *scratch);

    /* out (n,) = silu(gate) * up; out may be gate */
    void (*swiglu)(float *out, const float *gate, const float *up, size_t n);

    /* x (n,) += y */
    void (*accumulate)(float *x, const float *y, size_t n);

    /* x (n,) = softmax(x / temperature) in place; n >= 1, temperature > 0 */
    void (*softmax)(float *x, size_t n, float temperature);
} tsws_kernels;

/* Plain C for any processor: llama2.c's order of sums, to the bit. */
extern const tsws_kernels tsws_kernels_portable;

/* The best table for the processor that is there; the portable one when `exact`. */
const tsws_kernels *tsws_kernels_choose(bool exact);

/* A table by its name ("avx2"), for tests and measurements: NULL when there is none, or this processor can not run it. */
const tsws_kernels *tsws_kernels_named(const char *name);

#endif
