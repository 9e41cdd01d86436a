#include "model_pack.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* "ak42", which llama2.c puts in front of every version but 0. */
#define MODEL_MAGIC UINT32_C(0x616b3432)

tsws_status tsws_model_read(tsws_model *model, tsws_error *error) {
    uint32_t magic = 0;
    int32_t version = 0;

    if (model->file.size >= sizeof magic + sizeof version) {
        memcpy(&magic, model->file.bytes, sizeof magic);
        memcpy(&version, model->file.bytes + sizeof magic, sizeof version);
    }
    if (magic != MODEL_MAGIC) {
        return tsws_model_read_v0(model, error);
    }
    if (version == 1 || version == 2) {
        return tsws_model_read_v1(model, version, error);
    }
    return tsws_fail(error, TSWS_ERROR_FORMAT,
                     "%s: a llama2.c model of version %" PRId32 ", but only versions 0, 1 and 2 can be played",
                     model->path, version);
}

tsws_status tsws_model_open(const char *path, const tsws_model_options *options, tsws_model **model,
                            tsws_error *error) {
    const tsws_model_options defaults = {.precision = TSWS_STORED};
    tsws_status status;
    tsws_model *opened = calloc(1, sizeof *opened);
    size_t path_size = strlen(path) + 1;

    *model = NULL;
    if (opened == NULL || (opened->path = malloc(path_size)) == NULL) {
        tsws_model_close(opened);
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short", path);
    }
    memcpy(opened->path, path, path_size);
    status = tsws_file_open(path, &opened->file, error);
    if (status == TSWS_OK) {
        status = tsws_model_read(opened, error);
    }
    if (status == TSWS_OK) {
        status = tsws_model_pack(opened, options == NULL ? &defaults : options, error);
    }
    if (status != TSWS_OK) {
        tsws_model_close(opened);
        return status;
    }
    *model = opened;
    return TSWS_OK;
}

void tsws_model_close(tsws_model *model) {
    if (model == NULL) {
        return;
    }
    tsws_model_unpack(model->packed);
    tsws_file_close(&model->file);
    free(model->layers);
    free(model->scales);
    free(model->path);
    free(model);
}

tsws_model_info tsws_model_describe(const tsws_model *model) {
    return model->info;
}
