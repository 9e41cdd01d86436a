#include "check.h"
#include "kernels.h"

#define PI 3.14159265358979f

static void every_table_is_complete(const tsws_kernels *kernels) {
    CHECK(kernels->name != NULL && kernels->name[0] != '\0');
    CHECK(kernels->matvec != NULL && kernels->rmsnorm != NULL && kernels->rope != NULL && kernels->attend != NULL);
    CHECK(kernels->swiglu != NULL && kernels->accumulate != NULL && kernels->softmax != NULL);
}

static void matvec_is_right_for_every_shape(const tsws_kernels *kernels) {
    float matrix[9 * 9], vector[9], out[10];

    for (size_t rows = 1; rows <= 9; rows++) {
        for (size_t columns = 1; columns <= 9; columns++) {
            for (size_t i = 0; i < rows * columns; i++) {
                matrix[i] = (float)(i % 7) - 3.0f; /* small integers: sums are exact in any order */
            }
            for (size_t i = 0; i < columns; i++) {
                vector[i] = (float)(i + 1);
            }
            out[rows] = 99.0f;
            kernels->matvec(out, matrix, vector, rows, columns);
            for (size_t row = 0; row < rows; row++) {
                float expected = 0.0f;

                for (size_t i = 0; i < columns; i++) {
                    expected += matrix[row * columns + i] * vector[i];
                }
                CHECK_NEAR(out[row], expected, 0);
            }
            CHECK_NEAR(out[rows], 99, 0);
        }
    }
}

static void sums_run_in_the_order_of_the_columns(const tsws_kernels *kernels) {
    /* In single precision 1e8 + 1 = 1e8: only one order gives 0. */
    const float matrix[5 * 3] = {1e8f, 1.0f, -1e8f, 1.0f,  1e8f, -1e8f, 1e8f, -1e8f,
                                 1.0f, 1e8f, 1.0f,  -1e8f, 1e8f, 1.0f,  -1e8f};
    const float ones[3] = {1.0f, 1.0f, 1.0f};
    float out[5];

    kernels->matvec(out, matrix, ones, 5, 3);
    CHECK_NEAR(out[0], 0, 0);
    CHECK_NEAR(out[1], 0, 0);
    CHECK_NEAR(out[2], 1, 0);
    CHECK_NEAR(out[3], 0, 0);
    CHECK_NEAR(out[4], 0, 0);
}

static void rmsnorm_scales_to_unit_mean_square(const tsws_kernels *kernels) {
    float x[4] = {3.0f, -3.0f, 3.0f, -3.0f};
    const float weight[4] = {1.0f, 2.0f, 0.0f, -1.0f};
    const float zeros[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    float out[4];

    kernels->rmsnorm(out, x, weight, 4);
    CHECK_NEAR(out[0], 1, 1e-5);
    CHECK_NEAR(out[1], -2, 1e-5);
    CHECK_NEAR(out[2], 0, 0);
    CHECK_NEAR(out[3], 1, 1e-5);
    kernels->rmsnorm(x, x, weight, 4);
    CHECK(memcmp(x, out, sizeof x) == 0);
    kernels->rmsnorm(out, zeros, weight, 4); /* the epsilon keeps it finite */
    CHECK_NEAR(out[0], 0, 0);
}

static void rope_turns_pairs(const tsws_kernels *kernels) {
    float x[8] = {1, 0, 0, 2, 3, 0, 0, 4}; /* two heads of two pairs */
    const float cosines[2] = {cosf(PI / 2), cosf(PI)};
    const float sines[2] = {sinf(PI / 2), sinf(PI)};
    const float expected[8] = {0, 1, 0, -2, 0, 3, 0, -4};

    kernels->rope(x, 2, 4, cosines, sines);
    for (size_t i = 0; i < 8; i++) {
        CHECK_NEAR(x[i], expected[i], 1e-5);
    }
}

static void attention_weighs_values_by_their_keys(const tsws_kernels *kernels) {
    const float query[2] = {sqrtf(2.0f), 0.0f};
    const float keys[6] = {0.0f, 5.0f, 99.0f, logf(3.0f), -5.0f, 99.0f}; /* stride 3 */
    const float values[6] = {4.0f, 0.0f, 99.0f, 8.0f, 4.0f, 99.0f};
    float scores[2], out[3] = {99.0f, 99.0f, 99.0f};

    kernels->attend(out, query, keys, values, 3, 1, 2, scores);
    CHECK_NEAR(out[0], 4, 0);
    CHECK_NEAR(out[1], 0, 0);
    kernels->attend(out, query, keys, values, 3, 2, 2, scores); /* weights 1/4 and 3/4 */
    CHECK_NEAR(out[0], 7, 1e-5);
    CHECK_NEAR(out[1], 3, 1e-5);
    CHECK_NEAR(out[2], 99, 0);
}

static void softmax_survives_large_numbers(const tsws_kernels *kernels) {
    float x[3] = {1000.0f, 1000.0f + logf(2.0f), -1000.0f};
    float one[1] = {-7.0f};

    kernels->softmax(x, 3);
    CHECK_NEAR(x[0], 1.0 / 3, 1e-4);
    CHECK_NEAR(x[1], 2.0 / 3, 1e-4);
    CHECK_NEAR(x[2], 0, 0);
    kernels->softmax(one, 1);
    CHECK_NEAR(one[0], 1, 0);
}

static void swiglu_gates(const tsws_kernels *kernels) {
    float gate[3] = {0.0f, logf(3.0f), -200.0f};
    const float up[3] = {5.0f, 2.0f, 1.0f};

    kernels->swiglu(gate, up, 3);
    CHECK_NEAR(gate[0], 0, 0);
    CHECK_NEAR(gate[1], 1.5 * log(3.0), 1e-5); /* sigmoid 3/4, times 2 */
    CHECK_NEAR(gate[2], 0, 0);
}

static void accumulate_adds(const tsws_kernels *kernels) {
    float x[2] = {1.0f, 2.0f};
    const float y[2] = {10.0f, 20.0f};

    kernels->accumulate(x, y, 2);
    CHECK_NEAR(x[0], 11, 0);
    CHECK_NEAR(x[1], 22, 0);
}

int main(void) {
    const tsws_kernels *tables[] = {&tsws_kernels_portable, tsws_kernels_choose()};

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        every_table_is_complete(tables[i]);
        matvec_is_right_for_every_shape(tables[i]);
        sums_run_in_the_order_of_the_columns(tables[i]);
        rmsnorm_scales_to_unit_mean_square(tables[i]);
        rope_turns_pairs(tables[i]);
        attention_weighs_values_by_their_keys(tables[i]);
        softmax_survives_large_numbers(tables[i]);
        swiglu_gates(tables[i]);
        accumulate_adds(tables[i]);
    }
    return check_result();
}
