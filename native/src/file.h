/* A file as read-only memory. */
#ifndef TSWS_FILE_H
#define TSWS_FILE_H

#include "status.h"

typedef struct tsws_file {
    const unsigned char *bytes;
    size_t size;
} tsws_file;

/* Maps a regular file that is not empty. Errors: IO, FORMAT (empty). */
tsws_status tsws_file_open(const char *path, tsws_file *file, tsws_error *error);

/* Unmaps it. A file that is all zero is allowed. */
void tsws_file_close(tsws_file *file);

#endif
