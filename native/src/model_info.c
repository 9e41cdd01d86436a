#include "model.h"

#include <inttypes.h>
#include <stdlib.h>

tsws_status tsws_model_check_info(tsws_model *model, tsws_error *error) {
    const tsws_model_info *info = &model->info;
    const struct {
        const char *name;
        int32_t value;
    } fields[] = {
        {"dim", info->dim},
        {"hidden_dim", info->hidden_dim},
        {"n_layers", info->n_layers},
        {"n_heads", info->n_heads},
        {"n_kv_heads", info->n_kv_heads},
        {"vocab_size", info->vocab_size},
        {"seq_len", info->max_seq_len},
    };

    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (fields[i].value <= 0) {
            return tsws_fail(error, TSWS_ERROR_FORMAT, "%s: not a llama2.c model: its header says %s = %" PRId32,
                             model->path, fields[i].name, fields[i].value);
        }
    }
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
    return TSWS_OK;
}

tsws_status tsws_model_allocate_layers(tsws_model *model, tsws_error *error) {
    model->layers = calloc((size_t)model->info.n_layers, sizeof *model->layers);
    if (model->layers == NULL) {
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for %" PRId32 " layers", model->path,
                         model->info.n_layers);
    }
    return TSWS_OK;
}
