/*
 * Any bytes as a model file: refused with a message that names it, or played. What is played must give the same numbers
 * a token at a time, all at once and in a batch, and take no more memory than the file's length bears out.
 */
#include "target.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STEPS = 4, LARGEST_VOCABULARY = 4096 };
/* What padding can make of the narrowest matrices: a row to a panel of 16, a column to 64 codes. */
enum { MOST_BYTES_A_BYTE = 16 * 64, MOST_BYTES_BESIDE = 1 << 16 };

static tsws_model_options choose_options(uint32_t digest) {
    static const char *const tables[] = {NULL, NULL, "portable", "avx2", "avx512"};

    return (tsws_model_options){
        .precision = (tsws_precision)(digest % 3),
        .exact = digest / 3 % 4 == 0,
        .kernels = tables[digest / 12 % (sizeof tables / sizeof tables[0])],
    };
}

/* Numbers that are none may differ in bits that mean nothing. */
static bool same_scores(const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&a[i], &b[i], sizeof a[i]) != 0 && !(isnan(a[i]) && isnan(b[i]))) {
            return false;
        }
    }
    return true;
}

/* Steps through a story; keeps the tokens and all scores (steps, vocab_size). */
static void tell(const tsws_model *model, const tsws_session_options *options, int32_t steps, int32_t *tokens,
                 float *scores) {
    int32_t vocab_size = tsws_model_describe(model).vocab_size;
    tsws_session *session = NULL;
    tsws_sampler *sampler = NULL;
    const float *logits = NULL;

    REQUIRE(tsws_session_create(model, options, &session, NULL) == TSWS_OK);
    REQUIRE(tsws_sampler_create(vocab_size, tsws_sampler_defaults(), &sampler, NULL) == TSWS_OK);
    tokens[0] = vocab_size > TSWS_BOS ? TSWS_BOS : 0;
    for (int32_t i = 0; i < steps; i++) {
        REQUIRE(tsws_session_step(session, tokens[i], &logits, NULL) == TSWS_OK);
        memcpy(scores + (size_t)i * (size_t)vocab_size, logits, (size_t)vocab_size * sizeof *logits);
        tokens[i + 1] = tsws_sampler_pick(sampler, logits);
        REQUIRE(tokens[i + 1] >= 0 && tokens[i + 1] < vocab_size);
    }
    REQUIRE(tsws_session_step(session, vocab_size, &logits, NULL) == TSWS_ERROR_ARGUMENT);
    REQUIRE(tsws_session_step(session, 0, &logits, NULL) == TSWS_ERROR_FULL);
    tsws_sampler_destroy(sampler);
    tsws_session_destroy(session);
}

static void take_at_once(const tsws_model *model, const tsws_session_options *options, int32_t steps,
                         const int32_t *tokens, const float *expected) {
    size_t count = (size_t)steps * (size_t)tsws_model_describe(model).vocab_size;
    float *all = malloc(count * sizeof *all);
    tsws_session *session = NULL;
    const float *last = NULL;

    REQUIRE(all != NULL && tsws_session_create(model, options, &session, NULL) == TSWS_OK);
    REQUIRE(tsws_session_take(session, tokens, (size_t)steps, all, &last, NULL) == TSWS_OK);
    REQUIRE(same_scores(all, expected, count));
    tsws_session_destroy(session);
    free(all);
}

static void step_in_a_batch(const tsws_model *model, const tsws_session_options *options, int32_t steps,
                            const int32_t *tokens, const float *expected) {
    size_t vocab_size = (size_t)tsws_model_describe(model).vocab_size;
    tsws_batch *batch = NULL;

    REQUIRE(tsws_batch_create(model, 3, options, &batch, NULL) == TSWS_OK);
    for (int32_t i = 0; i < steps; i++) {
        const int32_t streams[3] = {tokens[i], i % 2 == 0 ? -1 : 0, tokens[i]};
        const float *logits = NULL;

        REQUIRE(tsws_batch_step(batch, streams, &logits, NULL) == TSWS_OK);
        REQUIRE(same_scores(logits, expected + (size_t)i * vocab_size, vocab_size));
        REQUIRE(same_scores(logits + 2 * vocab_size, expected + (size_t)i * vocab_size, vocab_size));
    }
    tsws_batch_destroy(batch);
}

