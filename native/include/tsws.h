/*
 * tsws: play tiny Llama models in llama2.c's file formats.
 *
 * A model and a tokenizer are opened once, are read-only from then on and may be shared by any number of threads.
 * A session (one stream of text), a batch (many in step) and a sampler (one source of randomness) belong to one
 * thread at a time; a session or a batch may start threads of its own, which end with it and are not there in a child of
 * fork().
 *
 *     tsws_model *model;
 *     tsws_session *session;
 *     tsws_error error;
 *     const float *logits;
 *
 *     if (tsws_model_open("model.bin", NULL, &model, &error) != TSWS_OK) { ... error.message ... }
 *     if (tsws_session_create(model, NULL, &session, &error) != TSWS_OK) { ... }
 *     if (tsws_session_step(session, TSWS_BOS, &logits, &error) != TSWS_OK) { ... }
 *
 * Common to all functions:
 *   - Functions that can fail return a status, and write it with a message to `error` unless that is NULL. On failure
 *     their other outputs are left alone, except that a handle is set to NULL.
 *   - Nothing here prints, exits, or keeps anything outside the objects below.
 *   - Pointers must not be NULL unless it says so. Strings end with NUL; text is UTF-8, and invalid UTF-8 is harmless.
 *   - Every size in a file is checked against the file's real length before it is used. A file must not be cut or
 *     rewritten in place while it is open (replacing it by a rename is fine): it is mapped, not copied.
 */
#ifndef TSWS_H
#define TSWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) /* what this header declares is all that a shared library shows (-fvisibility=hidden) */
#pragma GCC visibility push(default)
#endif

/* ---- Version --------------------------------------------------------------------------------------------------- */

/* Of what this header declares: a larger number wherever a structure or a function has changed. */
#define TSWS_ABI 1

/* TSWS_ABI of the library, for programs that load it when they run. */
int32_t tsws_abi(void);

/* The version of tsws that the library is of ("0.1.0"); a constant. */
const char *tsws_version(void);

/* ---- Status ---------------------------------------------------------------------------------------------------- */

typedef enum tsws_status {
    TSWS_OK = 0,
    TSWS_ERROR_IO,       /* a file can not be opened or read */
    TSWS_ERROR_FORMAT,   /* a file is not what it should be: cut, edited, of another kind */
    TSWS_ERROR_MISMATCH, /* two things do not belong together: a tokenizer and a model */
    TSWS_ERROR_ARGUMENT, /* an argument is out of its range */
    TSWS_ERROR_FULL,     /* no room is left: the context, or a buffer of the caller */
    TSWS_ERROR_MEMORY    /* memory is short */
} tsws_status;

typedef struct tsws_error {
    tsws_status status;
    char message[1024]; /* one line for people, file names included; cut short if need be */
} tsws_error;

/* The status as a constant lower-case word ("format"), for logs. */
const char *tsws_status_name(tsws_status status);

/* ---- Model ----------------------------------------------------------------------------------------------------- */

/* The weights of a Llama, laid out for this processor and never changed. */
typedef struct tsws_model tsws_model;

typedef enum tsws_precision {
    TSWS_STORED = 0, /* as the file has it */
    TSWS_FLOAT32,    /* codes of a file become floats */
    TSWS_INT8        /* floats of a file become int8 codes, a group of them sharing a scale; so do activations */
} tsws_precision;

typedef struct tsws_model_options {
    tsws_precision precision; /* of the arithmetic */
    bool exact;          /* sum in llama2.c's order, one addition after another: slower, the same on all machines */
    const char *kernels; /* arithmetic by name ("portable", "avx2"); NULL: the fastest that this processor has */
} tsws_model_options;

typedef struct tsws_model_info {
    int32_t version;          /* of the file format: 0, 1 or 2 */
    int32_t dim;              /* width of the residual stream */
    int32_t hidden_dim;       /* width of the feed-forward layer */
    int32_t n_layers;         /* transformer blocks */
    int32_t n_heads;          /* query heads; divides dim */
    int32_t n_kv_heads;       /* key/value heads; divides n_heads */
    int32_t vocab_size;       /* tokens */
    int32_t max_seq_len;      /* context, in tokens */
    bool shared_classifier;   /* the classifier is the embedding */
    int32_t group_size;       /* weights of the file that share a scale; 0: the file has floats */
    uint64_t parameters;      /* weights, each counted once */
    tsws_precision precision; /* of the arithmetic: TSWS_FLOAT32 or TSWS_INT8 */
    const char *kernels;      /* name of the arithmetic; a constant */
    uint64_t weight_bytes;    /* memory that the weights take as they are laid out */
} tsws_model_info;

