#include "model_pack.h"
#include "memory.h"
#include "size.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Rows of several matrices as one matrix. */
struct joined {
    tsws_matrix matrix;
    float *floats;
    int8_t *codes;
    float *scales;
};

/* Walks twice over all weights in the same order: to count their bytes, and then to lay them out. */
struct packer {
    const tsws_kernels *kernels;
    bool is_int8;
    unsigned char *memory; /* NULL while counting */
    size_t used;           /* bytes; SIZE_MAX when beyond counting */
    struct joined head;    /* room for the rows of one key/value head */
};

/* Codes share one scale a row: the fewest multiplications, and accurate enough. A file's codes keep their groups. */
static size_t packed_group(const struct packer *packer, const tsws_matrix *matrix) {
    if (!packer->is_int8) {
        return 0;
    }
    return matrix->codes != NULL ? matrix->group : matrix->columns;
}

/* The place of the next `size` bytes; NULL while counting. */
static void *next_place(struct packer *packer, size_t size) {
    void *place = packer->memory == NULL ? NULL : packer->memory + packer->used;
    size_t padding = (TSWS_ALIGNMENT - size % TSWS_ALIGNMENT) % TSWS_ALIGNMENT;

    packer->used = tsws_size_add(packer->used, tsws_size_add(size, padding));
    return place;
}

static const float *place_vector(struct packer *packer, const float *values, size_t n) {
    float *place = next_place(packer, tsws_size_mul(n, sizeof *values));

    if (place != NULL) {
        memcpy(place, values, n * sizeof *values);
    }
    return place;
}

/* A matrix of no rows yet. */
static tsws_packed begin_matrix(const struct packer *packer, const tsws_matrix *like) {
    return (tsws_packed){.columns = like->columns, .group = packed_group(packer, like)};
}

/* Adds rows to a matrix, from a new panel on. */
static void place_rows(struct packer *packer, tsws_packed *packed, const tsws_matrix *rows) {
    const tsws_kernels *kernels = packer->kernels;
    void *place = next_place(packer, kernels->packed_bytes(rows->rows, rows->columns, packed->group));

    packed->rows = packed->panels * kernels->panel_rows + rows->rows;
    packed->panels += rows->rows / kernels->panel_rows + (rows->rows % kernels->panel_rows != 0);
    if (place != NULL) {
        kernels->pack(place, rows, packed->group);
        packed->data = packed->data == NULL ? place : packed->data;
    }
}

static tsws_packed place_matrix(struct packer *packer, const tsws_matrix *matrix) {
    tsws_packed packed = begin_matrix(packer, matrix);

    place_rows(packer, &packed, matrix);
    return packed;
}

/* `count` rows of a matrix, from the row `first` on. */
static tsws_matrix some_rows(const tsws_matrix *matrix, size_t first, size_t count) {
    tsws_matrix rows = *matrix;

    rows.rows = count;
    if (matrix->floats != NULL) {
        rows.floats += first * matrix->columns;
    } else {
        rows.codes += first * matrix->columns;
        rows.scales += first * (matrix->columns / matrix->group);
    }
    return rows;
}

static void join_rows(struct joined *joined, const tsws_matrix *matrix, size_t first, size_t count) {
    tsws_matrix rows = some_rows(matrix, first, count);
    size_t at = joined->matrix.rows * rows.columns;

    if (rows.floats != NULL) {
        memcpy(joined->floats + at, rows.floats, count * rows.columns * sizeof(float));
    } else {
        memcpy(joined->codes + at, rows.codes, count * rows.columns);
        memcpy(joined->scales + at / rows.group, rows.scales, count * (rows.columns / rows.group) * sizeof(float));
    }
    joined->matrix.rows += count;
}

/* Room for so many rows like those of a matrix. */
static bool make_joined(struct joined *joined, const tsws_matrix *like, size_t rows) {
    size_t count = tsws_size_mul(rows, like->columns);

    *joined = (struct joined){.matrix = *like};
    if (like->floats != NULL) {
        joined->floats = malloc(tsws_size_mul(count, sizeof(float)));
    } else {
        joined->codes = malloc(count);
        joined->scales = malloc(tsws_size_mul(count / like->group, sizeof(float)));
    }
    joined->matrix.floats = joined->floats;
    joined->matrix.codes = joined->codes;
    joined->matrix.scales = joined->scales;
    return like->floats != NULL ? joined->floats != NULL : joined->codes != NULL && joined->scales != NULL;
}

static void free_joined(struct joined *joined) {
    free(joined->floats);
    free(joined->codes);
    free(joined->scales);
}

static tsws_packed place_qkv(struct packer *packer, const tsws_model *model, const tsws_layer *layer) {
    tsws_packed packed = begin_matrix(packer, &layer->wq);
    size_t heads = (size_t)model->info.n_kv_heads;
    size_t key_rows = model->head_size;
    size_t query_rows = layer->wq.rows / heads;

    for (size_t i = 0; i < heads; i++) {
        struct joined *head = &packer->head;

        head->matrix.rows = query_rows + 2 * key_rows;
        if (packer->memory != NULL) {
            head->matrix.rows = 0;
            join_rows(head, &layer->wq, i * query_rows, query_rows);
            join_rows(head, &layer->wk, i * key_rows, key_rows);
            join_rows(head, &layer->wv, i * key_rows, key_rows);
        }
        place_rows(packer, &packed, &head->matrix);
    }
    return packed;
}

