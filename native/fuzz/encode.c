/* What is true of the tokens of any text, whatever the tokenizer. */
#include "target.h"
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_FOR_REFERENCE = 300 }; /* bytes; its time grows with their square */

/*
 * llama2.c's rule as it is told, without any cleverness: over and over, of all neighbours whose text is a piece merge
 * those with the best score, of equal ones the first.
 */
static size_t merge_slowly(const tsws_tokenizer *tokenizer, int32_t *tokens, size_t n) {
    for (;;) {
        float best_score = -1e10f;
        size_t best = n;
        int32_t merged = -1;

        for (size_t i = 0; i + 1 < n; i++) {
            int32_t token = tsws_tokenizer_find(tokenizer, tsws_tokenizer_raw(tokenizer, tokens[i]),
                                                tsws_tokenizer_raw(tokenizer, tokens[i + 1]));

            if (token >= 0 && tokenizer->entries[token].score > best_score) {
                best_score = tokenizer->entries[token].score;
                best = i;
                merged = token;
            }
        }
        if (merged < 0) {
            return n;
        }
        tokens[best] = merged;
        memmove(tokens + best + 1, tokens + best + 2, (n - best - 2) * sizeof *tokens);
        n--;
    }
}

static size_t split_character(const tsws_tokenizer *tokenizer, const char *text, size_t length, int32_t *tokens,
                              size_t n) {
    int32_t token = tsws_tokenizer_find(tokenizer, (tsws_piece){text, length}, (tsws_piece){"", 0});

    if (token >= 0) {
        tokens[n++] = token;
    } else if (tokenizer->has_byte_pieces) {
        for (size_t i = 0; i < length; i++) {
            tokens[n++] = TSWS_FIRST_BYTE + (uint8_t)text[i];
        }
    } else if (n == 0 || tokens[n - 1] != TSWS_UNK) {
        tokens[n++] = TSWS_UNK;
    }
    return n;
}

static size_t encode_slowly(const tsws_tokenizer *tokenizer, const char *text, size_t length, int32_t *tokens) {
    size_t n = split_character(tokenizer, " ", 1, tokens, 0);

    for (size_t at = 0; at < length;) {
        size_t end = at + 1;

        while (end < length && end < at + 4 && ((uint8_t)text[end] & 0xC0) == 0x80) {
            end++;
        }
        n = split_character(tokenizer, text + at, end - at, tokens, n);
        at = end;
    }
    return merge_slowly(tokenizer, tokens, n);
}

static void check_against_reference(const tsws_tokenizer *tokenizer, const char *text, size_t length,
                                    const int32_t *tokens, size_t count) {
    int32_t *expected = malloc(tsws_tokenizer_bound(length) * sizeof *expected);
    size_t n;

    REQUIRE(expected != NULL);
    n = encode_slowly(tokenizer, text, length, expected);
    REQUIRE(count == n + 1 && memcmp(tokens + 1, expected, n * sizeof *expected) == 0);
    free(expected);
}

/* Reads every byte of what would be shown. */
static void check_shown(const tsws_tokenizer *tokenizer, int32_t previous, int32_t token) {
    for (int style = TSWS_STYLE_LLAMA2C; style <= TSWS_STYLE_PRETTY; style++) {
        tsws_piece piece = tsws_tokenizer_decode(tokenizer, previous, token, (tsws_style)style);

        REQUIRE(piece.length == 0 || memchr(piece.text, '\0', piece.length) == NULL);
    }
}

void fuzz_encode(const tsws_tokenizer *tokenizer, const char *text, size_t length) {
    size_t capacity = tsws_tokenizer_bound(length), count = 0;
    int32_t *tokens = malloc(capacity * sizeof *tokens);

    REQUIRE(tokens != NULL);
    REQUIRE(tsws_tokenizer_encode(tokenizer, text, length, tokens, capacity, &count, NULL) == TSWS_OK);
    REQUIRE(count >= 1 && count <= capacity && tokens[0] == TSWS_BOS);
    for (size_t i = 1; i < count; i++) {
        REQUIRE(tokens[i] >= 0 && tokens[i] < tsws_tokenizer_vocab_size(tokenizer));
        check_shown(tokenizer, tokens[i - 1], tokens[i]);
    }
    if (count > 1) {
        REQUIRE(tsws_tokenizer_encode(tokenizer, text, length, tokens, count - 1, &capacity, NULL) == TSWS_ERROR_FULL);
    }
    if (length > 0 && length <= LONGEST_FOR_REFERENCE) {
        check_against_reference(tokenizer, text, length, tokens, count);
    }
    free(tokens);
}
