#include "check.h"
#include "files.h"
#include "tokenizer.h"

#include <unistd.h>

static const char *const pieces[] = {"<unk>", "\n<s>\n", "\n</s>\n", " ", "a", "b", "ab", "b", "\xc3\xa9"};
enum { N_PIECES = sizeof pieces / sizeof pieces[0] };

static tsws_piece piece_of(const char *text) {
    return (tsws_piece){text, strlen(text)};
}

static int32_t find(const tsws_tokenizer *tokenizer, const char *left, const char *right) {
    return tsws_tokenizer_find(tokenizer, piece_of(left), piece_of(right));
}

static void pieces_are_found_by_their_text(void) {
    tsws_tokenizer *tokenizer;

    write_tokenizer("pieces.bin", pieces, NULL, N_PIECES);
    if (!CHECK(tsws_tokenizer_open("pieces.bin", &tokenizer, NULL) == TSWS_OK)) {
        return;
    }
    CHECK(tsws_tokenizer_vocab_size(tokenizer) == N_PIECES);
    CHECK(find(tokenizer, "a", "") == 4);
    CHECK(find(tokenizer, "a", "b") == 6);
    CHECK(find(tokenizer, "", "ab") == 6);
    CHECK(find(tokenizer, "b", "") == 5); /* the first of two */
    CHECK(find(tokenizer, "b", "a") == -1);
    CHECK(find(tokenizer, "", "") == -1);
    CHECK(!tokenizer->has_byte_pieces && !tokenizer->has_newline);
    CHECK_NEAR(tokenizer->entries[6].score, -6, 0);
    tsws_tokenizer_close(tokenizer);
}

static void byte_pieces_are_noticed(void) {
    const char *const newline[] = {"<unk>", "\n"};
    tsws_tokenizer *tokenizer;

    write_byte_tokenizer("bytes.bin", NULL, 0);
    if (CHECK(tsws_tokenizer_open("bytes.bin", &tokenizer, NULL) == TSWS_OK)) {
        CHECK(tokenizer->has_byte_pieces && tokenizer->has_newline);
        CHECK(tsws_tokenizer_vocab_size(tokenizer) == 259);
    }
    tsws_tokenizer_close(tokenizer);
    write_tokenizer("newline.bin", newline, NULL, 2);
    if (CHECK(tsws_tokenizer_open("newline.bin", &tokenizer, NULL) == TSWS_OK)) {
        CHECK(!tokenizer->has_byte_pieces && tokenizer->has_newline);
    }
    tsws_tokenizer_close(tokenizer);
}

static void refused(const void *bytes, size_t size, const char *message) {
    tsws_tokenizer *tokenizer = (tsws_tokenizer *)&tokenizer;
    tsws_error error;

    write_file("edited.bin", bytes, size);
    CHECK(tsws_tokenizer_open("edited.bin", &tokenizer, &error) == TSWS_ERROR_FORMAT);
    CHECK_TEXT(error.message, message);
    CHECK(tokenizer == NULL);
}

static void broken_files_are_refused(void) {
    struct {
        int32_t longest;
        float score;
        int32_t length;
        char text[4];
        float next_score;
    } file = {4, 0.0f, 4, "abc", 0.0f};

    refused(&file, 1, "edited.bin: the file ends after 1 bytes, inside piece 0");
    refused(&file, 15, "edited.bin: the file ends after 15 bytes, inside piece 0");
    refused(&file, sizeof file, "edited.bin: the file ends after 20 bytes, inside piece 1");
    file.length = 5;
    refused(&file, 16, "edited.bin: not a llama2.c tokenizer: piece 0 has a length of 5, but 1 to 4 is possible");
    file.length = 0;
    refused(&file, 16, "edited.bin: not a llama2.c tokenizer: piece 0 has a length of 0, but 1 to 4 is possible");
    file.length = -1;
    refused(&file, 16, "edited.bin: not a llama2.c tokenizer: piece 0 has a length of -1, but 1 to 4 is possible");
    file.longest = file.length = INT32_MAX;
    refused(&file, 16, "edited.bin: the file ends after 16 bytes, inside piece 0");
    file.longest = -7;
    refused(&file, 16,
            "edited.bin: not a llama2.c tokenizer: its header says that the longest piece has a length of -7");
}

