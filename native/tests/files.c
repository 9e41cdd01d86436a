#include "files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *create(const char *path) {
    FILE *file = fopen(path, "wb");

    if (file == NULL) {
        perror(path);
        exit(2);
    }
    return file;
}

static void put(FILE *file, const void *bytes, size_t size) {
    if (size > 0 && fwrite(bytes, 1, size, file) != size) {
        perror("fwrite");
        exit(2);
    }
}

static void finish(FILE *file) {
    if (fclose(file) != 0) {
        perror("fclose");
        exit(2);
    }
}

void write_file(const char *path, const void *bytes, size_t size) {
    FILE *file = create(path);

    put(file, bytes, size);
    finish(file);
}

size_t v0_float_count(const int32_t header[7]) {
    size_t dim = (size_t)header[0], hidden = (size_t)header[1], layers = (size_t)header[2];
    size_t head = dim / (size_t)header[3], kv = head * (size_t)header[4];
    size_t vocab = (size_t)abs(header[5]), positions = (size_t)header[6];
    size_t layer = 2 * dim + 2 * dim * dim + 2 * kv * dim + 3 * hidden * dim;

    return (header[5] < 0 ? 2 : 1) * vocab * dim + layers * layer + dim + positions * head;
}

void write_v0_model(const char *path, const int32_t header[7], void (*edit)(float *weights, size_t count)) {
    size_t count = v0_float_count(header);
    float *weights = malloc(count * sizeof *weights);
    FILE *file = create(path);
    uint32_t state = 1;

    if (weights == NULL) {
        perror("malloc");
        exit(2);
    }
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u; /* Numerical Recipes */
        weights[i] = (float)(state >> 8) / 16777216.0f - 0.5f;
    }
    if (edit != NULL) {
        edit(weights, count);
    }
    put(file, header, 7 * sizeof *header);
    put(file, weights, count * sizeof *weights);
    finish(file);
    free(weights);
}

static void put_piece(FILE *file, float score, const char *piece) {
    int32_t length = (int32_t)strlen(piece);

    put(file, &score, sizeof score);
    put(file, &length, sizeof length);
    put(file, piece, (size_t)length);
}

static void put_longest(FILE *file, const char *const *pieces, int32_t count, int32_t longest) {
    for (int32_t i = 0; i < count; i++) {
        int32_t length = (int32_t)strlen(pieces[i]);

        longest = length > longest ? length : longest;
    }
    put(file, &longest, sizeof longest);
}

void write_tokenizer(const char *path, const char *const *pieces, const float *scores, int32_t count) {
    FILE *file = create(path);

    put_longest(file, pieces, count, 1);
    for (int32_t i = 0; i < count; i++) {
        put_piece(file, scores == NULL ? -(float)i : scores[i], pieces[i]);
    }
    finish(file);
}

void write_byte_tokenizer(const char *path, const char *const *pieces, int32_t count) {
    FILE *file = create(path);

    put_longest(file, pieces, count, 6);
    put_piece(file, 0.0f, "<unk>");
    put_piece(file, 0.0f, "\n<s>\n");
    put_piece(file, 0.0f, "\n</s>\n");
    for (unsigned byte = 0; byte < 256; byte++) {
        char piece[8];

        (void)snprintf(piece, sizeof piece, "<0x%02X>", byte);
        put_piece(file, 0.0f, piece);
    }
    for (int32_t i = 0; i < count; i++) {
        put_piece(file, -(float)i, pieces[i]);
    }
    finish(file);
}
