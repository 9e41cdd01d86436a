#include "pack.h"

#include "size.h"

#include <math.h>
#include <string.h>

size_t tsws_panel_bytes(size_t panel_rows, size_t columns, size_t group) {
    size_t column_bytes;

    if (group == 0) {
        return tsws_size_mul(columns, panel_rows * sizeof(float));
    }
    column_bytes = tsws_size_add(tsws_padded_group(group), sizeof(float)); /* of one group of one row */
    return tsws_size_mul(columns / group, tsws_size_mul(column_bytes, panel_rows));
}

size_t tsws_pack_bytes(size_t panel_rows, size_t rows, size_t columns, size_t group) {
    size_t panels = rows / panel_rows + (rows % panel_rows != 0);

    return tsws_size_mul(panels, tsws_panel_bytes(panel_rows, columns, group));
}

/* Half away from zero, without a call. The comparisons are so that NaN is caught as well. */
static int8_t nearest_code(float x) {
    float bounded = x < 127.0f ? x : 127.0f;
    int whole;
    float rest;

    bounded = bounded > -127.0f ? bounded : -127.0f;
    whole = (int)bounded;
    rest = bounded - (float)whole;
    return (int8_t)(whole + (rest >= 0.5f) - (rest <= -0.5f));
}

static float scale_for(float largest) {
    return largest / 127.0f;
}

float tsws_quantize_group(int8_t *codes, const float *x, size_t n) {
    float largest = 0.0f;
    float scale;

    for (size_t i = 0; i < n; i++) {
        float magnitude = fabsf(x[i]);

        largest = magnitude > largest ? magnitude : largest;
    }
    scale = scale_for(largest);
    if (!(scale > 0.0f)) {
        memset(codes, 0, n);
        return 0.0f;
    }
    for (size_t i = 0; i < n; i++) {
        codes[i] = nearest_code(x[i] / scale);
    }
    return scale;
}

static float weight_at(const tsws_matrix *matrix, size_t row, size_t column) {
    size_t i = row * matrix->columns + column;

    return matrix->floats != NULL ? matrix->floats[i] : (float)matrix->codes[i] * matrix->scales[i / matrix->group];
}

/* One row of a panel of floats: its column k lies at lane + k * panel_rows. */
static void pack_floats(float *lane, const tsws_matrix *matrix, size_t row, size_t panel_rows) {
    if (matrix->floats != NULL) {
        const float *weights = matrix->floats + row * matrix->columns;

        for (size_t column = 0; column < matrix->columns; column++) {
            lane[column * panel_rows] = weights[column];
        }
        return;
    }
    for (size_t column = 0; column < matrix->columns; column++) {
        lane[column * panel_rows] = weight_at(matrix, row, column);
    }
}

/* Where a group's code of one column lies, from the codes of its first column on. */
static size_t code_offset(size_t column, size_t panel_rows) {
    return column / TSWS_QUAD * TSWS_QUAD * panel_rows + column % TSWS_QUAD;
}

/* Quantises one group of one row on its way; gives its scale. */
static float pack_quantized(uint8_t *lane, const tsws_matrix *matrix, size_t row, size_t first, size_t group,
                            size_t panel_rows, uint8_t flip) {
    float largest = 0.0f;
    float scale;

    for (size_t i = 0; i < group; i++) {
        float magnitude = fabsf(weight_at(matrix, row, first + i));

        largest = magnitude > largest ? magnitude : largest;
    }
    scale = scale_for(largest);
    if (!(scale > 0.0f)) {
        return 0.0f;
    }
    for (size_t i = 0; i < group; i++) {
        int8_t code = nearest_code(weight_at(matrix, row, first + i) / scale);

        lane[code_offset(i, panel_rows)] = (uint8_t)((uint8_t)code ^ flip);
    }
    return scale;
}

/* One group of one row whose codes are there already; gives its scale. */
static float pack_codes(uint8_t *lane, const tsws_matrix *matrix, size_t row, size_t first, size_t panel_rows,
                        uint8_t flip) {
    size_t start = row * matrix->columns + first;

    for (size_t i = 0; i < matrix->group; i++) {
        lane[code_offset(i, panel_rows)] = (uint8_t)((uint8_t)matrix->codes[start + i] ^ flip);
    }
    return matrix->scales[start / matrix->group];
}

static void pack_code_panel(unsigned char *panel, const tsws_matrix *matrix, size_t first_row, size_t group,
                            size_t panel_rows, uint8_t flip) {
    size_t scale_bytes = panel_rows * sizeof(float);
    size_t code_bytes = panel_rows * tsws_padded_group(group);
    size_t n_rows = matrix->rows - first_row < panel_rows ? matrix->rows - first_row : panel_rows;

    for (size_t first = 0; first < matrix->columns; first += group) {
        uint8_t *codes = panel + scale_bytes;

        memset(panel, 0, scale_bytes);
        memset(codes, flip, code_bytes); /* code 0 */
        for (size_t i = 0; i < n_rows; i++) {
            uint8_t *lane = codes + i * TSWS_QUAD;
            float scale = matrix->codes != NULL && matrix->group == group
                              ? pack_codes(lane, matrix, first_row + i, first, panel_rows, flip)
                              : pack_quantized(lane, matrix, first_row + i, first, group, panel_rows, flip);

            memcpy(panel + i * sizeof scale, &scale, sizeof scale);
        }
        panel = codes + code_bytes;
    }
}

void tsws_pack_panels(void *data, const tsws_matrix *matrix, size_t group, size_t panel_rows, uint8_t flip) {
    size_t panel_bytes = tsws_panel_bytes(panel_rows, matrix->columns, group);
    unsigned char *panel = data;

    for (size_t first_row = 0; first_row < matrix->rows; first_row += panel_rows) {
        if (group != 0) {
            pack_code_panel(panel, matrix, first_row, group, panel_rows, flip);
        } else {
            size_t n_rows = matrix->rows - first_row < panel_rows ? matrix->rows - first_row : panel_rows;

            if (n_rows < panel_rows) {
                memset(panel, 0, panel_bytes);
            }
            for (size_t i = 0; i < n_rows; i++) {
                pack_floats((float *)(void *)panel + i, matrix, first_row + i, panel_rows);
            }
        }
        panel += panel_bytes;
    }
}
