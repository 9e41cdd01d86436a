/* How a file holds a weight: as floats, or as int8 codes with one scale for a group of them. */
#ifndef TSWS_MATRIX_H
#define TSWS_MATRIX_H

#include "posix.h"

#include <stddef.h>
#include <stdint.h>

/* Row-major (rows, columns). Plain data: whoever fills it in owns what it points to. */
typedef struct tsws_matrix {
    size_t rows;
    size_t columns;
    const float *floats; /* NULL when there are codes */
    const int8_t *codes; /* NULL when there are floats */
    const float *scales; /* (rows, columns / group): weight = code * scale; NULL when there are floats */
    size_t group;        /* consecutive columns that share a scale; divides columns; 0 for floats */
} tsws_matrix;

#endif
