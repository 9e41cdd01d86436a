#include "check.h"
#include "files.h"
#include "model.h"

#include <stdlib.h>

/* dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, seq_len */
static const int32_t shared[7] = {8, 12, 2, 4, 2, 10, 16};
static const int32_t separate[7] = {8, 12, 2, 4, 2, -10, 16};

/* Every weight tells its own place. */
static void number_weights(float *weights, size_t count) {
    for (size_t i = 0; i < count; i++) {
        weights[i] = (float)i;
    }
}

static void sizes_come_from_the_header(void) {
    tsws_model *model;
    tsws_model_info info;

    write_v0_model("shared.bin", shared, NULL);
    if (!CHECK(tsws_model_open("shared.bin", NULL, &model, NULL) == TSWS_OK)) {
        return;
    }
    info = tsws_model_describe(model);
    CHECK(info.version == 0 && info.dim == 8 && info.hidden_dim == 12 && info.n_layers == 2);
    CHECK(info.n_heads == 4 && info.n_kv_heads == 2 && info.vocab_size == 10 && info.max_seq_len == 16);
    CHECK(info.shared_classifier);
    CHECK(model->head_size == 2 && model->kv_dim == 4);
    CHECK(model->classifier.floats == model->embedding.floats);
    tsws_model_close(model);
}

static void weights_lie_where_llama2c_has_them(void) {
    tsws_model *model;
    const tsws_layer *second;

    write_v0_model("separate.bin", separate, number_weights);
    if (!CHECK(tsws_model_open("separate.bin", NULL, &model, NULL) == TSWS_OK)) {
        return;
    }
    second = &model->layers[1];
    CHECK(!tsws_model_describe(model).shared_classifier && tsws_model_describe(model).vocab_size == 10);
    CHECK_NEAR(model->embedding.floats[0], 0, 0);
    CHECK_NEAR(model->layers[0].attention_norm[0], 80, 0); /* after 10 x 8 */
    CHECK_NEAR(second->attention_norm[0], 88, 0);
    CHECK_NEAR(model->layers[0].wq.floats[0], 96, 0);
    CHECK_NEAR(second->wq.floats[0], 160, 0);
    CHECK_NEAR(model->layers[0].wk.floats[0], 224, 0);
    CHECK_NEAR(second->wk.floats[0], 256, 0);
    CHECK_NEAR(model->layers[0].wv.floats[0], 288, 0);
    CHECK_NEAR(model->layers[0].wo.floats[0], 352, 0);
    CHECK_NEAR(model->layers[0].ffn_norm[0], 480, 0);
    CHECK_NEAR(model->layers[0].w1.floats[0], 496, 0);
    CHECK_NEAR(model->layers[0].w2.floats[0], 688, 0);
    CHECK_NEAR(model->layers[0].w3.floats[0], 880, 0);
    CHECK_NEAR(second->w3.floats[0], 976, 0);
    CHECK_NEAR(model->final_norm[0], 1072, 0);
    CHECK_NEAR(model->classifier.floats[0], 1112, 0); /* after 2 x 16 rotary positions of 1 pair */
    tsws_model_close(model);
}

static void refused(const int32_t header[7], const char *message) {
    tsws_model *model = (tsws_model *)&model;
    tsws_error error;
    struct {
        int32_t header[7];
        float weights[100];
    } file;

    memset(&file, 0, sizeof file);
    memcpy(file.header, header, sizeof file.header);
    write_file("edited.bin", &file, sizeof file);
    CHECK(tsws_model_open("edited.bin", NULL, &model, &error) == TSWS_ERROR_FORMAT);
    CHECK_TEXT(error.message, message);
    CHECK(model == NULL);
}

static void impossible_headers_are_refused(void) {
    refused((int32_t[7]){0, 12, 2, 4, 2, 10, 16}, "edited.bin: not a llama2.c model: its header says dim = 0");
    refused((int32_t[7]){8, -1, 2, 4, 2, 10, 16}, "edited.bin: not a llama2.c model: its header says hidden_dim = -1");
    refused((int32_t[7]){8, 12, 0, 4, 2, 10, 16}, "edited.bin: not a llama2.c model: its header says n_layers = 0");
    refused((int32_t[7]){8, 12, 2, 0, 2, 10, 16}, "edited.bin: not a llama2.c model: its header says n_heads = 0");
    refused((int32_t[7]){8, 12, 2, 4, 0, 10, 16}, "edited.bin: not a llama2.c model: its header says n_kv_heads = 0");
    refused((int32_t[7]){8, 12, 2, 4, 2, 0, 16}, "edited.bin: not a llama2.c model: its header says vocab_size = 0");
    refused((int32_t[7]){8, 12, 2, 4, 2, INT32_MIN, 16},
            "edited.bin: not a llama2.c model: its header says vocab_size = -2147483648");
    refused((int32_t[7]){8, 12, 2, 4, 2, 10, 0}, "edited.bin: not a llama2.c model: its header says seq_len = 0");
    refused((int32_t[7]){8, 12, 2, 3, 1, 10, 16},
            "edited.bin: its header says dim = 8, which n_heads = 3 does not divide");
    refused((int32_t[7]){8, 12, 2, 4, 3, 10, 16},
            "edited.bin: its header says n_heads = 4, which n_kv_heads = 3 does not divide");
    refused((int32_t[7]){12, 12, 2, 4, 2, 10, 16},
            "edited.bin: its header says dim = 12 and n_heads = 4, an odd head size");
}

