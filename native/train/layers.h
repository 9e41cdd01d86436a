/* The parts of a layer that are no products of matrices, forward and backward. Sizes need not be multiples of anything. */
#ifndef TSWS_TRAIN_LAYERS_H
#define TSWS_TRAIN_LAYERS_H

#include <stddef.h>
#include <stdint.h>

/* out (rows, n) = x / rms(x) * weight; inverse_rms (rows,) is kept for the way back unless NULL. */
void tsws_norm_forward(float *out, float *inverse_rms, const float *x, const float *weight, size_t rows, size_t n,
                       float epsilon);

/* d_x (rows, n) += the gradient of x; d_weight (n,) += that of weight; d_out is the gradient of the output. */
void tsws_norm_backward(float *d_x, float *d_weight, const float *d_out, const float *x, const float *inverse_rms,
                        const float *weight, size_t rows, size_t n);

/*
 * Turns the pairs of n_heads heads of every row by the angles of the row's position (rows `stride` apart); backwards
 * when direction is -1.
 */
void tsws_rope(float *x, size_t stride, size_t rows, size_t n_heads, size_t head_size, const float *cosines,
               const float *sines, float direction);

/* out (rows, n) = silu(gate) * up; gate_up (rows, 2 n): the gates of a row, then its ups. */
void tsws_swiglu_forward(float *out, const float *gate_up, size_t rows, size_t n);

/* Gradients of gate_up from that of the output; out is computed again on the way. d_gate_up may not be gate_up. */
void tsws_swiglu_backward(float *d_gate_up, float *out, const float *d_out, const float *gate_up, size_t rows, size_t n);

/*
 * The summed cross-entropy (nats) of rows of logits (rows, n) against their targets; negative ones count for nothing. When
 * `scale` is not 0 the logits become scale * the gradient.
 */
double tsws_cross_entropy(float *logits, const int64_t *targets, size_t rows, size_t n, float scale);

#endif
