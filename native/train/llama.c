#include "llama.h"

#include "attention.h"
#include "linear.h"
#include "layers.h"

#include <stdlib.h>

struct layer {
    size_t attention_norm, ffn_norm; /* places in the array of weights */
    tsws_linear qkv, wo, gate_up, w2;
};

struct tsws_trainer {
    tsws_train_shape shape;
    size_t dim, hidden, kv_dim, qkv_dim, head_size, vocab;
    const float *weights;
    size_t embedding, norm; /* places */
    tsws_linear classifier;
    struct layer *layers;
    float *cosines, *sines; /* (max_seq_len, head_size / 2) */
    float *memory;
};

/* What the way back needs to know of a layer's way there; (seq, ...) each. */
struct saved {
    float *x;         /* (dim): the stream that came in */
    float *rms;       /* (): 1 / rms of it */
    float *qkv;       /* (qkv_dim): turned queries and keys, values */
    float *mixed;     /* (dim): of all heads */
    float *log_sums;  /* (n_heads, seq) */
    float *middle;    /* (dim): the stream between attention and feed-forward */
    float *middle_rms;
    float *gate_up; /* (2 hidden) */
};

struct tsws_worker {
    const tsws_trainer *trainer;
    struct saved *layers;
    float *last, *last_rms;     /* (seq, dim), (seq,): the stream after all layers */
    float *normed;              /* (seq, dim) */
    float *hidden;              /* (seq, hidden) */
    float *d_stream, *d_normed; /* (seq, dim) */
    float *d_qkv;               /* (seq, qkv_dim) */
    float *d_hidden;            /* (seq, hidden) */
    float *d_gate_up;           /* (seq, 2 hidden) */
    float *logits;              /* (seq, vocab) */
    float *packing;             /* of products */
    float *scratch;             /* of attention */
    float *memory;
};

/* ---- Memory: one block, whose parts are first counted, then given out ---- */

struct room {
    float *memory; /* NULL while counting */
    size_t used;
};

static void take(struct room *room, float **array, size_t count) {
    size_t aligned = (count + 15) / 16 * 16;

    if (room->memory != NULL) {
        *array = room->memory + room->used;
    }
    room->used += aligned;
}

static float *allocate(size_t count) {
    void *memory = NULL;

    return posix_memalign(&memory, 64, count * sizeof(float)) == 0 ? memory : NULL;
}

static size_t larger_of(size_t a, size_t b) {
    return a > b ? a : b;
}

/* ---- The trainer ---- */

static size_t place_linear(const tsws_trainer *trainer, tsws_linear *linear, size_t place, size_t outs, size_t ins) {
    *linear = (tsws_linear){.outs = outs, .ins = ins, .place = place, .bfloat16 = trainer->shape.bfloat16 != 0};
    return place + outs * ins;
}

/* Finds the places of all weights; the number of all. */
static size_t place_weights(tsws_trainer *trainer) {
    size_t dim = trainer->dim;
    size_t place = trainer->vocab * dim;

    trainer->embedding = 0;
    for (int32_t i = 0; i < trainer->shape.n_layers; i++) {
        struct layer *layer = &trainer->layers[i];

        layer->attention_norm = place;
        place = place_linear(trainer, &layer->qkv, place + dim, trainer->qkv_dim, dim);
        place = place_linear(trainer, &layer->wo, place, dim, dim);
        layer->ffn_norm = place;
        place = place_linear(trainer, &layer->gate_up, place + dim, 2 * trainer->hidden, dim);
        place = place_linear(trainer, &layer->w2, place, dim, trainer->hidden);
    }
    trainer->norm = place;
    place += dim;
    if (trainer->shape.shared_classifier) {
        (void)place_linear(trainer, &trainer->classifier, trainer->embedding, trainer->vocab, dim);
        return place;
    }
    return place_linear(trainer, &trainer->classifier, place, trainer->vocab, dim);
}

static void give_linear(struct room *room, tsws_linear *linear) {
    take(room, &linear->panels, tsws_linear_panel_floats(linear));
    take(room, &linear->back, tsws_linear_back_floats(linear));
}

static void give_trainer(struct room *room, tsws_trainer *trainer) {
    size_t angles = (size_t)trainer->shape.max_seq_len * (trainer->head_size / 2);

    take(room, &trainer->cosines, angles);
    take(room, &trainer->sines, angles);
    for (int32_t i = 0; i < trainer->shape.n_layers; i++) {
        give_linear(room, &trainer->layers[i].qkv);
        give_linear(room, &trainer->layers[i].wo);
        give_linear(room, &trainer->layers[i].gate_up);
        give_linear(room, &trainer->layers[i].w2);
    }
    give_linear(room, &trainer->classifier);
}