static void headers_that_do_not_fit_the_file_are_refused(void) {
    refused(shared,
            "edited.bin: the file has 428 bytes, but its header asks for 4476 (dim 8, hidden_dim 12, n_layers 2,"
            " n_heads 4, n_kv_heads 2, vocab_size 10, seq_len 16)");
    refused(
        (int32_t[7]){INT32_MAX - 1, INT32_MAX, INT32_MAX, 1, 1, INT32_MAX, INT32_MAX},
        "edited.bin: the file has 428 bytes, but its header asks for more than 18446744073709551615 (dim 2147483646,"
        " hidden_dim 2147483647, n_layers 2147483647, n_heads 1, n_kv_heads 1, vocab_size 2147483647,"
        " seq_len 2147483647)");
}

static void other_versions_are_named(void) {
    refused((int32_t[7]){0x616b3432, 3, 0, 0, 0, 0, 0},
            "edited.bin: a llama2.c model of version 3, but only versions 0, 1 and 2 can be played");
}

static void short_files_are_refused(void) {
    tsws_model *model;
    tsws_error error;

    write_file("short.bin", shared, 27);
    CHECK(tsws_model_open("short.bin", NULL, &model, &error) == TSWS_ERROR_FORMAT);
    CHECK_TEXT(error.message, "short.bin: the file ends inside its header, after 27 of 28 bytes");
    CHECK(tsws_model_open("missing.bin", NULL, &model, &error) == TSWS_ERROR_IO);
    CHECK_TEXT(error.message, "missing.bin: can not be opened: No such file or directory");
}

/* ---- Versions 1 and 2 ---- */

static void version_1_lies_in_another_order(void) {
    static const int32_t fields[7] = {8, 12, 2, 4, 2, 10, 1000};
    tsws_model *model;
    const tsws_layer *second;
    tsws_model_info info;

    write_v1_model("v1.bin", fields, false, number_weights);
    if (!CHECK(tsws_model_open("v1.bin", NULL, &model, NULL) == TSWS_OK)) {
        return;
    }
    info = tsws_model_describe(model);
    CHECK(info.version == 1 && info.vocab_size == 10 && info.max_seq_len == 1000 && info.group_size == 0);
    CHECK(!info.shared_classifier && info.parameters == 1160);
    second = &model->layers[1];
    CHECK_NEAR(second->attention_norm[0], 8, 0);
    CHECK_NEAR(second->ffn_norm[0], 24, 0);
    CHECK_NEAR(model->final_norm[0], 32, 0);
    CHECK_NEAR(model->embedding.floats[0], 40, 0); /* after 5 norms of 8 */
    CHECK_NEAR(second->wq.floats[0], 184, 0);
    CHECK_NEAR(second->wk.floats[0], 280, 0);
    CHECK_NEAR(second->wv.floats[0], 344, 0);
    CHECK_NEAR(second->wo.floats[0], 440, 0);
    CHECK_NEAR(second->w1.floats[0], 600, 0);
    CHECK_NEAR(second->w2.floats[0], 792, 0);
    CHECK_NEAR(second->w3.floats[0], 984, 0);
    CHECK_NEAR(model->classifier.floats[0], 1080, 0);
    tsws_model_close(model);
}

static void a_shared_classifier_of_version_1_is_the_embedding(void) {
    tsws_model *model;

    write_v1_model("v1.bin", shared, true, NULL);
    if (CHECK(tsws_model_open("v1.bin", NULL, &model, NULL) == TSWS_OK)) {
        CHECK(tsws_model_describe(model).shared_classifier && tsws_model_describe(model).parameters == 1080);
        CHECK(model->classifier.floats == model->embedding.floats);
        tsws_model_close(model);
    }
}

/* Of 12 wide rows in groups of 4: codes count up from 0 in each matrix, and so do scales. */
static bool is_numbered(const tsws_matrix *matrix, size_t rows, size_t columns, size_t group) {
    bool numbered = matrix->rows == rows && matrix->columns == columns && matrix->group == group &&
                    matrix->floats == NULL && (uintptr_t)matrix->scales % sizeof(float) == 0;

    for (size_t i = 0; numbered && i < rows * columns; i++) {
        numbered = matrix->codes[i] == (int8_t)(i % 128);
    }
    for (size_t i = 0; numbered && i < rows * columns / group; i++) {
        numbered = matrix->scales[i] >= (float)i && matrix->scales[i] <= (float)i;
    }
    return numbered;
}

