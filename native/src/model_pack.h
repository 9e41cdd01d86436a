/* A model's weights as the arithmetic wants them: laid out once, when the model is opened. */
#ifndef TSWS_MODEL_PACK_H
#define TSWS_MODEL_PACK_H

#include "kernels.h"
#include "model.h"

typedef struct tsws_packed_layer {
    const float *attention_norm; /* (dim,) */
    /*
     * (n_kv_heads, qkv_panels): what one key/value head needs lies together: the queries that share it, its key, its
     * value. Each head begins a panel, so that a thread can go on to attend with what it has just computed.
     */
    tsws_packed qkv;
    tsws_packed wo;        /* (dim, dim) */
    const float *ffn_norm; /* (dim,) */
    /* A panel of w1, the gate, and one of w3 in turn, so that a thread can gate what it has just computed. */
    tsws_packed gate_up;
    tsws_packed w2; /* (dim, hidden_dim) */
} tsws_packed_layer;

struct tsws_packed_model {
    const tsws_kernels *kernels;
    tsws_packed_layer *layers; /* (n_layers,) */
    size_t qkv_panels;         /* of one key/value head */
    const float *final_norm;   /* (dim,) */
    tsws_packed classifier;    /* (vocab_size, dim) */
    size_t size;               /* bytes that all of them take */
    void *memory;              /* where they lie */
};

/*
 * Makes model->packed of what a reader has found in the file, and fills in what model->info says of it. The file's pages
 * are given back on the way: rows of the embedding are all that is read from it later.
 * Errors: ARGUMENT (unknown kernels), MEMORY. The caller cleans up.
 */
tsws_status tsws_model_pack(tsws_model *model, const tsws_model_options *options, tsws_error *error);

/* NULL is allowed. */
void tsws_model_unpack(struct tsws_packed_model *packed);

#endif
