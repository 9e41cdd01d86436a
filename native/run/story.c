/* One story, printed token by token as llama2.c does. */
#include "clock.h"
#include "program.h"
#include "prompts.h"

#include <stdio.h>

/* How much of a prompt is played: as much as the steps allow, and nothing from a second BOS on, which ends a story. */
struct opening {
    int32_t taken; /* tokens for the model */
    int32_t shown; /* tokens for people: BOS counts, but is not shown */
    bool goes_on;  /* the model is to go on from there */
};

static struct opening opening_of(const run_prompt *prompt, int32_t steps) {
    int32_t length = prompt->n_tokens < (size_t)steps + 1 ? (int32_t)prompt->n_tokens : steps + 1;

    for (int32_t i = 1; i < length; i++) {
        if (prompt->tokens[i] == TSWS_BOS) {
            return (struct opening){.taken = i, .shown = i, .goes_on = false};
        }
    }
    return (struct opening){.taken = length <= steps ? length : steps, .shown = length, .goes_on = length <= steps};
}

static tsws_status tell(const run_program *program, const run_prompt *prompt, tsws_session *session,
                        tsws_sampler *sampler, tsws_error *error) {
    struct opening opening = opening_of(prompt, program->steps);
    int32_t taken = opening.taken;
    int32_t token = prompt->tokens[taken - 1];
    const float *logits;
    double start;
    tsws_status status = tsws_session_step(session, prompt->tokens[0], &logits, error);

    start = run_seconds(); /* the first step also brings the weights into memory, and does not count */
    for (int32_t i = 1; i < opening.shown; i++) {
        run_show(program, prompt->tokens[i - 1], prompt->tokens[i]);
    }
    if (status == TSWS_OK && taken > 1) {
        status = tsws_session_take(session, prompt->tokens + 1, (size_t)taken - 1, NULL, &logits, error);
    }
    while (status == TSWS_OK && opening.goes_on) {
        int32_t next = tsws_sampler_pick(sampler, logits);

        if (next == TSWS_BOS) { /* the next story would begin */
            break;
        }
        run_show(program, token, next);
        token = next;
        if (taken == program->steps) {
            break;
        }
        status = tsws_session_step(session, token, &logits, error);
        taken++;
    }
    if (status != TSWS_OK) {
        return status;
    }
    (void)fputs("\n", stdout);
    (void)fflush(stdout);
    if (taken > 1) {
        (void)fprintf(stderr, "achieved tok/s: %f\n", (taken - 1) / (run_seconds() - start));
    }
    return TSWS_OK;
}

tsws_status run_story(run_program *program, tsws_error *error) {
    tsws_session_options playing = run_session_options(program, program->steps);
    run_prompts prompts = {NULL, 0, {NULL, 0, 0}};
    tsws_session *session = NULL;
    tsws_sampler *sampler = NULL;
    tsws_status status = run_prompts_read(program, &prompts, error);

    if (status == TSWS_OK) {
        status = tsws_session_create(program->model, &playing, &session, error);
    }
    if (status == TSWS_OK) {
        status = run_sampler_create(program, program->seed, &sampler, error);
    }
    if (status == TSWS_OK) {
        status = tell(program, &prompts.list[0], session, sampler, error);
    }
    tsws_sampler_destroy(sampler);
    tsws_session_destroy(session);
    run_prompts_free(&prompts);
    return status;
}
