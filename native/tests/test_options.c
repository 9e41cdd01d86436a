#include "check.h"
#include "options.h"

#define PARSE(options, error, ...) parse((const char *[]){"run", __VA_ARGS__, NULL}, (options), (error))

static tsws_status parse(const char **words, run_options *options, tsws_error *error) {
    char storage[24][32];
    char *arguments[24];
    int count = 0;

    for (; words[count] != NULL; count++) {
        (void)snprintf(storage[count], sizeof storage[count], "%s", words[count]);
        arguments[count] = storage[count];
    }
    return run_options_parse(count, arguments, options, error);
}

static void defaults_are_those_of_llama2c(void) {
    run_options options;

    CHECK(PARSE(&options, NULL, "m") == TSWS_OK);
    CHECK_TEXT(options.model, "m");
    CHECK(options.tokenizer == NULL && options.prompt == NULL && options.system_prompt == NULL);
    CHECK(options.prompt_file == NULL && options.prompts == NULL && options.scored == NULL && options.kernels == NULL);
    CHECK_NEAR(options.temperature, 1, 0);
    CHECK_NEAR(options.top_p, 0.9f, 0);
    CHECK(options.seed == 0 && options.steps == 256 && options.action == RUN_GENERATE);
    CHECK(options.style == TSWS_STYLE_LLAMA2C && options.precision == TSWS_STORED);
    CHECK(options.format == RUN_FORMAT_BY_NAME);
    CHECK(options.count == 0 && options.batch == 0 && options.threads == 0 && options.rounds == 0);
    CHECK(!options.exact && !options.json && !options.logprobs);
}

static void every_option_of_llama2c_is_read(void) {
    run_options options;

    CHECK(PARSE(&options, NULL, "m", "-t", "0.5", "-p", "0.25", "-s", "42", "-n", "7", "-i", "-once", "-z", "tok.bin",
                "-m", "chat", "-y", "be nice") == TSWS_OK);
    CHECK_TEXT(options.model, "m");
    CHECK_TEXT(options.tokenizer, "tok.bin");
    CHECK_TEXT(options.prompt, "-once");
    CHECK_TEXT(options.system_prompt, "be nice");
    CHECK_NEAR(options.temperature, 0.5, 0);
    CHECK_NEAR(options.top_p, 0.25, 0);
    CHECK(options.seed == 42 && options.steps == 7 && options.action == RUN_CHAT);
    CHECK(PARSE(&options, NULL, "m", "-m", "chat", "-m", "generate") == TSWS_OK);
    CHECK(options.action == RUN_GENERATE);
}

static void every_option_of_our_own_is_read(void) {
    run_options options;

    CHECK(PARSE(&options, NULL, "m", "--count", "3", "--batch", "2", "--threads", "64", "--prompts", "-", "--json",
                "--logprobs", "--pretty", "--exact", "-q", "int8", "--kernels", "avx2") == TSWS_OK);
    CHECK(options.action == RUN_GENERATE && options.count == 3 && options.batch == 2 && options.threads == 64);
    CHECK_TEXT(options.prompts, "-");
    CHECK_TEXT(options.kernels, "avx2");
    CHECK(options.json && options.logprobs && options.exact && options.style == TSWS_STYLE_PRETTY);
    CHECK(options.precision == TSWS_INT8);
    CHECK(PARSE(&options, NULL, "m", "--prompt-file", "once.txt", "-q", "float32", "--threads", "0") == TSWS_OK);
    CHECK_TEXT(options.prompt_file, "once.txt");
    CHECK(options.precision == TSWS_FLOAT32 && options.threads == 0);
    CHECK(PARSE(&options, NULL, "m", "--perplexity", "valid.txt", "--format", "shard", "--json") == TSWS_OK);
    CHECK(options.action == RUN_PERPLEXITY && options.format == RUN_FORMAT_SHARD && options.json);
    CHECK_TEXT(options.scored, "valid.txt");
    CHECK(PARSE(&options, NULL, "m", "--bench", "--rounds", "9") == TSWS_OK);
    CHECK(options.action == RUN_BENCH && options.rounds == 9);
    CHECK(PARSE(&options, NULL, "m", "--info", "--info") == TSWS_OK);
    CHECK(options.action == RUN_INFO);
}

