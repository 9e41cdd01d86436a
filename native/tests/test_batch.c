#include "check.h"
#include "files.h"

enum { VOCAB = 10, STREAMS = 3, STEPS = 6 };
static const int32_t header[7] = {8, 12, 2, 4, 2, -VOCAB, 16};
static const int32_t tokens[STEPS][STREAMS] = {{1, 2, 3}, {4, -1, 0}, {9, 8, -1}, {3, 3, 3}, {-1, -1, 7}, {5, 0, 2}};

static void each_stream_is_as_if_alone(const tsws_model *model) {
    tsws_session *alone[STREAMS] = {NULL};
    tsws_batch *batch = NULL;

    CHECK(tsws_batch_create(model, STREAMS, NULL, &batch, NULL) == TSWS_OK);
    for (size_t i = 0; i < STREAMS; i++) {
        CHECK(tsws_session_create(model, NULL, &alone[i], NULL) == TSWS_OK);
    }
    for (size_t step = 0; step < STEPS; step++) {
        const float *logits = NULL;

        CHECK(tsws_batch_step(batch, tokens[step], &logits, NULL) == TSWS_OK);
        for (size_t i = 0; i < STREAMS; i++) {
            const float *expected = NULL;

            if (tokens[step][i] >= 0) {
                CHECK(tsws_session_step(alone[i], tokens[step][i], &expected, NULL) == TSWS_OK);
                CHECK(memcmp(logits + i * VOCAB, expected, VOCAB * sizeof(float)) == 0);
            }
            CHECK(tsws_batch_position(batch, (int32_t)i) == tsws_session_position(alone[i]));
        }
        if (step == 2) {
            tsws_batch_reset(batch, 1);
            tsws_session_reset(alone[1]);
        }
    }
    for (size_t i = 0; i < STREAMS; i++) {
        tsws_session_destroy(alone[i]);
    }
    tsws_batch_destroy(batch);
}

static void limits_are_kept(const tsws_model *model) {
    const tsws_session_options options = {.max_positions = 1};
    tsws_batch *batch = (tsws_batch *)&batch;
    const float *logits = NULL;
    tsws_error error;

    CHECK(tsws_batch_create(model, 0, NULL, &batch, &error) == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "a batch can not have 0 streams");
    CHECK(batch == NULL);
    CHECK(tsws_batch_create(model, 2, &options, &batch, NULL) == TSWS_OK);
    CHECK(tsws_batch_step(batch, (const int32_t[]){3, VOCAB}, &logits, &error) == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "model.bin: there is no token 10 in a vocabulary of 10");
    CHECK(tsws_batch_position(batch, 0) == 0 && logits == NULL);
    CHECK(tsws_batch_step(batch, (const int32_t[]){-1, 3}, &logits, &error) == TSWS_OK);
    logits = NULL;
    CHECK(tsws_batch_step(batch, (const int32_t[]){3, 3}, &logits, &error) == TSWS_ERROR_FULL);
    CHECK_TEXT(error.message, "model.bin: the context of 1 tokens is full in stream 1");
    CHECK(tsws_batch_position(batch, 0) == 0 && tsws_batch_position(batch, 1) == 1 && logits == NULL);
    tsws_batch_destroy(batch);
}

int main(void) {
    tsws_model *model = NULL;

    write_v0_model("model.bin", header, NULL);
    if (CHECK(tsws_model_open("model.bin", NULL, &model, NULL) == TSWS_OK)) {
        each_stream_is_as_if_alone(model);
        limits_are_kept(model);
    }
    tsws_model_close(model);
    tsws_batch_destroy(NULL);
    return check_result();
}
