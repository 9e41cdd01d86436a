/*
 * One training step of a Llama on CPUs: the loss of some rows of tokens and its gradient.
 *
 * The weights are one array of floats, the gradients another of the same layout:
 *
 *     embedding (vocab_size, dim)
 *     for every layer: attention_norm (dim,), wq (dim, dim), wk, wv (kv_dim, dim), wo (dim, dim), ffn_norm (dim,),
 *                      w1, w3 (hidden_dim, dim), w2 (dim, hidden_dim)
 *     norm (dim,)
 *     classifier (vocab_size, dim), unless it is the embedding
 *
 * A trainer may be used by several threads at once, each with a worker of its own; tsws_trainer_load only by one while
 * no other is at work. Nothing here starts threads: rows are shared out by the caller, so that the same sharing gives the same bits.
 */
#ifndef TSWS_TRAIN_LLAMA_H
#define TSWS_TRAIN_LLAMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default) /* what a shared library shows */

typedef struct tsws_trainer tsws_trainer; /* a model's sizes and its weights, laid out for products */
typedef struct tsws_worker tsws_worker;   /* one thread's activations of one row */

typedef struct tsws_train_shape {
    int32_t dim;
    int32_t hidden_dim;
    int32_t n_layers;
    int32_t n_heads;    /* divides dim */
    int32_t n_kv_heads; /* divides n_heads */
    int32_t vocab_size;
    int32_t max_seq_len;
    int32_t shared_classifier; /* 0 or 1 */
    int32_t bfloat16;          /* 1: factors of products with weights are rounded to bfloat16; all else is float */
    float norm_eps;
} tsws_train_shape;

/* Numbers of a model of this shape. */
size_t tsws_train_parameters(const tsws_train_shape *shape);

/*
 * Creates a trainer. cosines and sines (max_seq_len, dim / n_heads / 2) are copied. NULL: memory is short, or the shape
 * is impossible.
 */
tsws_trainer *tsws_trainer_create(const tsws_train_shape *shape, const float *cosines, const float *sines);
void tsws_trainer_destroy(tsws_trainer *trainer);

/* Lays out part `part` of `parts` of the weights; all parts have to be loaded after each change. The array must live as long. */
void tsws_trainer_load(tsws_trainer *trainer, const float *weights, int32_t part, int32_t parts);

/* Creates a worker. NULL: memory is short. */
tsws_worker *tsws_worker_create(const tsws_trainer *trainer);
void tsws_worker_destroy(tsws_worker *worker);

/*
 * Takes n_rows rows of `seq` tokens through the model and back.
 *   tokens, targets  int64 (n_rows, seq), below vocab_size; a negative target counts for nothing
 *   scale            of the gradients: 1 / the number of targets that the mean is over
 *   gradients        scale * the gradient of the summed loss is added; NULL: only the loss is wanted
 * Returns the loss summed over all targets, in nats.
 */
double tsws_worker_rows(tsws_worker *worker, const int64_t *tokens, const int64_t *targets, int32_t n_rows, int32_t seq,
                        float scale, float *gradients);

/* sums[0][i] += sums[1][i] + ... for first <= i < last, in this order. */
void tsws_train_reduce(float *const *sums, int32_t n_sums, size_t first, size_t last);

#pragma GCC visibility pop

#endif
