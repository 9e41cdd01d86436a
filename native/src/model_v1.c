/*
 * Versions 1 and 2 of llama2.c's model format, which differ in how they hold a matrix. Little-endian:
 *
 *     uint32 magic, int32 version
 *     int32 dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len
 *     uint8 1 when the embedding serves as the classifier, else 0
 *     int32 group size, only in version 2 (not aligned)
 *     zeros up to 256 bytes
 *     float32 norms before attention, norms before feed-forward (all layers in turn), final norm
 *     the embedding, then each kind of matrix for all layers in turn, and the classifier unless shared
 *
 * A matrix is float32 in version 1. In version 2 it is int8 codes, and then a float32 scale for every group of them.
 */
#include "model.h"
#include "model_weights.h"
#include "size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { V1_HEADER_SIZE = 256, FIELDS_AT = 8, SHARED_AT = 36, GROUP_SIZE_AT = 37, USUAL_GROUP_SIZE = 64 };

/* The largest power of two, up to llama2.c's 64, that divides both. */
static int32_t fitting_group_size(int32_t dim, int32_t hidden_dim) {
    int32_t fitting = USUAL_GROUP_SIZE;

    while (dim % fitting != 0 || hidden_dim % fitting != 0) {
        fitting /= 2;
    }
    return fitting;
}

/*
 * Every row has to be whole groups. llama2.c's export looks at dim alone; where the group size does not divide
 * hidden_dim its own player drops the end of each row of w2, and the text is wrecked.
 */
static tsws_status check_group_size(const tsws_model *model, tsws_error *error) {
    const tsws_model_info *info = &model->info;
    bool divides_dim = info->group_size > 0 && info->dim % info->group_size == 0;

    if (info->group_size <= 0) {
        return tsws_fail(error, TSWS_ERROR_FORMAT, "%s: not a llama2.c model: its header says group_size = %" PRId32,
                         model->path, info->group_size);
    }
    if (divides_dim && info->hidden_dim % info->group_size == 0) {
        return TSWS_OK;
    }
    return tsws_fail(error, TSWS_ERROR_FORMAT,
                     "%s: its header says group_size = %" PRId32 ", which does not divide %s = %" PRId32
                     ": export the model again with a group size of %" PRId32,
                     model->path, info->group_size, divides_dim ? "hidden_dim" : "dim",
                     divides_dim ? info->hidden_dim : info->dim, fitting_group_size(info->dim, info->hidden_dim));
}

static tsws_status read_v1_header(tsws_model *model, tsws_error *error) {
    const unsigned char *bytes = model->file.bytes;
    tsws_model_info *info = &model->info;
    int32_t fields[TSWS_MODEL_FIELDS];
    tsws_status status;

    if (model->file.size < V1_HEADER_SIZE) {
        return tsws_model_fail_cut(model, V1_HEADER_SIZE, error);
    }
    memcpy(fields, bytes + FIELDS_AT, sizeof fields);
    if (bytes[SHARED_AT] > 1) {
        return tsws_fail(error, TSWS_ERROR_FORMAT,
                         "%s: not a llama2.c model: its header says %u where 1 stands for a shared classifier and 0"
                         " for one of its own",
                         model->path, (unsigned)bytes[SHARED_AT]);
    }
    info->shared_classifier = bytes[SHARED_AT] == 1;
    if (info->version == 2) {
        memcpy(&info->group_size, bytes + GROUP_SIZE_AT, sizeof info->group_size);
    }
    status = tsws_model_take_fields(model, fields, error);
    return status == TSWS_OK && info->version == 2 ? check_group_size(model, error) : status;
}

static size_t scale_count(const tsws_model *model) {
    return model->info.group_size == 0 ? 0 : model->n_matrices / (size_t)model->info.group_size;
}

static size_t expected_size(const tsws_model *model) {
    size_t code_size = model->info.version == 2 ? sizeof(int8_t) : sizeof(float);
    size_t codes = tsws_size_mul(model->n_matrices, code_size);
    size_t floats = tsws_size_mul(tsws_size_add(model->n_norms, scale_count(model)), sizeof(float));

    return tsws_size_add(V1_HEADER_SIZE, tsws_size_add(codes, floats));
}

/* Behind a matrix whose number of codes is no multiple of 4, nothing lies aligned any more. */
static bool scales_lie_aligned(const tsws_model *model) {
    size_t dim = (size_t)model->info.dim;

    return dim * (size_t)model->info.vocab_size % sizeof(float) == 0 &&
           dim * (size_t)model->info.hidden_dim % sizeof(float) == 0; /* dim and kv_dim are even */
}

static tsws_status allocate_scales(tsws_model *model, tsws_error *error) {
    if (model->info.group_size == 0 || scales_lie_aligned(model)) {
        return TSWS_OK;
    }
    model->scales = malloc(scale_count(model) * sizeof *model->scales);
    if (model->scales == NULL) {
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for its scales", model->path);
    }
    return TSWS_OK;
}

tsws_status tsws_model_read_v1(tsws_model *model, int32_t version, tsws_error *error) {
    tsws_cursor cursor;
    tsws_status status;

    model->info.version = version;
    status = read_v1_header(model, error);
    if (status == TSWS_OK) {
        status = tsws_model_check_size(model, expected_size(model), error);
    }
    if (status == TSWS_OK) {
        status = tsws_model_allocate_layers(model, error);
    }
    if (status == TSWS_OK) {
        status = allocate_scales(model, error);
    }
    if (status != TSWS_OK) {
        return status;
    }
    cursor.at = model->file.bytes + V1_HEADER_SIZE;
    cursor.group = (size_t)model->info.group_size;
    cursor.copies = model->scales;
    tsws_take_attention_norms(&cursor, model);
    tsws_take_ffn_norms(&cursor, model);
    model->final_norm = tsws_take_floats(&cursor, (size_t)model->info.dim);
    model->embedding = tsws_take_matrix(&cursor, (size_t)model->info.vocab_size, (size_t)model->info.dim);
    tsws_take_attention(&cursor, model);
    tsws_take_feed_forward(&cursor, model);
    tsws_take_classifier(&cursor, model);
    return TSWS_OK;
}
