/*
 * Many stories at once, in one batch: when one ends, the next takes its place, and all are printed in their order. Each
 * is the story that its seed tells alone.
 */
#include "clock.h"
#include "program.h"
#include "prompts.h"
#include "told.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * How many at once, by default. More of them share each reading of the weights, but each step also reads the keys and
 * values of all, which are soon too many for the caches: of a small model 128 at once are half as quick as 32.
 */
enum { ENOUGH = 32, MOST_BY_DEFAULT = 128 };
#define NEAR_BUDGET  (UINT64_C(16) << 20) /* bytes of keys and values that caches hold */
#define CACHE_BUDGET (UINT64_C(1) << 30)  /* bytes of them in all */

/* A line of its own between two stories. */
static const char separator[] = "---\n";

struct telling {
    run_program *program;
    run_prompts prompts;
    run_told *stories; /* (n_stories,) */
    size_t n_stories;
    size_t begun;
    size_t printed;   /* the first so many are all on standard output */
    size_t parted;    /* the last story that a separator was printed for */
    run_told **slots; /* (width,): the story of each stream; NULL where it rests */
    int32_t *tokens;  /* (width,) */
    int32_t width;
    tsws_batch *batch;
};

static int32_t width_of(const run_program *program, size_t n_stories) {
    const tsws_model_info *info = &program->info;
    uint64_t kv_dim = (uint64_t)(info->dim / info->n_heads) * (uint64_t)info->n_kv_heads;
    uint64_t bytes = (uint64_t)info->n_layers * 2 * kv_dim * sizeof(float) * (uint64_t)program->steps;
    uint64_t most = bytes < CACHE_BUDGET ? CACHE_BUDGET / bytes : 1;
    uint64_t width = NEAR_BUDGET / bytes;

    width = width > ENOUGH ? width : ENOUGH;
    width = width < MOST_BY_DEFAULT ? width : MOST_BY_DEFAULT;
    width = width < most ? width : most;
    width = program->options.batch > 0 ? (uint64_t)program->options.batch : width;
    return (int32_t)(width < n_stories ? width : n_stories);
}

static tsws_status prepare(struct telling *telling, tsws_error *error) {
    run_program *program = telling->program;
    tsws_session_options playing = run_session_options(program, program->steps);
    size_t count = program->options.count > 0 ? (size_t)program->options.count : 1;
    tsws_status status = run_prompts_read(program, &telling->prompts, error);

    if (status != TSWS_OK) {
        return status;
    }
    telling->n_stories = telling->prompts.count <= SIZE_MAX / count ? telling->prompts.count * count : SIZE_MAX;
    if (telling->n_stories - 1 > UINT64_MAX - program->seed) { /* seed 0 would mean the time */
        return run_fail(error, TSWS_ERROR_ARGUMENT,
                        "-s: the seeds of %zu stories pass the last one, %" PRIu64 "; begin with a smaller one",
                        telling->n_stories, UINT64_MAX);
    }
    telling->width = width_of(program, telling->n_stories);
    telling->stories = calloc(telling->n_stories, sizeof *telling->stories);
    telling->slots = calloc((size_t)telling->width, sizeof *telling->slots);
    telling->tokens = calloc((size_t)telling->width, sizeof *telling->tokens);
    if (telling->stories == NULL || telling->slots == NULL || telling->tokens == NULL) {
        return run_fail(error, TSWS_ERROR_MEMORY, "memory is short for %zu stories", telling->n_stories);
    }
    return tsws_batch_create(program->model, telling->width, &playing, &telling->batch, error);
}

/* Gives a stream the next story, or rest. */
static tsws_status begin_next(struct telling *telling, int32_t stream, tsws_error *error) {
    size_t per_prompt = telling->n_stories / telling->prompts.count;
    size_t index = telling->begun;

    telling->slots[stream] = NULL;
    if (index == telling->n_stories) {
        return TSWS_OK;
    }
    telling->begun++;
    telling->slots[stream] = &telling->stories[index];
    tsws_batch_reset(telling->batch, stream);
    return run_told_begin(telling->slots[stream], telling->program, &telling->prompts.list[index / per_prompt], index,
                          error);
}

/* Prints what is due: in JSON whole stories, for people also the beginning of the first that is still told. */
static void print_due(struct telling *telling) {
    bool as_json = telling->program->options.json;

    while (telling->printed < telling->begun) {
        run_told *story = &telling->stories[telling->printed];

        if (as_json && story->stop != NULL) {
            run_told_write(story);
        } else if (!as_json) {
            if (telling->parted < telling->printed) {
                (void)fputs(separator, stdout);
                telling->parted = telling->printed;
            }
            run_told_show(story);
        }
        if (story->stop == NULL) {
            break;
        }
        if (!as_json) {
            (void)fputs("\n", stdout);
        }
        run_told_free(story);
        telling->printed++;
    }
    (void)fflush(stdout);
}

/* One token more for every story that is told. */
static tsws_status step(struct telling *telling, uint64_t *taken, tsws_error *error) {
    size_t vocab_size = (size_t)telling->program->info.vocab_size;
    const float *logits;
    tsws_status status;

    for (int32_t i = 0; i < telling->width; i++) {
        telling->tokens[i] = telling->slots[i] != NULL ? run_told_next(telling->slots[i]) : -1;
    }
    status = tsws_batch_step(telling->batch, telling->tokens, &logits, error);
    for (int32_t i = 0; i < telling->width && status == TSWS_OK; i++) {
        run_told *story = telling->slots[i];

        if (story == NULL) {
            continue;
        }
        status = run_told_advance(story, telling->program, logits + (size_t)i * vocab_size, error);
        *taken += 1;
        if (status == TSWS_OK && story->stop != NULL) {
            status = begin_next(telling, i, error);
        }
    }
    return status;
}

static tsws_status tell_all(struct telling *telling, tsws_error *error) {
    uint64_t taken = 0, first = 0;
    double start = 0.0;
    tsws_status status = TSWS_OK;

    for (int32_t i = 0; i < telling->width && status == TSWS_OK; i++) {
        status = begin_next(telling, i, error);
    }
    while (status == TSWS_OK && telling->printed < telling->n_stories) {
        status = step(telling, &taken, error);
        print_due(telling);
        if (first == 0) { /* the first step also brings the weights into memory, and does not count */
            first = taken;
            start = run_seconds();
        }
    }
    if (status == TSWS_OK && taken > first) {
        (void)fprintf(stderr, "achieved tok/s: %f\n", (double)(taken - first) / (run_seconds() - start));
    }
    return status;
}

tsws_status run_stories(run_program *program, tsws_error *error) {
    struct telling telling = {.program = program};
    tsws_status status = prepare(&telling, error);

    if (status == TSWS_OK) {
        status = tell_all(&telling, error);
    }
    for (size_t i = telling.printed; i < telling.begun; i++) {
        run_told_free(&telling.stories[i]);
    }
    tsws_batch_destroy(telling.batch);
    free(telling.tokens);
    free(telling.slots);
    free(telling.stories);
    run_prompts_free(&telling.prompts);
    return status;
}
