/* A layer's matrix of weights, and its three products, in float or with factors rounded to bfloat16. */
#ifndef TSWS_TRAIN_LINEAR_H
#define TSWS_TRAIN_LINEAR_H

#include "gemm.h"
#include "gemm16.h"

typedef struct tsws_linear {
    size_t outs, ins;
    size_t place;  /* of the matrix (outs, ins), row-major, in the array of weights; and of its gradient in that of gradients */
    bool bfloat16; /* only where tsws_has_bfloat16() */
    float *panels; /* laid out for x W^T */
    float *back;   /* laid out for d_out W */
} tsws_linear;

/* Floats that panels and back need. */
size_t tsws_linear_panel_floats(const tsws_linear *linear);
size_t tsws_linear_back_floats(const tsws_linear *linear);

/* Floats of scratch that each product needs, for `seq` rows and no more than `widest` outs and ins. */
size_t tsws_linear_scratch(size_t seq, size_t widest);

/* Lays the weights out. */
void tsws_linear_load(const tsws_linear *linear, const float *weights);

/* out (seq, outs) = x (seq, ins) W^T, or += when `add`. */
void tsws_linear_forward(const tsws_linear *linear, float *out, bool add, const float *x, size_t seq, float *scratch);

/* d_x (seq, ins) = d_out (seq, outs) W. */
void tsws_linear_backward(const tsws_linear *linear, float *d_x, const float *d_out, size_t seq, float *scratch);

/* The gradient of W += d_out^T x. */
void tsws_linear_gradient(const tsws_linear *linear, float *gradients, const float *d_out, const float *x, size_t seq,
                          float *scratch);

#endif
