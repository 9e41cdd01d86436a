/* Any bytes as a tokenizer file: refused with a message that names it, or good for any text, its own bytes among them. */
#include "target.h"

#include <string.h>

enum { OWN_TEXT = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char story[] = "Once upon a time, there was a caf\xc3\xa9.\n<0x41> \xf0\x9f\x90\x88 \xff\xe2\x96";
    const char *path = fuzz_file(data, size);
    size_t own = size < OWN_TEXT ? size : OWN_TEXT;
    tsws_tokenizer *tokenizer = NULL;
    tsws_error error;

    if (tsws_tokenizer_open(path, &tokenizer, &error) != TSWS_OK) {
        REQUIRE(tokenizer == NULL);
        REQUIRE(error.status == TSWS_ERROR_FORMAT && strncmp(error.message, path, strlen(path)) == 0);
        return 0;
    }
    REQUIRE(tsws_tokenizer_vocab_size(tokenizer) >= 1);
    fuzz_encode(tokenizer, NULL, 0);
    fuzz_encode(tokenizer, story, sizeof story); /* with its NUL */
    fuzz_encode(tokenizer, (const char *)data + size - own, own);
    for (int32_t token = -1; token <= tsws_tokenizer_vocab_size(tokenizer); token++) {
        (void)tsws_tokenizer_decode(tokenizer, TSWS_BOS, token, TSWS_STYLE_PRETTY);
    }
    tsws_tokenizer_close(tokenizer);
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed) {
    (void)seed;
    return LLVMFuzzerMutate(data, size, max_size);
}
