/* Matrices times vectors, with every table that this processor can run, against sums in double precision. */
#include "check.h"
#include "pack.h"
#include "tables.h"

#include <float.h>
#include <stdlib.h>

enum { LONGEST = 70, MOST_VECTORS = 14, STRIDE = LONGEST + 3 };

static float matrix_floats[LONGEST * LONGEST];
static int8_t matrix_codes[LONGEST * LONGEST];
static float matrix_scales[LONGEST * LONGEST];
static float vectors[MOST_VECTORS * STRIDE];
static float together[MOST_VECTORS * STRIDE];
static float alone[MOST_VECTORS * STRIDE];

static tsws_matrix matrix_of(size_t rows, size_t columns, size_t group) {
    tsws_matrix matrix = {.rows = rows, .columns = columns, .group = group};

    if (group == 0) {
        matrix.floats = matrix_floats;
    } else {
        matrix.codes = matrix_codes;
        matrix.scales = matrix_scales;
    }
    return matrix;
}

static double weight(const tsws_matrix *matrix, size_t row, size_t column) {
    size_t i = row * matrix->columns + column;

    return matrix->floats != NULL ? (double)matrix->floats[i]
                                  : (double)matrix->codes[i] * (double)matrix->scales[i / matrix->group];
}

/* Packs; the caller frees data. */
static tsws_packed packed_of(const tsws_kernels *kernels, const tsws_matrix *matrix, size_t group) {
    size_t bytes = kernels->packed_bytes(matrix->rows, matrix->columns, group);
    void *data = aligned_alloc(64, bytes);

    CHECK(data != NULL && bytes % 64 == 0);
    kernels->pack(data, matrix, group);
    return (tsws_packed){.rows = matrix->rows,
                         .columns = matrix->columns,
                         .group = group,
                         .panels = (matrix->rows + kernels->panel_rows - 1) / kernels->panel_rows,
                         .data = data};
}

static void *scratch_of(const tsws_kernels *kernels, const tsws_packed *packed, size_t n_vectors) {
    size_t bytes = kernels->matmul_scratch(packed->columns, packed->group, n_vectors);

    return bytes == 0 ? NULL : aligned_alloc(64, (bytes + 63) / 64 * 64);
}

/* All vectors at once, and each alone, the panels one at a time and from the last on: the bits must be the same. */
static void multiply_in_every_way(const tsws_kernels *kernels, const tsws_packed *packed, size_t n_vectors) {
    void *scratch = scratch_of(kernels, packed, n_vectors);
    void *small = scratch_of(kernels, packed, 1);

    for (size_t i = 0; i < MOST_VECTORS * STRIDE; i++) {
        together[i] = alone[i] = 99.0f;
    }
    kernels->matmul(together, STRIDE, packed, vectors, STRIDE, n_vectors, 0, packed->panels, scratch);
    for (size_t v = 0; v < n_vectors; v++) {
        for (size_t panel = packed->panels; panel-- > 0;) {
            kernels->matmul(alone + v * STRIDE, STRIDE, packed, vectors + v * STRIDE, STRIDE, 1, panel, panel + 1,
                            small);
        }
    }
    CHECK(memcmp(together, alone, sizeof together) == 0);
    CHECK_NEAR(together[packed->rows], 99, 0);
    free(scratch);
    free(small);
}

static void check_products(const tsws_matrix *matrix, size_t n_vectors) {
    for (size_t v = 0; v < n_vectors; v++) {
        for (size_t row = 0; row < matrix->rows; row++) {
            double expected = 0, magnitudes = 0;

            for (size_t i = 0; i < matrix->columns; i++) {
                double product = weight(matrix, row, i) * (double)vectors[v * STRIDE + i];

                expected += product;
                magnitudes += fabs(product);
            }
            CHECK_NEAR(together[v * STRIDE + row], expected, (double)(matrix->columns + 2) * FLT_EPSILON * magnitudes);
        }
    }
}

static void floats_are_right_for_every_shape(const tsws_kernels *kernels) {
    for (size_t i = 0; i < LONGEST * LONGEST; i++) {
        matrix_floats[i] = noise(i, 1);
    }
    for (size_t i = 0; i < MOST_VECTORS * STRIDE; i++) {
        vectors[i] = noise(i, 2);
    }
    for (size_t rows = 1; rows <= LONGEST; rows++) {
        for (size_t columns = 1; columns <= LONGEST; columns++) {
            size_t n_vectors = (rows + 3 * columns) % MOST_VECTORS + 1;
            tsws_matrix matrix = matrix_of(rows, columns, 0);
            tsws_packed packed = packed_of(kernels, &matrix, 0);

            multiply_in_every_way(kernels, &packed, n_vectors);
            check_products(&matrix, n_vectors);
            free((void *)(uintptr_t)packed.data);
        }
    }
}

