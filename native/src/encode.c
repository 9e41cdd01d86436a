/*
 * From text to tokens: characters first, then byte-pair merges (Sennrich et al. 2016), the best score first and of
 * equal scores the leftmost. Tokens form a linked list and possible merges a heap, so a text of n characters
 * takes n log n steps. A merge in the heap whose tokens have been merged otherwise meanwhile is stale and skipped.
 */
#include "size.h"
#include "tokenizer.h"

#include <stdlib.h>

#define NONE INT32_MAX
/* llama2.c makes no merges with worse scores. */
#define WORST_SCORE (-1e10f)

struct symbol {
    int32_t token;          /* -1 when merged into the symbol before */
    int32_t previous, next; /* places in the list, or NONE */
};

struct merge {
    float score;
    int32_t place;               /* of the left symbol */
    int32_t left, right, merged; /* tokens */
};

struct encoder {
    const tsws_tokenizer *tokenizer;
    struct symbol *symbols; /* in the order of the text */
    int32_t n_symbols;
    struct merge *heap; /* the best at 0 */
    size_t n_merges;
};

/* ---- Characters ---- */

/* Bytes of the character at the start of a text: a lead byte and its continuation bytes, four at most. */
static size_t character_length(const char *text, size_t length) {
    size_t n = 1;

    while (n < length && n < 4 && ((unsigned char)text[n] & 0xC0) == 0x80) {
        n++;
    }
    return n;
}

static void append_symbol(struct encoder *encoder, int32_t token) {
    encoder->symbols[encoder->n_symbols++].token = token;
}

static void append_character(struct encoder *encoder, const char *text, size_t length) {
    const tsws_piece nothing = {"", 0};
    int32_t token = tsws_tokenizer_find(encoder->tokenizer, (tsws_piece){text, length}, nothing);

    if (token >= 0) {
        append_symbol(encoder, token);
    } else if (encoder->tokenizer->has_byte_pieces) {
        for (size_t i = 0; i < length; i++) {
            append_symbol(encoder, TSWS_FIRST_BYTE + (unsigned char)text[i]);
        }
    } else if (encoder->n_symbols == 0 || encoder->symbols[encoder->n_symbols - 1].token != TSWS_UNK) {
        append_symbol(encoder, TSWS_UNK);
    }
}

static void append_text(struct encoder *encoder, const char *text, size_t length) {
    append_character(encoder, " ", 1);
    for (size_t at = 0; at < length;) {
        size_t n = character_length(text + at, length - at);

        append_character(encoder, text + at, n);
        at += n;
    }
    for (int32_t i = 0; i < encoder->n_symbols; i++) {
        encoder->symbols[i].previous = i == 0 ? NONE : i - 1;
        encoder->symbols[i].next = i + 1 < encoder->n_symbols ? i + 1 : NONE;
    }
}

/* ---- Merges ---- */

static bool is_better(const struct merge *a, const struct merge *b) {
    return a->score > b->score || (a->score >= b->score && a->place < b->place);
}

static void push_merge(struct encoder *encoder, struct merge added) {
    size_t at = encoder->n_merges++;

    while (at > 0 && is_better(&added, &encoder->heap[(at - 1) / 2])) {
        encoder->heap[at] = encoder->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    encoder->heap[at] = added;
}

static struct merge pop_merge(struct encoder *encoder) {
    struct merge best = encoder->heap[0];
    struct merge last = encoder->heap[--encoder->n_merges];
    size_t at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < encoder->n_merges && is_better(&encoder->heap[child + 1], &encoder->heap[child])) {
            child++;
        }
        if (child >= encoder->n_merges || !is_better(&encoder->heap[child], &last)) {
            break;
        }
        encoder->heap[at] = encoder->heap[child];
        at = child;
    }
    encoder->heap[at] = last;
    return best;
}

