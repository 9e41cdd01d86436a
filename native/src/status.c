#include "status.h"

#include <stdarg.h>
#include <stdio.h>

const char *tsws_status_name(tsws_status status) {
    switch (status) {
    case TSWS_OK: return "ok";
    case TSWS_ERROR_IO: return "io";
    case TSWS_ERROR_FORMAT: return "format";
    case TSWS_ERROR_MISMATCH: return "mismatch";
    case TSWS_ERROR_ARGUMENT: return "argument";
    case TSWS_ERROR_FULL: return "full";
    case TSWS_ERROR_MEMORY: return "memory";
    }
    return "unknown";
}

tsws_status tsws_fail(tsws_error *error, tsws_status status, const char *format, ...) {
    if (error != NULL) {
        va_list values;
        error->status = status;
        va_start(values, format);
        (void)vsnprintf(error->message, sizeof error->message, format, values);
        va_end(values);
    }
    return status;
}
