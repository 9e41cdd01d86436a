/* One position at a time through the transformer: RMSNorm, grouped-query attention with RoPE, SwiGLU. */
#include "kernels.h"
#include "model.h"
#include "size.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 64 };
enum { WQ, WK, WV, WO, W1, W2, W3, N_MATRICES };

struct tsws_session {
    const tsws_model *model;
    const tsws_kernels *kernels;
    int32_t position; /* tokens taken */
    int32_t max_positions;
    void *weights;       /* all packed matrices */
    tsws_packed *packed; /* (n_layers, N_MATRICES), then the classifier */
    float *memory;       /* all arrays below */

    float *cache;       /* (n_layers, n_kv_heads, cache_floats()) */
    float *x;           /* (dim,): the residual stream */
    float *normed;      /* (dim,) */
    float *query;       /* (dim,) */
    float *key;         /* (kv_dim,) */
    float *value;       /* (kv_dim,) */
    float *attended;    /* (dim,): all heads side by side */
    float *update;      /* (dim,): what a block adds to the stream */
    float *gate;        /* (hidden_dim,) */
    float *up;          /* (hidden_dim,) */
    float *scratch;     /* of the kernels */
    float *logits;      /* (vocab_size,) */
    float *frequencies; /* (head_size / 2,): radians a position */
    float *cosines;     /* (head_size / 2,): of the current position */
    float *sines;       /* (head_size / 2,) */
};

static size_t aligned_count(size_t floats) {
    return tsws_size_mul(tsws_size_add(floats, 15) / 16, 16);
}

/* Lays out one matrix a call; with `data` NULL only counts its bytes. */
static size_t pack_matrix(const tsws_session *session, unsigned char *data, size_t i, const tsws_matrix *matrix) {
    const tsws_kernels *kernels = session->kernels;

    if (data != NULL) {
        kernels->pack(data, matrix, 0);
        session->packed[i] = (tsws_packed){.rows = matrix->rows,
                                           .columns = matrix->columns,
                                           .panels = (matrix->rows + kernels->panel_rows - 1) / kernels->panel_rows,
                                           .data = data};
    }
    return kernels->packed_bytes(matrix->rows, matrix->columns, 0);
}

static size_t pack_all(const tsws_session *session, unsigned char *data) {
    const tsws_model *model = session->model;
    size_t n_layers = (size_t)model->info.n_layers;
    size_t used = 0;

    for (size_t i = 0; i < n_layers; i++) {
        const tsws_layer *layer = &model->layers[i];
        const tsws_matrix *matrices[N_MATRICES] = {&layer->wq, &layer->wk, &layer->wv, &layer->wo,
                                                   &layer->w1, &layer->w2, &layer->w3};

        for (size_t j = 0; j < N_MATRICES; j++) {
            used += pack_matrix(session, data == NULL ? NULL : data + used, i * N_MATRICES + j, matrices[j]);
        }
    }
    used += pack_matrix(session, data == NULL ? NULL : data + used, n_layers * N_MATRICES, &model->classifier);
    return used;
}

static tsws_status allocate_weights(tsws_session *session, tsws_error *error) {
    size_t count = (size_t)session->model->info.n_layers * N_MATRICES + 1;

    session->packed = calloc(count, sizeof *session->packed);
    session->weights = aligned_alloc(64, pack_all(session, NULL));
    if (session->packed == NULL || session->weights == NULL) {
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for a session", session->model->path);
    }
    (void)pack_all(session, session->weights);
    return TSWS_OK;
}

