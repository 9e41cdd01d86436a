/* Nucleus sampling (Holtzman et al. 2019): only the likeliest tokens, as few as together pass top_p. */
#ifndef TSWS_SAMPLER_NUCLEUS_H
#define TSWS_SAMPLER_NUCLEUS_H

#include "posix.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Which of n tokens a coin within [0, 1) falls on, each as wide as its probability; those outside the nucleus have none.
 * This is just what comes of sorting all tokens by probability, equals in the order of the vocabulary, and of sums in
 * that order: what llama2.c does where qsort is stable.
 *   likeliest  the first token of the largest probability; the answer when the probabilities are not numbers
 *   top_p      within (0, 1)
 *   sorted     room for n + 1
 *   scratch    room for n
 */
int32_t tsws_pick_from_nucleus(const float *probabilities, size_t n, int32_t likeliest, float top_p, float coin,
                               uint64_t *sorted, uint64_t *scratch);

#endif