/* Remembers that the symbol at `place` could merge with the next one, if it can. */
static void offer_merge(struct encoder *encoder, int32_t place) {
    const tsws_tokenizer *tokenizer = encoder->tokenizer;
    struct merge offered;

    if (place == NONE || encoder->symbols[place].next == NONE) {
        return;
    }
    offered.place = place;
    offered.left = encoder->symbols[place].token;
    offered.right = encoder->symbols[encoder->symbols[place].next].token;
    offered.merged = tsws_tokenizer_find(tokenizer, tsws_tokenizer_raw(tokenizer, offered.left),
                                         tsws_tokenizer_raw(tokenizer, offered.right));
    if (offered.merged < 0) {
        return;
    }
    offered.score = tokenizer->entries[offered.merged].score;
    if (offered.score > WORST_SCORE) { /* not so for a score that is not a number */
        push_merge(encoder, offered);
    }
}

static bool is_stale(const struct encoder *encoder, const struct merge *merge) {
    const struct symbol *left = &encoder->symbols[merge->place];

    return left->token != merge->left || left->next == NONE || encoder->symbols[left->next].token != merge->right;
}

static void merge_all(struct encoder *encoder) {
    for (int32_t i = 0; i + 1 < encoder->n_symbols; i++) {
        offer_merge(encoder, i);
    }
    while (encoder->n_merges > 0) {
        struct merge best = pop_merge(encoder);
        struct symbol *left = &encoder->symbols[best.place];

        if (!is_stale(encoder, &best)) {
            struct symbol *right = &encoder->symbols[left->next];

            left->token = best.merged;
            left->next = right->next;
            right->token = -1;
            if (left->next != NONE) {
                encoder->symbols[left->next].previous = best.place;
            }
            offer_merge(encoder, left->previous);
            offer_merge(encoder, best.place);
        }
    }
}

/* ---- The whole ---- */

size_t tsws_tokenizer_bound(size_t length) {
    return tsws_size_add(length, 2); /* BOS and the space in front */
}

static tsws_status give_tokens(const struct encoder *encoder, int32_t *tokens, size_t capacity, size_t *count,
                               tsws_error *error) {
    size_t n = 0;

    for (int32_t i = 0; i < encoder->n_symbols; i++) {
        n += encoder->symbols[i].token >= 0;
    }
    if (n + 1 > capacity) {
        return tsws_fail(error, TSWS_ERROR_FULL, "the text has %zu tokens, but there is room for %zu", n + 1, capacity);
    }
    tokens[0] = TSWS_BOS;
    *count = 1;
    for (int32_t i = 0; i < encoder->n_symbols; i++) {
        if (encoder->symbols[i].token >= 0) {
            tokens[(*count)++] = encoder->symbols[i].token;
        }
    }
    return TSWS_OK;
}

tsws_status tsws_tokenizer_encode(const tsws_tokenizer *tokenizer, const char *text, size_t length, int32_t *tokens,
                                  size_t capacity, size_t *count, tsws_error *error) {
    struct encoder encoder = {.tokenizer = tokenizer};
    tsws_status status;

    if (length > 0) {
        size_t most = tsws_size_add(length, 1); /* symbols: the space in front */
        /* A merge that is made leaves the heap and offers two more at most; there are fewer of them than symbols. */
        size_t most_merges = tsws_size_mul(most, 2);

        if (most < INT32_MAX && most_merges <= PTRDIFF_MAX / sizeof(struct merge)) {
            encoder.symbols = malloc(most * sizeof(struct symbol));
            encoder.heap = malloc(most_merges * sizeof(struct merge));
        }
        if (encoder.symbols == NULL || encoder.heap == NULL) {
            free(encoder.symbols);
            free(encoder.heap);
            return tsws_fail(error, TSWS_ERROR_MEMORY, "memory is short to encode %zu bytes of text", length);
        }
        append_text(&encoder, text, length);
        merge_all(&encoder);
    }
    status = give_tokens(&encoder, tokens, capacity, count, error);
    free(encoder.symbols);
    free(encoder.heap);
    return status;
}
