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
    refused((int32_t[7]){0x616b3432, 2, 0, 0, 0, 0, 0},
            "edited.bin: a llama2.c model of version 2, but only version 0 can be played");
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

int main(void) {
    sizes_come_from_the_header();
    weights_lie_where_llama2c_has_them();
    impossible_headers_are_refused();
    headers_that_do_not_fit_the_file_are_refused();
    other_versions_are_named();
    short_files_are_refused();
    tsws_model_close(NULL);
    return check_result();
}
