/* seeds FOLDER: writes small valid files of all kinds into FOLDER/model, FOLDER/tokenizer and FOLDER/text. */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char path[4096];

static const char *in(const char *folder, const char *kind, const char *name) {
    (void)snprintf(path, sizeof path, "%s/%s", folder, kind);
    (void)mkdir(path, 0700); /* may be there; if it can not be, writing into it fails */
    (void)snprintf(path, sizeof path, "%s/%s/%s", folder, kind, name);
    return path;
}

static void write_models(const char *folder) {
    write_v0_model(in(folder, "model", "shared"), (const int32_t[7]){8, 12, 2, 4, 2, 10, 16}, NULL);
    write_v0_model(in(folder, "model", "separate"), (const int32_t[7]){12, 8, 1, 2, 2, -20, 5}, NULL);
    write_v0_model(in(folder, "model", "tiny"), (const int32_t[7]){2, 1, 1, 1, 1, 1, 1}, NULL);
    write_v1_model(in(folder, "model", "v1"), (const int32_t[7]){8, 12, 2, 4, 4, 10, 16}, true, NULL);
    write_v1_model(in(folder, "model", "v1-separate"), (const int32_t[7]){16, 4, 1, 4, 1, 9, 8}, false, NULL);
    write_v2_model(in(folder, "model", "v2"), (const int32_t[7]){8, 12, 2, 4, 2, 10, 16}, true, 4);
    write_v2_model(in(folder, "model", "v2-misaligned"), (const int32_t[7]){6, 9, 2, 3, 1, 5, 16}, false, 3);
}

static void write_tokenizers(const char *folder) {
    static const char *const pieces[] = {"<unk>", "\n<s>\n", "\n</s>\n", " ",        "a",      "b",   "c",
                                         "ab",    "abc",     " a",       "\n",       "O",      "n",   "ce",
                                         "On",    "Once",    "e",        "\xc3\xa9", "<0x41>", "\x01"};
    static const float scores[] = {0, 0, 0, -1, -1, -1, -1, 5, 7, 3, 0, 0, 0, 2, 2, 9, 0, 0, 0, 0};
    static const char *const more[] = {" ", "a", "b", "ab", " ab", "\xe2\x96\x81"};

    write_tokenizer(in(folder, "tokenizer", "characters"), pieces, scores, sizeof pieces / sizeof pieces[0]);
    write_tokenizer(in(folder, "tokenizer", "tiny"), pieces, NULL, 1);
    write_byte_tokenizer(in(folder, "tokenizer", "bytes"), more, sizeof more / sizeof more[0]);
}

static void write_texts(const char *folder) {
    static const char *const texts[] = {"aaaaaaaaaaab abba", "\n\n a\tb", "caf\xc3\xa9 a\xc3\xa9",
                                        "\xff\xc3\x80\x80\x80\x80"};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char name[8];

        (void)snprintf(name, sizeof name, "%zu", i);
        write_file(in(folder, "text", name), texts[i], strlen(texts[i]));
    }
}

int main(int argc, char **argv) {
    if (argc != 2) {
        (void)fprintf(stderr, "usage: seeds FOLDER\n");
        return 2;
    }
    write_models(argv[1]);
    write_tokenizers(argv[1]);
    write_texts(argv[1]);
    return 0;
}