/* The file is one hole: it takes no room on the disk. Where there can be no such file, there is nothing to refuse. */
static void more_pieces_than_numbers_are_refused(void) {
    const int32_t longest = 4;
    const int64_t size = (int64_t)INT32_MAX * 9;
    tsws_tokenizer *tokenizer = (tsws_tokenizer *)&tokenizer;
    tsws_error error;

    write_file("huge.bin", &longest, sizeof longest);
    if (sizeof(off_t) >= sizeof size && truncate("huge.bin", (off_t)size) == 0) {
        CHECK(tsws_tokenizer_open("huge.bin", &tokenizer, &error) == TSWS_ERROR_FORMAT);
        CHECK_TEXT(error.message, "huge.bin: 19327352823 bytes are more than any llama2.c tokenizer has");
        CHECK(tokenizer == NULL);
    }
    CHECK(unlink("huge.bin") == 0);
}

static void a_piece_ends_at_a_nul(void) {
    const struct {
        int32_t longest;
        float score;
        int32_t length;
        char text[4];
    } file = {4, 0.0f, 4, {'a', '\0', 'b', 'c'}};
    tsws_tokenizer *tokenizer;

    write_file("nul.bin", &file, sizeof file);
    if (CHECK(tsws_tokenizer_open("nul.bin", &tokenizer, NULL) == TSWS_OK)) {
        CHECK(tsws_tokenizer_raw(tokenizer, 0).length == 1);
        CHECK(find(tokenizer, "a", "") == 0);
    }
    tsws_tokenizer_close(tokenizer);
}

static void a_model_of_another_vocabulary_is_refused(void) {
    const int32_t same[7] = {4, 4, 1, 2, 2, N_PIECES, 4};
    const int32_t other[7] = {4, 4, 1, 2, 2, 300, 4};
    tsws_tokenizer *tokenizer = NULL;
    tsws_model *model = NULL;
    tsws_error error;

    write_tokenizer("pieces.bin", pieces, NULL, N_PIECES);
    write_v0_model("same.bin", same, NULL);
    write_v0_model("other.bin", other, NULL);
    if (CHECK(tsws_tokenizer_open("pieces.bin", &tokenizer, NULL) == TSWS_OK) &&
        CHECK(tsws_model_open("same.bin", NULL, &model, NULL) == TSWS_OK)) {
        CHECK(tsws_tokenizer_check(tokenizer, model, NULL) == TSWS_OK);
        tsws_model_close(model);
        CHECK(tsws_model_open("other.bin", NULL, &model, NULL) == TSWS_OK);
        CHECK(tsws_tokenizer_check(tokenizer, model, &error) == TSWS_ERROR_MISMATCH);
        CHECK_TEXT(error.message,
                   "pieces.bin: this tokenizer has 9 pieces, but the model other.bin has a vocabulary of 300");
    }
    tsws_model_close(model);
    tsws_tokenizer_close(tokenizer);
}

/* Each would have to pass all those before it if all were kept. */
static void many_equal_pieces_open_quickly(void) {
    enum { PIECES = 400000, RECORD = 9 };
    static unsigned char file[4 + PIECES * RECORD];
    const int32_t one = 1;
    tsws_tokenizer *tokenizer = NULL;

    memcpy(file, &one, sizeof one);
    for (size_t i = 0; i < PIECES; i++) {
        memcpy(file + 4 + i * RECORD + 4, &one, sizeof one);
        file[4 + i * RECORD + 8] = 'a';
    }
    write_file("equal.bin", file, sizeof file);
    if (CHECK(tsws_tokenizer_open("equal.bin", &tokenizer, NULL) == TSWS_OK)) {
        CHECK(tsws_tokenizer_vocab_size(tokenizer) == PIECES);
        CHECK(tsws_tokenizer_find(tokenizer, (tsws_piece){"a", 1}, (tsws_piece){"", 0}) == 0);
        CHECK(tsws_tokenizer_decode(tokenizer, 0, PIECES - 1, TSWS_STYLE_LLAMA2C).length == 1);
    }
    tsws_tokenizer_close(tokenizer);
}

int main(void) {
    pieces_are_found_by_their_text();
    byte_pieces_are_noticed();
    broken_files_are_refused();
    more_pieces_than_numbers_are_refused();
    a_piece_ends_at_a_nul();
    a_model_of_another_vocabulary_is_refused();
    tsws_tokenizer_close(NULL);
    many_equal_pieces_open_quickly();
    return check_result();
}
