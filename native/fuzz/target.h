/* What the fuzz targets share: each is one function that takes any bytes, and ends the process where a promise is broken. */
#ifndef TSWS_FUZZ_TARGET_H
#define TSWS_FUZZ_TARGET_H

#include "posix.h"
#include "tsws.h"

/* libFuzzer's interface; standalone.c has a main for compilers without it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Writes an input to this process's file (in memory, where there is /dev/shm) and returns its name. A crash leaves it. */
const char *fuzz_file(const uint8_t *data, size_t size);

/* Ends the process unless it is so. */
#define REQUIRE(condition) fuzz_require((condition), #condition, __FILE__, __LINE__)
void fuzz_require(bool condition, const char *words, const char *file, int line);

/* The next of a sequence of random numbers (xorshift32, Marsaglia 2003); the state must not be 0. */
uint32_t fuzz_random(uint32_t *state);

/* A number made of all bytes, so that the same input always does the same (FNV-1a). */
uint32_t fuzz_digest(const uint8_t *data, size_t size);

/* Encodes a text and checks everything that can be said of the tokens, of short ones against a slow reference too. */
void fuzz_encode(const tsws_tokenizer *tokenizer, const char *text, size_t length);

#endif
