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
#include "size.h"

#include <inttypes.h>
#include <string.h>

enum { V0_FIELDS = 7, V0_HEADER_SIZE = V0_FIELDS * 4 };

/* Walks over a file's floats; counts on when the file has ended, so that it knows in the end what was missing. */
struct v0_cursor {
    const tsws_file *file;
    size_t offset; /* bytes, SIZE_MAX when beyond counting */
};

/* The next rows * columns * depth floats, or NULL where the file has too few. */
static const float *take(struct v0_cursor *cursor, size_t depth, size_t rows, size_t columns) {
    size_t start = cursor->offset;
    size_t size = tsws_size_mul(tsws_size_mul(tsws_size_mul(depth, rows), columns), sizeof(float));

    cursor->offset = tsws_size_add(start, size);
    if (cursor->offset > cursor->file->size) {
        return NULL;
    }
    return (const float *)(const void *)(cursor->file->bytes + start); /* a map is aligned, and all offsets are by 4 */
}

static tsws_status read_v0_header(tsws_model *model, tsws_error *error) {
    int32_t fields[V0_FIELDS];
    tsws_model_info *info = &model->info;

    if (model->file.size < V0_HEADER_SIZE) {
        return tsws_fail(error, TSWS_ERROR_FORMAT, "%s: the file ends inside its header, after %zu of %d bytes",
                         model->path, model->file.size, (int)V0_HEADER_SIZE);
    }
    memcpy(fields, model->file.bytes, sizeof fields);
    if (fields[5] == INT32_MIN) { /* has no positive counterpart */
        return tsws_fail(error, TSWS_ERROR_FORMAT, "%s: not a llama2.c model: its header says vocab_size = %" PRId32,
                         model->path, fields[5]);
    }
    info->version = 0;
    info->dim = fields[0];
    info->hidden_dim = fields[1];
    info->n_layers = fields[2];
    info->n_heads = fields[3];
    info->n_kv_heads = fields[4];
    info->vocab_size = fields[5] < 0 ? -fields[5] : fields[5];
    info->max_seq_len = fields[6];
    info->shared_classifier = fields[5] > 0;
    return tsws_model_check_info(model, error);
}

/* The layers' part of a weight whose layers lie one after another. */
static const float *at_layer(const float *all, size_t layer, size_t size) {
    return all + layer * size;
}

static tsws_matrix matrix_of(const float *all, size_t layer, size_t rows, size_t columns) {
    return (tsws_matrix){.rows = rows, .columns = columns, .floats = at_layer(all, layer, rows * columns)};
}

tsws_status tsws_model_read_v0(tsws_model *model, tsws_error *error) {
    const tsws_model_info *info = &model->info;
    struct v0_cursor cursor = {&model->file, V0_HEADER_SIZE};
    struct { /* where each kind of weight begins */
        const float *attention_norm, *wq, *wk, *wv, *wo, *ffn_norm, *w1, *w2, *w3, *embedding, *classifier;
    } all;
    size_t dim, hidden, layers, vocab, kv, positions;
    tsws_status status = read_v0_header(model, error);

    if (status != TSWS_OK) {
        return status;
    }
    dim = (size_t)info->dim;
    hidden = (size_t)info->hidden_dim;
    layers = (size_t)info->n_layers;
    vocab = (size_t)info->vocab_size;
    kv = model->kv_dim;
    positions = (size_t)info->max_seq_len;

    all.embedding = take(&cursor, 1, vocab, dim);
    all.attention_norm = take(&cursor, layers, 1, dim);
    all.wq = take(&cursor, layers, dim, dim);
    all.wk = take(&cursor, layers, kv, dim);
    all.wv = take(&cursor, layers, kv, dim);
    all.wo = take(&cursor, layers, dim, dim);
    all.ffn_norm = take(&cursor, layers, 1, dim);
    all.w1 = take(&cursor, layers, hidden, dim);
    all.w2 = take(&cursor, layers, dim, hidden);
    all.w3 = take(&cursor, layers, hidden, dim);
    model->final_norm = take(&cursor, 1, 1, dim);
    (void)take(&cursor, 2, positions, model->head_size / 2); /* cosines and sines */
    all.classifier = info->shared_classifier ? all.embedding : take(&cursor, 1, vocab, dim);

    if (cursor.offset != model->file.size) {
        return tsws_fail(error, TSWS_ERROR_FORMAT,
                         "%s: the file has %zu bytes, but its header asks for %s%zu (dim %" PRId32
                         ", hidden_dim %" PRId32 ", n_layers %" PRId32 ", n_heads %" PRId32 ", n_kv_heads %" PRId32
                         ", vocab_size %" PRId32 ", seq_len %" PRId32 ")",
                         model->path, model->file.size, cursor.offset == SIZE_MAX ? "more than " : "", cursor.offset,
                         info->dim, info->hidden_dim, info->n_layers, info->n_heads, info->n_kv_heads, info->vocab_size,
                         info->max_seq_len);
    }
    model->embedding = matrix_of(all.embedding, 0, vocab, dim);
    model->classifier = matrix_of(all.classifier, 0, vocab, dim);
    status = tsws_model_allocate_layers(model, error);
    for (size_t i = 0; status == TSWS_OK && i < layers; i++) {
        model->layers[i].attention_norm = at_layer(all.attention_norm, i, dim);
        model->layers[i].wq = matrix_of(all.wq, i, dim, dim);
        model->layers[i].wk = matrix_of(all.wk, i, kv, dim);
        model->layers[i].wv = matrix_of(all.wv, i, kv, dim);
        model->layers[i].wo = matrix_of(all.wo, i, dim, dim);
        model->layers[i].ffn_norm = at_layer(all.ffn_norm, i, dim);
        model->layers[i].w1 = matrix_of(all.w1, i, hidden, dim);
        model->layers[i].w2 = matrix_of(all.w2, i, dim, hidden);
        model->layers[i].w3 = matrix_of(all.w3, i, hidden, dim);
    }
    return status;
}
