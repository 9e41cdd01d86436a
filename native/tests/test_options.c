#include "check.h"
#include "options.h"

#define PARSE(options, error, ...) parse((const char *[]){"run", __VA_ARGS__, NULL}, (options), (error))

static tsws_status parse(const char **words, tsws_options *options, tsws_error *error) {
    char storage[16][32];
    char *arguments[16];
    int count = 0;

    for (; words[count] != NULL; count++) {
        (void)snprintf(storage[count], sizeof storage[count], "%s", words[count]);
        arguments[count] = storage[count];
    }
    return tsws_options_parse(count, arguments, options, error);
}

static void defaults_are_those_of_llama2c(void) {
    tsws_options options;

    CHECK(PARSE(&options, NULL, "m") == TSWS_OK);
    CHECK_TEXT(options.tokenizer, "tokenizer.bin");
    CHECK(options.prompt == NULL && options.prompt_file == NULL && options.system_prompt == NULL);
    CHECK_NEAR(options.temperature, 1, 0);
    CHECK_NEAR(options.top_p, 0.9f, 0);
    CHECK(options.seed == 0 && options.steps == 256 && options.mode == TSWS_MODE_GENERATE);
    CHECK(options.style == TSWS_STYLE_LLAMA2C);
}

static void every_option_is_read(void) {
    char *arguments[] = {"run", "m",       "-t",       "0.5",           "-p", "0.25",    "-s", "42",
                         "-n",  "7",       "-i",       "-once",         "-z", "tok.bin", "-m", "chat",
                         "-y",  "be nice", "--pretty", "--prompt-file", "-"};
    tsws_options options;

    CHECK(tsws_options_parse((int)(sizeof arguments / sizeof arguments[0]), arguments, &options, NULL) == TSWS_OK);
    CHECK_TEXT(options.model, "m");
    CHECK_TEXT(options.tokenizer, "tok.bin");
    CHECK_TEXT(options.prompt, "-once");
    CHECK_TEXT(options.prompt_file, "-");
    CHECK_TEXT(options.system_prompt, "be nice");
    CHECK_NEAR(options.temperature, 0.5, 0);
    CHECK_NEAR(options.top_p, 0.25, 0);
    CHECK(options.seed == 42 && options.steps == 7 && options.mode == TSWS_MODE_CHAT);
    CHECK(options.style == TSWS_STYLE_PRETTY);
}

static void numbers_are_brought_into_range(void) {
    tsws_options options;

    CHECK(PARSE(&options, NULL, "m", "-t", "-1", "-p", "1.5", "-n", "-3", "-s", "-1") == TSWS_OK);
    CHECK_NEAR(options.temperature, 0, 0);
    CHECK_NEAR(options.top_p, 0.9f, 0);
    CHECK(options.steps == 0 && options.seed == UINT64_MAX);
    CHECK(PARSE(&options, NULL, "m", "-t", "nan", "-p", "nan", "-n", "99999999999", "-s", "x") == TSWS_OK);
    CHECK_NEAR(options.temperature, 0, 0);
    CHECK_NEAR(options.top_p, 0.9f, 0);
    CHECK(options.steps == INT32_MAX && options.seed == 0);
    CHECK(PARSE(&options, NULL, "m", "-s", "5000000000") == TSWS_OK);
    CHECK(options.seed == UINT64_C(5000000000));
}

static void mistakes_are_named(void) {
    tsws_options options;
    tsws_error error;
    char *nothing[] = {"run"};

    CHECK(tsws_options_parse(1, nothing, &options, &error) == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "no checkpoint is given");
    CHECK(PARSE(&options, &error, "m", "-t") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "-t needs a value");
    CHECK(PARSE(&options, &error, "m", "t", "1") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "unknown option: t");
    CHECK(PARSE(&options, &error, "m", "-x", "1") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "unknown option: -x");
    CHECK(PARSE(&options, &error, "m", "--", "1") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "unknown option: --");
    CHECK(PARSE(&options, &error, "m", "-tt", "1") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "unknown option: -tt");
    CHECK(PARSE(&options, &error, "m", "", "1") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "unknown option: ");
    CHECK(PARSE(&options, &error, "m", "-m", "dream") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "unknown mode: dream");
    CHECK(PARSE(&options, &error, "m", "--prompt-file") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "--prompt-file needs a value");
}

int main(void) {
    defaults_are_those_of_llama2c();
    every_option_is_read();
    numbers_are_brought_into_range();
    mistakes_are_named();
    return check_result();
}
