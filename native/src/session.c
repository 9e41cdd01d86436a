/* One position at a time through the transformer: RMSNorm, grouped-query attention with RoPE, SwiGLU. */
#include "kernels.h"
#include "model.h"
#include "size.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_THREADS = 64 };

struct tsws_session {
    const tsws_model *model;
    const tsws_kernels *kernels;
    int32_t position; /* tokens taken */
    int32_t max_positions;
    float *memory; /* all arrays below */

    float *keys;        /* (n_layers, max_positions, kv_dim) */
    float *values;      /* (n_layers, max_positions, kv_dim) */
    float *x;           /* (dim,): the residual stream */
    float *normed;      /* (dim,) */
    float *query;       /* (dim,) */
    float *attended;    /* (dim,): all heads side by side */
    float *update;      /* (dim,): what a block adds to the stream */
    float *gate;        /* (hidden_dim,) */
    float *up;          /* (hidden_dim,) */
    float *scores;      /* (max_positions,) */
    float *logits;      /* (vocab_size,) */
    float *frequencies; /* (head_size / 2,): radians a position */
    float *cosines;     /* (head_size / 2,): of the current position */
    float *sines;       /* (head_size / 2,) */
};

/* Gives every array its place in one block of memory. */
static tsws_status allocate_arrays(tsws_session *session, tsws_error *error) {
    const tsws_model *model = session->model;
    size_t dim = (size_t)model->info.dim;
    size_t hidden = (size_t)model->info.hidden_dim;
    size_t positions = (size_t)session->max_positions;
    size_t half_head = model->head_size / 2;
    size_t cache = tsws_size_mul(tsws_size_mul((size_t)model->info.n_layers, positions), model->kv_dim);
    const struct {
        float **array;
        size_t count;
    } wanted[] = {
        {&session->keys, cache},
        {&session->values, cache},
        {&session->x, dim},
        {&session->normed, dim},
        {&session->query, dim},
        {&session->attended, dim},
        {&session->update, dim},
        {&session->gate, hidden},
        {&session->up, hidden},
        {&session->scores, positions},
        {&session->logits, (size_t)model->info.vocab_size},
        {&session->frequencies, half_head},
        {&session->cosines, half_head},
        {&session->sines, half_head},
    };
    size_t count = 0;

    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        count = tsws_size_add(count, wanted[i].count);
    }
    /* PTRDIFF_MAX: more than that, malloc must refuse, and some sanitizers and compilers complain first. */
    if (count <= PTRDIFF_MAX / sizeof(float)) {
        session->memory = malloc(count * sizeof(float));
    }
    if (session->memory == NULL) {
        return tsws_fail(error, TSWS_ERROR_MEMORY, "%s: memory is short for a context of %" PRId32 " tokens",
                         model->path, session->max_positions);
    }
    count = 0;
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        *wanted[i].array = session->memory + count;
        count += wanted[i].count;
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
    created->kernels = tsws_kernels_choose();
    created->max_positions = max_positions;
    status = allocate_arrays(created, error);
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

static void attention_block(tsws_session *session, const tsws_layer *layer, float *keys, float *values) {
    const tsws_model *model = session->model;
    const tsws_kernels *kernels = session->kernels;
    size_t dim = (size_t)model->info.dim;
    size_t kv_dim = model->kv_dim;
    size_t head_size = model->head_size;
    size_t n_heads = (size_t)model->info.n_heads;
    size_t n_kv_heads = (size_t)model->info.n_kv_heads;
    size_t position = (size_t)session->position;
    float *key = keys + position * kv_dim;
    float *value = values + position * kv_dim;

    kernels->rmsnorm(session->normed, session->x, layer->attention_norm, dim);
    kernels->matvec(session->query, layer->wq.floats, session->normed, dim, dim);
    kernels->matvec(key, layer->wk.floats, session->normed, kv_dim, dim);
    kernels->matvec(value, layer->wv.floats, session->normed, kv_dim, dim);
    kernels->rope(session->query, n_heads, head_size, session->cosines, session->sines);
    kernels->rope(key, n_kv_heads, head_size, session->cosines, session->sines);
    for (size_t head = 0; head < n_heads; head++) {
        size_t shared =
            head / (n_heads / n_kv_heads) * head_size; /* several query heads share one of keys and values */

        kernels->attend(session->attended + head * head_size, session->query + head * head_size, keys + shared,
                        values + shared, kv_dim, position + 1, head_size, session->scores);
    }
    kernels->matvec(session->update, layer->wo.floats, session->attended, dim, dim);
    kernels->accumulate(session->x, session->update, dim);
}

static void feed_forward_block(tsws_session *session, const tsws_layer *layer) {
    const tsws_kernels *kernels = session->kernels;
    size_t dim = (size_t)session->model->info.dim;
    size_t hidden = (size_t)session->model->info.hidden_dim;

    kernels->rmsnorm(session->normed, session->x, layer->ffn_norm, dim);
    kernels->matvec(session->gate, layer->w1.floats, session->normed, hidden, dim);
    kernels->matvec(session->up, layer->w3.floats, session->normed, hidden, dim);
    kernels->swiglu(session->gate, session->up, hidden);
    kernels->matvec(session->update, layer->w2.floats, session->gate, dim, hidden);
    kernels->accumulate(session->x, session->update, dim);
}

tsws_status tsws_session_step(tsws_session *session, int32_t token, const float **logits, tsws_error *error) {
    const tsws_model *model = session->model;
    size_t dim = (size_t)model->info.dim;
    size_t layer_cache = (size_t)session->max_positions * model->kv_dim;

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
        attention_block(session, &model->layers[i], session->keys + i * layer_cache, session->values + i * layer_cache);
        feed_forward_block(session, &model->layers[i]);
    }
    session->kernels->rmsnorm(session->x, session->x, model->final_norm, dim);
    session->kernels->matvec(session->logits, model->classifier.floats, session->x, (size_t)model->info.vocab_size,
                             dim);
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
