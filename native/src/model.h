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
    size_t head_size;                 /* dim / n_heads; even */
    size_t kv_dim;                    /* head_size * n_kv_heads */
    size_t n_norms;                   /* weights of all norms */
    size_t n_matrices;                /* weights of all matrices; a shared classifier counts once */
    tsws_matrix embedding;            /* (vocab_size, dim) */
    tsws_layer *layers;               /* (n_layers,) */
    const float *final_norm;          /* (dim,) */
    tsws_matrix classifier;           /* (vocab_size, dim); the embedding itself when it is shared */
    struct tsws_packed_model *packed; /* all of them again, as the arithmetic wants them: see model_pack.h */
    tsws_file file;
    float *scales; /* copies of all scales that do not lie aligned in the file; NULL when none */
    char *path;
};

/* Checks the whole of model->file, whose first bytes tell the version, and fills all above it. Errors: FORMAT, MEMORY. */
tsws_status tsws_model_read(tsws_model *model, tsws_error *error);

/* One reader a file format. On an error the caller cleans up. */
tsws_status tsws_model_read_v0(tsws_model *model, tsws_error *error);
tsws_status tsws_model_read_v1(tsws_model *model, int32_t version, tsws_error *error); /* and 2 */

enum { TSWS_MODEL_FIELDS = 7 };

/*
 * Takes over dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size and seq_len, checks what every format's header
 * must keep to, and derives all sizes. shared_classifier has to be known. The counts stop at SIZE_MAX. Errors: FORMAT.
 */
tsws_status tsws_model_take_fields(tsws_model *model, const int32_t fields[TSWS_MODEL_FIELDS], tsws_error *error);

/* Checks that the file is as long as its header asks for. Errors: FORMAT. */
tsws_status tsws_model_check_size(const tsws_model *model, size_t expected, tsws_error *error);

/* Says that the file ends inside its header. */
tsws_status tsws_model_fail_cut(const tsws_model *model, int header_size, tsws_error *error);

/* Makes room for info.n_layers layers, which the file's length must already have borne out. Errors: MEMORY. */
tsws_status tsws_model_allocate_layers(tsws_model *model, tsws_error *error);

#endif
