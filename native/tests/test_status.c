#include "check.h"
#include "status.h"

static void status_and_message_are_written(void) {
    tsws_error error;

    CHECK(tsws_fail(&error, TSWS_ERROR_FORMAT, "%s: %d", "file", 7) == TSWS_ERROR_FORMAT);
    CHECK(error.status == TSWS_ERROR_FORMAT);
    CHECK_TEXT(error.message, "file: 7");
}

static void nobody_has_to_listen(void) {
    CHECK(tsws_fail(NULL, TSWS_ERROR_IO, "unheard") == TSWS_ERROR_IO);
}

static void long_messages_are_cut(void) {
    char text[4096];
    tsws_error error;

    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    (void)tsws_fail(&error, TSWS_ERROR_IO, "%s", text);
    CHECK(strlen(error.message) == sizeof error.message - 1);
}

static void every_status_has_a_name(void) {
    CHECK_TEXT(tsws_status_name(TSWS_OK), "ok");
    CHECK_TEXT(tsws_status_name(TSWS_ERROR_IO), "io");
    CHECK_TEXT(tsws_status_name(TSWS_ERROR_FORMAT), "format");
    CHECK_TEXT(tsws_status_name(TSWS_ERROR_MISMATCH), "mismatch");
    CHECK_TEXT(tsws_status_name(TSWS_ERROR_ARGUMENT), "argument");
    CHECK_TEXT(tsws_status_name(TSWS_ERROR_FULL), "full");
    CHECK_TEXT(tsws_status_name(TSWS_ERROR_MEMORY), "memory");
}

int main(void) {
    status_and_message_are_written();
    nobody_has_to_listen();
    long_messages_are_cut();
    every_status_has_a_name();
    return check_result();
}
