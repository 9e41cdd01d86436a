#include "check.h"
#include "file.h"
#include "files.h"
#include "memory.h"

#include <stdlib.h>

static void blocks_are_aligned_and_their_owners(void) {
    const size_t sizes[] = {1, 64, 100, 4096, (2 << 20) - 1, 2 << 20, (5 << 20) + 3};

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        unsigned char *block = tsws_memory_allocate(sizes[i]);

        if (CHECK(block != NULL)) {
            CHECK((uintptr_t)block % TSWS_ALIGNMENT == 0);
            memset(block, 7, sizes[i]);
            CHECK(block[0] == 7 && block[sizes[i] - 1] == 7);
        }
        free(block);
    }
}

static void what_is_too_much_is_refused(void) {
    CHECK(tsws_memory_allocate(SIZE_MAX) == NULL);
    CHECK(tsws_memory_allocate((size_t)PTRDIFF_MAX) == NULL);
}

/* What was dropped is read again from the file. */
static void dropped_pages_come_back(void) {
    enum { SIZE = 100000 };
    static unsigned char bytes[SIZE];
    tsws_file file;

    for (size_t i = 0; i < SIZE; i++) {
        bytes[i] = (unsigned char)(i * 31 + 1);
    }
    write_file("pages.bin", bytes, SIZE);
    if (CHECK(tsws_file_open("pages.bin", &file, NULL) == TSWS_OK)) {
        CHECK(memcmp(file.bytes, bytes, SIZE) == 0);
        tsws_memory_drop(file.bytes + 5, 30000);
        tsws_memory_drop(file.bytes + 50000, 50000);
        CHECK(memcmp(file.bytes, bytes, SIZE) == 0);
        tsws_file_close(&file);
    }
}

int main(void) {
    blocks_are_aligned_and_their_owners();
    what_is_too_much_is_refused();
    dropped_pages_come_back();
    return check_result();
}
