/* Stories to score: of a text, or of a shard of tokens. */
#ifndef RUN_CORPUS_H
#define RUN_CORPUS_H

#include "buffer.h"
#include "program.h"

typedef struct run_corpus {
    run_buffer read; /* the whole file */
    size_t at;       /* bytes of it that were given */
    bool is_shard;
    int32_t *tokens; /* of the story that was given last */
    size_t n_tokens; /* at least 1: BOS is the first */
    size_t n_bytes;  /* of its text */
} run_corpus;

/*
 * Reads the file of --perplexity. `corpus` is all zero before, and is to be freed also after a failure.
 * Errors: IO, FORMAT (no shard of uint16 that begin with BOS), MEMORY.
 */
tsws_status run_corpus_read(const run_program *program, run_corpus *corpus, tsws_error *error);

/*
 * Gives the next story, in `corpus->tokens`. In a text stories end at "<|endoftext|>", white space around them and
 * empty ones are left out, and line ends of Windows become "\n"; in a shard a story begins with each BOS.
 * *found is false when there is none left. Errors: FORMAT (a token outside the vocabulary), MEMORY.
 */
tsws_status run_corpus_next(const run_program *program, run_corpus *corpus, bool *found, tsws_error *error);

void run_corpus_free(run_corpus *corpus);

#endif