static void check_version_2(const int32_t fields[7], bool is_shared, int32_t group_size) {
    size_t dim = (size_t)fields[0], hidden = (size_t)fields[1], vocab = (size_t)fields[5], group = (size_t)group_size;
    size_t kv = dim / (size_t)fields[3] * (size_t)fields[4];
    tsws_model *model;

    write_v2_model("v2.bin", fields, is_shared, group_size);
    if (!CHECK(tsws_model_open("v2.bin", NULL, &model, NULL) == TSWS_OK)) {
        return;
    }
    CHECK(tsws_model_describe(model).version == 2 && tsws_model_describe(model).group_size == group_size);
    CHECK(is_numbered(&model->embedding, vocab, dim, group));
    for (size_t i = 0; i < (size_t)fields[2]; i++) {
        const tsws_layer *layer = &model->layers[i];

        CHECK_NEAR(layer->attention_norm[dim - 1], 1, 0);
        CHECK_NEAR(layer->ffn_norm[dim - 1], 1, 0);
        CHECK(is_numbered(&layer->wq, dim, dim, group) && is_numbered(&layer->wo, dim, dim, group));
        CHECK(is_numbered(&layer->wk, kv, dim, group) && is_numbered(&layer->wv, kv, dim, group));
        CHECK(is_numbered(&layer->w1, hidden, dim, group) && is_numbered(&layer->w3, hidden, dim, group));
        CHECK(is_numbered(&layer->w2, dim, hidden, group));
    }
    CHECK(is_numbered(&model->classifier, vocab, dim, group));
    CHECK((model->classifier.codes == model->embedding.codes) == is_shared);
    tsws_model_close(model);
}

static void version_2_has_codes_and_scales(void) {
    check_version_2((int32_t[7]){8, 12, 2, 4, 2, 10, 16}, true, 4);
    check_version_2((int32_t[7]){8, 12, 2, 4, 2, 10, 16}, false, 2);
    check_version_2((int32_t[7]){8, 12, 3, 4, 2, 10, 16}, false, 1);
}

static void scales_that_do_not_lie_aligned_are_copied(void) {
    check_version_2((int32_t[7]){6, 9, 2, 3, 3, 5, 16}, true, 3); /* 5 x 6 codes leave a remainder of 2 */
    check_version_2((int32_t[7]){6, 9, 2, 3, 1, 5, 16}, false, 1);
    check_version_2((int32_t[7]){2, 1, 2, 1, 1, 4, 16}, false, 1); /* from w1 on */
}

static void refused_v2(const int32_t fields[7], int32_t group_size, const char *message) {
    tsws_model *model = (tsws_model *)&model;
    tsws_error error;

    write_v2_header("edited.bin", fields, 1, group_size);
    CHECK(tsws_model_open("edited.bin", NULL, &model, &error) == TSWS_ERROR_FORMAT);
    CHECK_TEXT(error.message, message);
    CHECK(model == NULL);
}

static void groups_that_are_no_part_of_a_row_are_refused(void) {
    refused_v2((int32_t[7]){128, 352, 5, 8, 4, 105, 256}, 64,
               "edited.bin: its header says group_size = 64, which does not divide hidden_dim = 352:"
               " export the model again with a group size of 32");
    refused_v2((int32_t[7]){6, 12, 2, 3, 3, 10, 16}, 4,
               "edited.bin: its header says group_size = 4, which does not divide dim = 6:"
               " export the model again with a group size of 2");
    refused_v2(shared, 0, "edited.bin: not a llama2.c model: its header says group_size = 0");
    refused_v2(shared, INT32_MIN, "edited.bin: not a llama2.c model: its header says group_size = -2147483648");
}

static void impossible_headers_of_version_2_are_refused(void) {
    tsws_model *model;
    tsws_error error;

    refused_v2(shared, 4,
               "edited.bin: the file has 256 bytes, but its header asks for 2496 (dim 8, hidden_dim 12, n_layers 2,"
               " n_heads 4, n_kv_heads 2, vocab_size 10, seq_len 16)");
    refused_v2(separate, 4, "edited.bin: not a llama2.c model: its header says vocab_size = -10");
    write_v2_header("edited.bin", shared, 2, 4);
    CHECK(tsws_model_open("edited.bin", NULL, &model, &error) == TSWS_ERROR_FORMAT);
    CHECK_TEXT(error.message, "edited.bin: not a llama2.c model: its header says 2 where 1 stands for a shared"
                              " classifier and 0 for one of its own");
    refused((int32_t[7]){0x616b3432, 1, 8, 8, 1, 4, 4},
            "edited.bin: not a llama2.c model: its header says vocab_size = 0");
}

int main(void) {
    version_1_lies_in_another_order();
    a_shared_classifier_of_version_1_is_the_embedding();
    version_2_has_codes_and_scales();
    scales_that_do_not_lie_aligned_are_copied();
    groups_that_are_no_part_of_a_row_are_refused();
    impossible_headers_of_version_2_are_refused();
    sizes_come_from_the_header();
    weights_lie_where_llama2c_has_them();
    impossible_headers_are_refused();
    headers_that_do_not_fit_the_file_are_refused();
    other_versions_are_named();
    short_files_are_refused();
    tsws_model_close(NULL);
    return check_result();
}
