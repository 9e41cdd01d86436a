#include "check.h"
#include "files.h"

enum { VOCAB = 10, STEPS = 16 };
static const int32_t header[7] = {8, 12, 2, 4, 2, -VOCAB, STEPS};
static const int32_t tokens[STEPS] = {1, 5, 9, 0, 3, 3, 7, 2, 8, 4, 6, 1, 0, 9, 5, 2};

/* Takes `steps` tokens and keeps all logits. */
static void play(tsws_session *session, int32_t first, int32_t steps, float kept[][VOCAB]) {
    for (int32_t i = first; i < first + steps; i++) {
        const float *logits = NULL;

        if (CHECK(tsws_session_step(session, tokens[i], &logits, NULL) == TSWS_OK)) {
            memcpy(kept[i], logits, sizeof kept[i]);
        }
    }
}

static void the_same_tokens_give_the_same_logits(const tsws_model *model) {
    float alone[STEPS][VOCAB], again[STEPS][VOCAB], shorter[STEPS][VOCAB], other[STEPS][VOCAB];
    tsws_session *session = NULL, *second = NULL;

    CHECK(tsws_session_create(model, NULL, &session, NULL) == TSWS_OK);
    play(session, 0, STEPS, alone);
    CHECK(tsws_session_position(session) == STEPS);
    tsws_session_reset(session);
    CHECK(tsws_session_position(session) == 0);

    CHECK(tsws_session_create(model, &(tsws_session_options){.max_positions = 9}, &second, NULL) == TSWS_OK);
    for (int32_t i = 0; i < 9; i++) { /* two streams side by side */
        play(session, i, 1, again);
        play(second, i, 1, shorter);
    }
    play(session, 9, STEPS - 9, again);
    CHECK(memcmp(alone, again, sizeof alone) == 0);
    CHECK(memcmp(alone, shorter, 9 * sizeof alone[0]) == 0);

    tsws_session_reset(second); /* another past gives another future */
    play(second, 1, 2, other);
    CHECK(memcmp(alone[2], other[2], sizeof alone[2]) != 0);
    tsws_session_destroy(session);
    tsws_session_destroy(second);
}

static void limits_are_kept(const tsws_model *model) {
    tsws_session *session = NULL;
    const float *logits = NULL;
    tsws_error error;

    CHECK(tsws_session_create(model, &(tsws_session_options){.max_positions = -1}, &session, &error) ==
          TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "a session can not hold -1 positions");
    CHECK(session == NULL);
    CHECK(tsws_session_create(model, &(tsws_session_options){.max_positions = 1}, &session, NULL) == TSWS_OK);
    CHECK(tsws_session_step(session, VOCAB, &logits, &error) == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "model.bin: there is no token 10 in a vocabulary of 10");
    CHECK(tsws_session_step(session, -1, &logits, &error) == TSWS_ERROR_ARGUMENT);
    CHECK(tsws_session_position(session) == 0 && logits == NULL);
    CHECK(tsws_session_step(session, 0, &logits, &error) == TSWS_OK);
    CHECK(tsws_session_step(session, 0, &logits, &error) == TSWS_ERROR_FULL);
    CHECK_TEXT(error.message, "model.bin: the context of 1 tokens is full");
    CHECK(tsws_session_position(session) == 1);
    tsws_session_destroy(session);
    CHECK(tsws_session_create(model, &(tsws_session_options){.max_positions = INT32_MAX}, &session, NULL) ==
          TSWS_OK); /* the model's context is enough */
    tsws_session_destroy(session);
}

/* Blocks that add nothing, norms of 1: logits are the classifier times the normalised embedding. */
static void silence_the_blocks(float *weights, size_t count) {
    size_t embedding = 4 * 4;
    size_t classifier = count - 4 * 4;

    for (size_t i = 0; i < count; i++) {
        weights[i] = i >= classifier - 4 * 2 - 4 && i < classifier - 4 * 2 ? 1.0f : 0.0f; /* the final norm */
    }
    for (size_t i = 0; i < embedding; i++) {
        weights[i] = i % 4 == i / 4 ? 3.0f : 0.0f; /* token i points along i */
    }
    for (size_t i = 0; i < 16; i++) {
        weights[classifier + i] = (float)i;
    }
}

static void logits_are_the_classifier_times_the_stream(void) {
    const int32_t small[7] = {4, 4, 1, 2, 1, -4, 4};
    tsws_session *session = NULL;
    tsws_model *model = NULL;
    const float *logits = NULL;

    write_v0_model("silent.bin", small, silence_the_blocks);
    CHECK(tsws_model_open("silent.bin", NULL, &model, NULL) == TSWS_OK);
    CHECK(tsws_session_create(model, NULL, &session, NULL) == TSWS_OK);
    for (int32_t token = 0; token < 4; token++) {
        if (CHECK(tsws_session_step(session, token, &logits, NULL) == TSWS_OK)) {
            for (int32_t i = 0; i < 4; i++) {
                CHECK_NEAR(logits[i], 2.0f * (float)(4 * i + token), 1e-4); /* 3 over the root of 9 / 4 is 2 */
            }
        }
    }
    tsws_session_destroy(session);
    tsws_model_close(model);
}

int main(void) {
    tsws_model *model = NULL;

    write_v0_model("model.bin", header, NULL);
    if (CHECK(tsws_model_open("model.bin", NULL, &model, NULL) == TSWS_OK)) {
        the_same_tokens_give_the_same_logits(model);
        limits_are_kept(model);
    }
    tsws_model_close(model);
    logits_are_the_classifier_times_the_stream();
    tsws_session_destroy(NULL);
    return check_result();
}
