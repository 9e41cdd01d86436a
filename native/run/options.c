#include "options.h"

#include "failure.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_STORIES = 1000000, MOST_AT_ONCE = 4096, MOST_THREADS = 64, MOST_ROUNDS = 1000 };

/* ---- llama2.c's options: a letter and a value ---- */

static float temperature_in_range(double value) {
    return value >= 0.0 ? (float)value : 0.0f;
}

static float top_p_in_range(double value) {
    return value >= 0.0 && value <= 1.0 ? (float)value : 0.9f;
}

static int32_t steps_in_range(long long value) {
    if (value > INT32_MAX) {
        return INT32_MAX;
    }
    return value > 0 ? (int32_t)value : 0;
}

/* A second action is refused unless it is the same. */
static tsws_status set_action(run_options *options, run_action action, const char *name, tsws_error *error) {
    if (options->action != RUN_GENERATE && options->action != action) {
        return run_fail(error, TSWS_ERROR_ARGUMENT, "%s: only one thing can be done at a time", name);
    }
    options->action = action;
    return TSWS_OK;
}

static tsws_status read_mode(const char *value, run_options *options, tsws_error *error) {
    if (strcmp(value, "chat") == 0) {
        return set_action(options, RUN_CHAT, "-m chat", error);
    }
    if (strcmp(value, "generate") != 0) {
        return run_fail(error, TSWS_ERROR_ARGUMENT, "unknown mode: %s", value);
    }
    if (options->action == RUN_CHAT) { /* the last -m counts */
        options->action = RUN_GENERATE;
    }
    return TSWS_OK;
}

/* False when there is no such letter. */
static bool read_letter(char letter, const char *value, run_options *options, tsws_status *status, tsws_error *error) {
    *status = TSWS_OK;
    switch (letter) {
    case 't': options->temperature = temperature_in_range(strtod(value, NULL)); return true;
    case 'p': options->top_p = top_p_in_range(strtod(value, NULL)); return true;
    /* A negative seed is a large one. */
    case 's': options->seed = (uint64_t)strtoll(value, NULL, 10); return true;
    case 'n': options->steps = steps_in_range(strtoll(value, NULL, 10)); return true;
    case 'i': options->prompt = value; return true;
    case 'z': options->tokenizer = value; return true;
    case 'y': options->system_prompt = value; return true;
    case 'm': *status = read_mode(value, options, error); return true;
    default: return false;
    }
}

/* ---- Ours ---- */

/* A name, and where in run_options its value goes. */
struct word {
    const char *name;
    size_t offset;
};

/* A whole number within its bounds. */
struct number {
    struct word word;
    int32_t least;
    int32_t most;
};

/* A word that stands for a value. */
struct named {
    const char *name;
    int value;
};

static const struct word flags[] = {
    {"--exact", offsetof(run_options, exact)},
    {"--json", offsetof(run_options, json)},
    {"--logprobs", offsetof(run_options, logprobs)},
};

static const struct named actions[] = {
    {"--bench", RUN_BENCH},
    {"--help", RUN_HELP},
    {"--info", RUN_INFO},
    {"--version", RUN_VERSION},
};

static const struct word texts[] = {
    {"--kernels", offsetof(run_options, kernels)},
    {"--perplexity", offsetof(run_options, scored)},
    {"--prompt-file", offsetof(run_options, prompt_file)},
    {"--prompts", offsetof(run_options, prompts)},
};

static const struct number numbers[] = {
    {{"--batch", offsetof(run_options, batch)}, 1, MOST_AT_ONCE},
    {{"--count", offsetof(run_options, count)}, 1, MOST_STORIES},
    {{"--rounds", offsetof(run_options, rounds)}, 1, MOST_ROUNDS},
    {{"--threads", offsetof(run_options, threads)}, 0, MOST_THREADS},
};

static const struct named precisions[] = {{"int8", TSWS_INT8}, {"float32", TSWS_FLOAT32}};
static const struct named formats[] = {{"text", RUN_FORMAT_TEXT}, {"shard", RUN_FORMAT_SHARD}};

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static void *place(run_options *options, size_t offset) {
    return (char *)options + offset;
}

static tsws_status read_number(const struct number *number, const char *value, run_options *options,
                               tsws_error *error) {
    char *end;
    long long read;

    errno = 0;
    read = strtoll(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || read < number->least || read > number->most) {
        return run_fail(error, TSWS_ERROR_ARGUMENT, "%s %s: expected a whole number from %d to %d", number->word.name,
                        value, (int)number->least, (int)number->most);
    }
    *(int32_t *)place(options, number->word.offset) = (int32_t)read;
    return TSWS_OK;
}

/* One of two words. */
static tsws_status read_choice(const char *name, const char *value, const struct named choices[2], int *chosen,
                               tsws_error *error) {
    for (int i = 0; i < 2; i++) {
        if (strcmp(value, choices[i].name) == 0) {
            *chosen = choices[i].value;
            return TSWS_OK;
        }
    }
    return run_fail(error, TSWS_ERROR_ARGUMENT, "%s %s: expected %s or %s", name, value, choices[0].name,
                    choices[1].name);
}

