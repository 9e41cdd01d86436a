/* Sizes that come from files: arithmetic that stops at SIZE_MAX instead of wrapping around to something small. */
#ifndef TSWS_SIZE_H
#define TSWS_SIZE_H

#include "posix.h"

#include <stddef.h>
#include <stdint.h>

static inline size_t tsws_size_add(size_t a, size_t b) {
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

static inline size_t tsws_size_mul(size_t a, size_t b) {
    return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}

#endif
