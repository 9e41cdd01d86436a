/* One stream of tokens. */
#include "forward.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 32 }; /* tokens of a prompt that go through a layer together */

struct tsws_session {
    tsws_forward forward;
    size_t position; /* tokens taken */
    tsws_row rows[CHUNK];
};

tsws_status tsws_session_create(const tsws_model *model, const tsws_session_options *options, tsws_session **session,
                                tsws_error *error) {
    const tsws_session_options defaults = {.max_positions = 0};
    tsws_session *created = calloc(1, sizeof *created);
    tsws_status status;

    *session = NULL;
    if (created == NULL) {
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for a session", model->path);
    }
    status = tsws_forward_create(&created->forward, model, 1, CHUNK, 1, options == NULL ? &defaults : options, error);
    if (status != TSWS_OK) {
        free(created);
        return status;
    }
    *session = created;
    return TSWS_OK;
}

void tsws_session_destroy(tsws_session *session) {
    if (session != NULL) {
        tsws_forward_destroy(&session->forward);
        free(session);
    }
}

void tsws_session_reset(tsws_session *session) {
    session->position = 0;
}

int32_t tsws_session_position(const tsws_session *session) {
    return (int32_t)session->position;
}

int32_t tsws_session_threads(const tsws_session *session) {
    return (int32_t)tsws_team_size(session->forward.team);
}

tsws_status tsws_session_step(tsws_session *session, int32_t token, const float **logits, tsws_error *error) {
    return tsws_session_take(session, &token, 1, NULL, logits, error);
}

/* Up to CHUNK tokens. Scores of all go to `all`, or, unless it is NULL, of the last one to `last`. */
static void take_chunk(tsws_session *session, const int32_t *tokens, size_t count, float *all, float *last) {
    size_t first_scored = all != NULL ? 0 : last != NULL ? count - 1 : count;

    for (size_t i = 0; i < count; i++) {
        session->rows[i] = (tsws_row){.position = session->position + i, .token = tokens[i]};
    }
    tsws_forward_run(&session->forward, session->rows, count, false, first_scored, all != NULL ? all : last);
    session->position += count;
}

tsws_status tsws_session_take(tsws_session *session, const int32_t *tokens, size_t count, float *all,
                              const float **last, tsws_error *error) {
    const tsws_model *model = session->forward.model;
    size_t vocab_size = (size_t)model->info.vocab_size;
    float *logits = session->forward.logits;

    if (count == 0) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "%s: there are no tokens to take", model->path);
    }
    for (size_t i = 0; i < count; i++) {
        tsws_status status = tsws_forward_check_token(&session->forward, tokens[i], error);

        if (status != TSWS_OK) {
            return status;
        }
    }
    if (count > session->forward.max_positions - session->position) {
        return tsws_fail(error, TSWS_ERROR_FULL, "%s: the context of %zu tokens is full", model->path,
                         session->forward.max_positions);
    }
    for (size_t first = 0; first < count; first += CHUNK) {
        size_t n = count - first < CHUNK ? count - first : CHUNK;
        bool is_last = first + n == count;

        take_chunk(session, tokens + first, n, all == NULL ? NULL : all + first * vocab_size, is_last ? logits : NULL);
    }
    if (all != NULL) {
        memcpy(logits, all + (count - 1) * vocab_size, vocab_size * sizeof *logits);
    }
    *last = logits;
    return TSWS_OK;
}
