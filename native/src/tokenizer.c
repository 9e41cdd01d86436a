/*
 * llama2.c's tokenizer format. Little-endian, no magic:
 *
 *     int32 length of the longest piece
 *     for every piece, to the end of the file: float32 score, int32 length, the bytes
 */
#include "tokenizer.h"
#include "model.h"
#include "size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RECORD_HEADER_SIZE = 8, MIN_RECORD_SIZE = RECORD_HEADER_SIZE + 1 };

/* ---- Finding pieces by their text ---- */

/* FNV-1a, 64 bits (Fowler, Noll, Vo). */
static uint64_t hash_piece(uint64_t hash, tsws_piece piece) {
    for (size_t i = 0; i < piece.length; i++) {
        hash = (hash ^ (unsigned char)piece.text[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static size_t first_slot(const tsws_tokenizer *tokenizer, tsws_piece left, tsws_piece right) {
    uint64_t hash = hash_piece(hash_piece(UINT64_C(0xcbf29ce484222325), left), right);

    return (size_t)(hash ^ (hash >> 32)) & tokenizer->slot_mask;
}

static bool is_concatenation(tsws_piece whole, tsws_piece left, tsws_piece right) {
    return whole.length == left.length + right.length && memcmp(whole.text, left.text, left.length) == 0 &&
           memcmp(whole.text + left.length, right.text, right.length) == 0;
}

int32_t tsws_tokenizer_find(const tsws_tokenizer *tokenizer, tsws_piece left, tsws_piece right) {
    size_t slot = first_slot(tokenizer, left, right);

    while (tokenizer->slots[slot] >= 0) {
        if (is_concatenation(tsws_tokenizer_raw(tokenizer, tokenizer->slots[slot]), left, right)) {
            return tokenizer->slots[slot];
        }
        slot = (slot + 1) & tokenizer->slot_mask;
    }
    return -1;
}

tsws_piece tsws_tokenizer_raw(const tsws_tokenizer *tokenizer, int32_t token) {
    const tsws_entry *entry = &tokenizer->entries[token];

    return (tsws_piece){entry->text, entry->length};
}

static tsws_status index_pieces(tsws_tokenizer *tokenizer, tsws_error *error) {
    const tsws_piece nothing = {"", 0};
    size_t n_slots = 2;

    while (n_slots < 2 * (size_t)tokenizer->vocab_size) {
        n_slots *= 2;
    }
    tokenizer->slots = malloc(n_slots * sizeof *tokenizer->slots);
    if (tokenizer->slots == NULL) {
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for %" PRId32 " pieces", tokenizer->path,
                         tokenizer->vocab_size);
    }
    tokenizer->slot_mask = n_slots - 1;
    for (size_t i = 0; i < n_slots; i++) {
        tokenizer->slots[i] = -1;
    }
    for (int32_t token = 0; token < tokenizer->vocab_size; token++) {
        tsws_piece piece = tsws_tokenizer_raw(tokenizer, token);
        size_t slot = first_slot(tokenizer, piece, nothing);

        while (tokenizer->slots[slot] >= 0 &&
               !is_concatenation(tsws_tokenizer_raw(tokenizer, tokenizer->slots[slot]), piece, nothing)) {
            slot = (slot + 1) & tokenizer->slot_mask;
        }
        if (tokenizer->slots[slot] < 0) { /* of equal pieces only the first: a million of them must not take forever */
            tokenizer->slots[slot] = token;
        }
    }
    return TSWS_OK;
}

/* ---- Reading the file ---- */

static tsws_status fail_cut(const tsws_tokenizer *tokenizer, int32_t token, tsws_error *error) {
    return tsws_fail(error, TSWS_ERROR_FORMAT, "%s: the file ends after %zu bytes, inside piece %" PRId32,
                     tokenizer->path, tokenizer->file.size, token);
}

/* Reads the piece at *offset and moves on. */
static tsws_status read_piece(tsws_tokenizer *tokenizer, int32_t longest, size_t *offset, tsws_error *error) {
    const unsigned char *bytes = tokenizer->file.bytes + *offset;
    size_t left = tokenizer->file.size - *offset;
    int32_t token = tokenizer->vocab_size;
    tsws_entry *entry = &tokenizer->entries[token];
    int32_t length;
    const void *end;

    if (left < RECORD_HEADER_SIZE) {
        return fail_cut(tokenizer, token, error);
    }
    memcpy(&entry->score, bytes, 4);
    memcpy(&length, bytes + 4, 4);
    if (length < 1 || length > longest) {
        return tsws_fail(error, TSWS_ERROR_FORMAT,
                         "%s: not a llama2.c tokenizer: piece %" PRId32 " has a length of %" PRId32
                         ", but 1 to %" PRId32 " is possible",
                         tokenizer->path, token, length, longest);
    }
    if ((size_t)length > left - RECORD_HEADER_SIZE) {
        return fail_cut(tokenizer, token, error);
    }
    entry->text = (const char *)bytes + RECORD_HEADER_SIZE;
    end = memchr(entry->text, '\0', (size_t)length); /* for llama2.c, a NUL ends the text */
    entry->length = end == NULL ? (uint32_t)length : (uint32_t)((const char *)end - entry->text);
    *offset += RECORD_HEADER_SIZE + (size_t)length;
    tokenizer->vocab_size++;
    return TSWS_OK;
}

static bool is_byte_piece(tsws_piece piece, unsigned byte) {
    static const char digits[] = "0123456789ABCDEF";
    const char expected[] = {'<', '0', 'x', digits[byte / 16], digits[byte % 16], '>'};

    return piece.length == sizeof expected && memcmp(piece.text, expected, sizeof expected) == 0;
}

static void note_special_pieces(tsws_tokenizer *tokenizer) {
    const tsws_piece newline = {"\n", 1};
    const tsws_piece nothing = {"", 0};

    tokenizer->has_byte_pieces = tokenizer->vocab_size >= TSWS_FIRST_BYTE + 256;
    for (unsigned byte = 0; byte < 256 && tokenizer->has_byte_pieces; byte++) {
        tokenizer->has_byte_pieces =
            is_byte_piece(tsws_tokenizer_raw(tokenizer, TSWS_FIRST_BYTE + (int32_t)byte), byte);
    }
    tokenizer->has_newline = tokenizer->has_byte_pieces || tsws_tokenizer_find(tokenizer, newline, nothing) >= 0;
}

static tsws_status read_pieces(tsws_tokenizer *tokenizer, tsws_error *error) {
    size_t most = tokenizer->file.size / MIN_RECORD_SIZE;
    size_t offset = sizeof(int32_t);
    int32_t longest;
    tsws_status status = TSWS_OK;

    if (tokenizer->file.size < sizeof longest + MIN_RECORD_SIZE) {
        return fail_cut(tokenizer, 0, error);
    }
    memcpy(&longest, tokenizer->file.bytes, sizeof longest);
    if (most >= INT32_MAX) {
        return tsws_fail(error, TSWS_ERROR_FORMAT, "%s: %zu bytes are more than any llama2.c tokenizer has",
                         tokenizer->path, tokenizer->file.size);
    }
    if (longest < 1) {
        return tsws_fail(error, TSWS_ERROR_FORMAT,
                         "%s: not a llama2.c tokenizer: its header says that the longest piece"
                         " has a length of %" PRId32,
                         tokenizer->path, longest);
    }
    tokenizer->entries = malloc(tsws_size_mul(most, sizeof *tokenizer->entries));
    if (tokenizer->entries == NULL) {
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for its pieces", tokenizer->path);
    }
    while (status == TSWS_OK && offset < tokenizer->file.size) {
        status = read_piece(tokenizer, longest, &offset, error);
    }
    return status;
}

tsws_status tsws_tokenizer_open(const char *path, tsws_tokenizer **tokenizer, tsws_error *error) {
    tsws_status status;
    tsws_tokenizer *opened = calloc(1, sizeof *opened);
    size_t path_size = strlen(path) + 1;

    *tokenizer = NULL;
    if (opened == NULL || (opened->path = malloc(path_size)) == NULL) {
        tsws_tokenizer_close(opened);
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short", path);
    }
    memcpy(opened->path, path, path_size);
    status = tsws_file_open(path, &opened->file, error);
    if (status == TSWS_OK) {
        status = read_pieces(opened, error);
    }
    if (status == TSWS_OK) {
        status = index_pieces(opened, error);
    }
    if (status != TSWS_OK) {
        tsws_tokenizer_close(opened);
        return status;
    }
    note_special_pieces(opened);
    *tokenizer = opened;
    return TSWS_OK;
}

void tsws_tokenizer_close(tsws_tokenizer *tokenizer) {
    if (tokenizer == NULL) {
        return;
    }
    tsws_file_close(&tokenizer->file);
    free(tokenizer->slots);
    free(tokenizer->entries);
    free(tokenizer->path);
    free(tokenizer);
}

int32_t tsws_tokenizer_vocab_size(const tsws_tokenizer *tokenizer) {
    return tokenizer->vocab_size;
}

tsws_status tsws_tokenizer_check(const tsws_tokenizer *tokenizer, const tsws_model *model, tsws_error *error) {
    if (tokenizer->vocab_size == model->info.vocab_size) {
        return TSWS_OK;
    }
    return tsws_fail(error, TSWS_ERROR_MISMATCH,
                     "%s: this tokenizer has %" PRId32 " pieces, but the model %s has a"
                     " vocabulary of %" PRId32,
                     tokenizer->path, tokenizer->vocab_size, model->path, model->info.vocab_size);
}
