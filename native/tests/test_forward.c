#include "check.h"
#include "files.h"
#include "forward.h"

#include <stdlib.h>

/* Shapes whose rows do not fill panels, with and without shared keys, and more threads than heads. */
static const int32_t headers[][7] = {
    {8, 12, 2, 4, 2, -10, 40}, /* dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len */
    {48, 70, 3, 6, 6, 37, 40},
    {64, 172, 2, 8, 1, 300, 40},
};
enum { N_SHAPES = sizeof headers / sizeof headers[0], STREAMS = 13, STEPS = 9, N_THREADS = 4 };

static int32_t token_at(size_t stream, size_t position, int32_t vocab_size) {
    return (int32_t)((stream * 7 + position * position * 3 + position + 1) % (size_t)vocab_size);
}

static tsws_forward create(const tsws_model *model, size_t n_streams, size_t max_rows, int32_t threads) {
    const tsws_session_options options = {.threads = threads};
    tsws_forward forward;

    CHECK(tsws_forward_create(&forward, model, n_streams, max_rows, max_rows, &options, NULL) == TSWS_OK);
    CHECK(tsws_team_size(forward.team) == (size_t)threads);
    return forward;
}

/* (STREAMS, STEPS, vocab_size): every row alone, on one thread. */
static float *expected_logits(const tsws_model *model) {
    size_t vocab_size = (size_t)model->info.vocab_size;
    tsws_forward forward = create(model, STREAMS, 1, 1);
    float *logits = calloc(STREAMS * STEPS * vocab_size, sizeof *logits);

    for (size_t i = 0; logits != NULL && i < STREAMS * STEPS; i++) {
        tsws_row row = {i / STEPS, i % STEPS, token_at(i / STEPS, i % STEPS, model->info.vocab_size)};

        tsws_forward_run(&forward, &row, 1, true, 0, logits + i * vocab_size);
    }
    tsws_forward_destroy(&forward);
    return logits;
}

/* Rows of 1, 2, 3, ... streams in step, on several threads. */
static void rows_of_several_streams(const tsws_model *model, const float *expected, size_t n_streams, int32_t threads) {
    size_t vocab_size = (size_t)model->info.vocab_size;
    tsws_forward forward = create(model, n_streams, n_streams, threads);

    for (size_t position = 0; position < STEPS; position++) {
        tsws_row rows[STREAMS];

        for (size_t i = 0; i < n_streams; i++) {
            rows[i] = (tsws_row){i, position, token_at(i, position, model->info.vocab_size)};
        }
        tsws_forward_run(&forward, rows, n_streams, true, 0, forward.logits);
        for (size_t i = 0; i < n_streams; i++) {
            CHECK(memcmp(forward.logits + i * vocab_size, expected + (i * STEPS + position) * vocab_size,
                         vocab_size * sizeof(float)) == 0);
        }
    }
    tsws_forward_destroy(&forward);
}

/* Positions of one stream at once, `first` of them in a run of their own, the scores of some left out. */
static void positions_of_one_stream(const tsws_model *model, const float *expected, size_t first, int32_t threads) {
    size_t vocab_size = (size_t)model->info.vocab_size;
    tsws_forward forward = create(model, 1, STEPS, threads);
    tsws_row rows[STEPS];
    size_t scored = first + (STEPS - first) / 2;

    for (size_t i = 0; i < STEPS; i++) {
        rows[i] = (tsws_row){0, i, token_at(0, i, model->info.vocab_size)};
    }
    if (first > 0) {
        tsws_forward_run(&forward, rows, first, false, 0, forward.logits);
        CHECK(memcmp(forward.logits, expected, first * vocab_size * sizeof(float)) == 0);
    }
    tsws_forward_run(&forward, rows + first, STEPS - first, false, scored - first, forward.logits);
    CHECK(memcmp(forward.logits, expected + scored * vocab_size, (STEPS - scored) * vocab_size * sizeof(float)) == 0);
    tsws_forward_destroy(&forward);
}

static void company_and_threads_change_nothing(const tsws_model *model) {
    float *expected = expected_logits(model);

    if (!CHECK(expected != NULL)) {
        return;
    }
    for (int32_t threads = 1; threads <= N_THREADS; threads++) {
        for (size_t n_streams = 1; n_streams <= STREAMS; n_streams += 4) {
            rows_of_several_streams(model, expected, n_streams, threads);
        }
        for (size_t first = 0; first < STEPS; first += 4) {
            positions_of_one_stream(model, expected, first, threads);
        }
    }
    free(expected);
}

/* The turns of a long context are computed as far as it is used. */
static void turns_are_those_of_their_positions(void) {
    const int32_t header[7] = {8, 12, 1, 2, 1, 10, 1100};
    tsws_model *model = NULL;
    tsws_forward forward;

    write_v0_model("long.bin", header, NULL);
    if (!CHECK(tsws_model_open("long.bin", NULL, &model, NULL) == TSWS_OK)) {
        return;
    }
    forward = create(model, 1, 1, 1);
    CHECK(forward.n_turns == 1024);
    tsws_forward_turn(&forward, 1024);
    CHECK(forward.n_turns == 1024);
    tsws_forward_turn(&forward, 1025);
    CHECK(forward.n_turns == 1100);
    for (size_t position = 0; position < 1100; position++) {
        const float *turn = forward.turns + position * 4; /* two pairs: radians a position 1 and 1 / 100 */

        CHECK_NEAR(turn[0], cos((double)position), 1e-6);
        CHECK_NEAR(turn[1], cos((double)position / 100.0), 1e-6);
        CHECK_NEAR(turn[2], sin((double)position), 1e-6);
        CHECK_NEAR(turn[3], sin((double)position / 100.0), 1e-6);
    }
    tsws_forward_destroy(&forward);
    tsws_model_close(model);
}

static void memory_that_is_not_there_is_refused(const tsws_model *model) {
    const tsws_session_options options = {.threads = 1};
    tsws_forward forward;
    tsws_error error;

    CHECK(tsws_forward_create(&forward, model, SIZE_MAX / 2, 1, 1, &options, &error) == TSWS_ERROR_MEMORY);
    CHECK_TEXT(error.message, "model.bin: memory is short for a context of 40 tokens");
    tsws_forward_destroy(&forward);
}

int main(void) {
    static const char *const tables[] = {"portable", "neon", "avx2", "avx512"};
    size_t played = 0;

    for (size_t i = 0; i < N_SHAPES * 4 * 2; i++) {
        const tsws_model_options options = {.precision = i % 2 == 0 ? TSWS_FLOAT32 : TSWS_INT8,
                                            .kernels = tables[i / 2 % 4]};
        tsws_model *model = NULL;

        write_v0_model("model.bin", headers[i / 8], NULL);
        if (tsws_kernels_named(options.kernels) != NULL &&
            CHECK(tsws_model_open("model.bin", &options, &model, NULL) == TSWS_OK)) {
            company_and_threads_change_nothing(model);
            memory_that_is_not_there_is_refused(model);
            played++;
        }
        tsws_model_close(model);
    }
    CHECK(played >= N_SHAPES * 2);
    turns_are_those_of_their_positions();
    return check_result();
}
