#include "options.h"
#include "status.h"

#include <stdlib.h>
#include <string.h>

const char tsws_usage[] = "Usage:   run <checkpoint> [options]\n"
                          "Example: run model.bin -n 256 -i \"Once upon a time\"\n"
                          "Options:\n"
                          "  -t <float>  temperature, 0 or more; 0: always the likeliest token; default 1.0\n"
                          "  -p <float>  top-p (nucleus) sampling, within 0 and 1; 0 or 1: off; default 0.9\n"
                          "  -s <int>    random seed; 0: the time; default 0\n"
                          "  -n <int>    number of steps; 0: the model's context; default 256\n"
                          "  -i <string> prompt\n"
                          "  -z <string> tokenizer file, default tokenizer.bin\n"
                          "  -m <string> mode: generate or chat, default generate\n"
                          "  -y <string> system prompt (chat)\n"
                          "  --prompt-file <string>  read the prompt from a file; - is standard input\n"
                          "  --pretty    show <unk> as a newline where the vocabulary has no newline\n";

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

static tsws_status read_pair(char letter, const char *value, tsws_options *options, tsws_error *error) {
    switch (letter) {
    case 't': options->temperature = temperature_in_range(strtod(value, NULL)); return TSWS_OK;
    case 'p': options->top_p = top_p_in_range(strtod(value, NULL)); return TSWS_OK;
    /* A negative seed is a large one. */
    case 's': options->seed = (uint64_t)strtoll(value, NULL, 10); return TSWS_OK;
    case 'n': options->steps = steps_in_range(strtoll(value, NULL, 10)); return TSWS_OK;
    case 'i': options->prompt = value; return TSWS_OK;
    case 'z': options->tokenizer = value; return TSWS_OK;
    case 'y': options->system_prompt = value; return TSWS_OK;
    case 'm':
        options->mode = strcmp(value, "chat") == 0 ? TSWS_MODE_CHAT : TSWS_MODE_GENERATE;
        if (options->mode != TSWS_MODE_CHAT && strcmp(value, "generate") != 0) {
            return tsws_fail(error, TSWS_ERROR_ARGUMENT, "unknown mode: %s", value);
        }
        return TSWS_OK;
    default: return tsws_fail(error, TSWS_ERROR_ARGUMENT, "unknown option: -%c", letter);
    }
}

tsws_status tsws_options_parse(int argc, char **argv, tsws_options *options, tsws_error *error) {
    *options = (tsws_options){
        .tokenizer = "tokenizer.bin", .temperature = 1.0f, .top_p = 0.9f, .steps = 256, .mode = TSWS_MODE_GENERATE};
    if (argc < 2) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "no checkpoint is given");
    }
    options->model = argv[1];
    for (int i = 2; i < argc; i++) {
        const char *name = argv[i];
        tsws_status status;

        if (strcmp(name, "--pretty") == 0) {
            options->style = TSWS_STYLE_PRETTY;
            continue;
        }
        if (name[0] != '-' || (strlen(name) != 2 && strcmp(name, "--prompt-file") != 0)) {
            return tsws_fail(error, TSWS_ERROR_ARGUMENT, "unknown option: %s", name);
        }
        if (++i == argc) {
            return tsws_fail(error, TSWS_ERROR_ARGUMENT, "%s needs a value", name);
        }
        if (name[1] == '-' && name[2] != '\0') {
            options->prompt_file = argv[i];
            continue;
        }
        status = read_pair(name[1], argv[i], options, error);
        if (status != TSWS_OK) {
            return status;
        }
    }
    return TSWS_OK;
}
