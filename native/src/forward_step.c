#include "forward.h"

#include <string.h>

/* Up to so many rows each thread normalises for itself: that takes less time than to meet. */
enum { FEW_ROWS = TSWS_FEW_ROWS };

/* A run as its threads see it. */
struct run {
    const tsws_forward *forward;
    const tsws_row *rows;
    size_t n_rows;
    size_t first_scored;
    float *logits;
    bool is_split_by_rows; /* else by panels of the matrices */
};

/* One thread's part: some rows, and of each matrix a share of the panels. */
struct part {
    const tsws_forward *forward;
    const tsws_kernels *kernels;
    const tsws_row *rows;
    size_t first_row; /* where the rows' arrays begin */
    size_t n_rows;
    size_t member; /* of those who share panels */
    size_t n_members;
    void *scratch;
    float *few_normed;
};

static void meet(const struct part *part) {
    if (part->n_members > 1) {
        tsws_team_meet(part->forward->team, part->member);
    }
}

static tsws_share my_share(const struct part *part, size_t count) {
    return tsws_share_of(count, part->member, part->n_members);
}

static float *row_of(const struct part *part, float *array, size_t stride, size_t row) {
    return array + (part->first_row + row) * stride;
}

/* Some panels of a matrix times all rows. */
static void multiply(const struct part *part, float *out, size_t out_stride, const tsws_packed *matrix, const float *x,
                     size_t x_stride, tsws_share panels) {
    part->kernels->matmul(out, out_stride, matrix, x, x_stride, part->n_rows, panels.first, panels.last, part->scratch);
}

/* The stream, normalised: (n_rows, dim) with dim_stride. */
static const float *normalize(const struct part *part, const float *weight) {
    const tsws_forward *forward = part->forward;
    size_t dim = (size_t)forward->model->info.dim;
    size_t stride = forward->dim_stride;
    bool is_shared = part->n_members > 1 && part->n_rows > FEW_ROWS;
    tsws_share mine = is_shared ? my_share(part, part->n_rows) : (tsws_share){0, part->n_rows};
    float *normed = is_shared || part->n_members == 1 ? row_of(part, forward->normed, stride, 0) : part->few_normed;

    for (size_t i = mine.first; i < mine.last; i++) {
        part->kernels->rmsnorm(normed + i * stride, row_of(part, forward->x, stride, i), weight, dim);
    }
    if (is_shared) {
        meet(part);
    }
    return normed;
}

/* The stream += some panels of a matrix times all rows. */
static void add_product(const struct part *part, const tsws_packed *matrix, float *x, size_t x_stride) {
    const tsws_forward *forward = part->forward;
    size_t stride = forward->dim_stride;
    size_t panel_rows = part->kernels->panel_rows;
    tsws_share mine = my_share(part, matrix->panels);
    size_t first = mine.first * panel_rows;
    size_t last = mine.last * panel_rows < matrix->rows ? mine.last * panel_rows : matrix->rows;

    multiply(part, row_of(part, forward->update, stride, 0), stride, matrix, row_of(part, x, x_stride, 0), x_stride,
             mine);
    for (size_t i = 0; first < last && i < part->n_rows; i++) {
        part->kernels->accumulate(row_of(part, forward->x, stride, i) + first,
                                  row_of(part, forward->update, stride, i) + first, last - first);
    }
}

/* One key/value head and the queries that share it, for all rows, after their product has been computed. */
static void attend(const struct part *part, size_t layer, size_t head) {
    const tsws_forward *forward = part->forward;
    const tsws_kernels *kernels = part->kernels;
    const tsws_model *model = forward->model;
    size_t n_kv_heads = (size_t)model->info.n_kv_heads;
    size_t n_queries = (size_t)model->info.n_heads / n_kv_heads;
    size_t head_size = model->head_size;
    size_t queries_size = n_queries * head_size;
    size_t at = head * model->packed->qkv_panels * kernels->panel_rows;
    size_t stream_heads = (size_t)model->info.n_layers * n_kv_heads;
    float *caches = forward->cache + (layer * n_kv_heads + head) * forward->head_cache;

    for (size_t i = 0; i < part->n_rows; i++) {
        const tsws_row *row = &part->rows[i];
        float *cache = caches + row->stream * stream_heads * forward->head_cache;
        float *queries = row_of(part, forward->qkv, forward->qkv_stride, i) + at;
        float *key = queries + queries_size;
        const float *cosines = forward->turns + row->position * head_size;

        kernels->rope(queries, n_queries + 1, head_size, cosines, cosines + head_size / 2); /* and the key */
        kernels->remember(cache, forward->max_positions, row->position, key, key + head_size, head_size);
        kernels->attend(row_of(part, forward->attended, forward->dim_stride, i) + head * queries_size, queries,
                        n_queries, cache, forward->max_positions, row->position + 1, head_size, part->scratch);
    }
}