static bool is_possible(const tsws_train_shape *s) {
    return s->dim > 0 && s->hidden_dim > 0 && s->n_layers > 0 && s->n_heads > 0 && s->n_kv_heads > 0 &&
           s->vocab_size > 0 && s->max_seq_len > 0 && s->dim % s->n_heads == 0 && s->n_heads % s->n_kv_heads == 0 &&
           s->dim / s->n_heads % 2 == 0;
}

static void derive(tsws_trainer *trainer, const tsws_train_shape *shape) {
    trainer->shape = *shape;
    trainer->dim = (size_t)shape->dim;
    trainer->hidden = (size_t)shape->hidden_dim;
    trainer->vocab = (size_t)shape->vocab_size;
    trainer->head_size = trainer->dim / (size_t)shape->n_heads;
    trainer->kv_dim = trainer->head_size * (size_t)shape->n_kv_heads;
    trainer->qkv_dim = trainer->dim + 2 * trainer->kv_dim;
}

size_t tsws_train_parameters(const tsws_train_shape *shape) {
    size_t dim = (size_t)shape->dim;
    size_t kv_dim = dim / (size_t)shape->n_heads * (size_t)shape->n_kv_heads;
    size_t layer = 2 * dim + 2 * dim * dim + 2 * dim * kv_dim + 3 * dim * (size_t)shape->hidden_dim;

    return (size_t)shape->n_layers * layer + dim + (shape->shared_classifier ? 1 : 2) * (size_t)shape->vocab_size * dim;
}

tsws_trainer *tsws_trainer_create(const tsws_train_shape *shape, const float *cosines, const float *sines) {
    struct room room = {NULL, 0};
    tsws_trainer *trainer = is_possible(shape) ? calloc(1, sizeof *trainer) : NULL;
    size_t angles;

    if (trainer == NULL) {
        return NULL;
    }
    derive(trainer, shape);
    trainer->layers = calloc((size_t)shape->n_layers, sizeof *trainer->layers);
    if (trainer->layers != NULL) {
        (void)place_weights(trainer);
        give_trainer(&room, trainer);
        trainer->memory = room.memory = allocate(room.used);
    }
    if (trainer->memory == NULL) {
        tsws_trainer_destroy(trainer);
        return NULL;
    }
    room.used = 0;
    give_trainer(&room, trainer);
    angles = (size_t)shape->max_seq_len * (trainer->head_size / 2);
    memcpy(trainer->cosines, cosines, angles * sizeof *cosines);
    memcpy(trainer->sines, sines, angles * sizeof *sines);
    return trainer;
}

void tsws_trainer_destroy(tsws_trainer *trainer) {
    if (trainer != NULL) {
        free(trainer->layers);
        free(trainer->memory);
        free(trainer);
    }
}

void tsws_trainer_load(tsws_trainer *trainer, const float *weights, int32_t part, int32_t parts) {
    int32_t turn = 0;

    trainer->weights = weights;
    for (int32_t i = 0; i < trainer->shape.n_layers; i++) {
        const tsws_linear *const linears[] = {&trainer->layers[i].qkv, &trainer->layers[i].wo,
                                                &trainer->layers[i].gate_up, &trainer->layers[i].w2};

        for (size_t j = 0; j < 4; j++, turn++) {
            if (turn % parts == part) {
                tsws_linear_load(linears[j], weights);
            }
        }
    }
    if (turn % parts == part) {
        tsws_linear_load(&trainer->classifier, weights);
    }
}

/* ---- The worker ---- */

static void give_worker(struct room *room, tsws_worker *worker) {
    const tsws_trainer *trainer = worker->trainer;
    size_t seq = (size_t)trainer->shape.max_seq_len;
    size_t dim = trainer->dim;
    size_t widest = larger_of(larger_of(trainer->qkv_dim, 2 * trainer->hidden), trainer->vocab);

    for (int32_t i = 0; i < trainer->shape.n_layers; i++) {
        struct saved *layer = &worker->layers[i];

        take(room, &layer->x, seq * dim);
        take(room, &layer->rms, seq);
        take(room, &layer->qkv, seq * trainer->qkv_dim);
        take(room, &layer->mixed, seq * dim);
        take(room, &layer->log_sums, seq * (size_t)trainer->shape.n_heads);
        take(room, &layer->middle, seq * dim);
        take(room, &layer->middle_rms, seq);
        take(room, &layer->gate_up, seq * 2 * trainer->hidden);
    }
    take(room, &worker->last, seq * dim);
    take(room, &worker->last_rms, seq);
    take(room, &worker->normed, seq * dim);
    take(room, &worker->hidden, seq * trainer->hidden);
    take(room, &worker->d_stream, seq * dim);
    take(room, &worker->d_normed, seq * dim);
    take(room, &worker->d_qkv, seq * trainer->qkv_dim);
    take(room, &worker->d_hidden, seq * trainer->hidden);
    take(room, &worker->d_gate_up, seq * 2 * trainer->hidden);
    take(room, &worker->logits, seq * trainer->vocab);
    take(room, &worker->packing, tsws_linear_scratch(seq, widest));
    take(room, &worker->scratch, tsws_attention_scratch(trainer->head_size));
}

