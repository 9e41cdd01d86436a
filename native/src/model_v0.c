/*
 * llama2.c's first model format. Little-endian, no magic:
 *
 *     int32 dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len
 *     float32 embedding, then each kind of weight for all layers in turn (order below), final norm, two tables of
 *     rotary positions that nobody reads any more, and the classifier
 *
 * A negative vocab_size says that the classifier is there; else the embedding serves as one.
 */
#include "model.h"
#include "model_weights.h"
#include "size.h"

#include <inttypes.h>
#include <string.h>

enum { V0_HEADER_SIZE = TSWS_MODEL_FIELDS * 4 };

static tsws_status read_v0_header(tsws_model *model, tsws_error *error) {
    int32_t fields[TSWS_MODEL_FIELDS];
    tsws_model_info *info = &model->info;

    if (model->file.size < V0_HEADER_SIZE) {
        return tsws_model_fail_cut(model, V0_HEADER_SIZE, error);
    }
    memcpy(fields, model->file.bytes, sizeof fields);
    if (fields[5] == INT32_MIN) { /* has no positive counterpart */
        return tsws_fail(error, TSWS_ERROR_FORMAT, "%s: not a llama2.c model: its header says vocab_size = %" PRId32,
                         model->path, fields[5]);
    }
    info->version = 0;
    info->shared_classifier = fields[5] > 0;
    fields[5] = fields[5] < 0 ? -fields[5] : fields[5];
    return tsws_model_take_fields(model, fields, error);
}

/* Floats of the two tables, of cosines and of sines. */
static size_t rotary_count(const tsws_model *model) {
    return tsws_size_mul((size_t)model->info.max_seq_len, model->head_size);
}

tsws_status tsws_model_read_v0(tsws_model *model, tsws_error *error) {
    tsws_cursor cursor = {.at = model->file.bytes + V0_HEADER_SIZE};
    tsws_status status = read_v0_header(model, error);

    if (status == TSWS_OK) {
        size_t count = tsws_size_add(tsws_size_add(model->n_norms, model->n_matrices), rotary_count(model));

        status =
            tsws_model_check_size(model, tsws_size_add(V0_HEADER_SIZE, tsws_size_mul(count, sizeof(float))), error);
    }
    if (status == TSWS_OK) {
        status = tsws_model_allocate_layers(model, error);
    }
    if (status != TSWS_OK) {
        return status;
    }
    model->embedding = tsws_take_matrix(&cursor, (size_t)model->info.vocab_size, (size_t)model->info.dim);
    tsws_take_attention_norms(&cursor, model);
    tsws_take_attention(&cursor, model);
    tsws_take_ffn_norms(&cursor, model);
    tsws_take_feed_forward(&cursor, model);
    model->final_norm = tsws_take_floats(&cursor, (size_t)model->info.dim);
    (void)tsws_take_floats(&cursor, rotary_count(model));
    tsws_take_classifier(&cursor, model);
    return TSWS_OK;
}
