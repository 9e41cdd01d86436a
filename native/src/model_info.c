#include "model.h"
#include "size.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *const field_names[TSWS_MODEL_FIELDS] = {"dim",        "hidden_dim", "n_layers", "n_heads",
                                                           "n_kv_heads", "vocab_size", "seq_len"};

/* Sizes that are positive. */
static void derive_counts(tsws_model *model) {
    const tsws_model_info *info = &model->info;
    size_t dim = (size_t)info->dim;
    size_t layers = (size_t)info->n_layers;
    size_t attention = tsws_size_mul(dim, tsws_size_mul(2, tsws_size_add(dim, model->kv_dim))); /* wq, wk, wv, wo */
    size_t feed_forward = tsws_size_mul(3, tsws_size_mul(dim, (size_t)info->hidden_dim));
    size_t embeddings = tsws_size_mul(info->shared_classifier ? 1 : 2, tsws_size_mul((size_t)info->vocab_size, dim));

    model->n_norms = tsws_size_mul(dim, tsws_size_add(tsws_size_mul(2, layers), 1));
    model->n_matrices = tsws_size_add(embeddings, tsws_size_mul(layers, tsws_size_add(attention, feed_forward)));
    model->info.parameters = tsws_size_add(model->n_norms, model->n_matrices);
}

tsws_status tsws_model_take_fields(tsws_model *model, const int32_t fields[TSWS_MODEL_FIELDS], tsws_error *error) {
    tsws_model_info *info = &model->info;

    for (size_t i = 0; i < TSWS_MODEL_FIELDS; i++) {
        if (fields[i] <= 0) {
            return tsws_fail(error, TSWS_ERROR_FORMAT, "%s: not a llama2.c model: its header says %s = %" PRId32,
                             model->path, field_names[i], fields[i]);
        }
    }
    info->dim = fields[0];
    info->hidden_dim = fields[1];
    info->n_layers = fields[2];
    info->n_heads = fields[3];
    info->n_kv_heads = fields[4];
    info->vocab_size = fields[5];
    info->max_seq_len = fields[6];
    if (info->dim % info->n_heads != 0) {
        return tsws_fail(error, TSWS_ERROR_FORMAT,
                         "%s: its header says dim = %" PRId32 ", which n_heads = %" PRId32 " does not divide",
                         model->path, info->dim, info->n_heads);
    }
    if (info->n_heads % info->n_kv_heads != 0) {
        return tsws_fail(error, TSWS_ERROR_FORMAT,
                         "%s: its header says n_heads = %" PRId32 ", which n_kv_heads = %" PRId32 " does not divide",
                         model->path, info->n_heads, info->n_kv_heads);
    }
    model->head_size = (size_t)(info->dim / info->n_heads);
    model->kv_dim = model->head_size * (size_t)info->n_kv_heads;
    if (model->head_size % 2 != 0) { /* rotary positions turn pairs */
        return tsws_fail(error, TSWS_ERROR_FORMAT,
                         "%s: its header says dim = %" PRId32 " and n_heads = %" PRId32 ", an odd head size",
                         model->path, info->dim, info->n_heads);
    }
    derive_counts(model);
    return TSWS_OK;
}

tsws_status tsws_model_check_size(const tsws_model *model, size_t expected, tsws_error *error) {
    const tsws_model_info *info = &model->info;

    if (expected == model->file.size) { /* never SIZE_MAX: no file is so long */
        return TSWS_OK;
    }
    return tsws_fail(error, TSWS_ERROR_FORMAT,
                     "%s: the file has %zu bytes, but its header asks for %s%zu (dim %" PRId32 ", hidden_dim %" PRId32
                     ", n_layers %" PRId32 ", n_heads %" PRId32 ", n_kv_heads %" PRId32 ", vocab_size %" PRId32
                     ", seq_len %" PRId32 ")",
                     model->path, model->file.size, expected == SIZE_MAX ? "more than " : "", expected, info->dim,
                     info->hidden_dim, info->n_layers, info->n_heads, info->n_kv_heads, info->vocab_size,
                     info->max_seq_len);
}

tsws_status tsws_model_fail_cut(const tsws_model *model, int header_size, tsws_error *error) {
    return tsws_fail(error, TSWS_ERROR_FORMAT, "%s: the file ends inside its header, after %zu of %d bytes",
                     model->path, model->file.size, header_size);
}

tsws_status tsws_model_allocate_layers(tsws_model *model, tsws_error *error) {
    model->layers = calloc((size_t)model->info.n_layers, sizeof *model->layers);
    if (model->layers == NULL) {
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for %" PRId32 " layers", model->path,
                         model->info.n_layers);
    }
    return TSWS_OK;
}
