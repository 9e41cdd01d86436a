/* What the tests of the kernels share: the tables that this processor can run, and numbers to feed them. */
#ifndef TSWS_TEST_TABLES_H
#define TSWS_TEST_TABLES_H

#include "kernels.h"

enum { MOST_TABLES = 8 };

/* Fills in the tables and gives their count. */
static inline size_t list_tables(const tsws_kernels *tables[MOST_TABLES]) {
    const char *const names[] = {"portable", "avx2", "avx2-vnni", "avx512", "neon"};
    size_t count = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (tsws_kernels_named(names[i]) != NULL) {
            tables[count++] = tsws_kernels_named(names[i]);
        }
    }
    return count;
}

/* Within -1 and 1, the same for the same numbers; a step of a linear congruential generator and a mix. */
static inline float noise(size_t i, size_t seed) {
    uint32_t x = (uint32_t)(i * 2654435761u) ^ (uint32_t)(seed * 40503u + 12345u);

    x ^= x >> 15;
    x *= UINT32_C(0x2c1b3c6d);
    x ^= x >> 12;
    x *= UINT32_C(0x297a2d39);
    x ^= x >> 15;
    return (float)(x >> 8) / 8388608.0f - 1.0f;
}

#endif
