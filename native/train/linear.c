#include "linear.h"

/* The laid out matrices hold floats, or words of two bfloat16. */
static uint32_t *words(float *memory) {
    return (uint32_t *)(void *)memory;
}

size_t tsws_linear_panel_floats(const tsws_linear *linear) {
    return tsws_panel_floats(linear->ins + 1, linear->outs); /* an odd number of bfloat16 is filled up */
}

size_t tsws_linear_back_floats(const tsws_linear *linear) {
    return tsws_panel_floats(linear->outs + 1, linear->ins);
}

size_t tsws_linear_scratch(size_t seq, size_t widest) {
    return tsws_panel_floats(seq + 1, widest) + (seq + 1) * (widest + 1);
}

void tsws_linear_load(const tsws_linear *linear, const float *weights) {
    const float *matrix = weights + linear->place;
    size_t outs = linear->outs;
    size_t ins = linear->ins;

    if (linear->bfloat16) {
        tsws_pack16_transposed(words(linear->panels), matrix, ins, ins, outs);
        tsws_pack16(words(linear->back), matrix, ins, outs, ins);
    } else {
        tsws_pack_transposed(linear->panels, matrix, ins, ins, outs);
        tsws_pack(linear->back, matrix, ins, outs, ins);
    }
}

void tsws_linear_forward(const tsws_linear *linear, float *out, bool add, const float *x, size_t seq, float *scratch) {
    size_t outs = linear->outs;
    size_t ins = linear->ins;

    if (linear->bfloat16) {
        tsws_round_rows(words(scratch), x, ins, seq, ins);
        tsws_gemm16(out, outs, add, words(scratch), words(linear->panels), seq, outs, ins);
    } else {
        tsws_gemm(out, outs, add, x, ins, linear->panels, seq, outs, ins);
    }
}

void tsws_linear_backward(const tsws_linear *linear, float *d_x, const float *d_out, size_t seq, float *scratch) {
    size_t outs = linear->outs;
    size_t ins = linear->ins;

    if (linear->bfloat16) {
        tsws_round_rows(words(scratch), d_out, outs, seq, outs);
        tsws_gemm16(d_x, ins, false, words(scratch), words(linear->back), seq, ins, outs);
    } else {
        tsws_gemm(d_x, ins, false, d_out, outs, linear->back, seq, ins, outs);
    }
}

void tsws_linear_gradient(const tsws_linear *linear, float *gradients, const float *d_out, const float *x, size_t seq,
                          float *scratch) {
    float *gradient = gradients + linear->place;
    size_t outs = linear->outs;
    size_t ins = linear->ins;

    if (linear->bfloat16) {
        float *columns = scratch + tsws_panel16_words(seq, ins);

        tsws_pack16(words(scratch), x, ins, seq, ins);
        tsws_round_columns(words(columns), d_out, outs, seq, outs);
        tsws_gemm16_transposed(gradient, ins, true, words(columns), words(scratch), outs, ins, seq);
    } else {
        tsws_pack(scratch, x, ins, seq, ins);
        tsws_gemm_transposed(gradient, ins, true, d_out, outs, scratch, outs, ins, seq);
    }
}
