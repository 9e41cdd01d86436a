#include "check.h"
#include "json.h"

#include <stdlib.h>

#define TEXT(text) (text), sizeof(text) - 1

/* Where the JSON goes. */
static char *text;
static size_t text_size;

static run_json begin(void) {
    return (run_json){open_memstream(&text, &text_size), false};
}

static void ends_as(run_json *json, const char *expected) {
    (void)fclose(json->file);
    CHECK_TEXT(text, expected);
    free(text);
}

static void objects_and_arrays_nest(void) {
    run_json json = begin();

    run_json_open(&json, '{');
    run_json_key(&json, "a");
    run_json_open(&json, '[');
    run_json_integer(&json, -1);
    run_json_unsigned(&json, UINT64_MAX);
    run_json_open(&json, '{');
    run_json_close(&json, '}');
    run_json_open(&json, '[');
    run_json_close(&json, ']');
    run_json_close(&json, ']');
    run_json_key(&json, "b");
    run_json_bool(&json, true);
    run_json_key(&json, "c");
    run_json_bool(&json, false);
    run_json_key(&json, "d");
    run_json_null(&json);
    run_json_close(&json, '}');
    ends_as(&json, "{\"a\":[-1,18446744073709551615,{},[]],\"b\":true,\"c\":false,\"d\":null}");
}

static void numbers_that_are_none_are_null(void) {
    run_json json = begin();

    run_json_open(&json, '[');
    run_json_number(&json, 0.1);
    run_json_number(&json, (double)-16777217.0);
    run_json_number(&json, 1e300);
    run_json_number(&json, (double)INFINITY);
    run_json_number(&json, (double)NAN);
    run_json_close(&json, ']');
    ends_as(&json, "[0.1,-16777217,1e+300,null,null]");
}

static void text_is_escaped(void) {
    run_json json = begin();

    run_json_text(&json, TEXT("a\"b\\c\n\r\t\x01\x1f\x7f\0z"));
    ends_as(&json, "\"a\\\"b\\\\c\\n\\r\\t\\u0001\\u001f\x7f\\u0000z\"");
    json = begin();
    run_json_text(&json, NULL, 0);
    ends_as(&json, "\"\"");
}

static void valid_utf8_is_kept_and_other_bytes_are_replaced(void) {
    static const struct {
        const char *text;
        size_t length;
        const char *expected;
    } cases[] = {
        {TEXT("caf\xC3\xA9 \xE2\x80\x94 \xF0\x9F\x98\x80"), "\"caf\xC3\xA9 \xE2\x80\x94 \xF0\x9F\x98\x80\""},
        {TEXT("\xEF\xBF\xBF\xF4\x8F\xBF\xBF"), "\"\xEF\xBF\xBF\xF4\x8F\xBF\xBF\""},
        {TEXT("\xFF\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {TEXT("\xC3"), "\"\xEF\xBF\xBD\""},
        {TEXT("\xC3z"), "\"\xEF\xBF\xBDz\""},
        {TEXT("\xC0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {TEXT("\xE2\x80z"), "\"\xEF\xBF\xBD\xEF\xBF\xBDz\""},
        {TEXT("\xE0\x80\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {TEXT("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
        {TEXT("\xF4\x90\x80\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        run_json json = begin();

        run_json_text(&json, cases[i].text, cases[i].length);
        ends_as(&json, cases[i].expected);
    }
}

int main(void) {
    objects_and_arrays_nest();
    numbers_that_are_none_are_null();
    text_is_escaped();
    valid_utf8_is_kept_and_other_bytes_are_replaced();
    return check_result();
}