static void play(const tsws_model *model, uint32_t digest) {
    tsws_model_info info = tsws_model_describe(model);
    int32_t steps = info.max_seq_len < MAX_STEPS ? info.max_seq_len : MAX_STEPS;
    const tsws_session_options options = {.max_positions = steps, .threads = digest % 64 == 0 ? 2 : 1};
    int32_t tokens[MAX_STEPS + 1];
    float *scores = malloc((size_t)steps * (size_t)info.vocab_size * sizeof *scores);

    REQUIRE(scores != NULL);
    tell(model, &options, steps, tokens, scores);
    take_at_once(model, &options, steps, tokens, scores);
    step_in_a_batch(model, &options, steps, tokens, scores);
    free(scores);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file(data, size);
    uint32_t digest = fuzz_digest(data, size);
    tsws_model_options options = choose_options(digest);
    tsws_model *model = NULL;
    tsws_error error;

    if (tsws_model_open(path, &options, &model, &error) != TSWS_OK) {
        REQUIRE(model == NULL);
        REQUIRE(error.status == TSWS_ERROR_FORMAT || (error.status == TSWS_ERROR_ARGUMENT && options.kernels != NULL));
        REQUIRE(strncmp(error.message, path, strlen(path)) == 0);
        return 0;
    }
    REQUIRE(tsws_model_describe(model).weight_bytes <= MOST_BYTES_BESIDE + MOST_BYTES_A_BYTE * size);
    if (tsws_model_describe(model).vocab_size <= LARGEST_VOCABULARY) { /* others are slow, and no different */
        play(model, digest);
    }
    tsws_model_close(model);
    return 0;
}

/* ---- Inputs that get further than the header ---- */

struct shape {
    int32_t version, shared, group_size;
    int32_t fields[7]; /* as a header has them */
};

static struct shape random_shape(uint32_t *state) {
    struct shape shape = {.version = (int32_t)(fuzz_random(state) % 3), .shared = (int32_t)(fuzz_random(state) % 2)};
    int32_t kv_heads = (int32_t)(1 + fuzz_random(state) % 3), queries = (int32_t)(1 + fuzz_random(state) % 3);
    int32_t head_size = (int32_t)(2 * (1 + fuzz_random(state) % 5));
    int32_t *fields = shape.fields;

    fields[3] = kv_heads * queries;
    fields[4] = kv_heads;
    fields[0] = fields[3] * head_size;
    fields[1] = (int32_t)(1 + fuzz_random(state) % 40);
    fields[2] = (int32_t)(1 + fuzz_random(state) % 3);
    fields[5] = (int32_t)(1 + fuzz_random(state) % 40);
    fields[6] = (int32_t)(1 + fuzz_random(state) % 9);
    if (shape.version == 2) {
        shape.group_size = (int32_t)(1 + fuzz_random(state) % 8);
        fields[1] = shape.group_size * (int32_t)(1 + fuzz_random(state) % 5);
        while (fields[0] % shape.group_size != 0) {
            shape.group_size--;
            fields[1] = shape.group_size * (int32_t)(1 + fuzz_random(state) % 5);
        }
    }
    return shape;
}

static size_t file_size(const struct shape *shape) {
    size_t dim = (size_t)shape->fields[0], hidden = (size_t)shape->fields[1], layers = (size_t)shape->fields[2];
    size_t head = dim / (size_t)shape->fields[3], kv = head * (size_t)shape->fields[4];
    size_t matrices = layers * (2 * dim * dim + 2 * kv * dim + 3 * hidden * dim) +
                      (shape->shared ? 1 : 2) * (size_t)shape->fields[5] * dim;
    size_t norms = dim * (2 * layers + 1);

    switch (shape->version) {
    case 0: return 28 + 4 * (norms + matrices + (size_t)shape->fields[6] * head);
    case 1: return 256 + 4 * (norms + matrices);
    default: return 256 + 4 * norms + matrices + 4 * (matrices / (size_t)shape->group_size);
    }
}

static void write_header(uint8_t *data, const struct shape *shape) {
    int32_t fields[7];

    memcpy(fields, shape->fields, sizeof fields);
    if (shape->version == 0) {
        fields[5] = shape->shared ? fields[5] : -fields[5];
        memcpy(data, fields, sizeof fields);
        return;
    }
    memset(data, 0, 256);
    memcpy(data, "24ka", 4);
    memcpy(data + 4, &shape->version, 4);
    memcpy(data + 8, fields, sizeof fields);
    data[36] = (uint8_t)shape->shared;
    memcpy(data + 37, &shape->group_size, 4);
}

/* Three times in four whatever a fuzzer does to bytes; else a header that fits a length, and the length that fits it. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    uint32_t state = seed | 1;
    struct shape shape;
    size_t wanted;

    if (fuzz_random(&state) % 4 != 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    shape = random_shape(&state);
    wanted = file_size(&shape);
    if (wanted > max_size) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    for (size_t i = size; i < wanted;
         i++) { /* quiet floats, most of them: weights that overflow at once hide the rest */
        data[i] = (uint8_t)(i % 4 == 3 ? 0x3d : fuzz_random(&state));
    }
    write_header(data, &shape);
    return wanted;
}
