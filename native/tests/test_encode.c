#include "check.h"
#include "files.h"

#include <stdlib.h>

static tsws_tokenizer *open_pieces(const char *const *pieces, const float *scores, int32_t count) {
    tsws_tokenizer *tokenizer = NULL;

    write_tokenizer("pieces.bin", pieces, scores, count);
    CHECK(tsws_tokenizer_open("pieces.bin", &tokenizer, NULL) == TSWS_OK);
    return tokenizer;
}

/* Checks the tokens after BOS; `expected` ends with -1. */
static void encodes(const tsws_tokenizer *tokenizer, const char *text, size_t length, const int32_t *expected) {
    int32_t tokens[64];
    size_t count = 0;
    size_t n = 0;

    CHECK(tsws_tokenizer_bound(length) <= 64);
    CHECK(tsws_tokenizer_encode(tokenizer, text, length, tokens, tsws_tokenizer_bound(length), &count, NULL) ==
          TSWS_OK);
    CHECK(count >= 1 && tokens[0] == TSWS_BOS);
    for (; expected[n] >= 0; n++) {
        CHECK(n + 1 < count && tokens[n + 1] == expected[n]);
    }
    CHECK(count == n + 1);
}

#define ENCODES(tokenizer, text, ...) encodes((tokenizer), (text), sizeof(text) - 1, (const int32_t[]){__VA_ARGS__, -1})

static void the_best_score_merges_first(void) {
    /*                             0        1    2     3    4    5    6    7     8     9      10 */
    const char *const pieces[] = {"<unk>", "B", "E", " ", "a", "b", "c", "ab", "bc", "abc", " a"};
    const float scores[] = {0, 0, 0, 0, 0, 0, 0, -2, -1, -3, -4};
    tsws_tokenizer *tokenizer = open_pieces(pieces, scores, 11);

    ENCODES(tokenizer, "", -1);
    ENCODES(tokenizer, "a", 10);
    ENCODES(tokenizer, "ab", 3, 7);      /* ab is better than " a" */
    ENCODES(tokenizer, "abc", 3, 9);     /* bc, then a + bc */
    ENCODES(tokenizer, "abbc", 3, 7, 8); /* bc, ab */
    ENCODES(tokenizer, "aab", 10, 7);
    tsws_tokenizer_close(tokenizer);
}

static void of_equal_scores_the_leftmost_merges(void) {
    const char *const pieces[] = {"<unk>", "B", "E", " ", "a", "aa", "aaaa"};
    const float scores[] = {0, 0, 0, 0, 0, 1, 1};
    tsws_tokenizer *tokenizer = open_pieces(pieces, scores, 7);

    ENCODES(tokenizer, "aaa", 3, 5, 4);
    ENCODES(tokenizer, "aaaaa", 3, 6, 4);
    ENCODES(tokenizer, "aaaaaaaa", 3, 6, 6);
    tsws_tokenizer_close(tokenizer);
}

static void hopeless_scores_never_merge(void) {
    const char *const pieces[] = {"<unk>", "B", "E", " ", "a", "b", "ab", "ba"};
    const float scores[] = {0, 0, 0, 0, 0, 0, -1e10f, NAN};
    tsws_tokenizer *tokenizer = open_pieces(pieces, scores, 8);

    ENCODES(tokenizer, "aba", 3, 4, 5, 4);
    tsws_tokenizer_close(tokenizer);
}

static void unknown_characters_become_bytes_where_there_are_bytes(void) {
    const char *const more[] = {" ", "a", "\xc3\xa9"};
    tsws_tokenizer *tokenizer = NULL;

    write_byte_tokenizer("bytes.bin", more, 3);
    if (!CHECK(tsws_tokenizer_open("bytes.bin", &tokenizer, NULL) == TSWS_OK)) {
        return;
    }
    ENCODES(tokenizer, "a", 259, 260);
    ENCODES(tokenizer, "\xc3\xa9", 259, 261);
    ENCODES(tokenizer, "\n", 259, 3 + 10);
    ENCODES(tokenizer, "\xc3\xb1", 259, 3 + 0xc3, 3 + 0xb1);
    ENCODES(tokenizer, "a\0a", 259, 260, 3, 260);
    ENCODES(tokenizer, "\xff\x80\x80\x80\x80", 259, 3 + 0xff, 3 + 0x80, 3 + 0x80, 3 + 0x80, 3 + 0x80);
    ENCODES(tokenizer, "\xc3", 259, 3 + 0xc3);
    tsws_tokenizer_close(tokenizer);
}

static void unknown_characters_become_unk_where_there_are_none(void) {
    const char *const pieces[] = {"<unk>", "B", "E", " ", "a"};
    const char *const spaceless[] = {"<unk>", "B", "E", "a"};
    tsws_tokenizer *tokenizer = open_pieces(pieces, NULL, 5);

    ENCODES(tokenizer, "\n", 3, 0);
    ENCODES(tokenizer, "a\n\t\xe6\x97\xa5 a", 3, 4, 0, 3, 4); /* a run gives one */
    tsws_tokenizer_close(tokenizer);
    tokenizer = open_pieces(spaceless, NULL, 4);
    ENCODES(tokenizer, "a b", 0, 3, 0);
    tsws_tokenizer_close(tokenizer);
}

static void a_small_buffer_is_not_overrun(void) {
    const char *const pieces[] = {"<unk>", "B", "E", " ", "a"};
    tsws_tokenizer *tokenizer = open_pieces(pieces, NULL, 5);
    int32_t tokens[3] = {-7, -7, -7};
    size_t count = 99;
    tsws_error error;

    CHECK(tsws_tokenizer_encode(tokenizer, "aa", 2, tokens, 3, &count, &error) == TSWS_ERROR_FULL);
    CHECK_TEXT(error.message, "the text has 4 tokens, but there is room for 3");
    CHECK(count == 99 && tokens[0] == -7);
    CHECK(tsws_tokenizer_encode(tokenizer, NULL, 0, tokens, 0, &count, &error) == TSWS_ERROR_FULL);
    CHECK(tsws_tokenizer_encode(tokenizer, NULL, 0, tokens, 1, &count, &error) == TSWS_OK && count == 1);
    tsws_tokenizer_close(tokenizer);
}

static void long_texts_are_quick(void) {
    const char *const pieces[] = {"<unk>", "B", "E", " ", "a", "aa", "aaaa", "aaaaaaaa"};
    tsws_tokenizer *tokenizer = open_pieces(pieces, NULL, 8);
    const size_t length = 1u << 20;
    size_t count = 0;
    char *text = malloc(length);
    int32_t *tokens = malloc(tsws_tokenizer_bound(length) * sizeof *tokens);

    if (CHECK(text != NULL && tokens != NULL)) {
        memset(text, 'a', length);
        CHECK(tsws_tokenizer_encode(tokenizer, text, length, tokens, length + 2, &count, NULL) == TSWS_OK);
        CHECK(count == 2 + length / 8 && tokens[2] == 7 && tokens[count - 1] == 7);
    }
    free(text);
    free(tokens);
    tsws_tokenizer_close(tokenizer);
}

int main(void) {
    the_best_score_merges_first();
    of_equal_scores_the_leftmost_merges();
    hopeless_scores_never_merge();
    unknown_characters_become_bytes_where_there_are_bytes();
    unknown_characters_become_unk_where_there_are_none();
    a_small_buffer_is_not_overrun();
    long_texts_are_quick();
    return check_result();
}
