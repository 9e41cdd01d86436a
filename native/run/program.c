#include "program.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static tsws_status open_tokenizer(run_program *program, tsws_error *error) {
    const char *given = program->options.tokenizer;
    tsws_status status = tsws_tokenizer_open(given != NULL ? given : "tokenizer.bin", &program->tokenizer, error);

    if (status == TSWS_ERROR_IO && given == NULL) {
        run_advise(error, "name the model's tokenizer with -z");
    }
    return status == TSWS_OK ? tsws_tokenizer_check(program->tokenizer, program->model, error) : status;
}

tsws_status run_program_open(run_program *program, tsws_error *error) {
    const run_options *options = &program->options;
    tsws_model_options playing = {options->precision, options->exact, options->kernels};
    tsws_status status = tsws_model_open(options->model, &playing, &program->model, error);

    if (status != TSWS_OK) {
        return status;
    }
    program->info = tsws_model_describe(program->model);
    program->steps = options->steps == 0 || options->steps > program->info.max_seq_len ? program->info.max_seq_len
                                                                                        : options->steps;
    program->seed = options->seed != 0 ? options->seed : (uint64_t)time(NULL);
    if (options->action == RUN_INFO || options->action == RUN_BENCH) {
        return TSWS_OK;
    }
    return open_tokenizer(program, error);
}

void run_program_close(run_program *program) {
    tsws_tokenizer_close(program->tokenizer);
    tsws_model_close(program->model);
}

tsws_session_options run_session_options(const run_program *program, int32_t max_positions) {
    return (tsws_session_options){.max_positions = max_positions, .threads = program->options.threads};
}

tsws_status run_sampler_create(const run_program *program, uint64_t seed, tsws_sampler **sampler, tsws_error *error) {
    tsws_sampler_options sampling = {.temperature = program->options.temperature,
                                     .top_p = program->options.top_p,
                                     .seed = seed,
                                     .exact = program->options.exact};

    return tsws_sampler_create(program->info.vocab_size, sampling, sampler, error);
}

tsws_status run_encode(const run_program *program, const char *text, size_t length, int32_t **tokens, size_t *count,
                       tsws_error *error) {
    size_t capacity = tsws_tokenizer_bound(length);

    free(*tokens);
    *tokens = capacity < SIZE_MAX / sizeof **tokens ? malloc(capacity * sizeof **tokens) : NULL;
    if (*tokens == NULL) {
        return run_fail(error, TSWS_ERROR_MEMORY, "memory is short for a text of %zu bytes", length);
    }
    return tsws_tokenizer_encode(program->tokenizer, text, length, *tokens, capacity, count, error);
}

void run_show(const run_program *program, int32_t previous, int32_t token) {
    tsws_piece piece = tsws_tokenizer_decode(program->tokenizer, previous, token, program->options.style);

    (void)fwrite(piece.text, 1, piece.length, stdout);
    (void)fflush(stdout);
}

double run_logprob(const float *logits, int32_t vocab_size, int32_t token) {
    float largest = logits[0];
    double sum = 0.0;

    for (int32_t i = 1; i < vocab_size; i++) {
        largest = logits[i] > largest ? logits[i] : largest;
    }
    for (int32_t i = 0; i < vocab_size; i++) {
        sum += exp((double)logits[i] - (double)largest);
    }
    return (double)logits[token] - (double)largest - log(sum);
}
