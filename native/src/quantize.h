/* Floats as int8 codes: what a model that is opened with TSWS_INT8 is made of, and what version 2 of the format holds. */
#ifndef TSWS_QUANTIZE_H
#define TSWS_QUANTIZE_H

#include "posix.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Quantises `count` floats, symmetrically, in groups of `group` that share a scale: weight = code * scale, and the
 * largest of a group gets the code 127 or -127. Halves go to the even neighbour. The same codes and scales as in
 * llama2.c's files of version 2, but a group of zeros, or with an infinity or what is no number, has scale 0 and codes 0.
 *   codes   (count,)
 *   scales  (count / group,)
 *   group   divides count
 */
void tsws_quantize(int8_t *codes, float *scales, const float *weights, size_t count, size_t group);

/* weights (count,) = codes times the scale of their group */
void tsws_dequantize(float *weights, const int8_t *codes, const float *scales, size_t count, size_t group);

#endif
