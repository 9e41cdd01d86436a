/* What a model is inside: the mapped file and, for every layer, where its weights lie. */
#ifndef TSWS_MODEL_H
#define TSWS_MODEL_H

#include "file.h"
#include "matrix.h"

/* Matrices are (out, in). */
typedef struct tsws_layer {
    const float *attention_norm; /* (dim,) */
    tsws_matrix wq;              /* (dim, dim) */
    tsws_matrix wk;              /* (kv_dim, dim) */
    tsws_matrix wv;              /* (kv_dim, dim) */
    tsws_matrix wo;              /* (dim, dim) */
    const float *ffn_norm;       /* (dim,) */
    tsws_matrix w1;              /* (hidden_dim, dim): the gate */
    tsws_matrix w2;              /* (dim, hidden_dim): back down */
    tsws_matrix w3;              /* (hidden_dim, dim): up */
} tsws_layer;

struct tsws_model {
    tsws_model_info info;
    size_t head_size;        /* dim / n_heads; even */
    size_t kv_dim;           /* head_size * n_kv_heads */
    tsws_matrix embedding;   /* (vocab_size, dim) */
    tsws_layer *layers;      /* (n_layers,) */
    const float *final_norm; /* (dim,) */
    tsws_matrix classifier;  /* (vocab_size, dim); the embedding itself when it is shared */
    tsws_file file;
    float *scales; /* copies of all scales that do not lie aligned in the file; NULL when none */
    char *path;
};

/*
 * One reader a file format: checks the whole of model->file and fills all above it. On an error the caller cleans up.
 * The version is told by the first bytes, see tsws_model_open.
 */
tsws_status tsws_model_read_v0(tsws_model *model, tsws_error *error);

/* Checks what every format's header must keep to, and derives head_size and kv_dim. Errors: FORMAT. */
tsws_status tsws_model_check_info(tsws_model *model, tsws_error *error);

/* Makes room for info.n_layers layers, which the file's length must already have borne out. Errors: MEMORY. */
tsws_status tsws_model_allocate_layers(tsws_model *model, tsws_error *error);

#endif
