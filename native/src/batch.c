/* Several streams in step. */
#include "forward.h"
#include "size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct tsws_batch {
    tsws_forward forward;
    size_t n_streams;
    size_t *positions; /* (n_streams,): tokens taken */
    tsws_row *rows;    /* (n_streams,): of the streams that do not rest */
};

tsws_status tsws_batch_create(const tsws_model *model, int32_t n_streams, const tsws_session_options *options,
                              tsws_batch **batch, tsws_error *error) {
    const tsws_session_options defaults = {.max_positions = 0};
    size_t n = (size_t)n_streams;
    tsws_batch *created;
    tsws_status status;

    *batch = NULL;
    if (n_streams < 1) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "a batch can not have %" PRId32 " streams", n_streams);
    }
    created = calloc(1, sizeof *created);
    if (created != NULL) {
        created->n_streams = n;
        created->positions = calloc(n, sizeof *created->positions);
        created->rows = calloc(n, sizeof *created->rows);
    }
    if (created == NULL || created->positions == NULL || created->rows == NULL) {
        status = tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for a batch of %" PRId32 " streams",
                           model->path, n_streams);
    } else {
        status = tsws_forward_create(&created->forward, model, n, n, n, options == NULL ? &defaults : options, error);
    }
    if (status != TSWS_OK) {
        tsws_batch_destroy(created);
        return status;
    }
    *batch = created;
    return TSWS_OK;
}

void tsws_batch_destroy(tsws_batch *batch) {
    if (batch != NULL) {
        tsws_forward_destroy(&batch->forward);
        free(batch->positions);
        free(batch->rows);
        free(batch);
    }
}

void tsws_batch_reset(tsws_batch *batch, int32_t stream) {
    batch->positions[stream] = 0;
}

int32_t tsws_batch_position(const tsws_batch *batch, int32_t stream) {
    return (int32_t)batch->positions[stream];
}

int32_t tsws_batch_threads(const tsws_batch *batch) {
    return (int32_t)tsws_team_size(batch->forward.team);
}

/* Moves the scores of each row to the place of its stream, which is never in front of it. */
static void spread_logits(const tsws_batch *batch, size_t n_rows) {
    size_t vocab_size = (size_t)batch->forward.model->info.vocab_size;

    for (size_t i = n_rows; i-- > 0 && batch->rows[i].stream != i;) {
        memcpy(batch->forward.logits + batch->rows[i].stream * vocab_size, batch->forward.logits + i * vocab_size,
               vocab_size * sizeof(float));
    }
}

tsws_status tsws_batch_step(tsws_batch *batch, const int32_t *tokens, const float **logits, tsws_error *error) {
    const tsws_model *model = batch->forward.model;
    size_t n_rows = 0;

    for (size_t i = 0; i < batch->n_streams; i++) {
        tsws_status status;

        if (tokens[i] < 0) {
            continue;
        }
        status = tsws_forward_check_token(&batch->forward, tokens[i], error);
        if (status != TSWS_OK) {
            return status;
        }
        if (batch->positions[i] >= batch->forward.max_positions) {
            return tsws_fail(error, TSWS_ERROR_FULL, "%s: the context of %zu tokens is full in stream %zu", model->path,
                             batch->forward.max_positions, i);
        }
        batch->rows[n_rows++] = (tsws_row){.stream = i, .position = batch->positions[i], .token = tokens[i]};
    }
    if (n_rows > 0) {
        tsws_forward_run(&batch->forward, batch->rows, n_rows, true, 0, batch->forward.logits);
    }
    for (size_t i = 0; i < n_rows; i++) {
        batch->positions[batch->rows[i].stream]++;
    }
    spread_logits(batch, n_rows);
    *logits = batch->forward.logits;
    return TSWS_OK;
}
