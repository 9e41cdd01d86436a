/*
 * For compilers without libFuzzer: the same inputs to the same targets, but blind to what they reach.
 *
 *     fuzz_model [-runs=N] [-seed=S] [-max_len=BYTES] FILE...
 *
 * Without runs each file is played once, which repeats a crash. With runs so many inputs are made from the files.
 */
#include "target.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_FILES = 256, SECONDS_AN_INPUT = 10, MOST_CHANGES = 5 };

struct input {
    uint8_t *data;
    size_t size;
};

struct arguments {
    unsigned long runs, seed, max_size;
    struct input files[MAX_FILES];
    size_t n_files;
};

static uint32_t state; /* of LLVMFuzzerMutate, which has no room for one */

static struct input read_input(const char *path, size_t max_size) {
    struct input input = {malloc(max_size), 0};
    FILE *file = fopen(path, "rb");

    if (input.data == NULL || file == NULL) {
        perror(path);
        exit(2);
    }
    input.size = fread(input.data, 1, max_size, file);
    (void)fclose(file);
    return input;
}

static bool is_number(const char *argument, const char *name, unsigned long *value) {
    size_t length = strlen(name);

    if (strncmp(argument, name, length) != 0) {
        return false;
    }
    *value = strtoul(argument + length, NULL, 10);
    return true;
}

static void flip_bit(uint8_t *data, size_t size) {
    data[fuzz_random(&state) % size] ^= (uint8_t)(1u << fuzz_random(&state) % 8);
}

static void set_number(uint8_t *data, size_t size) {
    static const int32_t numbers[] = {
        INT32_MIN, -65536, -1,  0,   1,   2,    3,     4,     7,       8,       16,
        64,        127,    128, 255, 256, 1024, 65535, 65536, 1 << 24, 1 << 30, INT32_MAX - 1,
        INT32_MAX};
    size_t places = size < 64 || fuzz_random(&state) % 2 ? size : 64; /* headers are in front */

    if (places >= sizeof numbers[0]) {
        memcpy(data + fuzz_random(&state) % (places - sizeof numbers[0] + 1),
               &numbers[fuzz_random(&state) % (sizeof numbers / sizeof numbers[0])], sizeof numbers[0]);
    }
}

static void copy_part(uint8_t *data, size_t size) {
    size_t from = fuzz_random(&state) % size, to = fuzz_random(&state) % size;
    size_t most = size - (from > to ? from : to);

    memmove(data + to, data + from, fuzz_random(&state) % most + 1);
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) {
    if (size == 0) {
        data[0] = (uint8_t)fuzz_random(&state);
        return 1;
    }
    switch (fuzz_random(&state) % 6) {
    case 0: flip_bit(data, size); break;
    case 1: data[fuzz_random(&state) % size] = (uint8_t)fuzz_random(&state); break;
    case 2: set_number(data, size); break;
    case 3: copy_part(data, size); break;
    case 4: return 1 + fuzz_random(&state) % size; /* cut off */
    default:                                       /* longer, by something of its own */
        if (size < max_size) {
            size_t more = 1 + fuzz_random(&state) % (max_size - size);

            for (size_t i = 0; i < more; i++) {
                data[size + i] = data[i % size];
            }
            return size + more;
        }
    }
    return size;
}

/* In a block of exactly its size, so that sanitizers see who reads beyond it. */
static void play(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size == 0 ? 1 : size);

    if (copy == NULL) {
        exit(2);
    }
    memcpy(copy, data, size);
    (void)alarm(SECONDS_AN_INPUT);
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void play_changed(const struct arguments *arguments) {
    uint8_t *data = malloc(arguments->max_size);

    if (data == NULL) {
        exit(2);
    }
    for (unsigned long run = 0; run < arguments->runs; run++) {
        const struct input *chosen = &arguments->files[fuzz_random(&state) % arguments->n_files];
        size_t size = chosen->size;

        memcpy(data, chosen->data, size);
        for (uint32_t changes = 1 + fuzz_random(&state) % MOST_CHANGES; changes > 0; changes--) {
            size = LLVMFuzzerCustomMutator(data, size, arguments->max_size, fuzz_random(&state));
        }
        play(data, size);
    }
    free(data);
}

int main(int argc, char **argv) {
    struct arguments arguments = {.seed = 1, .max_size = 4096};

    for (int i = 1; i < argc; i++) {
        if (!is_number(argv[i], "-runs=", &arguments.runs) && !is_number(argv[i], "-seed=", &arguments.seed) &&
            !is_number(argv[i], "-max_len=", &arguments.max_size) && arguments.n_files < MAX_FILES) {
            arguments.files[arguments.n_files++] = read_input(argv[i], arguments.max_size);
        }
    }
    if (arguments.n_files == 0 || arguments.max_size == 0) {
        (void)fprintf(stderr, "usage: %s [-runs=N] [-seed=S] [-max_len=BYTES] FILE...\n", argv[0]);
        return 2;
    }
    state = (uint32_t)arguments.seed | 1;
    for (size_t i = 0; i < arguments.n_files; i++) {
        play(arguments.files[i].data, arguments.files[i].size);
    }
    play_changed(&arguments);
    for (size_t i = 0; i < arguments.n_files; i++) {
        free(arguments.files[i].data);
    }
    return 0;
}