/* Gives every array its place in one block of memory. */
static tsws_status allocate_arrays(tsws_session *session, tsws_error *error) {
    const tsws_model *model = session->model;
    size_t dim = (size_t)model->info.dim;
    size_t hidden = (size_t)model->info.hidden_dim;
    size_t positions = (size_t)session->max_positions;
    size_t half_head = model->head_size / 2;
    size_t heads = tsws_size_mul((size_t)model->info.n_layers, (size_t)model->info.n_kv_heads);
    size_t cache = tsws_size_mul(heads, session->kernels->cache_floats(positions, model->head_size));
    size_t shared = (size_t)(model->info.n_heads / model->info.n_kv_heads);
    size_t scratch = session->kernels->attend_scratch(positions, model->head_size, shared);
    const struct {
        float **array;
        size_t count;
    } wanted[] = {
        {&session->cache, cache},
        {&session->x, dim},
        {&session->normed, dim},
        {&session->query, dim},
        {&session->key, model->kv_dim},
        {&session->value, model->kv_dim},
        {&session->attended, dim},
        {&session->update, dim},
        {&session->gate, hidden},
        {&session->up, hidden},
        {&session->scratch, scratch},
        {&session->logits, (size_t)model->info.vocab_size},
        {&session->frequencies, half_head},
        {&session->cosines, half_head},
        {&session->sines, half_head},
    };
    size_t count = 0;

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        count = tsws_size_add(count, aligned_count(wanted[i].count));
    }
    /* PTRDIFF_MAX: more than that, malloc must refuse, and some sanitizers and compilers complain first. */
    if (count <= PTRDIFF_MAX / sizeof(float)) {
        session->memory = aligned_alloc(64, count * sizeof(float));
    }
    if (session->memory == NULL) {
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for a context of %" PRId32 " tokens",
                         model->path, session->max_positions);
    }
    count = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        *wanted[i].array = session->memory + count;
        count += aligned_count(wanted[i].count);
    }
    return TSWS_OK;
}

tsws_status tsws_session_create(const tsws_model *model, const tsws_session_options *options, tsws_session **session,
                                tsws_error *error) {
    int32_t max_positions = options == NULL ? 0 : options->max_positions;
    tsws_session *created;
    tsws_status status;

    *session = NULL;
    if (max_positions < 0) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "a session can not hold %" PRId32 " positions", max_positions);
    }
    if (options != NULL && (options->threads < 0 || options->threads > MAX_THREADS)) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "a session can have 1 to %d threads, not %" PRId32, MAX_THREADS,
                         options->threads);
    }
    if (max_positions == 0 || max_positions > model->info.max_seq_len) {
        max_positions = model->info.max_seq_len;
    }
    created = calloc(1, sizeof *created);
    if (created == NULL) {
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for a session", model->path);
    }
    created->model = model;
    created->kernels = tsws_kernels_choose(false);
    created->max_positions = max_positions;
    status = allocate_arrays(created, error);
    if (status == TSWS_OK) {
        status = allocate_weights(created, error);
    }
    if (status != TSWS_OK) {
        tsws_session_destroy(created);
        return status;
    }
    for (size_t i = 0; i < model->head_size / 2; i++) {
        created->frequencies[i] = 1.0f / powf(10000.0f, (float)(2 * i) / (float)model->head_size);
    }
    *session = created;
    return TSWS_OK;
}

void tsws_session_destroy(tsws_session *session) {
    if (session != NULL) {
        free(session->memory);
        free(session->weights);
        free(session->packed);
        free(session);
    }
}

void tsws_session_reset(tsws_session *session) {
    session->position = 0;
}

int32_t tsws_session_position(const tsws_session *session) {
    return session->position;
}

int32_t tsws_session_threads(const tsws_session *session) {
    (void)session;
    return 1;
}

/* The same for all layers, so once a position. In single precision throughout, as llama2.c has it. */
static void turn_to_position(tsws_session *session) {
    for (size_t i = 0; i < session->model->head_size / 2; i++) {
        float angle = (float)session->position * session->frequencies[i];

        session->cosines[i] = cosf(angle);
        session->sines[i] = sinf(angle);
    }
}

static void multiply(const tsws_session *session, float *out, size_t i, const float *x) {
    const tsws_packed *matrix = &session->packed[i];

    session->kernels->matmul(out, matrix->rows, matrix, x, matrix->columns, 1, 0, matrix->panels, NULL);
}

