/* The arithmetic of vectors, with every table that this processor can run; matrices and attention have files of their own. */
#include "check.h"
#include "tables.h"

#include <stdlib.h>

#define PI 3.14159265358979

enum { LONGEST = 70 };

static void every_table_is_complete(const tsws_kernels *kernels) {
    CHECK(kernels->name != NULL && tsws_kernels_named(kernels->name) == kernels);
    CHECK(kernels->panel_rows >= 16 && kernels->panel_rows % 16 == 0);
    CHECK(kernels->packed_bytes != NULL && kernels->pack != NULL);
    CHECK(kernels->matmul_scratch != NULL && kernels->matmul != NULL);
    CHECK(kernels->cache_floats != NULL && kernels->remember != NULL);
    CHECK(kernels->attend_scratch != NULL && kernels->attend != NULL);
    CHECK(kernels->rmsnorm != NULL && kernels->rope != NULL && kernels->swiglu != NULL);
    CHECK(kernels->accumulate != NULL && kernels->softmax != NULL);
}

static void rmsnorm_scales_to_unit_mean_square(const tsws_kernels *kernels) {
    float x[LONGEST], weight[LONGEST], out[LONGEST + 1];

    for (size_t n = 1; n <= LONGEST; n++) {
        double squares = 0;

        for (size_t i = 0; i < n; i++) {
            x[i] = noise(i, n);
            weight[i] = noise(i, n + 1000);
            squares += (double)x[i] * (double)x[i];
        }
        out[n] = 99.0f;
        kernels->rmsnorm(out, x, weight, n);
        for (size_t i = 0; i < n; i++) {
            CHECK_NEAR(out[i], (double)weight[i] * (double)x[i] / sqrt(squares / (double)n + 1e-5), 2e-6);
        }
        CHECK_NEAR(out[n], 99, 0);
        kernels->rmsnorm(x, x, weight, n);
        CHECK(memcmp(x, out, n * sizeof x[0]) == 0);
    }
}

static void rmsnorm_of_zeros_is_zero(const tsws_kernels *kernels) {
    const float zeros[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    const float weight[4] = {1.0f, 2.0f, 0.0f, -1.0f};
    float out[4];

    kernels->rmsnorm(out, zeros, weight, 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK_NEAR(out[i], 0, 0);
    }
}

static void rope_turns_pairs(const tsws_kernels *kernels) {
    enum { HEADS = 3, LARGEST = 130 };
    float x[HEADS * LARGEST + 1], before[HEADS * LARGEST], cosines[LARGEST / 2], sines[LARGEST / 2];

    for (size_t head_size = 2; head_size <= LARGEST; head_size += 2) {
        size_t n = HEADS * head_size;

        for (size_t i = 0; i < head_size / 2; i++) {
            double angle = PI * (double)i / 7;

            cosines[i] = (float)cos(angle);
            sines[i] = (float)sin(angle);
        }
        for (size_t i = 0; i < n; i++) {
            before[i] = x[i] = noise(i, head_size);
        }
        x[n] = 99.0f;
        kernels->rope(x, HEADS, head_size, cosines, sines);
        for (size_t i = 0; i < n; i += 2) {
            double real = (double)before[i], imaginary = (double)before[i + 1];
            double cosine = (double)cosines[i % head_size / 2], sine = (double)sines[i % head_size / 2];

            CHECK_NEAR(x[i], real * cosine - imaginary * sine, 3e-7);
            CHECK_NEAR(x[i + 1], real * sine + imaginary * cosine, 3e-7);
        }
        CHECK_NEAR(x[n], 99, 0);
    }
}

static void swiglu_gates(const tsws_kernels *kernels) {
    float gate[LONGEST], up[LONGEST], out[LONGEST + 1];

    for (size_t n = 1; n <= LONGEST; n++) {
        for (size_t i = 0; i < n; i++) {
            gate[i] = 20.0f * noise(i, n);
            up[i] = noise(i, n + 1000);
        }
        out[n] = 99.0f;
        kernels->swiglu(out, gate, up, n);
        for (size_t i = 0; i < n; i++) {
            double x = (double)gate[i];
            double expected = x / (1 + exp(-x)) * (double)up[i];

            CHECK_NEAR(out[i], expected, 5e-7 * fabs(expected) + 1e-30);
        }
        CHECK_NEAR(out[n], 99, 0);
        kernels->swiglu(gate, gate, up, n);
        CHECK(memcmp(gate, out, n * sizeof gate[0]) == 0);
    }
}

static void swiglu_survives_any_number(const tsws_kernels *kernels) {
    const float gate[8] = {0.0f, -0.0f, -87.0f, -200.0f, -3e38f, 200.0f, 3e38f, INFINITY};
    const float ones[8] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f};
    const double expected[8] = {0, 0, -87 * exp(-87), 0, 0, 200, 3e38, (double)INFINITY};
    const float none = NAN;
    float out[8];

    kernels->swiglu(out, gate, ones, 8);
    for (size_t i = 0; i < 7; i++) {
        CHECK_NEAR(out[i], expected[i], 1e-6 * expected[i] + 1e-36);
    }
    CHECK(isinf(out[7]) && out[7] > 0);
    kernels->swiglu(out, &none, ones, 1);
    CHECK(isnan(out[0]));
}

