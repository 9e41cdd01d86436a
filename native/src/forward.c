#include "forward.h"
#include "memory.h"
#include "processors.h"
#include "size.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum {
    LINE_FLOATS = TSWS_ALIGNMENT / sizeof(float),
    BYTES_A_THREAD = 1 << 19, /* of weights in a step: with less, to meet takes more time than is won */
    LONG_WORK = 16 << 20,     /* bytes of weights times rows that take half a millisecond at least */
    /*
     * Up to so many bytes of weights each thread of a batch goes through all of them with rows of its own: they lie in the
     * cache nearest to it, there is nobody to wait for, and no vector is quantised twice.
     */
    BYTES_NEAR = 2 << 20,
    ROWS_A_THREAD = 4,   /* for which that pays */
    TURNS_AT_ONCE = 1024 /* most contexts; a file may claim one that no memory holds */
};

static size_t in_lines(size_t floats) {
    return tsws_size_mul(floats / LINE_FLOATS + (floats % LINE_FLOATS != 0), LINE_FLOATS);
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static size_t choose_threads(const tsws_model *model, size_t max_rows) {
    size_t bytes = tsws_size_mul(model->packed->size, max_rows);
    size_t useful = tsws_size_add(bytes / BYTES_A_THREAD, 1);
    size_t most = tsws_processors();

    most = most < TSWS_MAX_THREADS ? most : TSWS_MAX_THREADS;
    most = most < (size_t)model->info.n_kv_heads ? most : (size_t)model->info.n_kv_heads;
    return useful < most ? useful : most;
}

/* Bytes of scratch for the largest of what a thread does. */
static size_t scratch_bytes(const tsws_forward *forward) {
    const tsws_model *model = forward->model;
    const struct tsws_packed_model *packed = model->packed;
    const tsws_kernels *kernels = packed->kernels;
    const tsws_packed *matrices[] = {&packed->layers[0].qkv, &packed->layers[0].wo, &packed->layers[0].gate_up,
                                     &packed->layers[0].w2, &packed->classifier};
    size_t n_queries = (size_t)(model->info.n_heads / model->info.n_kv_heads);
    size_t bytes =
        tsws_size_mul(kernels->attend_scratch(forward->max_positions, model->head_size, n_queries), sizeof(float));

    for (size_t i = 0; i < sizeof matrices / sizeof matrices[0]; i++) {
        bytes = larger(bytes, kernels->matmul_scratch(matrices[i]->columns, matrices[i]->group, forward->max_rows));
    }
    return bytes;
}

/* Gives every array its place in one block of memory. */
static bool allocate_forward(tsws_forward *forward, size_t n_streams, size_t max_scored) {
    const tsws_model_info *info = &forward->model->info;
    size_t heads = tsws_size_mul((size_t)info->n_layers, (size_t)info->n_kv_heads);
    size_t rows = forward->max_rows;
    size_t n_threads = tsws_team_size(forward->team);
    float *scratch = NULL;
    const struct {
        float **array;
        size_t count;
        size_t size;
    } wanted[] = {
        {&forward->turns, forward->max_positions, forward->model->head_size},
        {&forward->x, rows, forward->dim_stride},
        {&forward->normed, rows, forward->dim_stride},
        {&forward->qkv, rows, forward->qkv_stride},
        {&forward->attended, rows, forward->dim_stride},
        {&forward->update, rows, forward->dim_stride},
        {&forward->gate_up, rows, forward->gate_up_stride},
        {&forward->hidden, rows, forward->hidden_stride},
        {&forward->logits, max_scored, (size_t)info->vocab_size},
        {&forward->few_normed, n_threads * TSWS_FEW_ROWS, forward->dim_stride},
        {&scratch, n_threads, forward->scratch_bytes / sizeof(float)},
        {&forward->cache, n_streams, tsws_size_mul(heads, forward->head_cache)},
    };
    size_t count = 0;
    float *memory;

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        count = tsws_size_add(count, in_lines(tsws_size_mul(wanted[i].count, wanted[i].size)));
    }
    forward->memory = memory = tsws_memory_allocate(tsws_size_mul(count, sizeof(float)));
    if (memory == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        *wanted[i].array = memory;
        memory += in_lines(wanted[i].count * wanted[i].size);
    }
    forward->scratch = (unsigned char *)scratch;
    return true;
}