tsws_worker *tsws_worker_create(const tsws_trainer *trainer) {
    struct room room = {NULL, 0};
    tsws_worker *worker = calloc(1, sizeof *worker);

    if (worker == NULL) {
        return NULL;
    }
    worker->trainer = trainer;
    worker->layers = calloc((size_t)trainer->shape.n_layers, sizeof *worker->layers);
    if (worker->layers != NULL) {
        give_worker(&room, worker);
        worker->memory = room.memory = allocate(room.used);
    }
    if (worker->memory == NULL) {
        tsws_worker_destroy(worker);
        return NULL;
    }
    room.used = 0;
    give_worker(&room, worker);
    return worker;
}

void tsws_worker_destroy(tsws_worker *worker) {
    if (worker != NULL) {
        free(worker->layers);
        free(worker->memory);
        free(worker);
    }
}

/* ---- There ---- */

static tsws_head head_of(const tsws_trainer *trainer, const float *qkv, size_t head, size_t seq) {
    size_t group = head / (size_t)(trainer->shape.n_heads / trainer->shape.n_kv_heads);
    const float *keys = qkv + trainer->dim + group * trainer->head_size;

    return (tsws_head){
        .query = qkv + head * trainer->head_size,
        .key = keys,
        .value = keys + trainer->kv_dim,
        .stride = trainer->qkv_dim,
        .positions = seq,
        .head_size = trainer->head_size,
    };
}

static void rope(const tsws_trainer *trainer, float *qkv, size_t seq, float direction) {
    size_t heads = (size_t)trainer->shape.n_heads + (size_t)trainer->shape.n_kv_heads; /* keys follow the queries */

    tsws_rope(qkv, trainer->qkv_dim, seq, heads, trainer->head_size, trainer->cosines, trainer->sines, direction);
}

/* Takes layer->x to the stream that follows, which is `out`. */
static void layer_forward(tsws_worker *worker, size_t index, float *out, size_t seq) {
    const tsws_trainer *trainer = worker->trainer;
    const struct layer *layer = &trainer->layers[index];
    const struct saved *saved = &worker->layers[index];
    const float *weights = trainer->weights;
    size_t dim = trainer->dim;
    float epsilon = trainer->shape.norm_eps;

    tsws_norm_forward(worker->normed, saved->rms, saved->x, weights + layer->attention_norm, seq, dim, epsilon);
    tsws_linear_forward(&layer->qkv, saved->qkv, false, worker->normed, seq, worker->packing);
    rope(trainer, saved->qkv, seq, 1.0f);
    for (size_t head = 0; head < (size_t)trainer->shape.n_heads; head++) {
        tsws_head view = head_of(trainer, saved->qkv, head, seq);

        tsws_attention_forward(&view, saved->mixed + head * trainer->head_size, dim, saved->log_sums + head * seq,
                               worker->scratch);
    }
    memcpy(saved->middle, saved->x, seq * dim * sizeof(float));
    tsws_linear_forward(&layer->wo, saved->middle, true, saved->mixed, seq, worker->packing);
    tsws_norm_forward(worker->normed, saved->middle_rms, saved->middle, weights + layer->ffn_norm, seq, dim, epsilon);
    tsws_linear_forward(&layer->gate_up, saved->gate_up, false, worker->normed, seq, worker->packing);
    tsws_swiglu_forward(worker->hidden, saved->gate_up, seq, trainer->hidden);
    memcpy(out, saved->middle, seq * dim * sizeof(float));
    tsws_linear_forward(&layer->w2, out, true, worker->hidden, seq, worker->packing);
}

/* ---- And back ---- */

static void apply_back(tsws_worker *worker, const tsws_linear *linear, float *gradients, float *d_x, const float *d_out,
                       const float *x, size_t seq) {
    tsws_linear_backward(linear, d_x, d_out, seq, worker->packing);
    tsws_linear_gradient(linear, gradients, d_out, x, seq, worker->packing);
}

