#include "posix.h"
#include "tsws.h"

int32_t tsws_abi(void) {
    return TSWS_ABI;
}

const char *tsws_version(void) {
    return "0.1.0"; /* as in tsws/version.py; a test compares them */
}
