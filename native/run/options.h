/* The command line of `run`: llama2.c's, and more. */
#ifndef RUN_OPTIONS_H
#define RUN_OPTIONS_H

#include "platform.h"
#include "tsws.h"

typedef enum run_action {
    RUN_GENERATE,   /* -m generate */
    RUN_CHAT,       /* -m chat */
    RUN_PERPLEXITY, /* --perplexity */
    RUN_BENCH,      /* --bench */
    RUN_INFO,       /* --info */
    RUN_HELP,       /* --help */
    RUN_VERSION     /* --version */
} run_action;

typedef enum run_format { RUN_FORMAT_BY_NAME, RUN_FORMAT_TEXT, RUN_FORMAT_SHARD } run_format;

typedef struct run_options {
    run_action action;
    const char *model;         /* NULL only for RUN_HELP and RUN_VERSION */
    const char *tokenizer;     /* -z; NULL when not given */
    const char *prompt;        /* -i; NULL when not given */
    const char *prompt_file;   /* --prompt-file; "-" is standard input; NULL when not given */
    const char *prompts;       /* --prompts; the same */
    const char *system_prompt; /* -y; NULL when not given */
    const char *scored;        /* --perplexity; the same */
    const char *kernels;       /* --kernels; NULL when not given */
    float temperature;         /* -t */
    float top_p;               /* -p */
    uint64_t seed;             /* -s; 0: the time */
    int32_t steps;             /* -n; 0: the model's context */
    int32_t count;             /* --count; 0 when not given */
    int32_t batch;             /* --batch; 0 when not given */
    int32_t threads;           /* --threads; 0: as many as make it faster */
    int32_t rounds;            /* --rounds; 0 when not given */
    tsws_precision precision;  /* -q */
    run_format format;         /* --format */
    tsws_style style;          /* --pretty */
    bool exact;                /* --exact */
    bool json;                 /* --json */
    bool logprobs;             /* --logprobs */
} run_options;

/* What --help prints. */
extern const char run_usage[];

/*
 * Reads the command line. In llama2.c's own options a number that is none counts as 0, as there, and one out of range
 * is brought into it; the others are strict.
 * Errors: ARGUMENT.
 */
tsws_status run_options_parse(int argc, char **argv, run_options *options, tsws_error *error);

#endif
