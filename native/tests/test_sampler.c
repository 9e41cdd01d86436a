#include "check.h"
#include "sampler_nucleus.h"

#include <stdlib.h>

enum { N = 8 };
static const float uniform[N] = {0, 0, 0, 0, 0, 0, 0, 0};

static tsws_sampler *create(float temperature, float top_p, uint64_t seed) {
    tsws_sampler *sampler = NULL;

    CHECK(tsws_sampler_create(N, (tsws_sampler_options){temperature, top_p, seed, false}, &sampler, NULL) == TSWS_OK);
    return sampler;
}

static void temperature_0_takes_the_likeliest(void) {
    const float logits[N] = {-1, 3, 2, 3, -5, 0, 1, 2};
    tsws_sampler *sampler = create(0.0f, 0.9f, 1);

    for (int i = 0; i < 5; i++) {
        CHECK(tsws_sampler_pick(sampler, logits) == 1); /* the first of two */
    }
    tsws_sampler_destroy(sampler);
}

static void random_numbers_are_those_of_xorshift64star(void) {
    /* Seed 1 gives 0x47e4ce4b896cdd1d, 0xabcfa6a8e079651d, 0xb9d10d8feb731f57...: of 8 equal parts the third... */
    const int32_t expected[N] = {2, 5, 5, 2, 0, 6, 6, 5};
    tsws_sampler *all = create(1.0f, 0.0f, 1);
    tsws_sampler *also_all = create(0.3f, 1.0f, 1);

    for (int i = 0; i < N; i++) {
        CHECK(tsws_sampler_pick(all, uniform) == expected[i]);
        CHECK(tsws_sampler_pick(also_all, uniform) == expected[i]);
    }
    tsws_sampler_destroy(all);
    tsws_sampler_destroy(also_all);
}

static void samples_follow_the_probabilities(void) {
    float logits[N] = {-100, -100, -100, -100, -100, -100, -100, -100};
    int counts[N] = {0};
    tsws_sampler *sampler = create(2.0f, 0.0f, 42);

    logits[3] = 2.0f * logf(3.0f); /* three to one, after the temperature */
    logits[6] = 0.0f;
    for (int i = 0; i < 4000; i++) {
        counts[tsws_sampler_pick(sampler, logits)]++;
    }
    CHECK(counts[3] + counts[6] == 4000);
    CHECK(counts[3] > 2850 && counts[3] < 3150); /* 3000, and five standard deviations */
    tsws_sampler_destroy(sampler);
}

static void the_nucleus_leaves_the_rare_out(void) {
    /* Probabilities 0.4, 0.3, 0.2, 0.1 in some order. */
    const float logits[N] = {-100, logf(0.1f), logf(0.4f), -100, logf(0.2f), logf(0.3f), -100, -100};
    int counts[N] = {0};
    tsws_sampler *sampler = create(1.0f, 0.65f, 7);

    for (int i = 0; i < 4000; i++) {
        counts[tsws_sampler_pick(sampler, logits)]++;
    }
    CHECK(counts[2] + counts[5] == 4000);        /* 0.4 + 0.3 is the first to pass 0.65 */
    CHECK(counts[2] > 2128 && counts[2] < 2443); /* 4/7 of 4000, and five standard deviations */
    tsws_sampler_destroy(sampler);
}

static void a_tiny_nucleus_is_the_likeliest(void) {
    const float logits[N] = {0, 1, 0, 5, 0, 0, 0, 0};
    tsws_sampler *sampler = create(1.0f, 1e-6f, 3);

    for (int i = 0; i < 20; i++) {
        CHECK(tsws_sampler_pick(sampler, logits) == 3);
    }
    tsws_sampler_destroy(sampler);
}

struct weighted {
    float probability;
    int32_t token;
};

static int by_probability(const void *left, const void *right) {
    const struct weighted *a = left;
    const struct weighted *b = right;

    if (a->probability != b->probability) {
        return a->probability > b->probability ? -1 : 1;
    }
    return (a->token > b->token) - (a->token < b->token);
}

/* All of it sorted, as llama2.c has it. */
static int32_t pick_by_sorting(const float *probabilities, size_t n, int32_t likeliest, float top_p, float coin) {
    struct weighted *all = malloc(n * sizeof *all);
    float cutoff = (1.0f - top_p) / (float)(n - 1);
    float total = 0.0f, passed = 0.0f;
    size_t count = 0, last = 0, i = 0;
    int32_t token;

    if (all == NULL) {
        return -1;
    }
    for (size_t k = 0; k < n; k++) {
        if (probabilities[k] >= cutoff) {
            all[count++] = (struct weighted){probabilities[k], (int32_t)k};
        }
    }
    if (count == 0) { /* of two tokens neither need reach 1 - top_p */
        free(all);
        return likeliest;
    }
    qsort(all, count, sizeof *all, by_probability);
    while (last < count && !(total > top_p)) {
        total += all[last++].probability;
    }
    for (; i < last - 1; i++) {
        passed += all[i].probability;
        if (coin * total < passed) {
            break;
        }
    }
    token = all[i].token;
    free(all);
    return token;
}

