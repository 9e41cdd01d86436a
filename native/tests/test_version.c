#include "check.h"

static void the_library_is_of_its_header(void) {
    CHECK(tsws_abi() == TSWS_ABI);
    CHECK(strchr(tsws_version(), '.') != NULL);
}

int main(void) {
    the_library_is_of_its_header();
    return check_result();
}
