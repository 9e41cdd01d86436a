/* Causal attention of one sequence and one query head, forward and backward, on one thread. */
#ifndef TSWS_TRAIN_ATTENTION_H
#define TSWS_TRAIN_ATTENTION_H

#include "gemm.h"

/* Where the heads lie: row t of each is at its pointer + t * stride; all (positions, head_size). */
typedef struct tsws_head {
    const float *query, *key, *value;
    size_t stride;
    size_t positions;
    size_t head_size;
} tsws_head;

/* Floats of scratch, aligned to 64 bytes, for both functions. */
size_t tsws_attention_scratch(size_t head_size);

/*
 * out (positions, head_size), rows out_stride apart = softmax(query . keys / sqrt(head_size)) x values, each position
 * looking at itself and those before. log_sums (positions,): the logarithm of each softmax's sum, for the way back.
 */
void tsws_attention_forward(const tsws_head *head, float *out, size_t out_stride, float *log_sums, float *scratch);

/*
 * Adds to the gradients of query, key and value (rows d_stride apart) what d_out, the gradient of out, makes of them.
 * out and log_sums are those of the forward pass.
 */
void tsws_attention_backward(const tsws_head *head, const float *out, const float *d_out, size_t out_stride,
                             const float *log_sums, float *d_query, float *d_key, float *d_value, size_t d_stride,
                             float *scratch);

#endif
