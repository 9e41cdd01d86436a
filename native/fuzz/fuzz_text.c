/* Any bytes as a text: with byte pieces it comes back to the byte, without them it becomes known pieces. */
#include "files.h"
#include "target.h"
#include "tokenizer.h"

#include <stdlib.h>
#include <string.h>

/* Opened once; what they are made of overlaps in many ways. */
struct vocabularies {
    tsws_tokenizer *with_bytes, *without_bytes;
};

static tsws_tokenizer *opened(const char *path) {
    tsws_tokenizer *tokenizer = NULL;

    REQUIRE(tsws_tokenizer_open(path, &tokenizer, NULL) == TSWS_OK);
    return tokenizer;
}

static const struct vocabularies *vocabularies(void) {
    static const char *const pieces[] = {"<unk>", "B",   "E",  " ",   "a",    "b",   "aa",       "ab",       "ba",
                                         " a",    "aab", "bb", "aba", "aaaa", " ab", "\xc3\xa9", "a\xc3\xa9"};
    static const float scores[] = {0, 0, 0, 0, 0, 0, -3, -1, -1, -2, -7, -1, -5, -1e9f, 4, 0, -2};
    static struct vocabularies all;

    if (all.with_bytes == NULL) {
        write_tokenizer("without_bytes.bin", pieces, scores, sizeof pieces / sizeof pieces[0]);
        write_byte_tokenizer("with_bytes.bin", pieces + 3, (int32_t)(sizeof pieces / sizeof pieces[0]) - 3);
        all.without_bytes = opened("without_bytes.bin");
        all.with_bytes = opened("with_bytes.bin");
    }
    return &all;
}

static void check_round_trip(const tsws_tokenizer *tokenizer, const char *text, size_t length) {
    size_t capacity = tsws_tokenizer_bound(length), count = 0, n = 0;
    int32_t *tokens = malloc(capacity * sizeof *tokens);
    char *back = malloc(length + 1);

    REQUIRE(tokens != NULL && back != NULL);
    REQUIRE(tsws_tokenizer_encode(tokenizer, text, length, tokens, capacity, &count, NULL) == TSWS_OK);
    for (size_t i = 1; i < count; i++) {
        tsws_piece piece = tsws_tokenizer_raw(tokenizer, tokens[i]);
        char byte = (char)(tokens[i] - TSWS_FIRST_BYTE);

        if (tokens[i] >= TSWS_FIRST_BYTE && tokens[i] < TSWS_FIRST_BYTE + 256) {
            piece = (tsws_piece){&byte, 1};
        }
        REQUIRE(n + piece.length <= length + 1);
        memcpy(back + n, piece.text, piece.length);
        n += piece.length;
    }
    REQUIRE(length == 0 || (n == length + 1 && back[0] == ' ' && memcmp(back + 1, text, length) == 0));
    free(back);
    free(tokens);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    const struct vocabularies *all = vocabularies();

    (void)fuzz_file(data, size); /* to have it after a crash */
    fuzz_encode(all->with_bytes, text, size);
    fuzz_encode(all->without_bytes, text, size);
    check_round_trip(all->with_bytes, text, size);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    (void)seed;
    return LLVMFuzzerMutate(data, size, max_size);
}
