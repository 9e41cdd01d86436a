#include "check.h"
#include "files.h"

#include <pthread.h>

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

/* Runs of any length, cut anywhere, give what single steps give. */
static void a_run_is_as_its_steps(const tsws_model *model) {
    float alone[STEPS][VOCAB], all[STEPS][VOCAB];
    tsws_session *session = NULL;
    const float *last = NULL;

    CHECK(tsws_session_create(model, NULL, &session, NULL) == TSWS_OK);
    play(session, 0, STEPS, alone);
    for (size_t first = 0; first < STEPS; first++) {
        tsws_session_reset(session);
        memset(all, 0, sizeof all);
        if (first > 0) {
            CHECK(tsws_session_take(session, tokens, first, &all[0][0], &last, NULL) == TSWS_OK);
            CHECK(memcmp(last, alone[first - 1], sizeof alone[0]) == 0);
        }
        CHECK(tsws_session_take(session, tokens + first, STEPS - first, &all[first][0], &last, NULL) == TSWS_OK);
        CHECK(memcmp(all, alone, sizeof alone) == 0);
        CHECK(memcmp(last, alone[STEPS - 1], sizeof alone[0]) == 0);

        tsws_session_reset(session); /* and without the scores in between */
        CHECK(tsws_session_take(session, tokens, first + 1, NULL, &last, NULL) == TSWS_OK);
        CHECK(memcmp(last, alone[first], sizeof alone[0]) == 0);
        CHECK(tsws_session_position(session) == (int32_t)first + 1);
    }
    tsws_session_destroy(session);
}

static void a_run_that_can_not_be_taken_takes_nothing(const tsws_model *model) {
    const int32_t wrong[3] = {1, 2, VOCAB};
    tsws_session *session = NULL;
    const float *last = NULL;
    tsws_error error;

    CHECK(tsws_session_create(model, &(tsws_session_options){.max_positions = 4}, &session, NULL) == TSWS_OK);
    CHECK(tsws_session_take(session, tokens, 0, NULL, &last, &error) == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "model.bin: there are no tokens to take");
    CHECK(tsws_session_take(session, wrong, 3, NULL, &last, &error) == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "model.bin: there is no token 10 in a vocabulary of 10");
    CHECK(tsws_session_take(session, tokens, 5, NULL, &last, &error) == TSWS_ERROR_FULL);
    CHECK_TEXT(error.message, "model.bin: the context of 4 tokens is full");
    CHECK(tsws_session_position(session) == 0 && last == NULL);
    CHECK(tsws_session_take(session, tokens, 4, NULL, &last, NULL) == TSWS_OK);
    CHECK(tsws_session_position(session) == 4);
    tsws_session_destroy(session);
}

static void threads_are_within_their_range(const tsws_model *model) {
    tsws_session *session = NULL;
    tsws_error error;

    CHECK(tsws_session_create(model, &(tsws_session_options){.threads = -1}, &session, &error) == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "a session can have 1 to 64 threads, not -1");
    CHECK(tsws_session_create(model, &(tsws_session_options){.threads = 65}, &session, &error) == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "a session can have 1 to 64 threads, not 65");
    CHECK(session == NULL);
    CHECK(tsws_session_create(model, &(tsws_session_options){.threads = 3}, &session, NULL) == TSWS_OK);
    CHECK(tsws_session_threads(session) == 3);
    tsws_session_destroy(session);
    CHECK(tsws_session_create(model, NULL, &session, NULL) == TSWS_OK);
    CHECK(tsws_session_threads(session) == 1); /* so small a model is fastest on one */
    tsws_session_destroy(session);
}

struct listener {
    const tsws_model *model;
    int32_t threads;
    float heard[STEPS][VOCAB];
    bool is_done;
};

static void *listen(void *argument) {
    struct listener *listener = argument;
    tsws_session *session = NULL;
    const float *logits = NULL;

    if (tsws_session_create(listener->model, &(tsws_session_options){.threads = listener->threads}, &session, NULL) ==
        TSWS_OK) {
        for (size_t i = 0; i < STEPS && tsws_session_step(session, tokens[i], &logits, NULL) == TSWS_OK; i++) {
            memcpy(listener->heard[i], logits, sizeof listener->heard[i]);
        }
        listener->is_done = tsws_session_position(session) == STEPS;
    }
    tsws_session_destroy(session);
    return NULL;
}

static void sessions_share_a_model_on_threads_of_their_own(const tsws_model *model) {
    enum { LISTENERS = 4 };
    struct listener listeners[LISTENERS];
    float alone[STEPS][VOCAB];
    pthread_t threads[LISTENERS];
    tsws_session *session = NULL;

    CHECK(tsws_session_create(model, NULL, &session, NULL) == TSWS_OK);
    play(session, 0, STEPS, alone);
    tsws_session_destroy(session);
    for (int i = 0; i < LISTENERS; i++) {
        listeners[i] = (struct listener){.model = model, .threads = 1 + i % 2};
        CHECK(pthread_create(&threads[i], NULL, listen, &listeners[i]) == 0);
    }
    for (int i = 0; i < LISTENERS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(listeners[i].is_done && memcmp(listeners[i].heard, alone, sizeof alone) == 0);
    }
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
        a_run_is_as_its_steps(model);
        a_run_that_can_not_be_taken_takes_nothing(model);
        threads_are_within_their_range(model);
        sessions_share_a_model_on_threads_of_their_own(model);
    }
    tsws_model_close(model);
    logits_are_the_classifier_times_the_stream();
    tsws_session_destroy(NULL);
    return check_result();
}
