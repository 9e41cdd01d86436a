/*
 * How matrices are laid out for matmul: panels of some rows side by side, so that each row has a lane of its own and no
 * sum ever runs across lanes.
 *
 *     floats: panel, column, row           one float each
 *     codes:  panel, group, then           panel_rows scales (floats),
 *                           quad, row, 4   codes of four consecutive columns
 *
 * A group whose size is not a multiple of four is filled up with columns of code 0, and the last panel with rows of 0.
 */
#ifndef TSWS_PACK_H
#define TSWS_PACK_H

#include "matrix.h"

enum { TSWS_QUAD = 4 }; /* columns whose products an int8 dot product instruction sums in one lane */

/* Columns that a group takes up. */
static inline size_t tsws_padded_group(size_t group) {
    return (group + TSWS_QUAD - 1) / TSWS_QUAD * TSWS_QUAD;
}

/* Bytes of one panel; SIZE_MAX when there can not be so many. panel_rows is a multiple of 16. */
size_t tsws_panel_bytes(size_t panel_rows, size_t columns, size_t group);

/* Bytes of all panels; SIZE_MAX when there can not be so many. */
size_t tsws_pack_bytes(size_t panel_rows, size_t rows, size_t columns, size_t group);

/*
 * Fills them from a matrix of floats or codes. `flip` is exclusive-ored to each code: 0x80 makes the range -128..127 one
 * of 0..255, which is what instructions want that multiply unsigned by signed bytes.
 */
void tsws_pack_panels(void *data, const tsws_matrix *matrix, size_t group, size_t panel_rows, uint8_t flip);

/*
 * codes (n,) = x / scale, rounded half away from zero, for the scale that takes the largest magnitude to 127; the scale
 * is returned. What is not a number becomes a code too, any.
 */
float tsws_quantize_group(int8_t *codes, const float *x, size_t n);

#endif
