#include "kernels.h"
#include "sampler_nucleus.h"
#include "status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 16 }; /* running maxima side by side: a compiler makes vectors of them */

struct tsws_sampler {
    tsws_sampler_options options;
    const tsws_kernels *kernels;
    uint64_t state; /* of the random generator; never 0 */
    size_t vocab_size;
    float *probabilities; /* (vocab_size,) */
    uint64_t *sorted;     /* (vocab_size + 1,) */
    uint64_t *scratch;    /* (vocab_size,) */
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
        created->sorted = calloc((size_t)vocab_size + 1, sizeof *created->sorted);
        created->scratch = calloc((size_t)vocab_size, sizeof *created->scratch);
    }
    if (created == NULL || created->probabilities == NULL || created->sorted == NULL || created->scratch == NULL) {
        tsws_sampler_destroy(created);
        return tsws_fail(error, TSWS_ERROR_MEMORY, "memory is short for a sampler of %" PRId32 " tokens", vocab_size);
    }
    created->options = options;
    created->kernels = tsws_kernels_choose(options.exact);
    created->state = options.seed;
    created->vocab_size = (size_t)vocab_size;
    *sampler = created;
    return TSWS_OK;
}

void tsws_sampler_destroy(tsws_sampler *sampler) {
    if (sampler != NULL) {
        free(sampler->probabilities);
        free(sampler->sorted);
        free(sampler->scratch);
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

/* The first of the largest; what is no number is passed over, except that all of it gives the first. */
static int32_t pick_likeliest(const float *logits, size_t n) {
    float largest[LANES];
    float best;
    size_t i = 0;

    for (size_t lane = 0; lane < LANES; lane++) {
        largest[lane] = logits[0];
    }
    for (; i + LANES <= n; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            largest[lane] = logits[i + lane] > largest[lane] ? logits[i + lane] : largest[lane];
        }
    }
    best = largest[0];
    for (size_t lane = 1; lane < LANES; lane++) {
        best = largest[lane] > best ? largest[lane] : best;
    }
    for (; i < n; i++) {
        best = logits[i] > best ? logits[i] : best;
    }
    for (i = 0; i < n; i++) {
        if (logits[i] == best) {
            return (int32_t)i;
        }
    }
    return 0; /* the first is no number, so nothing is larger than it */
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

int32_t tsws_sampler_pick(tsws_sampler *sampler, const float *logits) {
    const tsws_sampler_options *options = &sampler->options;
    float *probabilities = sampler->probabilities;
    size_t n = sampler->vocab_size;
    float coin;

    if (options->temperature <= 0.0f) {
        return pick_likeliest(logits, n);
    }
    memcpy(probabilities, logits, n * sizeof *probabilities);
    sampler->kernels->softmax(probabilities, n, options->temperature);
    coin = random_unit(&sampler->state);
    if (options->top_p <= 0.0f || options->top_p >= 1.0f) {
        return pick_any(probabilities, n, coin);
    }
    return tsws_pick_from_nucleus(probabilities, n, pick_likeliest(probabilities, n), options->top_p, coin,
                                  sampler->sorted, sampler->scratch);
}
