#include "kernels.h"
#include "status.h"

#include <inttypes.h>
#include <stdlib.h>

struct candidate {
    float probability;
    int32_t token;
};

struct tsws_sampler {
    tsws_sampler_options options;
    const tsws_kernels *kernels;
    uint64_t state; /* of the random generator; never 0 */
    size_t vocab_size;
    float *probabilities;         /* (vocab_size,) */
    struct candidate *candidates; /* (vocab_size,) */
};

tsws_sampler_options tsws_sampler_defaults(void) {
    return (tsws_sampler_options){.temperature = 1.0f, .top_p = 0.9f, .seed = 1};
}

tsws_status tsws_sampler_create(int32_t vocab_size, tsws_sampler_options options, tsws_sampler **sampler,
                                tsws_error *error) {
    tsws_sampler *created;

    *sampler = NULL;
    if (vocab_size < 1) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "a sampler can not choose from %" PRId32 " tokens", vocab_size);
    }
    if (!(options.temperature >= 0.0f)) { /* not a number is refused too */
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "the temperature must be 0 or more, not %g",
                         (double)options.temperature);
    }
    if (!(options.top_p >= 0.0f && options.top_p <= 1.0f)) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "top_p must be within 0 and 1, not %g", (double)options.top_p);
    }
    if (options.seed == 0) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "the seed must not be 0");
    }
    created = calloc(1, sizeof *created);
    if (created != NULL) {
        created->probabilities = calloc((size_t)vocab_size, sizeof *created->probabilities);
        created->candidates = calloc((size_t)vocab_size, sizeof *created->candidates);
    }
    if (created == NULL || created->probabilities == NULL || created->candidates == NULL) {
        tsws_sampler_destroy(created);
        return tsws_fail(error, TSWS_ERROR_MEMORY, "memory is short for a sampler of %" PRId32 " tokens", vocab_size);
    }
    created->options = options;
    created->kernels = tsws_kernels_choose(true);
    created->state = options.seed;
    created->vocab_size = (size_t)vocab_size;
    *sampler = created;
    return TSWS_OK;
}

void tsws_sampler_destroy(tsws_sampler *sampler) {
    if (sampler != NULL) {
        free(sampler->probabilities);
        free(sampler->candidates);
        free(sampler);
    }
}

/* Within [0, 1). Marsaglia's xorshift with a multiplication at the end (Vigna 2014, "xorshift64*"); the top 24 bits. */
static float random_unit(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (float)((*state * UINT64_C(0x2545F4914F6CDD1D)) >> 40) / 16777216.0f;
}

static int32_t pick_likeliest(const float *logits, size_t n) {
    size_t best = 0;

    for (size_t i = 1; i < n; i++) {
        if (logits[i] > logits[best]) {
            best = i;
        }
    }
    return (int32_t)best;
}

static int32_t pick_any(const float *probabilities, size_t n, float coin) {
    float passed = 0.0f;

    for (size_t i = 0; i < n; i++) {
        passed += probabilities[i];
        if (coin < passed) {
            return (int32_t)i;
        }
    }
    return (int32_t)(n - 1); /* rounding: the sum fell short of the coin */
}

/* Likeliest first; equals in the order of the vocabulary, so that the result does not hang on the library's qsort. */
static int compare_candidates(const void *left, const void *right) {
    const struct candidate *a = left;
    const struct candidate *b = right;

    if (a->probability != b->probability) {
        return a->probability > b->probability ? -1 : 1;
    }
    return (a->token > b->token) - (a->token < b->token);
}

/* Nucleus sampling (Holtzman et al. 2019): only the likeliest tokens, as few as together pass top_p. */
static int32_t pick_from_nucleus(tsws_sampler *sampler, float coin) {
    struct candidate *candidates = sampler->candidates;
    size_t n = sampler->vocab_size;
    float top_p = sampler->options.top_p;
    /* What is rarer can not be in the nucleus, for all the others together would not reach 1 - top_p. */
    float cutoff = n > 1 ? (1.0f - top_p) / (float)(n - 1) : 0.0f;
    float total = 0.0f;
    float passed = 0.0f;
    size_t count = 0;
    size_t last;

    for (size_t i = 0; i < n; i++) {
        if (sampler->probabilities[i] >= cutoff) {
            candidates[count++] = (struct candidate){sampler->probabilities[i], (int32_t)i};
        }
    }
    if (count == 0) { /* the logits were not numbers */
        return pick_likeliest(sampler->probabilities, n);
    }
    qsort(candidates, count, sizeof *candidates, compare_candidates);
    for (last = 0; last < count; last++) {
        total += candidates[last].probability;
        if (total > top_p) {
            break;
        }
    }
    last = last < count ? last : count - 1;
    coin *= total;
    for (size_t i = 0; i <= last; i++) {
        passed += candidates[i].probability;
        if (coin < passed) {
            return candidates[i].token;
        }
    }
    return candidates[last].token; /* rounding */
}

int32_t tsws_sampler_pick(tsws_sampler *sampler, const float *logits) {
    const tsws_sampler_options *options = &sampler->options;
    size_t n = sampler->vocab_size;
    float coin;

    if (options->temperature <= 0.0f) {
        return pick_likeliest(logits, n);
    }
    for (size_t i = 0; i < n; i++) {
        sampler->probabilities[i] = logits[i];
    }
    sampler->kernels->softmax(sampler->probabilities, n, options->temperature);
    coin = random_unit(&sampler->state);
    if (options->top_p <= 0.0f || options->top_p >= 1.0f) {
        return pick_any(sampler->probabilities, n, coin);
    }
    return pick_from_nucleus(sampler, coin);
}
