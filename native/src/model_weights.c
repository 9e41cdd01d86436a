#include "model_weights.h"

#include <stdalign.h>
#include <string.h>

const float *tsws_take_floats(tsws_cursor *cursor, size_t count) {
    const float *taken = (const float *)(const void *)cursor->at;

    cursor->at += count * sizeof(float);
    return taken;
}

static const float *take_scales(tsws_cursor *cursor, size_t count) {
    float *copied = cursor->copies;

    if ((uintptr_t)cursor->at % alignof(float) == 0) {
        return tsws_take_floats(cursor, count);
    }
    memcpy(copied, cursor->at, count * sizeof(float));
    cursor->copies += count;
    cursor->at += count * sizeof(float);
    return copied;
}

tsws_matrix tsws_take_matrix(tsws_cursor *cursor, size_t rows, size_t columns) {
    tsws_matrix matrix = {.rows = rows, .columns = columns, .group = cursor->group};

    if (cursor->group == 0) {
        matrix.floats = tsws_take_floats(cursor, rows * columns);
    } else {
        matrix.codes = (const int8_t *)(const void *)cursor->at;
        cursor->at += rows * columns;
        matrix.scales = take_scales(cursor, rows * columns / cursor->group);
    }
    return matrix;
}

static size_t dim_of(const tsws_model *model) {
    return (size_t)model->info.dim;
}

static size_t layers_of(const tsws_model *model) {
    return (size_t)model->info.n_layers;
}

void tsws_take_attention_norms(tsws_cursor *cursor, tsws_model *model) {
    for (size_t i = 0; i < layers_of(model); i++) {
        model->layers[i].attention_norm = tsws_take_floats(cursor, dim_of(model));
    }
}

void tsws_take_attention(tsws_cursor *cursor, tsws_model *model) {
    for (size_t i = 0; i < layers_of(model); i++) {
        model->layers[i].wq = tsws_take_matrix(cursor, dim_of(model), dim_of(model));
    }
    for (size_t i = 0; i < layers_of(model); i++) {
        model->layers[i].wk = tsws_take_matrix(cursor, model->kv_dim, dim_of(model));
    }
    for (size_t i = 0; i < layers_of(model); i++) {
        model->layers[i].wv = tsws_take_matrix(cursor, model->kv_dim, dim_of(model));
    }
    for (size_t i = 0; i < layers_of(model); i++) {
        model->layers[i].wo = tsws_take_matrix(cursor, dim_of(model), dim_of(model));
    }
}

void tsws_take_ffn_norms(tsws_cursor *cursor, tsws_model *model) {
    for (size_t i = 0; i < layers_of(model); i++) {
        model->layers[i].ffn_norm = tsws_take_floats(cursor, dim_of(model));
    }
}

void tsws_take_feed_forward(tsws_cursor *cursor, tsws_model *model) {
    size_t hidden = (size_t)model->info.hidden_dim;

    for (size_t i = 0; i < layers_of(model); i++) {
        model->layers[i].w1 = tsws_take_matrix(cursor, hidden, dim_of(model));
    }
    for (size_t i = 0; i < layers_of(model); i++) {
        model->layers[i].w2 = tsws_take_matrix(cursor, dim_of(model), hidden);
    }
    for (size_t i = 0; i < layers_of(model); i++) {
        model->layers[i].w3 = tsws_take_matrix(cursor, hidden, dim_of(model));
    }
}

void tsws_take_classifier(tsws_cursor *cursor, tsws_model *model) {
    model->classifier = model->info.shared_classifier
                            ? model->embedding
                            : tsws_take_matrix(cursor, (size_t)model->info.vocab_size, dim_of(model));
}
