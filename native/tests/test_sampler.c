#include "check.h"

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
    logits_are_left_alone();
    what_is_no_number_still_gives_a_token();
    a_vocabulary_of_one_has_one_choice();
    senseless_options_are_refused();
    tsws_sampler_destroy(NULL);
    return check_result();
}
