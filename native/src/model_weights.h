/* Taking a model's weights from its file one after another. */
#ifndef TSWS_MODEL_WEIGHTS_H
#define TSWS_MODEL_WEIGHTS_H

#include "model.h"

/* A place in a file whose length has been checked: see tsws_model_check_size. */
typedef struct tsws_cursor {
    const unsigned char *at;
    size_t group;  /* matrices are int8 codes and, behind those, a scale for so many of them; 0: floats */
    float *copies; /* where scales that do not lie aligned go; room for all of them, or NULL when all are aligned */
} tsws_cursor;

/* The next floats, which lie aligned. */
const float *tsws_take_floats(tsws_cursor *cursor, size_t count);

/* The next matrix. */
tsws_matrix tsws_take_matrix(tsws_cursor *cursor, size_t rows, size_t columns);

/* Kinds of weights that lie together for all layers in turn: the norms before attention, wq to wo, ... */
void tsws_take_attention_norms(tsws_cursor *cursor, tsws_model *model);
void tsws_take_attention(tsws_cursor *cursor, tsws_model *model);
void tsws_take_ffn_norms(tsws_cursor *cursor, tsws_model *model);
void tsws_take_feed_forward(tsws_cursor *cursor, tsws_model *model); /* ... and w1 to w3 */

/* The classifier: the next matrix, or the embedding when it is shared. */
void tsws_take_classifier(tsws_cursor *cursor, tsws_model *model);

#endif