/* d_stream is the gradient of the stream after the layer, and becomes that of the stream before it. */
static void layer_backward(tsws_worker *worker, size_t index, float *gradients, size_t seq) {
    const tsws_trainer *trainer = worker->trainer;
    const struct layer *layer = &trainer->layers[index];
    const struct saved *saved = &worker->layers[index];
    const float *weights = trainer->weights;
    size_t dim = trainer->dim;
    float epsilon = trainer->shape.norm_eps;

    /* hidden is needed for the gradient of w2, and comes out of swiglu's way back: so the two products are apart. */
    tsws_linear_backward(&layer->w2, worker->d_hidden, worker->d_stream, seq, worker->packing);
    tsws_swiglu_backward(worker->d_gate_up, worker->hidden, worker->d_hidden, saved->gate_up, seq, trainer->hidden);
    tsws_linear_gradient(&layer->w2, gradients, worker->d_stream, worker->hidden, seq, worker->packing);
    tsws_norm_forward(worker->normed, NULL, saved->middle, weights + layer->ffn_norm, seq, dim, epsilon);
    apply_back(worker, &layer->gate_up, gradients, worker->d_normed, worker->d_gate_up, worker->normed, seq);
    tsws_norm_backward(worker->d_stream, gradients + layer->ffn_norm, worker->d_normed, saved->middle,
                       saved->middle_rms, weights + layer->ffn_norm, seq, dim);

    apply_back(worker, &layer->wo, gradients, worker->d_normed, worker->d_stream, saved->mixed, seq);
    memset(worker->d_qkv, 0, seq * trainer->qkv_dim * sizeof(float));
    for (size_t head = 0; head < (size_t)trainer->shape.n_heads; head++) {
        tsws_head view = head_of(trainer, saved->qkv, head, seq);
        tsws_head d_view = head_of(trainer, worker->d_qkv, head, seq);
        size_t place = head * trainer->head_size;

        tsws_attention_backward(&view, saved->mixed + place, worker->d_normed + place, dim,
                                saved->log_sums + head * seq, (float *)d_view.query, (float *)d_view.key,
                                (float *)d_view.value, trainer->qkv_dim, worker->scratch);
    }
    rope(trainer, worker->d_qkv, seq, -1.0f);
    tsws_norm_forward(worker->normed, NULL, saved->x, weights + layer->attention_norm, seq, dim, epsilon);
    apply_back(worker, &layer->qkv, gradients, worker->d_normed, worker->d_qkv, worker->normed, seq);
    tsws_norm_backward(worker->d_stream, gradients + layer->attention_norm, worker->d_normed, saved->x, saved->rms,
                       weights + layer->attention_norm, seq, dim);
}

static double row(tsws_worker *worker, const int64_t *tokens, const int64_t *targets, size_t seq, float scale,
                  float *gradients) {
    const tsws_trainer *trainer = worker->trainer;
    const float *weights = trainer->weights;
    size_t dim = trainer->dim;
    size_t layers = (size_t)trainer->shape.n_layers;
    double loss;

    for (size_t t = 0; t < seq; t++) {
        memcpy(worker->layers[0].x + t * dim, weights + trainer->embedding + (size_t)tokens[t] * dim,
               dim * sizeof(float));
    }
    for (size_t i = 0; i < layers; i++) {
        layer_forward(worker, i, i + 1 < layers ? worker->layers[i + 1].x : worker->last, seq);
    }
    tsws_norm_forward(worker->normed, worker->last_rms, worker->last, weights + trainer->norm, seq, dim,
                      trainer->shape.norm_eps);
    tsws_linear_forward(&trainer->classifier, worker->logits, false, worker->normed, seq, worker->packing);
    loss = tsws_cross_entropy(worker->logits, targets, seq, trainer->vocab, gradients != NULL ? scale : 0.0f);
    if (gradients == NULL) {
        return loss;
    }
    apply_back(worker, &trainer->classifier, gradients, worker->d_normed, worker->logits, worker->normed, seq);
    memset(worker->d_stream, 0, seq * dim * sizeof(float));
    tsws_norm_backward(worker->d_stream, gradients + trainer->norm, worker->d_normed, worker->last, worker->last_rms,
                       weights + trainer->norm, seq, dim);
    for (size_t i = layers; i-- > 0;) {
        layer_backward(worker, i, gradients, seq);
    }
    for (size_t t = 0; t < seq; t++) {
        float *to = gradients + trainer->embedding + (size_t)tokens[t] * dim;

        for (size_t i = 0; i < dim; i++) {
            to[i] += worker->d_stream[t * dim + i];
        }
    }
    return loss;
}

double tsws_worker_rows(tsws_worker *worker, const int64_t *tokens, const int64_t *targets, int32_t n_rows, int32_t seq,
                        float scale, float *gradients) {
    double loss = 0.0;

    for (int32_t i = 0; i < n_rows; i++) {
        size_t place = (size_t)i * (size_t)seq;

        loss += row(worker, tokens + place, targets + place, (size_t)seq, scale, gradients);
    }
    return loss;
}

void tsws_train_reduce(float *const *sums, int32_t n_sums, size_t first, size_t last) {
    for (int32_t other = 1; other < n_sums; other++) {
        for (size_t i = first; i < last; i++) {
            sums[0][i] += sums[other][i];
        }
    }
}
