/* The table for 64-bit ARM processors, and the arithmetic of vectors; the rest has files of its own. */
#if defined(__aarch64__)

#include "kernels_neon.h"
#include "pack.h"

#include <math.h>

static size_t neon_packed_bytes(size_t rows, size_t columns, size_t group) {
    return tsws_pack_bytes(TSWS_NEON_ROWS, rows, columns, group);
}

static void neon_pack(void *data, const tsws_matrix *matrix, size_t group) {
    tsws_pack_panels(data, matrix, group, TSWS_NEON_ROWS, 0);
}

static size_t neon_matmul_scratch(size_t columns, size_t group, size_t n_vectors) {
    return group == 0 ? 0 : tsws_neon_code_scratch(columns, group, n_vectors);
}

static void neon_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                        size_t n_vectors, size_t first_panel, size_t last_panel, void *scratch) {
    if (matrix->group == 0) {
        tsws_neon_float_matmul(out, out_stride, matrix, x, x_stride, n_vectors, first_panel, last_panel);
    } else {
        tsws_neon_code_matmul(out, out_stride, matrix, x, x_stride, n_vectors, first_panel, last_panel, scratch);
    }
}

static void neon_rmsnorm(float *out, const float *x, const float *weight, size_t n) {
    float32x4_t squares[4] = {vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f), vdupq_n_f32(0.0f)};
    float scale;
    size_t i = 0;

    for (; i + 16 <= n; i += 16) {
        TSWS_UNROLL
        for (size_t j = 0; j < 4; j++) {
            float32x4_t some = vld1q_f32(x + i + j * TSWS_NEON_LANES);

            squares[j] = vfmaq_f32(squares[j], some, some);
        }
    }
    for (; i < n; i += TSWS_NEON_LANES) {
        float32x4_t some = tsws_neon_load_first(x + i, n - i);

        squares[0] = vfmaq_f32(squares[0], some, some);
    }
    squares[0] = vaddq_f32(vaddq_f32(squares[0], squares[1]), vaddq_f32(squares[2], squares[3]));
    scale = 1.0f / sqrtf(vaddvq_f32(squares[0]) / (float)n + 1e-5f);
    for (i = 0; i < n; i += TSWS_NEON_LANES) {
        float32x4_t some = vmulq_n_f32(tsws_neon_load_first(x + i, n - i), scale);

        tsws_neon_store_first(out + i, vmulq_f32(tsws_neon_load_first(weight + i, n - i), some), n - i);
    }
}

/* Two pairs: real and imaginary parts alternate, each cosine and sine serves two lanes. */
static void neon_rope(float *x, size_t n_heads, size_t head_size, const float *cosines, const float *sines) {
    for (size_t i = 0; i < head_size; i += TSWS_NEON_LANES) {
        size_t pair = i / 2;
        size_t next = i + 2 < head_size ? pair + 1 : pair;
        const float cosine[4] = {cosines[pair], cosines[pair], cosines[next], cosines[next]};
        const float sine[4] = {-sines[pair], sines[pair], -sines[next], sines[next]};

        for (size_t head = 0; head < n_heads; head++) {
            float *pairs = x + head * head_size + i;
            float32x4_t some = tsws_neon_load_first(pairs, head_size - i);
            float32x4_t turned = vmulq_f32(vrev64q_f32(some), vld1q_f32(sine));

            tsws_neon_store_first(pairs, vfmaq_f32(turned, some, vld1q_f32(cosine)), head_size - i);
        }
    }
}

static void neon_swiglu(float *out, const float *gate, const float *up, size_t n) {
    for (size_t i = 0; i < n; i += TSWS_NEON_LANES) {
        float32x4_t some = tsws_neon_load_first(gate + i, n - i);
        float32x4_t e = tsws_neon_exp(vnegq_f32(some));
        float32x4_t silu = vdivq_f32(some, vaddq_f32(vdupq_n_f32(1.0f), e));

        tsws_neon_store_first(out + i, vmulq_f32(silu, tsws_neon_load_first(up + i, n - i)), n - i);
    }
}

static void neon_accumulate(float *x, const float *y, size_t n) {
    for (size_t i = 0; i < n; i += TSWS_NEON_LANES) {
        float32x4_t sum = vaddq_f32(tsws_neon_load_first(x + i, n - i), tsws_neon_load_first(y + i, n - i));

        tsws_neon_store_first(x + i, sum, n - i);
    }
}

static void neon_softmax(float *x, size_t n, float temperature) {
    float32x4_t factor = vdupq_n_f32(1.44269504f / temperature);
    float32x4_t largest = vdupq_n_f32(-INFINITY);
    float32x4_t sum = vdupq_n_f32(0.0f);
    float32x4_t share;

    for (size_t i = 0; i < n; i += TSWS_NEON_LANES) {
        largest = vmaxq_f32(largest, vbslq_f32(tsws_neon_first(n - i), tsws_neon_load_first(x + i, n - i), largest));
    }
    largest = vdupq_n_f32(vmaxvq_f32(largest));
    for (size_t i = 0; i < n; i += TSWS_NEON_LANES) {
        float32x4_t below = vsubq_f32(tsws_neon_load_first(x + i, n - i), largest);
        float32x4_t weight = tsws_neon_exp2(vmulq_f32(below, factor));

        sum = vaddq_f32(sum, vbslq_f32(tsws_neon_first(n - i), weight, vdupq_n_f32(0.0f)));
        tsws_neon_store_first(x + i, weight, n - i);
    }
    share = vdupq_n_f32(1.0f / vaddvq_f32(sum));
    for (size_t i = 0; i < n; i += TSWS_NEON_LANES) {
        tsws_neon_store_first(x + i, vmulq_f32(share, tsws_neon_load_first(x + i, n - i)), n - i);
    }
}

static const tsws_kernels neon_table = {
    .name = "neon",
    .panel_rows = TSWS_NEON_ROWS,
    .packed_bytes = neon_packed_bytes,
    .pack = neon_pack,
    .matmul_scratch = neon_matmul_scratch,
    .matmul = neon_matmul,
    .rmsnorm = neon_rmsnorm,
    .rope = neon_rope,
    .cache_floats = tsws_neon_cache_floats,
    .remember = tsws_neon_remember,
    .attend_scratch = tsws_neon_attend_scratch,
    .attend = tsws_neon_attend,
    .swiglu = neon_swiglu,
    .accumulate = neon_accumulate,
    .softmax = neon_softmax,
};

const tsws_kernels *tsws_kernels_neon(void) {
    return &neon_table;
}

#endif
