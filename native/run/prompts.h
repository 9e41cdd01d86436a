/* What stories begin with: one text, or a line each of a file. */
#ifndef RUN_PROMPTS_H
#define RUN_PROMPTS_H

#include "buffer.h"
#include "program.h"

typedef struct run_prompt {
    const char *text; /* not ended by NUL */
    size_t length;
    int32_t *tokens; /* BOS first */
    size_t n_tokens; /* at least 1 */
} run_prompt;

typedef struct run_prompts {
    run_prompt *list;
    size_t count; /* at least 1 after a success */
    run_buffer read;
} run_prompts;

/*
 * Reads and encodes what -i, --prompt-file or --prompts name; an empty text when none does. `prompts` is all zero
 * before, and is to be freed also after a failure. Of --prompts each line is one, an empty line too; CR before LF is
 * left out, and a last line need not end.
 * Errors: IO, FORMAT (no lines), MEMORY.
 */
tsws_status run_prompts_read(const run_program *program, run_prompts *prompts, tsws_error *error);

void run_prompts_free(run_prompts *prompts);

#endif
