#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

tsws_status run_fail(tsws_error *error, tsws_status status, const char *format, ...) {
    va_list values;

    error->status = status;
    va_start(values, format);
    (void)vsnprintf(error->message, sizeof error->message, format, values);
    va_end(values);
    return status;
}

void run_advise(tsws_error *error, const char *advice) {
    size_t length = strlen(error->message);

    (void)snprintf(error->message + length, sizeof error->message - length, "; %s", advice);
}
