/* Orthogonal matrices near given ones, for an optimizer that steps by them (Muon). */
#ifndef TSWS_TRAIN_POLAR_H
#define TSWS_TRAIN_POLAR_H

#include <stddef.h>
#include <stdint.h>

#pragma GCC visibility push(default) /* what a shared library shows */

/* Floats of scratch that tsws_train_polar needs. */
size_t tsws_train_polar_floats(int32_t rows, int32_t columns);

/*
 * Replaces a matrix (rows, columns) by one with the same singular vectors, whose singular values are near 1: five steps of the
 * Newton-Schulz iteration with the coefficients of Muon (Jordan et al., 2024), which aim at 0.7 to 1.2 rather than at exactly 1.
 * A matrix of zeros stays one. On one thread; the same matrix gives the same bits.
 */
void tsws_train_polar(float *matrix, int32_t rows, int32_t columns, float *scratch);

#pragma GCC visibility pop

#endif
