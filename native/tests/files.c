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

static void put_weights(FILE *file, size_t count, void (*edit)(float *weights, size_t count)) {
    float *weights = malloc(count * sizeof *weights);
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
    put(file, weights, count * sizeof *weights);
    free(weights);
}

void write_v0_model(const char *path, const int32_t header[7], void (*edit)(float *weights, size_t count)) {
    size_t count = v0_float_count(header);
    FILE *file = create(path);

    put(file, header, 7 * sizeof *header);
    put_weights(file, count, edit);
    finish(file);
}

/* ---- Versions 1 and 2 ---- */

static void put_v1_header(FILE *file, int32_t version, const int32_t fields[7], int shared, int32_t group_size) {
    unsigned char header[256] = {'2', '4', 'k', 'a'};

    memcpy(header + 4, &version, sizeof version);
    memcpy(header + 8, fields, 7 * sizeof *fields);
    header[36] = (unsigned char)shared;
    memcpy(header + 37, &group_size, sizeof group_size);
    put(file, header, sizeof header);
}

/* Floats but those of the rotary tables. */
static size_t parameter_count(const int32_t fields[7], bool shared) {
    int32_t header[7];
    size_t tables = (size_t)fields[6] * (size_t)(fields[0] / fields[3]);

    memcpy(header, fields, sizeof header);
    header[5] = shared ? header[5] : -header[5];
    return v0_float_count(header) - tables;
}

void write_v1_model(const char *path, const int32_t fields[7], bool shared,
                    void (*edit)(float *weights, size_t count)) {
    FILE *file = create(path);

    put_v1_header(file, 1, fields, shared, 0);
    put_weights(file, parameter_count(fields, shared), edit);
    finish(file);
}

void write_v2_header(const char *path, const int32_t fields[7], int shared, int32_t group_size) {
    FILE *file = create(path);

    put_v1_header(file, 2, fields, shared, group_size);
    finish(file);
}

static void put_numbered(FILE *file, size_t n_matrices, size_t rows, size_t columns, int32_t group_size) {
    for (size_t matrix = 0; matrix < n_matrices; matrix++) {
        for (size_t i = 0; i < rows * columns; i++) {
            put(file, &(int8_t){(int8_t)(i % 128)}, 1);
        }
        for (size_t i = 0; i < rows * columns / (size_t)group_size; i++) {
            put(file, &(float){(float)i}, sizeof(float));
        }
    }
}

void write_v2_model(const char *path, const int32_t fields[7], bool shared, int32_t group_size) {
    size_t dim = (size_t)fields[0], hidden = (size_t)fields[1], layers = (size_t)fields[2], vocab = (size_t)fields[5];
    size_t kv = dim / (size_t)fields[3] * (size_t)fields[4];
    FILE *file = create(path);

    put_v1_header(file, 2, fields, shared, group_size);
    for (size_t i = 0; i < dim * (2 * layers + 1); i++) {
        put(file, &(float){1.0f}, sizeof(float));
    }
    put_numbered(file, 1, vocab, dim, group_size);
    put_numbered(file, layers, dim, dim, group_size);
    put_numbered(file, 2 * layers, kv, dim, group_size);
    put_numbered(file, layers, dim, dim, group_size);
    put_numbered(file, layers, hidden, dim, group_size);
    put_numbered(file, layers, dim, hidden, group_size);
    put_numbered(file, layers, hidden, dim, group_size);
    if (!shared) {
        put_numbered(file, 1, vocab, dim, group_size);
    }
    finish(file);
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
