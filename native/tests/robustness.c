/*
 * robustness MODEL TOKENIZER: breaks copies of real files in many ways and opens them. Every cut must be refused, with
 * a message that names the file; whatever is opened after an edit must play without a crash (sanitizers watch).
 */
#include "check.h"
#include "files.h"
#include "model.h"

#include <stdlib.h>
#include <unistd.h>

enum { HEADER_SIZE = 28, LATER_HEADER_SIZE = 256, STEPS = 3 };
enum { FILE_STRIDE = 9973 }; /* a prime: cuts fall on all remainders */

static const int32_t values[] = {
    INT32_MIN, INT32_MIN + 1, -65536,  -513,          -1,       0, 1, 2, 3, 7, 8, 64, 255, 256, 257, 1024, 65535, 65536,
    1 << 20,   1 << 24,       1 << 30, INT32_MAX - 1, INT32_MAX};
enum { N_VALUES = sizeof values / sizeof values[0] };

struct bytes {
    unsigned char *data;
    size_t size;
};

static struct bytes read_file(const char *path) {
    struct bytes bytes = {NULL, 0};
    FILE *file = fopen(path, "rb");
    long size;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) <= 0 || fseek(file, 0, SEEK_SET) != 0 ||
        (bytes.data = malloc((size_t)size)) == NULL || fread(bytes.data, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(2);
    }
    (void)fclose(file);
    bytes.size = (size_t)size;
    return bytes;
}

static void cut(const char *path, size_t size) {
    if (truncate(path, (off_t)size) != 0) {
        perror(path);
        exit(2);
    }
}