static tsws_packed place_gate_up(struct packer *packer, const tsws_layer *layer) {
    tsws_packed packed = begin_matrix(packer, &layer->w1);
    size_t panel = packer->kernels->panel_rows;

    for (size_t first = 0; first < layer->w1.rows; first += panel) {
        size_t count = layer->w1.rows - first < panel ? layer->w1.rows - first : panel;
        tsws_matrix gate = some_rows(&layer->w1, first, count);
        tsws_matrix up = some_rows(&layer->w3, first, count);

        place_rows(packer, &packed, &gate);
        place_rows(packer, &packed, &up);
    }
    return packed;
}

static void drop_matrix(const tsws_matrix *matrix) {
    size_t count = matrix->rows * matrix->columns;

    if (matrix->floats != NULL) {
        tsws_memory_drop(matrix->floats, count * sizeof(float));
    } else {
        tsws_memory_drop(matrix->codes, count);
    }
}

/* What has been laid out is not needed twice. */
static void drop_layer(const tsws_layer *layer) {
    const tsws_matrix *matrices[] = {&layer->wq, &layer->wk, &layer->wv, &layer->wo,
                                     &layer->w1, &layer->w2, &layer->w3};

    for (size_t i = 0; i < sizeof matrices / sizeof matrices[0]; i++) {
        drop_matrix(matrices[i]);
    }
}

static void place_model(struct packer *packer, const tsws_model *model, struct tsws_packed_model *packed) {
    size_t dim = (size_t)model->info.dim;

    packer->used = 0;
    for (size_t i = 0; i < (size_t)model->info.n_layers; i++) {
        const tsws_layer *layer = &model->layers[i];
        tsws_packed_layer *place = &packed->layers[i];

        place->attention_norm = place_vector(packer, layer->attention_norm, dim);
        place->qkv = place_qkv(packer, model, layer);
        place->wo = place_matrix(packer, &layer->wo);
        place->ffn_norm = place_vector(packer, layer->ffn_norm, dim);
        place->gate_up = place_gate_up(packer, layer);
        place->w2 = place_matrix(packer, &layer->w2);
        if (packer->memory != NULL) {
            drop_layer(layer);
        }
    }
    packed->final_norm = place_vector(packer, model->final_norm, dim);
    packed->classifier = place_matrix(packer, &model->classifier);
    packed->qkv_panels = packed->layers[0].qkv.panels / (size_t)model->info.n_kv_heads;
    packed->size = packer->used;
}

static tsws_status choose_kernels(const tsws_model *model, const tsws_model_options *options,
                                  const tsws_kernels **kernels, tsws_error *error) {
    *kernels = options->kernels == NULL ? tsws_kernels_choose(options->exact) : tsws_kernels_named(options->kernels);
    if (*kernels == NULL) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "%s: there are no kernels \"%s\" for this processor", model->path,
                         options->kernels);
    }
    if (options->exact && *kernels != tsws_kernels_choose(true)) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "%s: the kernels \"%s\" do not sum in llama2.c's order",
                         model->path, options->kernels);
    }
    return TSWS_OK;
}

tsws_status tsws_model_pack(tsws_model *model, const tsws_model_options *options, tsws_error *error) {
    tsws_model_info *info = &model->info;
    const tsws_matrix *wq = &model->layers[0].wq;
    struct packer packer = {.is_int8 = options->precision == TSWS_INT8 ||
                                       (options->precision == TSWS_STORED && wq->codes != NULL)};
    struct tsws_packed_model *packed;
    tsws_status status = choose_kernels(model, options, &packer.kernels, error);

    if (status != TSWS_OK) {
        return status;
    }
    model->packed = packed = calloc(1, sizeof *packed);
    if (packed != NULL) {
        packed->kernels = packer.kernels;
        packed->layers = calloc((size_t)info->n_layers, sizeof *packed->layers);
    }
    if (packed != NULL && packed->layers != NULL &&
        make_joined(&packer.head, wq, wq->rows / (size_t)info->n_kv_heads + 2 * model->head_size)) {
        place_model(&packer, model, packed);
        packed->memory = packer.memory = tsws_memory_allocate(packed->size);
    }
    if (packer.memory == NULL) {
        free_joined(&packer.head);
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for its weights", model->path);
    }
    place_model(&packer, model, packed);
    free_joined(&packer.head);
    tsws_memory_drop(model->file.bytes, model->file.size);
    info->precision = packer.is_int8 ? TSWS_INT8 : TSWS_FLOAT32;
    info->kernels = packer.kernels->name;
    info->weight_bytes = packed->size;
    return TSWS_OK;
}

void tsws_model_unpack(struct tsws_packed_model *packed) {
    if (packed != NULL) {
        free(packed->memory);
        free(packed->layers);
        free(packed);
    }
}
