/*
 * The arithmetic of a transformer step, behind one table: a processor's own kernels are one more table.
 *
 * All sums run in llama2.c's order, one accumulator a sum, without fused multiply-add (-ffp-contract=off), so that the
 * same seed gives the same text. Outputs must not overlap inputs unless it says so.
 */
#ifndef TSWS_KERNELS_H
#define TSWS_KERNELS_H

#include "posix.h"

#include <stddef.h>

typedef struct tsws_kernels {
    const char *name;

    /* out (rows,) = matrix (rows, columns) x vector (columns,) */
    void (*matvec)(float *out, const float *matrix, const float *vector, size_t rows, size_t columns);

    /* out (n,) = x / rms(x) * weight; epsilon 1e-5; out may be x */
    void (*rmsnorm)(float *out, const float *x, const float *weight, size_t n);

    /* Turns each pair (x[2i], x[2i+1]) of all heads by the angle of i; cosines, sines (head_size / 2,) */
    void (*rope)(float *x, size_t n_heads, size_t head_size, const float *cosines, const float *sines);

    /*
     * One head: out (head_size,) = softmax(query . keys / sqrt(head_size)) x values. Keys and values of consecutive
     * positions lie `stride` floats apart; scores (n_positions,) is scratch.
     */
    void (*attend)(float *out, const float *query, const float *keys, const float *values, size_t stride,
                   size_t n_positions, size_t head_size, float *scores);

    /* gate (n,) = silu(gate) * up */
    void (*swiglu)(float *gate, const float *up, size_t n);

    /* x (n,) += y */
    void (*accumulate)(float *x, const float *y, size_t n);

    /* x (n,) = softmax(x) in place; n >= 1 */
    void (*softmax)(float *x, size_t n);
} tsws_kernels;

/* Plain C for any processor. */
extern const tsws_kernels tsws_kernels_portable;

/* The best table for the processor that is there. */
const tsws_kernels *tsws_kernels_choose(void);

#endif