/* A word that stands alone. False when it is none. */
static bool read_flag(const char *name, run_options *options, tsws_status *status, tsws_error *error) {
    *status = TSWS_OK;
    for (size_t i = 0; i < LENGTH(flags); i++) {
        if (strcmp(name, flags[i].name) == 0) {
            *(bool *)place(options, flags[i].offset) = true;
            return true;
        }
    }
    for (size_t i = 0; i < LENGTH(actions); i++) {
        if (strcmp(name, actions[i].name) == 0) {
            *status = set_action(options, (run_action)actions[i].value, name, error);
            return true;
        }
    }
    if (strcmp(name, "--pretty") == 0) {
        options->style = TSWS_STYLE_PRETTY;
        return true;
    }
    return false;
}

/* A word and the value that follows it (NULL at the end of the line). */
static tsws_status read_pair(const char *name, const char *value, run_options *options, tsws_error *error) {
    bool is_letter = name[0] == '-' && name[1] != '\0' && name[2] == '\0';
    const char *given = value != NULL ? value : "";
    int chosen = 0;
    tsws_status status = TSWS_OK;
    bool known = true;

    if (strcmp(name, "-q") == 0) {
        status = value == NULL ? TSWS_OK : read_choice(name, value, precisions, &chosen, error);
        options->precision = (tsws_precision)chosen;
    } else if (strcmp(name, "--format") == 0) {
        status = value == NULL ? TSWS_OK : read_choice(name, value, formats, &chosen, error);
        options->format = (run_format)chosen;
    } else if (is_letter) {
        known = read_letter(name[1], given, options, &status, error);
    } else {
        known = false;
        for (size_t i = 0; i < LENGTH(texts) && !known; i++) {
            known = strcmp(name, texts[i].name) == 0;
            if (known) {
                *(const char **)place(options, texts[i].offset) = given;
            }
        }
        for (size_t i = 0; i < LENGTH(numbers) && !known; i++) {
            known = strcmp(name, numbers[i].word.name) == 0;
            if (known && value != NULL) {
                status = read_number(&numbers[i], value, options, error);
            }
        }
    }
    if (!known) {
        return run_fail(error, TSWS_ERROR_ARGUMENT, "unknown option: %s", name);
    }
    if (value == NULL) {
        return run_fail(error, TSWS_ERROR_ARGUMENT, "%s needs a value", name);
    }
    return status;
}

/* ---- The whole ---- */

/* Refuses what would have no effect. */
static tsws_status check_together(const run_options *options, tsws_error *error) {
    bool tells = options->action == RUN_GENERATE;
    const char *wrong = NULL;

    if (!tells && (options->count > 0 || options->prompts != NULL || options->batch > 0)) {
        wrong = "--count, --prompts and --batch are for telling stories: leave them out";
    } else if (options->prompts != NULL && (options->prompt != NULL || options->prompt_file != NULL)) {
        wrong = "--prompts excludes -i and --prompt-file: leave one of them out";
    } else if (options->prompt != NULL && options->prompt_file != NULL) {
        wrong = "--prompt-file excludes -i: leave one of them out";
    } else if (options->logprobs && !(tells && options->json)) {
        wrong = "--logprobs is for stories in JSON: add --json";
    } else if (options->json && options->action == RUN_CHAT) {
        wrong = "--json is not for a chat: leave one of them out";
    } else if (options->format != RUN_FORMAT_BY_NAME && options->action != RUN_PERPLEXITY) {
        wrong = "--format is of the file of --perplexity: add that";
    } else if (options->rounds > 0 && options->action != RUN_BENCH) {
        wrong = "--rounds is for --bench: add that";
    }
    return wrong == NULL ? TSWS_OK : run_fail(error, TSWS_ERROR_ARGUMENT, "%s", wrong);
}

tsws_status run_options_parse(int argc, char **argv, run_options *options, tsws_error *error) {
    int first = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "--version") == 0) ? 1 : 2;

    *options = (run_options){.temperature = 1.0f, .top_p = 0.9f, .steps = 256, .action = RUN_GENERATE};
    if (argc < 2) {
        return run_fail(error, TSWS_ERROR_ARGUMENT, "no checkpoint is given");
    }
    options->model = first == 2 ? argv[1] : NULL;
    for (int i = first; i < argc; i++) {
        tsws_status status;

        if (!read_flag(argv[i], options, &status, error)) {
            const char *name = argv[i++];

            status = read_pair(name, i < argc ? argv[i] : NULL, options, error);
        }
        if (status == TSWS_OK && options->scored != NULL) {
            status = set_action(options, RUN_PERPLEXITY, "--perplexity", error);
        }
        if (status != TSWS_OK) {
            return status;
        }
    }
    return check_together(options, error);
}
