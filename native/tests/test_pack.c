#include "check.h"
#include "pack.h"

static void floats_lie_row_beside_row(void) {
    enum { ROWS = 17, COLUMNS = 3, PANEL = 16 };
    float floats[ROWS * COLUMNS], panels[2 * PANEL * COLUMNS];
    tsws_matrix matrix = {.rows = ROWS, .columns = COLUMNS, .floats = floats};

    CHECK(tsws_pack_bytes(PANEL, ROWS, COLUMNS, 0) == sizeof panels);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        floats[i] = (float)(i + 1);
    }
    tsws_pack_panels(panels, &matrix, 0, PANEL, 0);
    for (size_t row = 0; row < 2 * PANEL; row++) {
        for (size_t column = 0; column < COLUMNS; column++) {
            float expected = row < ROWS ? floats[row * COLUMNS + column] : 0.0f;

            CHECK_NEAR(panels[(row / PANEL * COLUMNS + column) * PANEL + row % PANEL], expected, 0);
        }
    }
}

static void codes_lie_in_quads_behind_their_scales(void) {
    enum { ROWS = 3, COLUMNS = 10, GROUP = 5, PADDED = 8, PANEL = 16, GROUP_BYTES = PANEL * (PADDED + 4) };
    const float scales[ROWS * 2] = {0.5f, 1.0f, 1.5f, 2.0f, 2.5f, 3.0f};
    int8_t codes[ROWS * COLUMNS];
    unsigned char panel[2 * GROUP_BYTES];
    tsws_matrix matrix = {.rows = ROWS, .columns = COLUMNS, .codes = codes, .scales = scales, .group = GROUP};

    CHECK(tsws_pack_bytes(PANEL, ROWS, COLUMNS, GROUP) == sizeof panel);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        codes[i] = (int8_t)((int)i - 15);
    }
    tsws_pack_panels(panel, &matrix, GROUP, PANEL, 0x80);
    for (size_t group = 0; group < 2; group++) {
        for (size_t row = 0; row < PANEL; row++) {
            float scale;

            memcpy(&scale, panel + group * GROUP_BYTES + row * sizeof scale, sizeof scale);
            CHECK_NEAR(scale, row < ROWS ? scales[row * 2 + group] : 0.0f, 0);
            for (size_t column = 0; column < PADDED; column++) {
                int expected = row < ROWS && column < GROUP ? codes[row * COLUMNS + group * GROUP + column] : 0;
                size_t at = group * GROUP_BYTES + PANEL * 4 + (column / 4 * PANEL + row) * 4 + column % 4;

                CHECK(panel[at] == expected + 128);
            }
        }
    }
}

static void sizes_stop_where_they_would_wrap(void) {
    CHECK(tsws_pack_bytes(16, SIZE_MAX / 2, SIZE_MAX / 2, 0) == SIZE_MAX);
    CHECK(tsws_pack_bytes(16, SIZE_MAX / 2, SIZE_MAX / 2, 1) == SIZE_MAX);
    CHECK(tsws_pack_bytes(16, 1, 32, 32) == 16 * (32 + 4));
}

static void groups_are_quantized_half_away_from_zero(void) {
    const float x[8] = {127.0f, -127.0f, 0.5f, -0.5f, 1.5f, 2.5f, 0.49999997f, -2.4999f};
    const int8_t expected[8] = {127, -127, 1, -1, 2, 3, 0, -2};
    const float zeros[2] = {0.0f, -0.0f};
    const float none[3] = {NAN, INFINITY, 1.0f};
    int8_t codes[8];

    CHECK_NEAR(tsws_quantize_group(codes, x, 8), 1, 0);
    CHECK(memcmp(codes, expected, sizeof codes) == 0);
    CHECK_NEAR(tsws_quantize_group(codes, zeros, 2), 0, 0);
    CHECK(codes[0] == 0 && codes[1] == 0);
    (void)tsws_quantize_group(codes, none, 3);
}

int main(void) {
    floats_lie_row_beside_row();
    codes_lie_in_quads_behind_their_scales();
    sizes_stop_where_they_would_wrap();
    groups_are_quantized_half_away_from_zero();
    return check_result();
}
