#include "sampler_nucleus.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/*
 * Few tokens make up most nuclei. So tokens are not sorted all at once but in bands of probability, from the top, until the
 * nucleus is full: a band is found by a glance over all probabilities.
 */
enum {
    BAND = 16,  /* how much likelier the likeliest of a band can be than the rarest */
    BLOCK = 32, /* tokens looked at together */
    FEW = 40    /* that are sorted by insertion: shorter than counting */
};

/*
 * A candidate is one number: the likeliest first, then in the order of the vocabulary. Floats that are not negative
 * are in the same order as their bits.
 */
static uint64_t make_candidate(float probability, size_t token) {
    uint32_t bits;

    memcpy(&bits, &probability, sizeof bits);
    return (uint64_t)~bits << 32 | (uint64_t)token;
}

static float candidate_probability(uint64_t candidate) {
    uint32_t bits = ~(uint32_t)(candidate >> 32);
    float probability;

    memcpy(&probability, &bits, sizeof probability);
    return probability;
}

static int32_t candidate_token(uint64_t candidate) {
    return (int32_t)(candidate & UINT32_MAX);
}

/* Written so that a compiler gives each comparison a lane. */
static bool any_within(const float *block, float low, float high) {
    int found = 0;

    for (size_t i = 0; i < BLOCK; i++) {
        found |= (block[i] >= low) & (block[i] < high);
    }
    return found != 0;
}

/* The tokens with low <= probability < high, in the order of the vocabulary. Gives their number. */
static size_t collect_band(const float *probabilities, size_t n, float low, float high, uint64_t *band) {
    size_t count = 0;

    for (size_t first = 0; first < n; first += BLOCK) {
        size_t last = n - first < BLOCK ? n : first + BLOCK;

        if (last - first == BLOCK && !any_within(probabilities + first, low, high)) {
            continue;
        }
        for (size_t i = first; i < last; i++) { /* writes always and keeps sometimes: nothing to mispredict */
            band[count] = make_candidate(probabilities[i], i);
            count += (probabilities[i] >= low) & (probabilities[i] < high);
        }
    }
    return count;
}

static void sort_few(uint64_t *candidates, size_t count) {
    for (size_t i = 1; i < count; i++) {
        uint64_t candidate = candidates[i];
        size_t at = i;

        for (; at > 0 && candidates[at - 1] > candidate; at--) {
            candidates[at] = candidates[at - 1];
        }
        candidates[at] = candidate;
    }
}

/* By one byte after another of the probability, the lowest first. They come in the order of the vocabulary. */
static void sort_many(uint64_t *candidates, size_t count, uint64_t *scratch) {
    uint64_t *from = candidates;
    uint64_t *to = scratch;

    for (unsigned shift = 32; shift < 64; shift += 8) {
        size_t starts[257] = {0}; /* of each value of the byte */

        for (size_t i = 0; i < count; i++) {
            starts[(from[i] >> shift & 0xFF) + 1]++;
        }
        if (starts[(from[0] >> shift & 0xFF) + 1] == count) {
            continue; /* all the same: they are in order */
        }
        for (size_t value = 1; value < 257; value++) {
            starts[value] += starts[value - 1];
        }
        for (size_t i = 0; i < count; i++) {
            to[starts[from[i] >> shift & 0xFF]++] = from[i];
        }
        from = to;
        to = from == scratch ? candidates : scratch;
    }
    if (from != candidates) {
        memcpy(candidates, from, count * sizeof *candidates);
    }
}

/* Where the coin falls among `count` candidates. */
static int32_t pick_sorted(const uint64_t *sorted, size_t count, float coin) {
    float passed = 0.0f;

    for (size_t i = 0; i < count; i++) {
        passed += candidate_probability(sorted[i]);
        if (coin < passed) {
            return candidate_token(sorted[i]);
        }
    }
    return candidate_token(sorted[count - 1]); /* rounding */
}

int32_t tsws_pick_from_nucleus(const float *probabilities, size_t n, int32_t likeliest, float top_p, float coin,
                               uint64_t *sorted, uint64_t *scratch) {
    /* What is rarer can not be in the nucleus, for all the others together would not reach 1 - top_p. */
    float cutoff = n > 1 ? (1.0f - top_p) / (float)(n - 1) : 0.0f;
    float high = probabilities[likeliest];
    float low = high / BAND;
    float total = 0.0f;
    size_t count = 0;

    for (float above = INFINITY; above > cutoff && high > 0.0f; above = low, low /= BAND) {
        size_t found;

        low = low > cutoff ? low : cutoff;
        found = collect_band(probabilities, n, low, above, sorted + count);
        if (found <= FEW) {
            sort_few(sorted + count, found);
        } else {
            sort_many(sorted + count, found, scratch);
        }
        for (size_t last = count + found; count < last; count++) {
            total += candidate_probability(sorted[count]);
            if (total > top_p) {
                return pick_sorted(sorted, count + 1, coin * total);
            }
        }
    }
    return count == 0 ? likeliest : pick_sorted(sorted, count, coin * total);
}
