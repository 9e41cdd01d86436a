#include "buffer.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_CAPACITY = 4096 };

/* Makes room for `more` bytes and a NUL. */
static tsws_status make_room(run_buffer *buffer, size_t more, tsws_error *error) {
    size_t capacity = buffer->capacity < LEAST_CAPACITY ? LEAST_CAPACITY : buffer->capacity;
    char *grown;

    while (capacity - buffer->length <= more && capacity <= SIZE_MAX / 2) {
        capacity *= 2;
    }
    if (capacity == buffer->capacity) {
        return TSWS_OK;
    }
    grown = capacity - buffer->length > more ? realloc(buffer->bytes, capacity) : NULL;
    if (grown == NULL) {
        return run_fail(error, TSWS_ERROR_MEMORY, "memory is short: %zu bytes more are needed", more);
    }
    buffer->bytes = grown;
    buffer->capacity = capacity;
    return TSWS_OK;
}

tsws_status run_buffer_append(run_buffer *buffer, const char *bytes, size_t length, tsws_error *error) {
    tsws_status status = make_room(buffer, length, error);

    if (status != TSWS_OK) {
        return status;
    }
    if (length > 0) {
        memcpy(buffer->bytes + buffer->length, bytes, length);
    }
    buffer->length += length;
    buffer->bytes[buffer->length] = '\0';
    return TSWS_OK;
}

tsws_status run_buffer_read(run_buffer *buffer, const char *path, tsws_error *error) {
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    tsws_status status = TSWS_OK;

    if (file == NULL) {
        return run_fail(error, TSWS_ERROR_IO, "%s: can not be opened: %s", path, strerror(errno));
    }
    while (status == TSWS_OK && !feof(file) && !ferror(file)) {
        status = make_room(buffer, LEAST_CAPACITY, error);
        if (status == TSWS_OK) {
            buffer->length += fread(buffer->bytes + buffer->length, 1, buffer->capacity - buffer->length - 1, file);
            buffer->bytes[buffer->length] = '\0';
        }
    }
    if (status == TSWS_OK && ferror(file)) {
        status = run_fail(error, TSWS_ERROR_IO, "%s: can not be read: %s", path, strerror(errno));
    }
    if (!is_stdin) {
        (void)fclose(file);
    }
    return status;
}

void run_buffer_free(run_buffer *buffer) {
    free(buffer->bytes);
    *buffer = (run_buffer){NULL, 0, 0};
}