static void accumulate_adds(const tsws_kernels *kernels) {
    float x[LONGEST + 1], y[LONGEST];

    for (size_t n = 1; n <= LONGEST; n++) {
        for (size_t i = 0; i < n; i++) {
            x[i] = (float)i;
            y[i] = (float)(i * i);
        }
        x[n] = 99.0f;
        kernels->accumulate(x, y, n);
        for (size_t i = 0; i < n; i++) {
            CHECK_NEAR(x[i], i + i * i, 0);
        }
        CHECK_NEAR(x[n], 99, 0);
    }
}

static void softmax_gives_probabilities(const tsws_kernels *kernels) {
    enum { MOST = 300 };
    float x[MOST + 1];
    double expected[MOST];
    const float temperatures[3] = {1.0f, 0.3f, 5.0f};

    for (size_t n = 1; n <= MOST; n++) {
        float temperature = temperatures[n % 3];
        double sum = 0;

        for (size_t i = 0; i < n; i++) {
            x[i] = 12.0f * noise(i, n);
            expected[i] = exp((double)x[i] / (double)temperature);
            sum += expected[i];
        }
        x[n] = 99.0f;
        kernels->softmax(x, n, temperature);
        for (size_t i = 0; i < n; i++) {
            CHECK_NEAR(x[i], expected[i] / sum, 1e-5 * expected[i] / sum + 1e-37);
        }
        CHECK_NEAR(x[n], 99, 0);
    }
}

static void softmax_survives_any_number(const tsws_kernels *kernels) {
    float x[3] = {1000.0f, 1000.0f + logf(2.0f), -1000.0f};
    float masked[20];
    float none[17];

    kernels->softmax(x, 3, 1.0f);
    CHECK_NEAR(x[0], 1.0 / 3, 1e-4);
    CHECK_NEAR(x[1], 2.0 / 3, 1e-4);
    CHECK_NEAR(x[2], 0, 0);
    for (size_t i = 0; i < 20; i++) {
        masked[i] = i == 18 ? -3e38f : -INFINITY;
    }
    kernels->softmax(masked, 20, 1.0f);
    for (size_t i = 0; i < 20; i++) {
        CHECK_NEAR(masked[i], i == 18 ? 1 : 0, 0);
    }
    for (size_t i = 0; i < 17; i++) {
        none[i] = i == 16 ? NAN : 1.0f;
    }
    kernels->softmax(none, 17, 1.0f); /* no matter what comes out: nothing breaks */
    x[0] = -7.0f;
    kernels->softmax(x, 1, 0.5f);
    CHECK_NEAR(x[0], 1, 0);
}

static void tables_are_chosen_by_what_is_wanted(void) {
    CHECK(tsws_kernels_choose(true) == &tsws_kernels_portable);
    CHECK(tsws_kernels_choose(false) == tsws_kernels_named(tsws_kernels_choose(false)->name));
    CHECK(tsws_kernels_named("portable") == &tsws_kernels_portable);
    CHECK(tsws_kernels_named("abacus") == NULL);
}

int main(void) {
    const tsws_kernels *tables[MOST_TABLES];
    size_t count = list_tables(tables);

    tables_are_chosen_by_what_is_wanted();
    for (size_t i = 0; i < count; i++) {
        every_table_is_complete(tables[i]);
        rmsnorm_scales_to_unit_mean_square(tables[i]);
        rmsnorm_of_zeros_is_zero(tables[i]);
        rope_turns_pairs(tables[i]);
        swiglu_gates(tables[i]);
        swiglu_survives_any_number(tables[i]);
        accumulate_adds(tables[i]);
        softmax_gives_probabilities(tables[i]);
        softmax_survives_any_number(tables[i]);
    }
    return check_result();
}
