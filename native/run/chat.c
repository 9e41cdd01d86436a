/* A chat on the terminal, in Llama 2's format, as llama2.c does it. */
#include "buffer.h"
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chat {
    const run_program *program;
    run_buffer system; /* lines that the user typed */
    run_buffer user;
    int32_t *turn; /* tokens of what the user said */
    size_t turn_length;
    size_t said; /* tokens of the turn that the model has taken */
};

/* Asks for one line and reads it, its newline left out. False when there is no more. */
static bool ask(const char *question, run_buffer *answer, tsws_error *error, tsws_status *status) {
    int byte;

    answer->length = 0;
    *status = run_buffer_append(answer, "", 0, error);
    (void)fputs(question, stdout);
    (void)fflush(stdout);
    byte = getchar();
    if (byte == EOF) {
        return false;
    }
    for (; byte != EOF && byte != '\n' && *status == TSWS_OK; byte = getchar()) {
        char letter = (char)byte;

        *status = run_buffer_append(answer, &letter, 1, error);
    }
    return true;
}

/* What the user says, in Llama 2's chat format. */
static tsws_status encode_turn(struct chat *chat, const char *system, const char *user, tsws_error *error) {
    const char *parts[] = {"[INST] ", system[0] != '\0' ? "<<SYS>>\n" : "", system,
                           system[0] != '\0' ? "\n<</SYS>>\n\n" : "", user, " [/INST]"};
    run_buffer text = {NULL, 0, 0};
    tsws_status status = TSWS_OK;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == TSWS_OK; i++) {
        status = run_buffer_append(&text, parts[i], strlen(parts[i]), error);
    }
    if (status == TSWS_OK) {
        chat->said = 0;
        status = run_encode(chat->program, text.bytes, text.length, &chat->turn, &chat->turn_length, error);
    }
    run_buffer_free(&text);
    return status;
}

/* The user's next turn. False when the user has no more to say. */
static bool next_turn(struct chat *chat, bool is_first, tsws_error *error, tsws_status *status) {
    const run_options *options = &chat->program->options;
    const char *system = "", *user = options->prompt;

    *status = TSWS_OK;
    if (is_first && options->system_prompt != NULL) {
        system = options->system_prompt;
    } else if (is_first && ask("Enter system prompt (optional): ", &chat->system, error, status)) {
        system = chat->system.bytes;
    }
    if (*status == TSWS_OK && (!is_first || user == NULL)) {
        if (!ask("User: ", &chat->user, error, status)) {
            return false;
        }
        user = chat->user.bytes;
    }
    if (*status == TSWS_OK) {
        *status = encode_turn(chat, system, user, error);
    }
    return true;
}

static tsws_status converse(struct chat *chat, tsws_session *session, tsws_sampler *sampler, tsws_error *error) {
    int32_t next = TSWS_EOS;
    bool is_users_turn = true;
    tsws_status status = TSWS_OK;

    for (int32_t taken = 0; taken < chat->program->steps; taken++) {
        const float *logits;
        int32_t token;

        if (is_users_turn) {
            if (!next_turn(chat, taken == 0, error, &status) || status != TSWS_OK) {
                break;
            }
            is_users_turn = false;
            (void)fputs("Assistant: ", stdout);
        }
        token = chat->said < chat->turn_length ? chat->turn[chat->said++] : next;
        is_users_turn = token == TSWS_EOS;
        status = tsws_session_step(session, token, &logits, error);
        if (status != TSWS_OK) {
            break;
        }
        next = tsws_sampler_pick(sampler, logits); /* llama2.c throws its coin for the user's tokens too */
        if (chat->said >= chat->turn_length && next != TSWS_EOS) {
            run_show(chat->program, token, next);
        }
        if (next == TSWS_EOS) {
            (void)fputs("\n", stdout);
        }
    }
    (void)fputs("\n", stdout);
    (void)fflush(stdout);
    return status;
}

tsws_status run_chat(run_program *program, tsws_error *error) {
    tsws_session_options playing = run_session_options(program, program->steps);
    struct chat chat = {.program = program};
    tsws_session *session = NULL;
    tsws_sampler *sampler = NULL;
    tsws_status status = tsws_session_create(program->model, &playing, &session, error);

    if (status == TSWS_OK) {
        status = run_sampler_create(program, program->seed, &sampler, error);
    }
    if (status == TSWS_OK) {
        status = converse(&chat, session, sampler, error);
    }
    tsws_sampler_destroy(sampler);
    tsws_session_destroy(session);
    run_buffer_free(&chat.system);
    run_buffer_free(&chat.user);
    free(chat.turn);
    return status;
}
