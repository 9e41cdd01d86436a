/* What a tokenizer is inside: the mapped file, its pieces, and a table to find them by their text. */
#ifndef TSWS_TOKENIZER_H
#define TSWS_TOKENIZER_H

#include "file.h"

typedef struct tsws_entry {
    const char *text; /* in the file */
    uint32_t length;
    float score;
} tsws_entry;

struct tsws_tokenizer {
    tsws_file file;
    char *path;
    int32_t vocab_size;
    tsws_entry *entries; /* (vocab_size,) */
    int32_t *slots;      /* (slot_mask + 1,): tokens by hash of their text, -1 for none; at most half are taken */
    size_t slot_mask;    /* a power of two less one */
    bool has_byte_pieces;
    bool has_newline;
};

/* Token of the first byte piece, <0x00>; the others follow. */
enum { TSWS_FIRST_BYTE = 3 };

/* The token whose text is `left` followed by `right`, or -1. Of equal pieces, the first. */
int32_t tsws_tokenizer_find(const tsws_tokenizer *tokenizer, tsws_piece left, tsws_piece right);

/* The piece of a token of the vocabulary as it stands in the file. */
tsws_piece tsws_tokenizer_raw(const tsws_tokenizer *tokenizer, int32_t token);

#endif
