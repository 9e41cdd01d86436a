/* A story that is being told, and what is known of it at its end. */
#ifndef RUN_TOLD_H
#define RUN_TOLD_H

#include "buffer.h"
#include "program.h"
#include "prompts.h"

typedef struct run_told {
    const run_prompt *prompt;
    size_t index; /* of all stories, from 0 */
    uint64_t seed;
    tsws_sampler *sampler;
    int32_t *tokens; /* (steps + 1,): BOS and what was shown */
    float *logprobs; /* (steps + 1,): of each token; NULL unless wanted; that of BOS means nothing */
    int32_t n_tokens;
    int32_t taken;   /* tokens that the model has taken */
    run_buffer text; /* as it is shown */
    size_t printed;  /* bytes of it */
    double seconds;  /* when it began; once it has stopped, how long it took */
    const char *stop; /* NULL while it is told; "story": the next would begin; "steps", "context": no more is allowed */
} run_told;

/* Begins a story; run_told_free is due also after a failure. Errors: MEMORY. */
tsws_status run_told_begin(run_told *told, const run_program *program, const run_prompt *prompt, size_t index,
                           tsws_error *error);

/* The token that the model is to take next. */
int32_t run_told_next(const run_told *told);

/* Goes on by one token, given the scores of what may follow. Errors: MEMORY. */
tsws_status run_told_advance(run_told *told, const run_program *program, const float *logits, tsws_error *error);

/* Prints what was not printed yet. */
void run_told_show(run_told *told);

/* Prints it as one line of JSON. */
void run_told_write(const run_told *told);

/* Frees all that it holds, and leaves it all zero but for `stop`. */
void run_told_free(run_told *told);

#endif
