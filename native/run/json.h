/* JSON (RFC 8259), written piece by piece to standard output. */
#ifndef RUN_JSON_H
#define RUN_JSON_H

#include "platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* {file, false} begins. A value follows the key that was written last, or stands in an array. */
typedef struct run_json {
    FILE *file;
    bool follows; /* something stands before what comes next in the same object or array */
} run_json;

void run_json_open(run_json *json, char bracket); /* '{' or '[' */
void run_json_close(run_json *json, char bracket);
void run_json_key(run_json *json, const char *key);
void run_json_null(run_json *json);
void run_json_bool(run_json *json, bool value);
void run_json_integer(run_json *json, int64_t value);
void run_json_unsigned(run_json *json, uint64_t value);

/* Nine significant digits, so that a float comes back as it was; what is no finite number is null. */
void run_json_number(run_json *json, double value);

/* A string; each byte that is not part of valid UTF-8 becomes U+FFFD. */
void run_json_text(run_json *json, const char *text, size_t length);

#endif