static void help_and_version_need_no_model(void) {
    run_options options;

    CHECK(PARSE(&options, NULL, "--help") == TSWS_OK);
    CHECK(options.action == RUN_HELP && options.model == NULL);
    CHECK(PARSE(&options, NULL, "--version") == TSWS_OK);
    CHECK(options.action == RUN_VERSION && options.model == NULL);
    CHECK(PARSE(&options, NULL, "m", "--help") == TSWS_OK);
    CHECK(options.action == RUN_HELP);
}

static void numbers_are_brought_into_range(void) {
    run_options options;

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
    run_options options;
    tsws_error error;
    char *nothing[] = {"run"};

    CHECK(run_options_parse(1, nothing, &options, &error) == TSWS_ERROR_ARGUMENT);
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
    CHECK(PARSE(&options, &error, "m", "-q") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "-q needs a value");
}

static void our_own_numbers_and_words_are_strict(void) {
    static const char *const numbers[] = {"",   "x",   "0",   "-1",      "+1",                  " 1",
                                          "1 ", "1.0", "0x1", "1000001", "99999999999999999999"};
    run_options options;
    tsws_error error;

    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        char message[128];

        (void)snprintf(message, sizeof message, "--count %s: expected a whole number from 1 to 1000000", numbers[i]);
        CHECK(PARSE(&options, &error, "m", "--count", numbers[i]) == TSWS_ERROR_ARGUMENT);
        CHECK_TEXT(error.message, message);
    }
    CHECK(PARSE(&options, &error, "m", "--threads", "65") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "--threads 65: expected a whole number from 0 to 64");
    CHECK(PARSE(&options, &error, "m", "-q", "int4") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "-q int4: expected int8 or float32");
    CHECK(PARSE(&options, &error, "m", "--format", "json") == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, "--format json: expected text or shard");
}

static void refuses(const char *expected, const char **words) {
    run_options options;
    tsws_error error;

    CHECK(parse(words, &options, &error) == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, expected);
}

#define REFUSES(expected, ...) refuses((expected), (const char *[]){"run", "m", __VA_ARGS__, NULL})

static void what_would_have_no_effect_is_refused(void) {
    static const char stories[] = "--count, --prompts and --batch are for telling stories: leave them out";

    REFUSES("--info: only one thing can be done at a time", "--bench", "--info");
    REFUSES("--perplexity: only one thing can be done at a time", "-m", "chat", "--perplexity", "x");
    REFUSES("-m chat: only one thing can be done at a time", "--perplexity", "x", "-m", "chat");
    REFUSES(stories, "--info", "--count", "2");
    REFUSES(stories, "-m", "chat", "--batch", "2");
    REFUSES("--prompts excludes -i and --prompt-file: leave one of them out", "--prompts", "x", "-i", "Once");
    REFUSES("--prompt-file excludes -i: leave one of them out", "-i", "Once", "--prompt-file", "x");
    REFUSES("--logprobs is for stories in JSON: add --json", "--logprobs");
    REFUSES("--json is not for a chat: leave one of them out", "-m", "chat", "--json");
    REFUSES("--format is of the file of --perplexity: add that", "--format", "text");
    REFUSES("--rounds is for --bench: add that", "--rounds", "2");
}

int main(void) {
    defaults_are_those_of_llama2c();
    every_option_of_llama2c_is_read();
    every_option_of_our_own_is_read();
    help_and_version_need_no_model();
    numbers_are_brought_into_range();
    mistakes_are_named();
    our_own_numbers_and_words_are_strict();
    what_would_have_no_effect_is_refused();
    return check_result();
}
