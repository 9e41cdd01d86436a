/* Bytes that grow: texts that come piece by piece, and whole files. */
#ifndef RUN_BUFFER_H
#define RUN_BUFFER_H

#include "failure.h"

#include <stddef.h>
#include <stdio.h>

/* All zero is an empty buffer. */
typedef struct run_buffer {
    char *bytes; /* followed by a NUL that `length` does not count; NULL while nothing was ever put in */
    size_t length;
    size_t capacity;
} run_buffer;

/* Appends bytes. Errors: MEMORY. */
tsws_status run_buffer_append(run_buffer *buffer, const char *bytes, size_t length, tsws_error *error);

/* Appends a whole file; "-" is standard input. Errors: IO, MEMORY. */
tsws_status run_buffer_read(run_buffer *buffer, const char *path, tsws_error *error);

/* Frees what it holds and leaves it empty. */
void run_buffer_free(run_buffer *buffer);

#endif
