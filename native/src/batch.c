/* Several streams in step. */
#include "model.h"
#include "size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct tsws_batch {
    const tsws_model *model;
    size_t n_streams;
    int32_t max_positions;
    tsws_session **streams; /* (n_streams,) */
    float *logits;          /* (n_streams, vocab_size) */
};

tsws_status tsws_batch_create(const tsws_model *model, int32_t n_streams, const tsws_session_options *options,
                              tsws_batch **batch, tsws_error *error) {
    tsws_batch *created;
    size_t vocab_size = (size_t)model->info.vocab_size;
    tsws_status status = TSWS_OK;

    *batch = NULL;
    if (n_streams < 1) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "a batch can not have %" PRId32 " streams", n_streams);
    }
    created = calloc(1, sizeof *created);
    if (created != NULL) {
        created->streams = calloc((size_t)n_streams, sizeof(tsws_session *));
        created->logits = calloc(tsws_size_mul((size_t)n_streams, vocab_size), sizeof(float));
    }
    if (created == NULL || created->streams == NULL || created->logits == NULL) {
        tsws_batch_destroy(created);
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for a batch of %" PRId32 " streams",
                         model->path, n_streams);
    }
    created->model = model;
    created->n_streams = (size_t)n_streams;
    created->max_positions = options == NULL ? 0 : options->max_positions;
    if (created->max_positions <= 0 || created->max_positions > model->info.max_seq_len) {
        created->max_positions = model->info.max_seq_len;
    }
    for (size_t i = 0; status == TSWS_OK && i < created->n_streams; i++) {
        status = tsws_session_create(model, options, &created->streams[i], error);
    }
    if (status != TSWS_OK) {
        tsws_batch_destroy(created);
        return status;
    }
    *batch = created;
    return TSWS_OK;
}

void tsws_batch_destroy(tsws_batch *batch) {
    if (batch == NULL) {
        return;
    }
    for (size_t i = 0; batch->streams != NULL && i < batch->n_streams; i++) {
        tsws_session_destroy(batch->streams[i]);
    }
    free(batch->streams);
    free(batch->logits);
    free(batch);
}

void tsws_batch_reset(tsws_batch *batch, int32_t stream) {
    tsws_session_reset(batch->streams[stream]);
}

int32_t tsws_batch_position(const tsws_batch *batch, int32_t stream) {
    return tsws_session_position(batch->streams[stream]);
}

int32_t tsws_batch_threads(const tsws_batch *batch) {
    return tsws_session_threads(batch->streams[0]);
}

tsws_status tsws_batch_step(tsws_batch *batch, const int32_t *tokens, const float **logits, tsws_error *error) {
    size_t vocab_size = (size_t)batch->model->info.vocab_size;

    for (size_t i = 0; i < batch->n_streams; i++) {
        if (tokens[i] >= batch->model->info.vocab_size) {
            return tsws_fail(error, TSWS_ERROR_ARGUMENT,
                             "%s: there is no token %" PRId32 " in a vocabulary of %" PRId32, batch->model->path,
                             tokens[i], batch->model->info.vocab_size);
        }
        if (tokens[i] >= 0 && tsws_session_position(batch->streams[i]) >= batch->max_positions) {
            return tsws_fail(error, TSWS_ERROR_FULL, "%s: the context of %" PRId32 " tokens is full in stream %zu",
                             batch->model->path, batch->max_positions, i);
        }
    }
    for (size_t i = 0; i < batch->n_streams; i++) {
        const float *row;

        if (tokens[i] >= 0) {
            (void)tsws_session_step(batch->streams[i], tokens[i], &row, NULL);
            memcpy(batch->logits + i * vocab_size, row, vocab_size * sizeof(float));
        }
    }
    *logits = batch->logits;
    return TSWS_OK;
}
