/*
 * --bench: tokens a second of prompts, and of stories alone and at once. Rounds take turns over all measures, so that a
 * machine whose clock wanders is fair to each, and of the rounds the median counts.
 */
#include "clock.h"
#include "json.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DEFAULT_ROUNDS = 5, MOST_COUNTS = 7, PROMPT = 0, MOST_STREAMS = 32 };

/* Streams at once; PROMPT stands for a prompt that is taken at once. */
static const int32_t widths[] = {PROMPT, 1, 2, 4, 8, 16, MOST_STREAMS};

enum { N_WIDTHS = sizeof widths / sizeof widths[0] };

struct bench {
    run_program *program;
    int32_t threads[MOST_COUNTS]; /* numbers of threads to measure with */
    size_t n_threads;
    size_t n_rounds;
    double *rates; /* (n_threads, N_WIDTHS, n_rounds): tokens a second */
};

/* 1, 2, 4 and so on up to the processors that are there; or the one number that --threads asks for. */
static void list_threads(struct bench *bench) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (bench->program->options.threads > 0) {
        bench->threads[bench->n_threads++] = bench->program->options.threads;
        return;
    }
    for (int32_t n = 1; bench->n_threads < MOST_COUNTS && (n == 1 || n <= processors); n *= 2) {
        bench->threads[bench->n_threads++] = n;
    }
}

/* The likeliest token, but never BOS: the measure goes on where a story would end. */
static int32_t likeliest(const float *logits, int32_t vocab_size) {
    int32_t best = TSWS_UNK;

    for (int32_t i = 1; i < vocab_size; i++) {
        best = i != TSWS_BOS && logits[i] > logits[best] ? i : best;
    }
    return best;
}

static tsws_status measure_prompt(const run_program *program, tsws_session *session, double *rate, tsws_error *error) {
    int32_t count = program->steps;
    int32_t *tokens = malloc((size_t)count * sizeof *tokens);
    const float *logits;
    double start = run_seconds();
    tsws_status status;

    if (tokens == NULL) {
        return run_fail(error, TSWS_ERROR_MEMORY, "memory is short for %d tokens", (int)count);
    }
    for (int32_t i = 0; i < count; i++) {
        tokens[i] = i == 0 ? TSWS_BOS : i % program->info.vocab_size;
    }
    status = tsws_session_take(session, tokens, (size_t)count, NULL, &logits, error);
    *rate = count / (run_seconds() - start);
    free(tokens);
    return status;
}

static tsws_status measure_story(const run_program *program, tsws_session *session, double *rate, tsws_error *error) {
    int32_t token = TSWS_BOS;
    double start = run_seconds();

    for (int32_t i = 0; i < program->steps; i++) {
        const float *logits;
        tsws_status status = tsws_session_step(session, token, &logits, error);

        if (status != TSWS_OK) {
            return status;
        }
        token = likeliest(logits, program->info.vocab_size);
    }
    *rate = program->steps / (run_seconds() - start);
    return TSWS_OK;
}

/* A session's measures, once it has taken a token: the first also brings the weights into memory. */
static tsws_status with_session(const run_program *program, const tsws_session_options *playing, int32_t width,
                                double *rate, tsws_error *error) {
    tsws_session *session = NULL;
    const float *logits;
    tsws_status status = tsws_session_create(program->model, playing, &session, error);

    if (status == TSWS_OK) {
        status = tsws_session_step(session, TSWS_BOS, &logits, error);
    }
    if (status == TSWS_OK) {
        tsws_session_reset(session);
        status = width == PROMPT ? measure_prompt(program, session, rate, error)
                                 : measure_story(program, session, rate, error);
    }
    tsws_session_destroy(session);
    return status;
}

static tsws_status measure_stories(const run_program *program, tsws_batch *batch, int32_t width, double *rate,
                                   tsws_error *error) {
    int32_t vocab_size = program->info.vocab_size;
    int32_t tokens[MOST_STREAMS];
    double start = 0.0;

    for (int32_t i = 0; i < width; i++) {
        tokens[i] = TSWS_BOS;
    }
    for (int32_t taken = -1; taken < program->steps; taken++) { /* the first step does not count, as above */
        const float *logits;
        tsws_status status = tsws_batch_step(batch, tokens, &logits, error);

        if (status != TSWS_OK) {
            return status;
        }
        for (int32_t i = 0; i < width; i++) {
            if (taken < 0) {
                tsws_batch_reset(batch, i);
            } else {
                tokens[i] = likeliest(logits + (size_t)i * (size_t)vocab_size, vocab_size);
            }
        }
        if (taken < 0) {
            start = run_seconds();
        }
    }
    *rate = (double)width * program->steps / (run_seconds() - start);
    return TSWS_OK;
}