/* Overwrites four bytes. */
static void patch(const char *path, size_t offset, const void *bytes) {
    FILE *file = fopen(path, "r+b");

    if (file == NULL || fseek(file, (long)offset, SEEK_SET) != 0 || fwrite(bytes, 4, 1, file) != 1 ||
        fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

static bool is_later_version(struct bytes model) {
    return memcmp(model.data, "24ka", 4) == 0;
}

static void refuses(struct bytes cut_off) {
    tsws_model model = {.file = {cut_off.data, cut_off.size}, .path = (char[]){"cut.bin"}};
    tsws_error error;

    CHECK(tsws_model_read(&model, &error) == TSWS_ERROR_FORMAT);
    CHECK(strncmp(error.message, "cut.bin: the file ", 18) == 0);
    free(model.layers);
    free(model.scales);
}

/* What is read of a short one has to lie within it: sanitizers see the end of a block. */
static void every_cut_is_refused(struct bytes original) {
    for (size_t size = 1; size < original.size; size++) {
        if (size <= LATER_HEADER_SIZE) {
            struct bytes copy = {malloc(size), size};

            if (copy.data == NULL) {
                exit(2);
            }
            memcpy(copy.data, original.data, size);
            refuses(copy);
            free(copy.data);
        } else {
            refuses((struct bytes){original.data, size});
        }
    }
}

/* The same, fewer times, with files. */
static void cut_models_are_refused(struct bytes original) {
    write_file("cut.bin", original.data, original.size);
    for (size_t size = original.size - 1; size > 0; size -= size > 2 * FILE_STRIDE ? FILE_STRIDE : 1) {
        tsws_model *model;
        tsws_error error;

        cut("cut.bin", size);
        if (!CHECK(tsws_model_open("cut.bin", NULL, &model, &error) == TSWS_ERROR_FORMAT)) {
            tsws_model_close(model);
        } else {
            CHECK(strncmp(error.message, "cut.bin: the file ", 18) == 0);
        }
    }
}

/* A cut between two pieces leaves a shorter tokenizer, which then does not fit the model. */
static void cut_tokenizers_are_refused(struct bytes original, const tsws_model *model) {
    write_file("cut.bin", original.data, original.size);
    for (size_t size = original.size - 1; size > 0; size--) {
        tsws_tokenizer *tokenizer;
        tsws_error error;

        cut("cut.bin", size);
        if (tsws_tokenizer_open("cut.bin", &tokenizer, &error) == TSWS_OK) {
            CHECK(tsws_tokenizer_check(tokenizer, model, &error) == TSWS_ERROR_MISMATCH);
        }
        CHECK(strncmp(error.message, "cut.bin: ", 9) == 0);
        tsws_tokenizer_close(tokenizer);
    }
}

static void play_a_little(const tsws_model *model) {
    int32_t vocab_size = tsws_model_describe(model).vocab_size;
    tsws_session *session = NULL;
    tsws_sampler *sampler = NULL;
    int32_t token = 0;

    if (tsws_session_create(model, &(tsws_session_options){.max_positions = STEPS}, &session, NULL) == TSWS_OK &&
        tsws_sampler_create(vocab_size, tsws_sampler_defaults(), &sampler, NULL) == TSWS_OK) {
        for (int i = 0; i < STEPS && i < tsws_model_describe(model).max_seq_len; i++) {
            const float *logits = NULL;

            CHECK(tsws_session_step(session, token, &logits, NULL) == TSWS_OK);
            token = tsws_sampler_pick(sampler, logits);
            CHECK(token >= 0 && token < vocab_size);
        }
    }
    tsws_sampler_destroy(sampler);
    tsws_session_destroy(session);
}

/* Opens a file that was edited, plays it if that is possible, and says whether it was. */
static bool survives(const char *path, const tsws_model_options *options) {
    tsws_model *model;
    tsws_error error;

    if (tsws_model_open(path, options, &model, &error) != TSWS_OK) {
        CHECK(error.status == TSWS_ERROR_FORMAT);
        CHECK(strncmp(error.message, path, strlen(path)) == 0);
        return false;
    }
    play_a_little(model);
    tsws_model_close(model);
    return true;
}

/*
 * Every field, and with that every four bytes of a header, takes odd values and loses or gains each bit. Only a
 * context can change alone without changing the file's length, and only in later versions, which have no tables of it;
 * nobody reads what stands behind the fields.
 */
static void edited_headers_are_refused(struct bytes original) {
    size_t context_at = is_later_version(original) ? 32 : SIZE_MAX;
    size_t fields_end = !is_later_version(original) ? HEADER_SIZE : original.data[4] == 2 ? 41 : 37;

    write_file("header.bin", original.data, original.size);
    for (size_t at = 0; at + 4 <= fields_end; at++) {
        for (size_t i = 0; i < N_VALUES + 32; i++) {
            uint32_t bits;
            bool other_context, opened;

            memcpy(&bits, original.data + at, sizeof bits);
            if (i < N_VALUES) {
                memcpy(&bits, &values[i], sizeof bits);
            } else {
                bits ^= UINT32_C(1) << (i - N_VALUES);
            }
            if (memcmp(&bits, original.data + at, sizeof bits) == 0) {
                continue;
            }
            patch("header.bin", at, &bits);
            opened = survives("header.bin", NULL);
            other_context = at + 4 > context_at && at < context_at + 4;
            CHECK(!opened || other_context);
            patch("header.bin", at, original.data + at);
        }
    }
}

/* Weights that are no numbers, or far too large, make a story senseless, not the program. */
static void edited_weights_do_not_crash(struct bytes original) {
    static const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1e-40f};
    enum { N_ODD = sizeof odd / sizeof odd[0], N_PLACES = 40 };

    size_t begin = is_later_version(original) ? LATER_HEADER_SIZE : HEADER_SIZE;

    write_file("weights.bin", original.data, original.size);
    for (size_t i = 0; i < N_PLACES; i++) {
        const tsws_model_options options = {.precision = (tsws_precision)(i / N_ODD % 3)};
        size_t offset = begin + i * ((original.size - begin) / N_PLACES / 4 * 4);

        patch("weights.bin", offset, &odd[i % N_ODD]);
        CHECK(survives("weights.bin", &options));
        patch("weights.bin", offset, original.data + offset);
    }
}

static void edited_tokenizers_do_not_crash(struct bytes original) {
    static const char text[] = "Once upon a time, caf\xc3\xa9 \xff\n<0x41>";
    uint32_t state = 7;

    write_file("piece.bin", original.data, original.size);
    for (int round = 0; round < 2000; round++) {
        tsws_tokenizer *tokenizer;
        uint32_t bits;
        size_t at;

        state = state * 1664525u + 1013904223u;
        at = (state >> 4) % (original.size - 3);
        memcpy(&bits, original.data + at, sizeof bits);
        if (round % 2 == 0) {
            memcpy(&bits, &values[(state >> 20) % N_VALUES], sizeof bits);
        } else {
            bits ^= UINT32_C(1) << (state >> 27);
        }
        patch("piece.bin", at, &bits);
        if (tsws_tokenizer_open("piece.bin", &tokenizer, NULL) == TSWS_OK) {
            int32_t tokens[sizeof text + 2];
            size_t count = 0;

            CHECK(tsws_tokenizer_encode(tokenizer, text, sizeof text, tokens, sizeof text + 2, &count, NULL) ==
                  TSWS_OK);
            for (size_t i = 1; i < count; i++) {
                (void)tsws_tokenizer_decode(tokenizer, tokens[i - 1], tokens[i], TSWS_STYLE_PRETTY);
            }
        }
        tsws_tokenizer_close(tokenizer);
        patch("piece.bin", at, original.data + at);
    }
}

int main(int argc, char **argv) {
    struct bytes model_bytes, tokenizer_bytes;
    tsws_model *model = NULL;

    if (argc != 3) {
        (void)fprintf(stderr, "usage: robustness MODEL TOKENIZER\n");
        return 2;
    }
    model_bytes = read_file(argv[1]);
    tokenizer_bytes = read_file(argv[2]);
    every_cut_is_refused(model_bytes);
    cut_models_are_refused(model_bytes);
    edited_headers_are_refused(model_bytes);
    edited_weights_do_not_crash(model_bytes);
    if (CHECK(tsws_model_open(argv[1], NULL, &model, NULL) == TSWS_OK)) {
        cut_tokenizers_are_refused(tokenizer_bytes, model);
    }
    edited_tokenizers_do_not_crash(tokenizer_bytes);
    tsws_model_close(model);
    free(model_bytes.data);
    free(tokenizer_bytes.data);
    return check_result();
}