/*
 * Opens a llama2.c model file: version 0, with shared or separate classifier, 1 or 2, told by its first bytes.
 *   options  NULL stands for all zero
 * On success *model is the caller's, to be closed.
 * Errors: IO, FORMAT (the header is impossible, or does not agree with the file's length), ARGUMENT (options that this
 * processor or this model does not allow), MEMORY.
 */
tsws_status tsws_model_open(const char *path, const tsws_model_options *options, tsws_model **model, tsws_error *error);

/* Closes a model that no session or batch uses any more. NULL is allowed. */
void tsws_model_close(tsws_model *model);

/* The sizes that the file's header tells, and how the model is played. */
tsws_model_info tsws_model_describe(const tsws_model *model);

/* ---- Tokenizer ------------------------------------------------------------------------------------------------- */

/* The pieces of a vocabulary with their scores. */
typedef struct tsws_tokenizer tsws_tokenizer;

enum {
    TSWS_UNK = 0, /* what the vocabulary does not know */
    TSWS_BOS = 1, /* the beginning of every story */
    TSWS_EOS = 2  /* the end of an answer in a chat */
};

/*
 * Opens a llama2.c tokenizer file.
 * On success *tokenizer is the caller's, to be closed.
 * Errors: IO, FORMAT, MEMORY.
 */
tsws_status tsws_tokenizer_open(const char *path, tsws_tokenizer **tokenizer, tsws_error *error);

/* Closes a tokenizer; pieces that it gave are gone with it. NULL is allowed. */
void tsws_tokenizer_close(tsws_tokenizer *tokenizer);

/* Number of pieces. */
int32_t tsws_tokenizer_vocab_size(const tsws_tokenizer *tokenizer);

/*
 * Checks that a tokenizer and a model have vocabularies of the same size.
 * Errors: MISMATCH, naming both files and sizes.
 */
tsws_status tsws_tokenizer_check(const tsws_tokenizer *tokenizer, const tsws_model *model, tsws_error *error);

/* How many tokens tsws_tokenizer_encode can at most give for a text of `length` bytes. */
size_t tsws_tokenizer_bound(size_t length);

/*
 * Encodes text as llama2.c does: BOS, then (unless the text is empty) a space in front of the text, characters
 * as pieces, then the best-scored neighbours merged until none can be. A character without a piece becomes its bytes
 * where the vocabulary has byte pieces at 3 to 258; where it has none, a run of such characters becomes one TSWS_UNK,
 * as sentencepiece has it (llama2.c would read the wrong pieces there).
 *   text      `length` bytes; may hold NUL bytes; may be NULL when length is 0
 *   tokens    room for `capacity` tokens; tsws_tokenizer_bound(length) is always enough
 *   count     receives the number of tokens
 * Errors: FULL (capacity), MEMORY.
 */
tsws_status tsws_tokenizer_encode(const tsws_tokenizer *tokenizer, const char *text, size_t length, int32_t *tokens,
                                  size_t capacity, size_t *count, tsws_error *error);

typedef enum tsws_style {
    TSWS_STYLE_LLAMA2C, /* what llama2.c prints */
    TSWS_STYLE_PRETTY   /* the same, but TSWS_UNK is a newline where the vocabulary has no newline */
} tsws_style;

typedef struct tsws_piece {
    const char *text; /* not ended by NUL; lives as long as the tokenizer */
    size_t length;    /* bytes; 0 when there is nothing to show */
} tsws_piece;

/*
 * What to show for `token` when it follows `previous`: after BOS a leading space is dropped, byte pieces
 * become their byte, and a single byte that is not printable ASCII or white space becomes nothing, as in llama2.c.
 * A token outside the vocabulary has an empty piece.
 */
tsws_piece tsws_tokenizer_decode(const tsws_tokenizer *tokenizer, int32_t previous, int32_t token, tsws_style style);

/* ---- Session --------------------------------------------------------------------------------------------------- */

/* One stream of tokens through a model: its keys and values, and the activations of the current position. */
typedef struct tsws_session tsws_session;

typedef struct tsws_session_options {
    int32_t max_positions; /* tokens that a stream must hold; 0, or more than the model's context: the context */
    int32_t threads;       /* that compute a step, the caller's among them; 0: as many as make it faster; at most 64 */
} tsws_session_options;

/*
 * Creates a session at position 0. Its numbers do not depend on the number of threads, to the bit.
 *   model    is kept, not copied; must outlive the session
 *   options  NULL stands for all zero
 * On success *session is the caller's, to be destroyed.
 * Errors: ARGUMENT (an option is negative or too large), MEMORY (also when threads can not be started).
 */
tsws_status tsws_session_create(const tsws_model *model, const tsws_session_options *options, tsws_session **session,
                                tsws_error *error);