/* Peaked, flat, with equals, of sizes around those that are sorted in one way or the other. */
static void the_nucleus_is_that_of_a_full_sort(void) {
    enum { LARGEST = 5000 };
    static float probabilities[LARGEST];
    static uint64_t sorted[LARGEST + 1], scratch[LARGEST];
    static const size_t sizes[] = {2, 3, 31, 32, 33, 40, 41, 105, 512, LARGEST};
    static const float top_ps[] = {1e-6f, 0.1f, 0.5f, 0.9f, 0.99f, 0.9999999f};
    uint32_t state = 1;

    for (size_t round = 0; round < 10 * 6 * 8; round++) {
        size_t n = sizes[round % 10];
        float top_p = top_ps[round / 10 % 6];
        float peak = (float)(round / 60) / 2.0f; /* how far apart the logits lie */
        float sum = 0.0f;
        int32_t likeliest = 0;

        for (size_t i = 0; i < n; i++) {
            state = state * 1664525u + 1013904223u;
            probabilities[i] = expf(peak * ((float)(state >> 28) - 15.0f)); /* 16 different values */
            if (round % 2 == 0) {
                probabilities[i] *= 1.0f + (float)(state >> 8 & 0xFFFF) / 65536.0f;
            }
            sum += probabilities[i];
        }
        for (size_t i = 0; i < n; i++) {
            probabilities[i] /= sum;
            likeliest = probabilities[i] > probabilities[likeliest] ? (int32_t)i : likeliest;
        }
        for (int i = 0; i <= 20; i++) {
            float coin = fminf((float)i / 20.0f, 0.99999994f);

            CHECK(tsws_pick_from_nucleus(probabilities, n, likeliest, top_p, coin, sorted, scratch) ==
                  pick_by_sorting(probabilities, n, likeliest, top_p, coin));
        }
    }
}

static void exactness_changes_no_more_than_rounding(void) {
    const float logits[N] = {1, 2, 0, 3, -1, 0.5f, 2.5f, 1.5f};
    tsws_sampler *fast = create(0.8f, 0.9f, 3);
    tsws_sampler *exact = NULL;

    CHECK(tsws_sampler_create(N, (tsws_sampler_options){0.8f, 0.9f, 3, true}, &exact, NULL) == TSWS_OK);
    for (int i = 0; i < 200; i++) {
        CHECK(tsws_sampler_pick(fast, logits) == tsws_sampler_pick(exact, logits));
    }
    tsws_sampler_destroy(fast);
    tsws_sampler_destroy(exact);
}

static void logits_are_left_alone(void) {
    float logits[N] = {1, 2, 3, 4, 5, 6, 7, 8};
    float before[N];
    tsws_sampler *sampler = create(0.7f, 0.9f, 5);

    memcpy(before, logits, sizeof before);
    (void)tsws_sampler_pick(sampler, logits);
    CHECK(memcmp(before, logits, sizeof before) == 0);
    tsws_sampler_destroy(sampler);
}

static void what_is_no_number_still_gives_a_token(void) {
    const float broken[3][N] = {
        {NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN},
        {INFINITY, -INFINITY, NAN, 0, 1, 2, 3, 4},
        {-INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY}};
    const float temperatures[] = {0.0f, 1.0f, 1e-30f, INFINITY};
    const float top_ps[] = {0.0f, 0.5f, 1.0f};

    for (size_t i = 0; i < 3 * 4 * 3; i++) {
        tsws_sampler *sampler = create(temperatures[i % 4], top_ps[i / 4 % 3], 9);
        int32_t token = tsws_sampler_pick(sampler, broken[i / 12]);

        CHECK(token >= 0 && token < N);
        tsws_sampler_destroy(sampler);
    }
}

static void a_vocabulary_of_one_has_one_choice(void) {
    const float logit[1] = {3.0f};
    tsws_sampler *sampler = NULL;

    CHECK(tsws_sampler_create(1, tsws_sampler_defaults(), &sampler, NULL) == TSWS_OK);
    CHECK(tsws_sampler_pick(sampler, logit) == 0);
    tsws_sampler_destroy(sampler);
}

static void refused(int32_t vocab_size, tsws_sampler_options options, const char *message) {
    tsws_sampler *sampler = (tsws_sampler *)&sampler;
    tsws_error error;

    CHECK(tsws_sampler_create(vocab_size, options, &sampler, &error) == TSWS_ERROR_ARGUMENT);
    CHECK_TEXT(error.message, message);
    CHECK(sampler == NULL);
}

static void senseless_options_are_refused(void) {
    refused(0, tsws_sampler_defaults(), "a sampler can not choose from 0 tokens");
    refused(N, (tsws_sampler_options){-1, 0.9f, 1, false}, "the temperature must be 0 or more, not -1");
    refused(N, (tsws_sampler_options){NAN, 0.9f, 1, false}, "the temperature must be 0 or more, not nan");
    refused(N, (tsws_sampler_options){1, 1.5f, 1, false}, "top_p must be within 0 and 1, not 1.5");
    refused(N, (tsws_sampler_options){1, -0.5f, 1, false}, "top_p must be within 0 and 1, not -0.5");
    refused(N, (tsws_sampler_options){1, 0.9f, 0, false}, "the seed must not be 0");
}

int main(void) {
    temperature_0_takes_the_likeliest();
    random_numbers_are_those_of_xorshift64star();
    samples_follow_the_probabilities();
    the_nucleus_leaves_the_rare_out();
    a_tiny_nucleus_is_the_likeliest();
    the_nucleus_is_that_of_a_full_sort();
    exactness_changes_no_more_than_rounding();
    logits_are_left_alone();
    what_is_no_number_still_gives_a_token();
    a_vocabulary_of_one_has_one_choice();
    senseless_options_are_refused();
    tsws_sampler_destroy(NULL);
    return check_result();
}