/* In single precision throughout, as llama2.c has it. */
void tsws_forward_turn(tsws_forward *forward, size_t n_positions) {
    size_t head_size = forward->model->head_size;
    size_t first = forward->n_turns;
    size_t last = tsws_size_add(n_positions, TURNS_AT_ONCE - 1) / TURNS_AT_ONCE * TURNS_AT_ONCE;

    last = last < forward->max_positions ? last : forward->max_positions;
    for (size_t i = 0; first < last && i < head_size / 2; i++) {
        float frequency = 1.0f / powf(10000.0f, (float)(2 * i) / (float)head_size); /* radians a position */

        for (size_t position = first; position < last; position++) {
            float *turn = forward->turns + position * head_size;
            float angle = (float)position * frequency;

            turn[i] = cosf(angle);
            turn[head_size / 2 + i] = sinf(angle);
        }
    }
    forward->n_turns = last > first ? last : first;
}

static tsws_status check_options(const tsws_session_options *options, tsws_error *error) {
    if (options->max_positions < 0) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "a session can not hold %" PRId32 " positions",
                         options->max_positions);
    }
    if (options->threads < 0 || options->threads > TSWS_MAX_THREADS) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "a session can have 1 to %d threads, not %" PRId32,
                         TSWS_MAX_THREADS, options->threads);
    }
    return TSWS_OK;
}

tsws_status tsws_forward_create(tsws_forward *forward, const tsws_model *model, size_t n_streams, size_t max_rows,
                                size_t max_scored, const tsws_session_options *options, tsws_error *error) {
    const struct tsws_packed_model *packed = model->packed;
    size_t panel_rows = packed->kernels->panel_rows;
    int32_t max_positions = model->info.max_seq_len;
    size_t n_threads;
    tsws_status status = check_options(options, error);

    *forward = (tsws_forward){.model = model, .max_rows = max_rows};
    if (status != TSWS_OK) {
        return status;
    }
    if (options->max_positions != 0 && options->max_positions < max_positions) {
        max_positions = options->max_positions;
    }
    n_threads = options->threads != 0 ? (size_t)options->threads : choose_threads(model, n_streams);
    status = tsws_team_create(n_threads, &forward->team, error);
    if (status != TSWS_OK) {
        return status;
    }
    forward->max_positions = (size_t)max_positions;
    forward->rows_to_split = n_threads > 1 && packed->size <= BYTES_NEAR ? n_threads * ROWS_A_THREAD : SIZE_MAX;
    forward->rows_of_long_work = LONG_WORK / packed->size + 1;
    forward->dim_stride = in_lines((size_t)model->info.dim);
    forward->qkv_stride = in_lines((size_t)model->info.n_kv_heads * packed->qkv_panels * panel_rows);
    forward->gate_up_stride = in_lines(packed->layers[0].gate_up.panels * panel_rows);
    forward->hidden_stride = in_lines((size_t)model->info.hidden_dim);
    forward->head_cache = packed->kernels->cache_floats(forward->max_positions, model->head_size);
    forward->scratch_bytes = tsws_size_mul(in_lines(scratch_bytes(forward) / sizeof(float) + 1), sizeof(float));
    if (!allocate_forward(forward, n_streams, max_scored)) {
        tsws_forward_destroy(forward);
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for a context of %" PRId32 " tokens",
                         model->path, max_positions);
    }
    tsws_forward_turn(forward, 1);
    return TSWS_OK;
}

void tsws_forward_destroy(tsws_forward *forward) {
    tsws_team_destroy(forward->team);
    free(forward->memory);
    *forward = (tsws_forward){.team = NULL};
}

tsws_status tsws_forward_check_token(const tsws_forward *forward, int32_t token, tsws_error *error) {
    const tsws_model *model = forward->model;

    if (token < 0 || token >= model->info.vocab_size) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "%s: there is no token %" PRId32 " in a vocabulary of %" PRId32,
                         model->path, token, model->info.vocab_size);
    }
    return TSWS_OK;
}
