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

/* Writes a version 1 model: fields as in version 0, but the classifier said apart. Weights as above. */
void write_v1_model(const char *path, const int32_t fields[7], bool shared, void (*edit)(float *weights, size_t count));

/* Writes nothing but the header of a version 2 model. */
void write_v2_header(const char *path, const int32_t fields[7], int shared, int32_t group_size);

/* Writes a version 2 model: norms of 1, and in each matrix codes and scales that count up from 0 (codes to 127). */
void write_v2_model(const char *path, const int32_t fields[7], bool shared, int32_t group_size);

/* Writes a tokenizer; scores fall from 0 by 1 a piece unless given. */
void write_tokenizer(const char *path, const char *const *pieces, const float *scores, int32_t count);

/* Writes a tokenizer with <unk>, BOS, EOS, 256 byte pieces, and then `pieces`. */
void write_byte_tokenizer(const char *path, const char *const *pieces, int32_t count);

#endif
