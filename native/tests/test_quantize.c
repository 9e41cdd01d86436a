#include "check.h"
#include "quantize.h"

#include <math.h>

static void the_largest_of_a_group_is_127(void) {
    const float weights[8] = {0.0f, 1.0f, -2.0f, 0.5f, 30.0f, -15.0f, 0.25f, 30.0f};
    const int8_t expected[8] = {0, 64, -127, 32, 127, -64, 1, 127}; /* 63.5 and -63.5 go to the even neighbour */
    int8_t codes[8];
    float scales[2];

    tsws_quantize(codes, scales, weights, 8, 4);
    CHECK(memcmp(codes, expected, sizeof codes) == 0);
    CHECK_NEAR(scales[0], 2.0f / 127.0f, 0);
    CHECK_NEAR(scales[1], 30.0f / 127.0f, 0);
}

static void halves_go_to_the_even_neighbour(void) {
    const float weights[7] = {127.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f};
    const int8_t expected[7] = {127, 0, 2, 2, 0, -2, -2};
    int8_t codes[7];
    float scale;

    tsws_quantize(codes, &scale, weights, 7, 7);
    CHECK(memcmp(codes, expected, sizeof codes) == 0);
    CHECK_NEAR(scale, 1.0f, 0);
}

static void what_has_no_scale_is_zero(void) {
    const float weights[4][2] = {{0.0f, -0.0f}, {1.0f, NAN}, {-INFINITY, 1.0f}, {1e-45f, -1e-45f}};
    const int8_t zeros[8] = {0};
    int8_t codes[8];
    float scales[4];

    memset(codes, 1, sizeof codes);
    tsws_quantize(codes, scales, &weights[0][0], 8, 2);
    CHECK(memcmp(codes, zeros, sizeof codes) == 0);
    for (int i = 0; i < 4; i++) {
        CHECK_NEAR(scales[i], 0.0f, 0);
    }
}

/* Near the smallest floats a scale is so coarse that a ratio can be far above 127. */
static void codes_stay_within_127_where_scales_underflow(void) {
    for (uint32_t bits = 1; bits < 2000; bits++) {
        float weights[2], scale;
        int8_t codes[2];

        memcpy(&weights[0], &bits, sizeof weights[0]);
        weights[1] = -weights[0];
        tsws_quantize(codes, &scale, weights, 2, 2);
        CHECK(codes[0] >= 0 && codes[1] == -codes[0]);
    }
}

static void weights_come_back_within_half_a_step(void) {
    enum { N = 6 * 40 };
    static float weights[N], back[N], scales[40];
    static int8_t codes[N];
    uint32_t state = 3;

    for (size_t i = 0; i < N; i++) {
        state = state * 1664525u + 1013904223u;
        weights[i] = ((float)(state >> 8) / 16777216.0f - 0.5f) * (float)(i + 1);
    }
    tsws_quantize(codes, scales, weights, N, 6);
    tsws_dequantize(back, codes, scales, N, 6);
    for (size_t i = 0; i < N; i++) {
        CHECK_NEAR(back[i], weights[i], 0.5001 * (double)scales[i / 6]);
    }
}

int main(void) {
    the_largest_of_a_group_is_127();
    halves_go_to_the_even_neighbour();
    what_has_no_scale_is_zero();
    codes_stay_within_127_where_scales_underflow();
    weights_come_back_within_half_a_step();
    return check_result();
}
