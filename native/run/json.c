#include "json.h"

#include <inttypes.h>
#include <math.h>

static void separate(run_json *json) {
    if (json->follows) {
        (void)fputc(',', json->file);
    }
    json->follows = true;
}

void run_json_open(run_json *json, char bracket) {
    separate(json);
    (void)fputc(bracket, json->file);
    json->follows = false;
}

void run_json_close(run_json *json, char bracket) {
    (void)fputc(bracket, json->file);
    json->follows = true;
}

void run_json_key(run_json *json, const char *key) {
    separate(json);
    (void)fprintf(json->file, "\"%s\":", key);
    json->follows = false;
}

void run_json_null(run_json *json) {
    separate(json);
    (void)fputs("null", json->file);
}

void run_json_bool(run_json *json, bool value) {
    separate(json);
    (void)fputs(value ? "true" : "false", json->file);
}

void run_json_integer(run_json *json, int64_t value) {
    separate(json);
    (void)fprintf(json->file, "%" PRId64, value);
}

void run_json_unsigned(run_json *json, uint64_t value) {
    separate(json);
    (void)fprintf(json->file, "%" PRIu64, value);
}

void run_json_number(run_json *json, double value) {
    if (!isfinite(value)) {
        run_json_null(json);
        return;
    }
    separate(json);
    (void)fprintf(json->file, "%.9g", value);
}

static bool is_tail(unsigned char byte) {
    return (byte & 0xC0) == 0x80;
}

/* Bytes of the UTF-8 character at the beginning, or 0 (RFC 3629: no surrogates, no detours, none past U+10FFFF). */
static size_t utf8_length(const unsigned char *text, size_t length) {
    size_t expected;
    unsigned char least = 0x80, most = 0xBF; /* of the second byte */

    if (text[0] < 0x80) {
        return 1;
    }
    if (text[0] < 0xC2 || text[0] > 0xF4) {
        return 0;
    }
    expected = text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    switch (text[0]) {
    case 0xE0: least = 0xA0; break;
    case 0xED: most = 0x9F; break;
    case 0xF0: least = 0x90; break;
    case 0xF4: most = 0x8F; break;
    default: break;
    }
    if (length < expected || text[1] < least || text[1] > most) {
        return 0;
    }
    for (size_t i = 2; i < expected; i++) {
        if (!is_tail(text[i])) {
            return 0;
        }
    }
    return expected;
}

static void write_character(FILE *file, const unsigned char *text, size_t length) {
    switch (text[0]) {
    case '"': (void)fputs("\\\"", file); return;
    case '\\': (void)fputs("\\\\", file); return;
    case '\n': (void)fputs("\\n", file); return;
    case '\r': (void)fputs("\\r", file); return;
    case '\t': (void)fputs("\\t", file); return;
    default: break;
    }
    if (text[0] < 0x20) {
        (void)fprintf(file, "\\u%04x", (unsigned)text[0]);
    } else {
        (void)fwrite(text, 1, length, file);
    }
}

void run_json_text(run_json *json, const char *text, size_t length) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;

    separate(json);
    (void)fputc('"', json->file);
    while (at < length) {
        size_t taken = utf8_length(bytes + at, length - at);

        if (taken == 0) {
            (void)fputs("\xEF\xBF\xBD", json->file);
            at++;
        } else {
            write_character(json->file, bytes + at, taken);
            at += taken;
        }
    }
    (void)fputc('"', json->file);
}