/* Vectors whose groups are quantised without an error, whatever the rounding: a power of two times -127 to 127. */
static void fill_with_whole_codes(size_t columns, size_t group) {
    for (size_t v = 0; v < MOST_VECTORS; v++) {
        for (size_t i = 0; i < columns; i++) {
            float scale = ldexpf(1.0f, (int)((i / group + v) % 5) - 3);
            float code = i % group == 0 ? (v % 2 == 0 ? 127.0f : -127.0f) : roundf(127.0f * noise(i, v));

            vectors[v * STRIDE + i] = scale * code;
        }
    }
}

static void codes_are_right_for_every_group(const tsws_kernels *kernels) {
    const size_t some_rows[] = {1, 16, 33, LONGEST};

    for (size_t i = 0; i < LONGEST * LONGEST; i++) {
        matrix_codes[i] = (int8_t)(i % 11 == 0 ? -128 : i % 7 == 0 ? 127 : 128.0f * noise(i, 3));
        matrix_scales[i] = 0.01f + 0.01f * noise(i, 4);
    }
    for (size_t columns = 1; columns <= LONGEST; columns++) {
        for (size_t group = 1; group <= columns; group++) {
            tsws_matrix matrix = matrix_of(some_rows[(columns + group) % 4], columns, group);
            size_t n_vectors = (group + 3 * columns) % MOST_VECTORS + 1;
            tsws_packed packed;

            if (columns % group != 0) {
                continue;
            }
            fill_with_whole_codes(columns, group);
            packed = packed_of(kernels, &matrix, group);
            multiply_in_every_way(kernels, &packed, n_vectors);
            check_products(&matrix, n_vectors);
            free((void *)(uintptr_t)packed.data);
        }
    }
}

/* The largest sums that there are: bytes of one sign, which instructions that saturate would get wrong. */
static void sums_of_codes_do_not_saturate(const tsws_kernels *kernels) {
    tsws_matrix matrix = matrix_of(LONGEST, 64, 64);
    tsws_packed packed;

    for (size_t i = 0; i < LONGEST * 64; i++) {
        matrix_codes[i] = i / 64 % 2 == 0 ? -128 : 127;
        matrix_scales[i] = 1.0f;
    }
    for (size_t i = 0; i < MOST_VECTORS * STRIDE; i++) {
        vectors[i] = i / STRIDE % 2 == 0 ? 127.0f : -127.0f;
    }
    packed = packed_of(kernels, &matrix, 64);
    multiply_in_every_way(kernels, &packed, MOST_VECTORS);
    check_products(&matrix, MOST_VECTORS);
    free((void *)(uintptr_t)packed.data);
}

/* Whatever the vectors: within half a step of each activation, and a little for other roundings. */
static void activations_are_rounded_to_the_nearest_code(const tsws_kernels *kernels) {
    enum { GROUP = 16, COLUMNS = 64 };
    tsws_matrix matrix = matrix_of(LONGEST, COLUMNS, GROUP);
    tsws_packed packed = packed_of(kernels, &matrix, GROUP);

    for (size_t i = 0; i < MOST_VECTORS * STRIDE; i++) {
        vectors[i] = i / GROUP % 5 == 0 ? 0.0f : 3.0f * noise(i, 5);
    }
    multiply_in_every_way(kernels, &packed, MOST_VECTORS);
    for (size_t v = 0; v < MOST_VECTORS; v++) {
        for (size_t row = 0; row < LONGEST; row++) {
            double expected = 0, allowed = 0;

            for (size_t first = 0; first < COLUMNS; first += GROUP) {
                double largest = 0, weights = 0;

                for (size_t i = first; i < first + GROUP; i++) {
                    double x = (double)vectors[v * STRIDE + i];

                    largest = fmax(largest, fabs(x));
                    weights += fabs(weight(&matrix, row, i));
                    expected += weight(&matrix, row, i) * x;
                }
                allowed += 0.501 * largest / 127 * weights;
            }
            CHECK_NEAR(together[v * STRIDE + row], expected, allowed);
        }
    }
    free((void *)(uintptr_t)packed.data);
}

static void numbers_that_are_none_do_no_harm(const tsws_kernels *kernels) {
    tsws_matrix matrix = matrix_of(LONGEST, 64, 32);
    tsws_packed packed = packed_of(kernels, &matrix, 32);

    for (size_t i = 0; i < MOST_VECTORS * STRIDE; i++) {
        vectors[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : 1e-42f;
    }
    vectors[0] = 1e-44f;
    for (size_t i = 1; i < 64; i++) {
        vectors[i] = 0.0f;
    }
    multiply_in_every_way(kernels, &packed, MOST_VECTORS);
    free((void *)(uintptr_t)packed.data);
}

/* A matrix may be packed as what it is not: floats become codes, codes floats. */
static void matrices_are_converted(const tsws_kernels *kernels) {
    enum { ROWS = 37, COLUMNS = 48 };
    tsws_matrix floats = matrix_of(ROWS, COLUMNS, 0);
    tsws_matrix codes = matrix_of(ROWS, COLUMNS, 12);
    tsws_packed packed;

    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        matrix_codes[i] = (int8_t)(i % 12 == 5 ? 127 : 127.0f * noise(i, 6));
        matrix_scales[i] = ldexpf(1.0f, (int)(i % 3));
    }
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        matrix_floats[i] = (float)matrix_codes[i] * matrix_scales[i / 12]; /* quantised without an error */
    }
    fill_with_whole_codes(COLUMNS, 12);
    packed = packed_of(kernels, &floats, 12);
    multiply_in_every_way(kernels, &packed, 3);
    check_products(&codes, 3);
    free((void *)(uintptr_t)packed.data);
    packed = packed_of(kernels, &codes, 0);
    multiply_in_every_way(kernels, &packed, 3);
    check_products(&floats, 3);
    free((void *)(uintptr_t)packed.data);
}

