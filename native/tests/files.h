/* Files for the tests, in the folder that they are started in. */
#ifndef TSWS_TEST_FILES_H
#define TSWS_TEST_FILES_H

#include "posix.h"
#include "tsws.h"

/* Writes a whole file; ends the process where that fails. */
void write_file(const char *path, const void *bytes, size_t size);

/* How many floats follow the header of a version 0 model. */
size_t v0_float_count(const int32_t header[7]);

/* Writes a version 0 model. All weights are small, seeded and distinct; `edit`, unless NULL, may change them. */
void write_v0_model(const char *path, const int32_t header[7], void (*edit)(float *weights, size_t count));

/* Writes a tokenizer; scores fall from 0 by 1 a piece unless given. */
void write_tokenizer(const char *path, const char *const *pieces, const float *scores, int32_t count);

/* Writes a tokenizer with <unk>, BOS, EOS, 256 byte pieces, and then `pieces`. */
void write_byte_tokenizer(const char *path, const char *const *pieces, int32_t count);

#endif
