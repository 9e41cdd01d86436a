#include "check.h"
#include "file.h"
#include "files.h"
#include "size.h"

static void a_file_is_its_bytes(void) {
    tsws_file file = {NULL, 0};

    write_file("plain", "abc", 3);
    CHECK(tsws_file_open("plain", &file, NULL) == TSWS_OK);
    CHECK(file.size == 3 && memcmp(file.bytes, "abc", 3) == 0);
    tsws_file_close(&file);
    CHECK(file.bytes == NULL && file.size == 0);
    tsws_file_close(&file);
}

static void what_is_no_file_is_refused(void) {
    tsws_file file = {NULL, 0};
    tsws_error error;

    CHECK(tsws_file_open("missing", &file, &error) == TSWS_ERROR_IO);
    CHECK_TEXT(error.message, "missing: can not be opened: No such file or directory");
    CHECK(tsws_file_open(".", &file, &error) == TSWS_ERROR_IO);
    CHECK_TEXT(error.message, ".: is not a regular file");
    write_file("empty", "", 0);
    CHECK(tsws_file_open("empty", &file, &error) == TSWS_ERROR_FORMAT);
    CHECK_TEXT(error.message, "empty: the file is empty");
    CHECK(file.bytes == NULL);
}

static void sizes_stop_at_the_largest(void) {
    CHECK(tsws_size_add(2, 3) == 5);
    CHECK(tsws_size_add(SIZE_MAX - 1, 1) == SIZE_MAX);
    CHECK(tsws_size_add(SIZE_MAX - 1, 2) == SIZE_MAX);
    CHECK(tsws_size_add(SIZE_MAX, SIZE_MAX) == SIZE_MAX);
    CHECK(tsws_size_mul(6, 7) == 42);
    CHECK(tsws_size_mul(SIZE_MAX, 0) == 0);
    CHECK(tsws_size_mul(0, SIZE_MAX) == 0);
    CHECK(tsws_size_mul(SIZE_MAX / 2, 2) == SIZE_MAX - 1);
    CHECK(tsws_size_mul(SIZE_MAX / 2 + 1, 2) == SIZE_MAX);
    CHECK(tsws_size_mul(SIZE_MAX, SIZE_MAX) == SIZE_MAX);
}

int main(void) {
    a_file_is_its_bytes();
    what_is_no_file_is_refused();
    sizes_stop_at_the_largest();
    return check_result();
}