static tsws_status with_batch(const run_program *program, const tsws_session_options *playing, int32_t width,
                              double *rate, tsws_error *error) {
    tsws_batch *batch = NULL;
    tsws_status status = tsws_batch_create(program->model, width, playing, &batch, error);

    if (status == TSWS_OK) {
        status = measure_stories(program, batch, width, rate, error);
    }
    tsws_batch_destroy(batch);
    return status;
}

static double *rates_of(const struct bench *bench, size_t thread, size_t width) {
    return bench->rates + (thread * N_WIDTHS + width) * bench->n_rounds;
}

static tsws_status measure_all(const struct bench *bench, tsws_error *error) {
    const run_program *program = bench->program;

    for (size_t round = 0; round < bench->n_rounds; round++) {
        for (size_t thread = 0; thread < bench->n_threads; thread++) {
            tsws_session_options playing = {.max_positions = program->steps, .threads = bench->threads[thread]};

            for (size_t i = 0; i < N_WIDTHS; i++) {
                double *rate = rates_of(bench, thread, i) + round;
                tsws_status status = widths[i] <= 1 ? with_session(program, &playing, widths[i], rate, error)
                                                    : with_batch(program, &playing, widths[i], rate, error);

                if (status != TSWS_OK) {
                    return status;
                }
            }
        }
    }
    return TSWS_OK;
}

/* ---- Results ---- */

static int by_size(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

/* The middle one, or the mean of the middle two; `rates` are sorted. */
static double median(double *rates, size_t count) {
    qsort(rates, count, sizeof *rates, by_size);
    return (rates[(count - 1) / 2] + rates[count / 2]) / 2;
}

static void print_json(const struct bench *bench) {
    for (size_t thread = 0; thread < bench->n_threads; thread++) {
        for (size_t i = 0; i < N_WIDTHS; i++) {
            run_json json = {stdout, false};

            run_json_open(&json, '{');
            run_json_key(&json, "work");
            run_json_text(&json, widths[i] == PROMPT ? "prompt" : "story", widths[i] == PROMPT ? 6 : 5);
            run_json_key(&json, "streams");
            run_json_integer(&json, widths[i] == PROMPT ? 1 : widths[i]);
            run_json_key(&json, "threads");
            run_json_integer(&json, bench->threads[thread]);
            run_json_key(&json, "tokens");
            run_json_integer(&json, bench->program->steps);
            run_json_key(&json, "rounds");
            run_json_unsigned(&json, bench->n_rounds);
            run_json_key(&json, "tokens_per_second");
            run_json_number(&json, median(rates_of(bench, thread, i), bench->n_rounds));
            run_json_close(&json, '}');
            (void)fputs("\n", stdout);
        }
    }
}

static void print_table(const struct bench *bench) {
    const tsws_model_info *info = &bench->program->info;

    (void)printf("%s: %.2f M parameters, %s, %s kernels\n", bench->program->options.model,
                 (double)info->parameters / 1e6, info->precision == TSWS_INT8 ? "int8" : "float32", info->kernels);
    (void)printf("tokens a second, %d tokens a stream, medians of %zu\n\n", (int)bench->program->steps,
                 bench->n_rounds);
    (void)printf("%-8s%12s", "threads", "prompt");
    for (size_t i = 1; i < N_WIDTHS; i++) {
        (void)printf("%6d at once", (int)widths[i]);
    }
    (void)fputs("\n", stdout);
    for (size_t thread = 0; thread < bench->n_threads; thread++) {
        (void)printf("%-8d", (int)bench->threads[thread]);
        for (size_t i = 0; i < N_WIDTHS; i++) {
            (void)printf(i == 0 ? "%12.0f" : "%14.0f", median(rates_of(bench, thread, i), bench->n_rounds));
        }
        (void)fputs("\n", stdout);
    }
}

tsws_status run_bench(run_program *program, tsws_error *error) {
    struct bench bench = {.program = program,
                          .n_rounds = program->options.rounds > 0 ? (size_t)program->options.rounds : DEFAULT_ROUNDS};
    tsws_status status;

    list_threads(&bench);
    bench.rates = calloc(bench.n_threads * N_WIDTHS * bench.n_rounds, sizeof *bench.rates);
    if (bench.rates == NULL) {
        return run_fail(error, TSWS_ERROR_MEMORY, "memory is short for %zu rounds", bench.n_rounds);
    }
    status = measure_all(&bench, error);
    if (status == TSWS_OK && program->options.json) {
        print_json(&bench);
    } else if (status == TSWS_OK) {
        print_table(&bench);
    }
    free(bench.rates);
    return status;
}
