/* The smallest harness that serves: a failed check is counted and told, and the program ends with status 1. */
#ifndef TSWS_CHECK_H
#define TSWS_CHECK_H

#include "posix.h"
#include "tsws.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int check_failures;

#define CHECK(condition)                       check_that((condition), #condition, __FILE__, __LINE__)
#define CHECK_NEAR(value, expected, tolerance) CHECK(fabs((double)(value) - (double)(expected)) <= (tolerance))
#define CHECK_TEXT(text, expected)             check_text((text), (expected), __FILE__, __LINE__)

static inline bool check_that(bool condition, const char *words, const char *file, int line) {
    if (!condition) {
        check_failures++;
        (void)printf("%s:%d: not so: %s\n", file, line, words);
    }
    return condition;
}

static inline bool check_text(const char *text, const char *expected, const char *file, int line) {
    bool same = strcmp(text, expected) == 0;

    if (!same) {
        check_failures++;
        (void)printf("%s:%d: expected \"%s\", got \"%s\"\n", file, line, expected, text);
    }
    return same;
}

/* What main returns. */
static inline int check_result(void) {
    return check_failures == 0 ? 0 : 1;
}

#endif
