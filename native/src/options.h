/* The command line of `run`: llama2.c's, and a few words more. */
#ifndef TSWS_OPTIONS_H
#define TSWS_OPTIONS_H

#include "posix.h"
#include "tsws.h"

typedef enum tsws_mode { TSWS_MODE_GENERATE, TSWS_MODE_CHAT } tsws_mode;

typedef struct tsws_options {
    const char *model;
    const char *tokenizer;     /* -z */
    const char *prompt;        /* -i; NULL when not given */
    const char *prompt_file;   /* --prompt-file; "-" is standard input; NULL when not given */
    const char *system_prompt; /* -y; NULL when not given */
    float temperature;         /* -t */
    float top_p;               /* -p */
    uint64_t seed;             /* -s; 0: the time */
    int32_t steps;             /* -n; 0: the model's context */
    tsws_mode mode;            /* -m */
    tsws_style style;          /* --pretty */
} tsws_options;

extern const char tsws_usage[];

/*
 * Reads the command line. As in llama2.c, a number that is none counts as 0, and one out of range is brought into it.
 * Errors: ARGUMENT, for what llama2.c answers with its usage.
 */
tsws_status tsws_options_parse(int argc, char **argv, tsws_options *options, tsws_error *error);

#endif