static void attention_block(const struct part *part, size_t layer) {
    const tsws_forward *forward = part->forward;
    const struct tsws_packed_model *packed = forward->model->packed;
    const tsws_packed_layer *weights = &packed->layers[layer];
    const float *normed = normalize(part, weights->attention_norm);
    tsws_share heads = my_share(part, (size_t)forward->model->info.n_kv_heads);
    tsws_share panels = {heads.first * packed->qkv_panels, heads.last * packed->qkv_panels};

    multiply(part, row_of(part, forward->qkv, forward->qkv_stride, 0), forward->qkv_stride, &weights->qkv, normed,
             forward->dim_stride, panels);
    for (size_t head = heads.first; head < heads.last; head++) {
        attend(part, layer, head);
    }
    meet(part);
    add_product(part, &weights->wo, forward->attended, forward->dim_stride);
    meet(part);
}

static void feed_forward_block(const struct part *part, size_t layer) {
    const tsws_forward *forward = part->forward;
    const tsws_packed_layer *weights = &forward->model->packed->layers[layer];
    size_t hidden_dim = (size_t)forward->model->info.hidden_dim;
    size_t panel_rows = part->kernels->panel_rows;
    const float *normed = normalize(part, weights->ffn_norm);
    tsws_share pairs = my_share(part, weights->gate_up.panels / 2);

    multiply(part, row_of(part, forward->gate_up, forward->gate_up_stride, 0), forward->gate_up_stride,
             &weights->gate_up, normed, forward->dim_stride, (tsws_share){2 * pairs.first, 2 * pairs.last});
    for (size_t i = 0; i < part->n_rows; i++) {
        const float *products = row_of(part, forward->gate_up, forward->gate_up_stride, i);
        float *hidden = row_of(part, forward->hidden, forward->hidden_stride, i);

        for (size_t pair = pairs.first; pair < pairs.last; pair++) {
            const float *gate = products + 2 * pair * panel_rows;
            size_t at = pair * panel_rows;
            size_t n = hidden_dim - at < panel_rows ? hidden_dim - at : panel_rows;

            part->kernels->swiglu(hidden + at, gate, gate + panel_rows, n);
        }
    }
    meet(part);
    add_product(part, &weights->w2, forward->hidden, forward->hidden_stride);
    meet(part);
}

static void take_part(struct part part, size_t first_scored, float *logits) {
    const tsws_forward *forward = part.forward;
    const struct tsws_packed_model *packed = forward->model->packed;
    size_t n_layers = (size_t)forward->model->info.n_layers;
    size_t vocab_size = (size_t)forward->model->info.vocab_size;

    for (size_t layer = 0; layer < n_layers; layer++) {
        attention_block(&part, layer);
        feed_forward_block(&part, layer);
    }
    if (first_scored < part.n_rows) {
        const float *normed;

        part.first_row += first_scored;
        part.n_rows -= first_scored;
        normed = normalize(&part, packed->final_norm);
        multiply(&part, logits, vocab_size, &packed->classifier, normed, forward->dim_stride,
                 my_share(&part, packed->classifier.panels));
    }
}

static void run_member(void *context, size_t member, size_t n_members) {
    const struct run *run = context;
    const tsws_forward *forward = run->forward;
    struct part part = {
        .forward = forward,
        .kernels = forward->model->packed->kernels,
        .rows = run->rows,
        .n_rows = run->n_rows,
        .member = member,
        .n_members = n_members,
        .scratch = forward->scratch + member * forward->scratch_bytes,
        .few_normed = forward->few_normed + member * FEW_ROWS * forward->dim_stride,
    };

    if (!run->is_split_by_rows) {
        take_part(part, run->first_scored, run->logits);
    } else { /* all panels, and nobody to meet */
        tsws_share mine = tsws_share_of(run->n_rows, member, n_members);

        part.rows += mine.first;
        part.first_row = mine.first;
        part.n_rows = mine.last - mine.first;
        part.member = 0;
        part.n_members = 1;
        take_part(part, 0, run->logits + mine.first * (size_t)forward->model->info.vocab_size);
    }
}

static void embed(const tsws_forward *forward, const tsws_row *row, float *x) {
    const tsws_matrix *embedding = &forward->model->embedding;
    size_t dim = embedding->columns;
    size_t start = (size_t)row->token * dim;

    if (embedding->floats != NULL) {
        memcpy(x, embedding->floats + start, dim * sizeof *x);
        return;
    }
    for (size_t i = 0; i < dim; i++) {
        x[i] = (float)embedding->codes[start + i] * embedding->scales[(start + i) / embedding->group];
    }
}

void tsws_forward_run(tsws_forward *forward, const tsws_row *rows, size_t n_rows, bool are_independent,
                      size_t first_scored, float *logits) {
    struct run run = {
        .forward = forward,
        .rows = rows,
        .n_rows = n_rows,
        .first_scored = first_scored,
        .logits = logits,
        .is_split_by_rows = are_independent && first_scored == 0 && n_rows >= forward->rows_to_split,
    };

    for (size_t i = 0; i < n_rows; i++) {
        tsws_forward_turn(forward, rows[i].position + 1);
        embed(forward, &rows[i], forward->x + i * forward->dim_stride);
    }
    tsws_team_run(forward->team, n_rows >= forward->rows_of_long_work, run_member, &run);
}
