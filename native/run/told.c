#include "told.h"

#include "clock.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

tsws_status run_told_begin(run_told *told, const run_program *program, const run_prompt *prompt, size_t index,
                           tsws_error *error) {
    size_t capacity = (size_t)program->steps + 1;
    bool with_logprobs = program->options.logprobs;

    *told = (run_told){.prompt = prompt, .index = index, .seed = program->seed + index, .seconds = run_seconds()};
    told->tokens = malloc(capacity * sizeof *told->tokens);
    told->logprobs = with_logprobs ? malloc(capacity * sizeof *told->logprobs) : NULL;
    if (told->tokens == NULL || (with_logprobs && told->logprobs == NULL)) {
        return run_fail(error, TSWS_ERROR_MEMORY, "memory is short for %d tokens", (int)capacity);
    }
    told->tokens[told->n_tokens++] = prompt->tokens[0];
    return run_sampler_create(program, told->seed, &told->sampler, error);
}

int32_t run_told_next(const run_told *told) {
    return told->tokens[told->n_tokens - 1];
}

static void stop(run_told *told, const char *reason) {
    told->stop = reason;
    told->seconds = run_seconds() - told->seconds;
}

tsws_status run_told_advance(run_told *told, const run_program *program, const float *logits, tsws_error *error) {
    int32_t token;
    tsws_piece piece;
    tsws_status status;

    told->taken++;
    token = (size_t)told->taken < told->prompt->n_tokens ? told->prompt->tokens[told->taken]
                                                          : tsws_sampler_pick(told->sampler, logits);
    if (token == TSWS_BOS) {
        stop(told, "story");
        return TSWS_OK;
    }
    if (told->logprobs != NULL) {
        told->logprobs[told->n_tokens] = (float)run_logprob(logits, program->info.vocab_size, token);
    }
    piece = tsws_tokenizer_decode(program->tokenizer, run_told_next(told), token, program->options.style);
    told->tokens[told->n_tokens++] = token;
    status = run_buffer_append(&told->text, piece.text, piece.length, error);
    if (told->taken == program->steps) {
        stop(told, program->steps == program->info.max_seq_len ? "context" : "steps");
    }
    return status;
}

void run_told_show(run_told *told) {
    if (told->printed < told->text.length) {
        (void)fwrite(told->text.bytes + told->printed, 1, told->text.length - told->printed, stdout);
        told->printed = told->text.length;
    }
}

static void write_tokens(run_json *json, const run_told *told) {
    run_json_key(json, "tokens");
    run_json_open(json, '[');
    for (int32_t i = 0; i < told->n_tokens; i++) {
        run_json_integer(json, told->tokens[i]);
    }
    run_json_close(json, ']');
    if (told->logprobs == NULL) {
        return;
    }
    run_json_key(json, "logprobs");
    run_json_open(json, '[');
    run_json_null(json); /* BOS is given, not foretold */
    for (int32_t i = 1; i < told->n_tokens; i++) {
        run_json_number(json, (double)told->logprobs[i]);
    }
    run_json_close(json, ']');
}

void run_told_write(const run_told *told) {
    run_json json = {stdout, false};
    size_t n_prompt = told->prompt->n_tokens;

    run_json_open(&json, '{');
    run_json_key(&json, "index");
    run_json_unsigned(&json, told->index);
    run_json_key(&json, "seed");
    run_json_unsigned(&json, told->seed);
    run_json_key(&json, "prompt");
    run_json_text(&json, told->prompt->text, told->prompt->length);
    run_json_key(&json, "text");
    run_json_text(&json, told->text.bytes, told->text.length);
    write_tokens(&json, told);
    run_json_key(&json, "prompt_tokens");
    run_json_unsigned(&json, n_prompt < (size_t)told->n_tokens ? n_prompt : (size_t)told->n_tokens);
    run_json_key(&json, "stop");
    run_json_text(&json, told->stop, strlen(told->stop));
    run_json_key(&json, "seconds");
    run_json_number(&json, told->seconds);
    run_json_key(&json, "tokens_per_second");
    run_json_number(&json, told->taken / told->seconds);
    run_json_close(&json, '}');
    (void)fputs("\n", stdout);
}

void run_told_free(run_told *told) {
    tsws_sampler_destroy(told->sampler);
    free(told->tokens);
    free(told->logprobs);
    run_buffer_free(&told->text);
    *told = (run_told){.stop = told->stop};
}