/* Destroys a session; its logits are gone with it. NULL is allowed. */
void tsws_session_destroy(tsws_session *session);

/* Forgets all tokens: the next step is at position 0. */
void tsws_session_reset(tsws_session *session);

/* Number of tokens taken so far. */
int32_t tsws_session_position(const tsws_session *session);

/* Number of threads that compute a step, the caller's among them. */
int32_t tsws_session_threads(const tsws_session *session);

/*
 * Takes the next token.
 *   logits  receives vocab_size scores of what may follow: the session's own, good until its next step
 * Errors: ARGUMENT (no such token), FULL (max_positions tokens were taken). The session is then as before.
 */
tsws_status tsws_session_step(tsws_session *session, int32_t token, const float **logits, tsws_error *error);

/*
 * Takes several tokens at once, a prompt or a text to score, faster than one at a time and with the same results to
 * the bit.
 *   tokens  (count,); count is at least 1
 *   all     NULL, or room for (count, vocab_size) scores: row i is of what may follow tokens[i]
 *   last    receives the scores of what may follow the last token: the session's own, good until its next step
 * Errors: ARGUMENT (no such token, no tokens), FULL (max_positions would be passed). The session is then as before.
 */
tsws_status tsws_session_take(tsws_session *session, const int32_t *tokens, size_t count, float *all,
                              const float **last, tsws_error *error);

/* ---- Batch ----------------------------------------------------------------------------------------------------- */

/* Several streams through one model in step: each gives what a session alone would give, to the bit. */
typedef struct tsws_batch tsws_batch;

/*
 * Creates a batch of streams at position 0.
 *   model      is kept, not copied; must outlive the batch
 *   n_streams  at least 1
 *   options    NULL stands for all zero
 * On success *batch is the caller's, to be destroyed.
 * Errors: ARGUMENT (n_streams or an option is out of its range), MEMORY.
 */
tsws_status tsws_batch_create(const tsws_model *model, int32_t n_streams, const tsws_session_options *options,
                              tsws_batch **batch, tsws_error *error);

/* Destroys a batch; its logits are gone with it. NULL is allowed. */
void tsws_batch_destroy(tsws_batch *batch);

/* Forgets all tokens of a stream, which is within 0 and n_streams - 1. */
void tsws_batch_reset(tsws_batch *batch, int32_t stream);

/* Number of tokens that a stream, within 0 and n_streams - 1, has taken so far. */
int32_t tsws_batch_position(const tsws_batch *batch, int32_t stream);

/* Number of threads that compute a step, the caller's among them. */
int32_t tsws_batch_threads(const tsws_batch *batch);

/*
 * Takes the next token of each stream.
 *   tokens  (n_streams,); a negative one lets its stream rest
 *   logits  receives (n_streams, vocab_size) scores: the batch's own, good until its next step. Rows of streams that
 *           rest mean nothing.
 * Errors: ARGUMENT (no such token), FULL (a stream has taken max_positions tokens). All streams are then as before.
 */
tsws_status tsws_batch_step(tsws_batch *batch, const int32_t *tokens, const float **logits, tsws_error *error);

/* ---- Sampler --------------------------------------------------------------------------------------------------- */

/* Chooses tokens from logits: the distribution's shape and a random generator (xorshift64*, as llama2.c has it). */
typedef struct tsws_sampler tsws_sampler;

typedef struct tsws_sampler_options {
    float temperature; /* 0: always the likeliest; 1: as trained; must be >= 0 */
    float top_p;       /* only the likeliest tokens that together pass this probability; 0 or 1: all; within [0, 1] */
    uint64_t seed;     /* 0 is a dead generator and refused */
    bool exact;        /* compute probabilities in llama2.c's order, see tsws_model_options */
} tsws_sampler_options;

/* Temperature 1, top_p 0.9, seed 1. */
tsws_sampler_options tsws_sampler_defaults(void);

/*
 * Creates a sampler for `vocab_size` logits.
 * On success *sampler is the caller's, to be destroyed.
 * Errors: ARGUMENT, MEMORY.
 */
tsws_status tsws_sampler_create(int32_t vocab_size, tsws_sampler_options options, tsws_sampler **sampler,
                                tsws_error *error);

/* Destroys a sampler. NULL is allowed. */
void tsws_sampler_destroy(tsws_sampler *sampler);

/*
 * Chooses the next token from vocab_size logits, which are left as they are. Takes one random number, or none at
 * temperature 0. Always gives a token of the vocabulary, even for logits that are not numbers.
 */
int32_t tsws_sampler_pick(tsws_sampler *sampler, const float *logits);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif

#ifdef __cplusplus
}
#endif

#endif
