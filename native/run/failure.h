/* How the parts of the program report what went wrong: in the words of the library's errors. */
#ifndef RUN_FAILURE_H
#define RUN_FAILURE_H

#include "platform.h"
#include "tsws.h"

#if defined(__GNUC__)
#define RUN_PRINTF(format_at, values_at) __attribute__((format(printf, format_at, values_at)))
#else
#define RUN_PRINTF(format_at, values_at)
#endif

/* Writes status and message, one line that says what, which and why, and returns the status. */
tsws_status run_fail(tsws_error *error, tsws_status status, const char *format, ...) RUN_PRINTF(3, 4);

/* Appends to the message of an error what the user can do about it. */
void run_advise(tsws_error *error, const char *advice);

#endif
