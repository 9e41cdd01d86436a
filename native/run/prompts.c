#include "prompts.h"

#include <stdlib.h>
#include <string.h>

static size_t count_lines(const run_buffer *read) {
    size_t count = read->length > 0 && read->bytes[read->length - 1] != '\n' ? 1 : 0;

    for (size_t i = 0; i < read->length; i++) {
        count += read->bytes[i] == '\n';
    }
    return count;
}

/* Makes room for so many prompts. */
static tsws_status make_list(run_prompts *prompts, size_t count, tsws_error *error) {
    prompts->list = calloc(count, sizeof *prompts->list);
    if (prompts->list == NULL) {
        return run_fail(error, TSWS_ERROR_MEMORY, "memory is short for %zu prompts", count);
    }
    prompts->count = count;
    return TSWS_OK;
}

static tsws_status read_lines(const char *path, run_prompts *prompts, tsws_error *error) {
    size_t at = 0;
    tsws_status status = run_buffer_read(&prompts->read, path, error);

    if (status == TSWS_OK && prompts->read.length == 0) {
        status = run_fail(error, TSWS_ERROR_FORMAT, "%s: has no lines; write one prompt a line", path);
    }
    if (status == TSWS_OK) {
        status = make_list(prompts, count_lines(&prompts->read), error);
    }
    for (size_t i = 0; i < prompts->count; i++) {
        const char *line = prompts->read.bytes + at;
        const char *end = memchr(line, '\n', prompts->read.length - at);
        size_t length = end == NULL ? prompts->read.length - at : (size_t)(end - line);

        at += length + 1;
        prompts->list[i].text = line;
        prompts->list[i].length = end != NULL && length > 0 && end[-1] == '\r' ? length - 1 : length;
    }
    return status;
}

static tsws_status read_one(const run_options *options, run_prompts *prompts, tsws_error *error) {
    tsws_status status = make_list(prompts, 1, error);

    if (status != TSWS_OK) {
        return status;
    }
    if (options->prompt_file != NULL) {
        status = run_buffer_read(&prompts->read, options->prompt_file, error);
        prompts->list[0].text = prompts->read.bytes;
        prompts->list[0].length = prompts->read.length;
    } else if (options->prompt != NULL) {
        prompts->list[0].text = options->prompt;
        prompts->list[0].length = strlen(options->prompt);
    }
    return status;
}

tsws_status run_prompts_read(const run_program *program, run_prompts *prompts, tsws_error *error) {
    const run_options *options = &program->options;
    tsws_status status =
        options->prompts != NULL ? read_lines(options->prompts, prompts, error) : read_one(options, prompts, error);

    for (size_t i = 0; i < prompts->count && status == TSWS_OK; i++) {
        run_prompt *prompt = &prompts->list[i];

        status = run_encode(program, prompt->text, prompt->length, &prompt->tokens, &prompt->n_tokens, error);
    }
    return status;
}

void run_prompts_free(run_prompts *prompts) {
    for (size_t i = 0; i < prompts->count; i++) {
        free(prompts->list[i].tokens);
    }
    free(prompts->list);
    run_buffer_free(&prompts->read);
}