/* Wider than what is taken at once: a table may cut the columns, but only where that leaves the bits alone. */
static void wide_matrices_are_right(const tsws_kernels *kernels) {
    enum { ROWS = 35, WIDEST = 771 };
    static float floats[ROWS * WIDEST], x[MOST_VECTORS * WIDEST], every[MOST_VECTORS * ROWS], one[ROWS];
    const size_t widths[] = {385, 512, WIDEST};

    for (size_t i = 0; i < ROWS * WIDEST; i++) {
        floats[i] = noise(i, 11);
    }
    for (size_t i = 0; i < MOST_VECTORS * WIDEST; i++) {
        x[i] = noise(i, 12);
    }
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        size_t columns = widths[i];
        tsws_matrix matrix = {.rows = ROWS, .columns = columns, .floats = floats};
        tsws_packed packed = packed_of(kernels, &matrix, 0);
        void *scratch = scratch_of(kernels, &packed, MOST_VECTORS);
        void *small = scratch_of(kernels, &packed, 1);

        kernels->matmul(every, ROWS, &packed, x, WIDEST, MOST_VECTORS, 0, packed.panels, scratch);
        for (size_t v = 0; v < MOST_VECTORS; v++) {
            kernels->matmul(one, ROWS, &packed, x + v * WIDEST, WIDEST, 1, 0, packed.panels, small);
            CHECK(memcmp(one, every + v * ROWS, sizeof one) == 0);
            for (size_t row = 0; row < ROWS; row++) {
                double expected = 0;

                for (size_t j = 0; j < columns; j++) {
                    expected += (double)floats[row * columns + j] * (double)x[v * WIDEST + j];
                }
                CHECK_NEAR(one[row], expected, 1e-4);
            }
        }
        free(scratch);
        free(small);
        free((void *)(uintptr_t)packed.data);
    }
}

/* llama2.c's: one sum a row, column after column; with codes the products of a group as integers, the groups as floats. */
static void portable_sums_run_in_the_order_of_the_columns(void) {
    tsws_matrix floats = matrix_of(LONGEST, 66, 0);
    tsws_matrix codes = matrix_of(LONGEST, 66, 22);
    tsws_packed packed;
    int8_t x[66];
    float x_scales[3];

    for (size_t i = 0; i < LONGEST * 66; i++) {
        matrix_floats[i] = noise(i, 7) * ldexpf(1.0f, (int)(i % 30));
        matrix_codes[i] = (int8_t)(127.0f * noise(i, 8));
        matrix_scales[i] = noise(i, 9);
    }
    for (size_t i = 0; i < 66; i++) {
        vectors[i] = noise(i, 10);
    }
    packed = packed_of(&tsws_kernels_portable, &floats, 0);
    multiply_in_every_way(&tsws_kernels_portable, &packed, 1);
    for (size_t row = 0; row < LONGEST; row++) {
        float sum = 0.0f;

        for (size_t i = 0; i < 66; i++) {
            sum += matrix_floats[row * 66 + i] * vectors[i];
        }
        CHECK_NEAR(together[row], sum, 0);
    }
    free((void *)(uintptr_t)packed.data);
    packed = packed_of(&tsws_kernels_portable, &codes, 22);
    multiply_in_every_way(&tsws_kernels_portable, &packed, 1);
    for (size_t i = 0; i < 3; i++) {
        x_scales[i] = tsws_quantize_group(x + i * 22, vectors + i * 22, 22);
    }
    for (size_t row = 0; row < LONGEST; row++) {
        float sum = 0.0f;

        for (size_t group = 0; group < 3; group++) {
            int32_t products = 0;

            for (size_t i = group * 22; i < (group + 1) * 22; i++) {
                products += matrix_codes[row * 66 + i] * x[i];
            }
            sum += (float)products * matrix_scales[row * 3 + group] * x_scales[group];
        }
        CHECK_NEAR(together[row], sum, 0);
    }
    free((void *)(uintptr_t)packed.data);
}

int main(void) {
    const tsws_kernels *tables[MOST_TABLES];
    size_t count = list_tables(tables);

    for (size_t i = 0; i < count; i++) {
        floats_are_right_for_every_shape(tables[i]);
        wide_matrices_are_right(tables[i]);
        codes_are_right_for_every_group(tables[i]);
        sums_of_codes_do_not_saturate(tables[i]);
        activations_are_rounded_to_the_nearest_code(tables[i]);
        numbers_that_are_none_do_no_harm(tables[i]);
        matrices_are_converted(tables[i]);
    }
    portable_sums_run_in_the_order_of_the_columns();
    return check_result();
}
