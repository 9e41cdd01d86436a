/*
 * The transformer: RMSNorm, grouped-query attention with RoPE, SwiGLU, for several rows at once.
 *
 * A row is one token of one stream at one position. Rows of a session's prompt are consecutive positions of one stream,
 * rows of a batch one position each of several: all go through the same few functions, and what a row gives
 * depends neither on the rows beside it nor on the number of threads.
 */
#ifndef TSWS_FORWARD_H
#define TSWS_FORWARD_H

#include "model_pack.h"
#include "threads.h"

enum { TSWS_FEW_ROWS = 4 };

typedef struct tsws_row {
    size_t stream;
    size_t position;
    int32_t token;
} tsws_row;

/* What rows go through: keys and values of all streams, activations, threads. */
typedef struct tsws_forward {
    const tsws_model *model;
    tsws_team *team;
    size_t max_positions;
    size_t max_rows;
    size_t n_turns;           /* positions whose turns are known */
    size_t rows_of_long_work; /* see tsws_team_run */
    size_t rows_to_split;     /* so many independent rows, or more, are split among the threads; else each matrix is */

    /* Sizes in floats; strides are multiples of a cache line. */
    size_t dim_stride;
    size_t qkv_stride;
    size_t gate_up_stride;
    size_t hidden_stride;
    size_t head_cache;    /* keys and values of one head */
    size_t scratch_bytes; /* of one thread */

    void *memory;           /* all arrays below */
    float *turns;           /* (max_positions, 2, head_size / 2): cosines and sines of RoPE's angles */
    float *cache;           /* (n_streams, n_layers, n_kv_heads, head_cache) */
    float *x;               /* (max_rows, dim): the residual stream */
    float *normed;          /* (max_rows, dim) */
    float *qkv;             /* (max_rows, n_kv_heads, qkv_panels * panel_rows) */
    float *attended;        /* (max_rows, dim): all heads side by side */
    float *update;          /* (max_rows, dim): what a block adds to the stream */
    float *gate_up;         /* (max_rows, panels * panel_rows) */
    float *hidden;          /* (max_rows, hidden_dim) */
    float *logits;          /* (max_scored, vocab_size) */
    float *few_normed;      /* (n_threads, TSWS_FEW_ROWS, dim): each thread's own */
    unsigned char *scratch; /* (n_threads, scratch_bytes) */
} tsws_forward;

/*
 * Prepares for `n_streams` streams and up to `max_rows` rows at once, up to `max_scored` of them with scores.
 * Errors: ARGUMENT (an option is out of its range), MEMORY. On an error nothing is left to clean up.
 */
tsws_status tsws_forward_create(tsws_forward *forward, const tsws_model *model, size_t n_streams, size_t max_rows,
                                size_t max_scored, const tsws_session_options *options, tsws_error *error);

/* One that is all zero is allowed. */
void tsws_forward_destroy(tsws_forward *forward);

/* Makes sure that the turns of the first n_positions positions are known. */
void tsws_forward_turn(tsws_forward *forward, size_t n_positions);

/* Errors: ARGUMENT (no such token). */
tsws_status tsws_forward_check_token(const tsws_forward *forward, int32_t token, tsws_error *error);

/*
 * Takes rows: tokens and positions are in their ranges, and rows of one stream are consecutive positions, the last one before
 * them taken already.
 *   are_independent  each row is of another stream
 *   logits           (n_rows - first_scored, vocab_size): receives the scores of the rows from first_scored on
 */
void tsws_forward_run(tsws_forward *forward, const tsws_row *rows, size_t n_rows, bool are_independent,
                      size_t first_scored, float *logits);

#endif
