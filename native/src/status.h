/* How functions of the library report failure. */
#ifndef TSWS_STATUS_H
#define TSWS_STATUS_H

#include "posix.h"
#include "tsws.h"

#if defined(__GNUC__)
#define TSWS_PRINTF(format_at, values_at) __attribute__((format(printf, format_at, values_at)))
#else
#define TSWS_PRINTF(format_at, values_at)
#endif

/* Writes status and message to `error` unless that is NULL, and returns the status. */
tsws_status tsws_fail(tsws_error *error, tsws_status status, const char *format, ...) TSWS_PRINTF(3, 4);

#endif
