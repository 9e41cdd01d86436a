/* What all that the program can do needs: the options, and what they open. */
#ifndef RUN_PROGRAM_H
#define RUN_PROGRAM_H

#include "failure.h"
#include "options.h"
#include "tsws.h"

typedef struct run_program {
    run_options options;
    tsws_model *model;
    tsws_tokenizer *tokenizer; /* NULL for --info and --bench, which need none */
    tsws_model_info info;
    int32_t steps; /* tokens that a story may have: -n, within the context */
    uint64_t seed; /* -s, or the time; never 0 */
} run_program;

/* Opens what the options name; run_program_close is due also after a failure. */
tsws_status run_program_open(run_program *program, tsws_error *error);
void run_program_close(run_program *program);

/* How a session or a batch of so many positions is to be made. */
tsws_session_options run_session_options(const run_program *program, int32_t max_positions);

/* A sampler for one story. */
tsws_status run_sampler_create(const run_program *program, uint64_t seed, tsws_sampler **sampler, tsws_error *error);

/* The tokens of a text, BOS first; *tokens is the caller's to free, also a former value, which is replaced. */
tsws_status run_encode(const run_program *program, const char *text, size_t length, int32_t **tokens, size_t *count,
                       tsws_error *error);

/* Writes the piece of `token` to standard output at once: people watch it come. */
void run_show(const run_program *program, int32_t previous, int32_t token);

/* log(softmax(logits))[token]: the log-probability, in nats, that the model gave a token. */
double run_logprob(const float *logits, int32_t vocab_size, int32_t token);

/* What the program can do: each prints its results. Errors: those of the library, and of files. */
tsws_status run_story(run_program *program, tsws_error *error);      /* one story, as it comes: story.c */
tsws_status run_stories(run_program *program, tsws_error *error);    /* many, or in JSON: stories.c */
tsws_status run_chat(run_program *program, tsws_error *error);       /* chat.c */
tsws_status run_perplexity(run_program *program, tsws_error *error); /* perplexity.c */
tsws_status run_bench(run_program *program, tsws_error *error);      /* bench.c */
tsws_status run_info(run_program *program, tsws_error *error);       /* info.c */

#endif
