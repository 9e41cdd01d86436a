/*
 * --perplexity: how well the model foretells stories. Each is scored from its BOS: every token after it counts once,
 * with all that stands before it in the story as its context. A story longer than the model's context is scored in
 * windows that overlap by half a context, so that a token past the first window has at least half a context before it.
 */
#include "clock.h"
#include "corpus.h"
#include "program.h"
#include "report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { AT_ONCE = 64 }; /* tokens: as many rows of scores are held */

struct scoring {
    run_program *program;
    tsws_session *session;
    float *logits; /* (AT_ONCE, vocab_size) */
    double nats;
    uint64_t n_stories;
    uint64_t n_tokens; /* that were foretold */
    uint64_t n_bytes;  /* of their text */
};

/* Scores tokens[counted] to tokens[length], given the window tokens[0] to tokens[length - 1]. */
static tsws_status score_window(struct scoring *scoring, const int32_t *tokens, size_t length, size_t counted,
                                tsws_error *error) {
    int32_t vocab_size = scoring->program->info.vocab_size;

    tsws_session_reset(scoring->session);
    for (size_t at = 0; at < length; at += AT_ONCE) {
        size_t count = length - at < AT_ONCE ? length - at : AT_ONCE;
        const float *last;
        tsws_status status =
            tsws_session_take(scoring->session, tokens + at, count, scoring->logits, &last, error);

        if (status != TSWS_OK) {
            return status;
        }
        for (size_t i = 0; i < count; i++) {
            if (at + i + 1 >= counted) {
                scoring->nats -=
                    run_logprob(scoring->logits + i * (size_t)vocab_size, vocab_size, tokens[at + i + 1]);
                scoring->n_tokens++;
            }
        }
    }
    return TSWS_OK;
}

static tsws_status score_story(struct scoring *scoring, const int32_t *tokens, size_t n_tokens, tsws_error *error) {
    size_t context = (size_t)scoring->program->info.max_seq_len;
    size_t overlap = context > 1 ? context / 2 : 1;
    size_t next = 1; /* the first token that was not scored yet */

    while (next < n_tokens) {
        size_t start = next > overlap ? next - overlap : 0;
        size_t rest = n_tokens - 1 - start;
        size_t length = rest < context ? rest : context;
        tsws_status status = score_window(scoring, tokens + start, length, next - start, error);

        if (status != TSWS_OK) {
            return status;
        }
        next = start + length + 1;
    }
    return TSWS_OK;
}

static tsws_status score_all(struct scoring *scoring, run_corpus *corpus, tsws_error *error) {
    run_program *program = scoring->program;
    bool found = true;
    tsws_status status = run_corpus_read(program, corpus, error);

    while (status == TSWS_OK) {
        status = run_corpus_next(program, corpus, &found, error);
        if (status != TSWS_OK || !found) {
            break;
        }
        scoring->n_stories++;
        scoring->n_bytes += corpus->n_bytes;
        status = score_story(scoring, corpus->tokens, corpus->n_tokens, error);
    }
    if (status == TSWS_OK && scoring->n_tokens == 0) {
        status = run_fail(error, TSWS_ERROR_FORMAT, "%s: has nothing to score; stories are needed",
                          program->options.scored);
    }
    return status;
}

static void print_scores(const struct scoring *scoring, double seconds) {
    double loss = scoring->nats / (double)scoring->n_tokens;
    run_report report = run_report_begin(scoring->program->options.json);

    run_report_text(&report, "file", scoring->program->options.scored);
    run_report_unsigned(&report, "stories", scoring->n_stories);
    run_report_unsigned(&report, "tokens", scoring->n_tokens);
    run_report_unsigned(&report, "bytes", scoring->n_bytes);
    run_report_number(&report, "nats_a_token", loss);
    run_report_number(&report, "perplexity", exp(loss));
    run_report_number(&report, "bits_a_byte", scoring->nats / log(2.0) / (double)scoring->n_bytes);
    run_report_number(&report, "seconds", seconds);
    run_report_number(&report, "tokens_per_second", (double)scoring->n_tokens / seconds);
    run_report_end(&report);
}

tsws_status run_perplexity(run_program *program, tsws_error *error) {
    tsws_session_options playing = run_session_options(program, 0);
    struct scoring scoring = {.program = program};
    run_corpus corpus = {.at = 0};
    double start = run_seconds();
    tsws_status status = tsws_session_create(program->model, &playing, &scoring.session, error);

    if (status == TSWS_OK) {
        scoring.logits = malloc((size_t)program->info.vocab_size * AT_ONCE * sizeof *scoring.logits);
        status = scoring.logits != NULL ? score_all(&scoring, &corpus, error)
                                        : run_fail(error, TSWS_ERROR_MEMORY, "memory is short for the scores");
    }
    if (status == TSWS_OK) {
        print_scores(&scoring, run_seconds() - start);
    }
    tsws_session_destroy(scoring.session);
    free(scoring.logits);
    run_corpus_free(&corpus);
    return status;
}
