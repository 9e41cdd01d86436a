#include "corpus.h"

#include <stdlib.h>
#include <string.h>

static const char delimiter[] = "<|endoftext|>";

enum { DELIMITER_LENGTH = sizeof delimiter - 1, TOKEN_BYTES = 2 };

/* ---- Texts ---- */

/* "\r\n" becomes "\n", in place. */
static void unify_line_ends(run_buffer *read) {
    size_t kept = 0;

    for (size_t i = 0; i < read->length; i++) {
        if (read->bytes[i] != '\r' || i + 1 == read->length || read->bytes[i + 1] != '\n') {
            read->bytes[kept++] = read->bytes[i];
        }
    }
    read->length = kept;
}

static bool is_space(char byte) {
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

/* Where the story at `text` ends: at the next delimiter, or with the text. */
static size_t story_length(const char *text, size_t length) {
    const char *at = text;

    while ((at = memchr(at, delimiter[0], length - (size_t)(at - text))) != NULL) {
        size_t rest = length - (size_t)(at - text);

        if (rest < DELIMITER_LENGTH) {
            break;
        }
        if (memcmp(at, delimiter, DELIMITER_LENGTH) == 0) {
            return (size_t)(at - text);
        }
        at++;
    }
    return length;
}

static tsws_status next_text(const run_program *program, run_corpus *corpus, bool *found, tsws_error *error) {
    while (corpus->at < corpus->read.length) {
        const char *text = corpus->read.bytes + corpus->at;
        size_t rest = corpus->read.length - corpus->at;
        size_t length = story_length(text, rest);

        corpus->at += length + (length < rest ? DELIMITER_LENGTH : 0);
        while (length > 0 && is_space(text[0])) {
            text++;
            length--;
        }
        while (length > 0 && is_space(text[length - 1])) {
            length--;
        }
        if (length > 0) {
            *found = true;
            corpus->n_bytes = length;
            return run_encode(program, text, length, &corpus->tokens, &corpus->n_tokens, error);
        }
    }
    return TSWS_OK;
}

/* ---- Shards ---- */

static int32_t token_at(const run_corpus *corpus, size_t byte) {
    const unsigned char *bytes = (const unsigned char *)corpus->read.bytes + byte;

    return bytes[0] | bytes[1] << 8; /* little endian */
}

/* Bytes that people would see of the story: an unknown character counts as one. */
static size_t shown_bytes(const run_program *program, const run_corpus *corpus) {
    size_t bytes = 0;

    for (size_t i = 1; i < corpus->n_tokens; i++) {
        tsws_piece piece = tsws_tokenizer_decode(program->tokenizer, corpus->tokens[i - 1], corpus->tokens[i],
                                                 TSWS_STYLE_PRETTY);

        bytes += corpus->tokens[i] == TSWS_UNK ? 1 : piece.length;
    }
    return bytes;
}

static tsws_status next_of_shard(const run_program *program, run_corpus *corpus, bool *found, tsws_error *error) {
    size_t end = corpus->at + TOKEN_BYTES;

    if (corpus->at == corpus->read.length) {
        return TSWS_OK;
    }
    while (end < corpus->read.length && token_at(corpus, end) != TSWS_BOS) {
        end += TOKEN_BYTES;
    }
    corpus->n_tokens = (end - corpus->at) / TOKEN_BYTES;
    free(corpus->tokens);
    corpus->tokens = malloc(corpus->n_tokens * sizeof *corpus->tokens);
    if (corpus->tokens == NULL) {
        return run_fail(error, TSWS_ERROR_MEMORY, "memory is short for a story of %zu tokens", corpus->n_tokens);
    }
    for (size_t i = 0; i < corpus->n_tokens; i++) {
        int32_t token = token_at(corpus, corpus->at + i * TOKEN_BYTES);

        if (token >= program->info.vocab_size) {
            return run_fail(error, TSWS_ERROR_FORMAT,
                            "%s: token %d at %zu is outside the model's vocabulary of %d; "
                            "take a shard of its tokenizer",
                            program->options.scored, (int)token, corpus->at / TOKEN_BYTES + i,
                            (int)program->info.vocab_size);
        }
        corpus->tokens[i] = token;
    }
    corpus->at = end;
    corpus->n_bytes = shown_bytes(program, corpus);
    *found = true;
    return TSWS_OK;
}

/* ---- The whole ---- */

static bool names_a_shard(const char *path) {
    size_t length = strlen(path);

    return length >= 4 && strcmp(path + length - 4, ".bin") == 0;
}

tsws_status run_corpus_read(const run_program *program, run_corpus *corpus, tsws_error *error) {
    static const char mark[] = "\xEF\xBB\xBF"; /* of the byte order, which some editors put first */
    const run_options *options = &program->options;
    tsws_status status = run_buffer_read(&corpus->read, options->scored, error);

    if (status != TSWS_OK) {
        return status;
    }
    corpus->is_shard = options->format == RUN_FORMAT_SHARD ||
                       (options->format == RUN_FORMAT_BY_NAME && names_a_shard(options->scored));
    if (!corpus->is_shard) {
        unify_line_ends(&corpus->read);
        corpus->at = corpus->read.length >= 3 && memcmp(corpus->read.bytes, mark, 3) == 0 ? 3 : 0;
        return TSWS_OK;
    }
    if (corpus->read.length % TOKEN_BYTES != 0 || corpus->read.length == 0 || token_at(corpus, 0) != TSWS_BOS) {
        return run_fail(error, TSWS_ERROR_FORMAT,
                        "%s: is no shard: it has %zu bytes, and a shard is uint16 tokens, the first of which is 1; "
                        "--format text scores a text",
                        options->scored, corpus->read.length);
    }
    return TSWS_OK;
}

tsws_status run_corpus_next(const run_program *program, run_corpus *corpus, bool *found, tsws_error *error) {
    *found = false;
    return corpus->is_shard ? next_of_shard(program, corpus, found, error) : next_text(program, corpus, found, error);
}

void run_corpus_free(run_corpus *corpus) {
    run_buffer_free(&corpus->read);
    free(corpus->tokens);
}
