/* run: the command line program. It and the other files of this folder print; the library in src/ never does. */
#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tsws_status act(run_program *program, tsws_error *error) {
    const run_options *options = &program->options;

    switch (options->action) {
    case RUN_CHAT: return run_chat(program, error);
    case RUN_PERPLEXITY: return run_perplexity(program, error);
    case RUN_BENCH: return run_bench(program, error);
    case RUN_INFO: return run_info(program, error);
    default: break;
    }
    return options->json || options->count > 0 || options->prompts != NULL ? run_stories(program, error)
                                                                            : run_story(program, error);
}

static tsws_status open_and_act(run_program *program, tsws_error *error) {
    tsws_status status = run_program_open(program, error);

    if (status == TSWS_OK) {
        status = act(program, error);
    }
    run_program_close(program);
    return status;
}

int main(int argc, char **argv) {
    run_program program = {.model = NULL};
    tsws_error error;
    tsws_status status = run_options_parse(argc, argv, &program.options, &error);

    if (status != TSWS_OK) {
        (void)fprintf(stderr, "run: %s; run --help tells how\n", error.message);
        (void)fputs(argc < 2 ? run_usage : "", stderr);
        return EXIT_FAILURE;
    }
    if (program.options.action == RUN_HELP) {
        (void)fputs(run_usage, stdout);
    } else if (program.options.action == RUN_VERSION) {
        (void)printf("run %s\n", tsws_version());
    } else {
        status = open_and_act(&program, &error);
    }
    if (status == TSWS_OK && (fflush(stdout) != 0 || ferror(stdout))) {
        status = run_fail(&error, TSWS_ERROR_IO, "standard output: can not be written: %s", strerror(errno));
    }
    if (status != TSWS_OK) {
        (void)fprintf(stderr, "run: %s\n", error.message);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
