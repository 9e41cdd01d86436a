/* run: the command line program. Everything that prints or ends the process is in this file. */
#include "options.h"
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct program {
    tsws_options options;
    tsws_model *model;
    tsws_tokenizer *tokenizer;
    tsws_session *session;
    tsws_sampler *sampler;
    int32_t steps;
    tsws_error error;
};

/* A string that has grown to hold what was read; `text` is NULL before the first. */
struct line {
    char *text;
    size_t length;
};

/* ---- Output ---- */

static void show(const struct program *program, int32_t previous, int32_t token) {
    tsws_piece piece = tsws_tokenizer_decode(program->tokenizer, previous, token, program->options.style);

    (void)fwrite(piece.text, 1, piece.length, stdout);
    (void)fflush(stdout); /* people watch it come */
}

static double seconds_now(void) {
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- Input ---- */

/* Reads a whole file. */
static tsws_status read_all(FILE *file, const char *name, struct line *read, tsws_error *error) {
    size_t capacity = 0;

    read->length = 0;
    do {
        if (capacity - read->length < 2) {
            size_t wanted = capacity < 4096 ? 4096 : capacity * 2;
            char *grown = wanted > capacity ? realloc(read->text, wanted) : NULL;

            if (grown == NULL) {
                return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short", name);
            }
            read->text = grown;
            capacity = wanted;
        }
        read->length += fread(read->text + read->length, 1, capacity - read->length, file);
    } while (!feof(file) && !ferror(file));
    if (ferror(file)) {
        return tsws_fail(error, TSWS_ERROR_IO, "%s: can not be read: %s", name, strerror(errno));
    }
    return TSWS_OK;
}

static tsws_status read_prompt_file(const char *path, struct line *prompt, tsws_error *error) {
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    tsws_status status;

    if (file == NULL) {
        return tsws_fail(error, TSWS_ERROR_IO, "%s: can not be opened: %s", path, strerror(errno));
    }
    status = read_all(file, path, prompt, error);
    if (!is_stdin) {
        (void)fclose(file);
    }
    return status;
}

/* Asks for one line and reads it, its newline left out. False when there is no more. */
static bool ask(const char *question, struct line *answer) {
    size_t capacity = 0;
    ssize_t length;

    free(answer->text);
    *answer = (struct line){NULL, 0};
    (void)fputs(question, stdout);
    (void)fflush(stdout);
    length = getline(&answer->text, &capacity, stdin);
    if (length < 0) {
        return false;
    }
    answer->length = (size_t)length;
    if (answer->length > 0 && answer->text[answer->length - 1] == '\n') {
        answer->text[--answer->length] = '\0';
    }
    return true;
}

/* ---- Telling a story ---- */

/* The tokens of a text; *tokens is the caller's to free. */
static tsws_status encode(struct program *program, const char *text, size_t length, int32_t **tokens, size_t *count) {
    size_t capacity = tsws_tokenizer_bound(length);

    free(*tokens);
    *tokens = capacity < SIZE_MAX / sizeof **tokens ? malloc(capacity * sizeof **tokens) : NULL;
    if (*tokens == NULL) {
        return tsws_fail(&program->error, TSWS_ERROR_MEMORY, "memory is short for the prompt");
    }
    return tsws_tokenizer_encode(program->tokenizer, text, length, *tokens, capacity, count, &program->error);
}

static tsws_status tell(struct program *program, const int32_t *prompt, size_t prompt_length) {
    int32_t token = prompt[0];
    int32_t taken = 0;
    double start = 0.0;

    while (taken < program->steps) {
        const float *logits;
        int32_t next;
        tsws_status status = tsws_session_step(program->session, token, &logits, &program->error);

        if (status != TSWS_OK) {
            return status;
        }
        taken++;
        if ((size_t)taken < prompt_length) {
            next = prompt[taken];
        } else {
            next = tsws_sampler_pick(program->sampler, logits);
        }
        if (next == TSWS_BOS) { /* the next story would begin */
            break;
        }
        show(program, token, next);
        token = next;
        if (taken == 1) { /* the first step also brings the weights into memory, and does not count */
            start = seconds_now();
        }
    }
    (void)fputs("\n", stdout);
    (void)fflush(stdout);
    if (taken > 1) {
        (void)fprintf(stderr, "achieved tok/s: %f\n", (taken - 1) / (seconds_now() - start));
    }
    return TSWS_OK;
}

static tsws_status generate(struct program *program) {
    const tsws_options *options = &program->options;
    struct line read = {NULL, 0};
    int32_t *prompt = NULL;
    size_t prompt_length = 0;
    tsws_status status = TSWS_OK;

    if (options->prompt_file != NULL) {
        status = read_prompt_file(options->prompt_file, &read, &program->error);
        if (status == TSWS_OK) {
            status = encode(program, read.text, read.length, &prompt, &prompt_length);
        }
    } else {
        const char *text = options->prompt == NULL ? "" : options->prompt;

        status = encode(program, text, strlen(text), &prompt, &prompt_length);
    }
    if (status == TSWS_OK) {
        status = tell(program, prompt, prompt_length);
    }
    free(read.text);
    free(prompt);
    return status;
}

/* ---- Chat ---- */

/* What the user says, in Llama 2's chat format; *tokens is the caller's to free. */
static tsws_status encode_turn(struct program *program, const char *system, const char *user, int32_t **tokens,
                               size_t *count) {
    static const char with_system[] = "[INST] <<SYS>>\n%s\n<</SYS>>\n\n%s [/INST]";
    static const char alone[] = "[INST] %s [/INST]";
    size_t capacity = sizeof with_system + strlen(system) + strlen(user);
    char *turn = malloc(capacity);
    tsws_status status;

    if (turn == NULL) {
        return tsws_fail(&program->error, TSWS_ERROR_MEMORY, "memory is short for the prompt");
    }
    if (system[0] != '\0') {
        (void)snprintf(turn, capacity, with_system, system, user);
    } else {
        (void)snprintf(turn, capacity, alone, user);
    }
    status = encode(program, turn, strlen(turn), tokens, count);
    free(turn);
    return status;
}

/* The user's next turn. False when the user has no more to say. */
static bool next_turn(const struct program *program, bool is_first, struct line *system, struct line *user,
                      const char **system_text, const char **user_text) {
    const tsws_options *options = &program->options;

    *system_text = "";
    if (is_first && options->system_prompt != NULL) {
        *system_text = options->system_prompt;
    } else if (is_first && ask("Enter system prompt (optional): ", system)) {
        *system_text = system->text;
    }
    if (is_first && options->prompt != NULL) {
        *user_text = options->prompt;
        return true;
    }
    if (!ask("User: ", user)) {
        return false;
    }
    *user_text = user->text;
    return true;
}

static tsws_status chat(struct program *program) {
    struct line system = {NULL, 0};
    struct line user = {NULL, 0};
    int32_t *turn = NULL;
    size_t turn_length = 0;
    size_t said = 0; /* tokens of the turn that the model has taken */
    int32_t next = TSWS_EOS;
    bool is_users_turn = true;
    tsws_status status = TSWS_OK;

    for (int32_t taken = 0; taken < program->steps; taken++) {
        const float *logits;
        int32_t token;

        if (is_users_turn) {
            const char *system_text, *user_text;

            if (!next_turn(program, taken == 0, &system, &user, &system_text, &user_text)) {
                break;
            }
            status = encode_turn(program, system_text, user_text, &turn, &turn_length);
            if (status != TSWS_OK) {
                break;
            }
            said = 0;
            is_users_turn = false;
            (void)fputs("Assistant: ", stdout);
        }
        token = said < turn_length ? turn[said++] : next;
        if (token == TSWS_EOS) {
            is_users_turn = true;
        }
        status = tsws_session_step(program->session, token, &logits, &program->error);
        if (status != TSWS_OK) {
            break;
        }
        /* llama2.c throws its coin for the user's tokens too. */
        next = tsws_sampler_pick(program->sampler, logits);
        if (said >= turn_length && next != TSWS_EOS) {
            show(program, token, next);
        }
        if (next == TSWS_EOS) {
            (void)fputs("\n", stdout);
        }
    }
    (void)fputs("\n", stdout);
    (void)fflush(stdout);
    free(system.text);
    free(user.text);
    free(turn);
    return status;
}

/* ---- The whole ---- */

static tsws_status open_all(struct program *program) {
    const tsws_options *options = &program->options;
    tsws_sampler_options sampling = {
        .temperature = options->temperature, .top_p = options->top_p, .seed = options->seed};
    tsws_error *error = &program->error;
    tsws_model_info info;
    tsws_status status = tsws_model_open(options->model, NULL, &program->model, error);

    if (status != TSWS_OK) {
        return status;
    }
    info = tsws_model_describe(program->model);
    program->steps = options->steps == 0 || options->steps > info.max_seq_len ? info.max_seq_len : options->steps;
    if (sampling.seed == 0) {
        sampling.seed = (uint64_t)time(NULL);
    }
    status = tsws_tokenizer_open(options->tokenizer, &program->tokenizer, error);
    if (status == TSWS_OK) {
        status = tsws_tokenizer_check(program->tokenizer, program->model, error);
    }
    if (status == TSWS_OK) {
        status = tsws_session_create(program->model, &(tsws_session_options){.max_positions = program->steps},
                                     &program->session, error);
    }
    if (status == TSWS_OK) {
        status = tsws_sampler_create(info.vocab_size, sampling, &program->sampler, error);
    }
    return status;
}

static void close_all(struct program *program) {
    tsws_sampler_destroy(program->sampler);
    tsws_session_destroy(program->session);
    tsws_tokenizer_close(program->tokenizer);
    tsws_model_close(program->model);
}

int main(int argc, char **argv) {
    struct program program = {.model = NULL};
    tsws_status status = tsws_options_parse(argc, argv, &program.options, &program.error);

    if (status != TSWS_OK) {
        (void)fprintf(stderr, "run: %s\n%s", program.error.message, tsws_usage);
        return EXIT_FAILURE;
    }
    status = open_all(&program);
    if (status == TSWS_OK) {
        status = program.options.mode == TSWS_MODE_CHAT ? chat(&program) : generate(&program);
    }
    close_all(&program);
    if (status == TSWS_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        status = tsws_fail(&program.error, TSWS_ERROR_IO, "standard output: can not be written: %s", strerror(errno));
    }
    if (status != TSWS_OK) {
        (void)fprintf(stderr, "run: %s\n", program.error.message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