static void attention_block(tsws_session *session, size_t i) {
    const tsws_model *model = session->model;
    const tsws_kernels *kernels = session->kernels;
    size_t dim = (size_t)model->info.dim;
    size_t head_size = model->head_size;
    size_t n_heads = (size_t)model->info.n_heads;
    size_t n_kv_heads = (size_t)model->info.n_kv_heads;
    size_t position = (size_t)session->position;
    size_t positions = (size_t)session->max_positions;
    size_t shared = n_heads / n_kv_heads; /* query heads that share one of keys and values */
    size_t matrices = i * N_MATRICES;

    kernels->rmsnorm(session->normed, session->x, model->layers[i].attention_norm, dim);
    multiply(session, session->query, matrices + WQ, session->normed);
    multiply(session, session->key, matrices + WK, session->normed);
    multiply(session, session->value, matrices + WV, session->normed);
    kernels->rope(session->query, n_heads, head_size, session->cosines, session->sines);
    kernels->rope(session->key, n_kv_heads, head_size, session->cosines, session->sines);
    for (size_t head = 0; head < n_kv_heads; head++) {
        float *cache = session->cache + (i * n_kv_heads + head) * kernels->cache_floats(positions, head_size);
        size_t first = head * shared * head_size;

        kernels->remember(cache, positions, position, session->key + head * head_size,
                          session->value + head * head_size, head_size);
        kernels->attend(session->attended + first, session->query + first, shared, cache, positions, position + 1,
                        head_size, session->scratch);
    }
    multiply(session, session->update, matrices + WO, session->attended);
    kernels->accumulate(session->x, session->update, dim);
}

static void feed_forward_block(tsws_session *session, size_t i) {
    const tsws_kernels *kernels = session->kernels;
    size_t dim = (size_t)session->model->info.dim;
    size_t matrices = i * N_MATRICES;

    kernels->rmsnorm(session->normed, session->x, session->model->layers[i].ffn_norm, dim);
    multiply(session, session->gate, matrices + W1, session->normed);
    multiply(session, session->up, matrices + W3, session->normed);
    kernels->swiglu(session->gate, session->gate, session->up, (size_t)session->model->info.hidden_dim);
    multiply(session, session->update, matrices + W2, session->gate);
    kernels->accumulate(session->x, session->update, dim);
}

tsws_status tsws_session_step(tsws_session *session, int32_t token, const float **logits, tsws_error *error) {
    const tsws_model *model = session->model;
    size_t dim = (size_t)model->info.dim;

    if (token < 0 || token >= model->info.vocab_size) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "%s: there is no token %" PRId32 " in a vocabulary of %" PRId32,
                         model->path, token, model->info.vocab_size);
    }
    if (session->position >= session->max_positions) {
        return tsws_fail(error, TSWS_ERROR_FULL, "%s: the context of %" PRId32 " tokens is full", model->path,
                         session->max_positions);
    }
    memcpy(session->x, model->embedding.floats + (size_t)token * dim, dim * sizeof(float));
    turn_to_position(session);
    for (size_t i = 0; i < (size_t)model->info.n_layers; i++) {
        attention_block(session, i);
        feed_forward_block(session, i);
    }
    session->kernels->rmsnorm(session->x, session->x, model->final_norm, dim);
    multiply(session, session->logits, (size_t)model->info.n_layers * N_MATRICES, session->x);
    session->position++;
    *logits = session->logits;
    return TSWS_OK;
}

tsws_status tsws_session_take(tsws_session *session, const int32_t *tokens, size_t count, float *all,
                              const float **last, tsws_error *error) {
    const tsws_model *model = session->model;
    size_t vocab_size = (size_t)model->info.vocab_size;
    const float *logits = NULL;

    if (count == 0) {
        return tsws_fail(error, TSWS_ERROR_ARGUMENT, "%s: there are no tokens to take", model->path);
    }
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] < 0 || tokens[i] >= model->info.vocab_size) {
            return tsws_fail(error, TSWS_ERROR_ARGUMENT,
                             "%s: there is no token %" PRId32 " in a vocabulary of %" PRId32, model->path, tokens[i],
                             model->info.vocab_size);
        }
    }
    if (count > (size_t)(session->max_positions - session->position)) {
        return tsws_fail(error, TSWS_ERROR_FULL, "%s: the context of %" PRId32 " tokens is full", model->path,
                         session->max_positions);
    }
    for (size_t i = 0; i < count; i++) {
        (void)tsws_session_step(session, tokens[i], &logits, NULL);
        if (all != NULL) {
            memcpy(all + i * vocab_size, logits, vocab_size * sizeof(float));
        }
    }
    *last = logits;
    return TSWS_OK;
}
