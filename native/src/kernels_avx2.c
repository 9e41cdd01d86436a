/* The table for processors with AVX2 and fused multiply-add, and the arithmetic of vectors; the rest has files of its own. */
#if defined(__x86_64__)

#include "kernels_avx2.h"
#include "pack.h"

#include <math.h>

static size_t avx2_packed_bytes(size_t rows, size_t columns, size_t group) {
    return tsws_pack_bytes(TSWS_AVX2_ROWS, rows, columns, group);
}

static void avx2_pack(void *data, const tsws_matrix *matrix, size_t group) {
    tsws_pack_panels(data, matrix, group, TSWS_AVX2_ROWS, 0);
}

static size_t avx2_matmul_scratch(size_t columns, size_t group, size_t n_vectors) {
    return group == 0 ? 0 : tsws_avx2_code_scratch(columns, group, n_vectors);
}

static void avx2_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                        size_t n_vectors, size_t first_panel, size_t last_panel, void *scratch) {
    if (matrix->group == 0) {
        tsws_avx2_float_matmul(out, out_stride, matrix, x, x_stride, n_vectors, first_panel, last_panel);
    } else {
        tsws_avx2_code_matmul(out, out_stride, matrix, x, x_stride, n_vectors, first_panel, last_panel, scratch);
    }
}

TSWS_AVX2 static void avx2_rmsnorm(float *out, const float *x, const float *weight, size_t n) {
    __m256 squares[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
    __m256 scale;
    size_t i = 0;

    for (; i + 32 <= n; i += 32) {
        TSWS_UNROLL
        for (size_t j = 0; j < 4; j++) {
            __m256 some = _mm256_loadu_ps(x + i + j * TSWS_AVX2_LANES);

            squares[j] = _mm256_fmadd_ps(some, some, squares[j]);
        }
    }
    for (; i < n; i += TSWS_AVX2_LANES) {
        __m256 some = _mm256_maskload_ps(x + i, tsws_avx2_first(n - i));

        squares[0] = _mm256_fmadd_ps(some, some, squares[0]);
    }
    squares[0] = _mm256_add_ps(_mm256_add_ps(squares[0], squares[1]), _mm256_add_ps(squares[2], squares[3]));
    scale = _mm256_set1_ps(1.0f / sqrtf(tsws_avx2_sum(squares[0]) / (float)n + 1e-5f));
    for (i = 0; i < n; i += TSWS_AVX2_LANES) {
        __m256i mask = tsws_avx2_first(n - i);
        __m256 some = _mm256_mul_ps(scale, _mm256_maskload_ps(x + i, mask));

        _mm256_maskstore_ps(out + i, mask, _mm256_mul_ps(_mm256_maskload_ps(weight + i, mask), some));
    }
}

/* Four pairs: real and imaginary parts alternate, each cosine and sine serves two lanes. */
TSWS_AVX2_INLINE __m256 avx2_turn(__m256 pairs, __m256 cosines, __m256 sines) {
    __m256 swapped = _mm256_permute_ps(pairs, 0xB1);

    return _mm256_fmaddsub_ps(pairs, cosines, _mm256_mul_ps(swapped, sines));
}

TSWS_AVX2_INLINE __m256 avx2_twice(const float *four, size_t n) {
    const __m256i twice = _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3);

    return _mm256_permutevar8x32_ps(_mm256_maskload_ps(four, tsws_avx2_first(n < 4 ? n : 4)), twice);
}

TSWS_AVX2 static void avx2_rope(float *x, size_t n_heads, size_t head_size, const float *cosines, const float *sines) {
    for (size_t i = 0; i < head_size; i += TSWS_AVX2_LANES) {
        __m256i mask = tsws_avx2_first(head_size - i);
        __m256 cosine = avx2_twice(cosines + i / 2, (head_size - i) / 2);
        __m256 sine = avx2_twice(sines + i / 2, (head_size - i) / 2);

        for (size_t head = 0; head < n_heads; head++) {
            float *pairs = x + head * head_size + i;

            _mm256_maskstore_ps(pairs, mask, avx2_turn(_mm256_maskload_ps(pairs, mask), cosine, sine));
        }
    }
}

TSWS_AVX2_INLINE __m256 avx2_gate(__m256 gate, __m256 up) {
    __m256 e = tsws_avx2_exp(_mm256_sub_ps(_mm256_setzero_ps(), gate));

    return _mm256_mul_ps(_mm256_div_ps(gate, _mm256_add_ps(_mm256_set1_ps(1.0f), e)), up);
}

TSWS_AVX2 static void avx2_swiglu(float *out, const float *gate, const float *up, size_t n) {
    for (size_t i = 0; i < n; i += TSWS_AVX2_LANES) {
        __m256i mask = tsws_avx2_first(n - i);

        _mm256_maskstore_ps(out + i, mask,
                            avx2_gate(_mm256_maskload_ps(gate + i, mask), _mm256_maskload_ps(up + i, mask)));
    }
}

TSWS_AVX2 static void avx2_accumulate(float *x, const float *y, size_t n) {
    size_t i = 0;

    for (; i + TSWS_AVX2_LANES <= n; i += TSWS_AVX2_LANES) {
        _mm256_storeu_ps(x + i, _mm256_add_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i)));
    }
    for (; i < n; i++) {
        x[i] += y[i];
    }
}

TSWS_AVX2 static void avx2_softmax(float *x, size_t n, float temperature) {
    __m256 factor = _mm256_set1_ps(1.44269504f / temperature);
    __m256 largest = _mm256_set1_ps(-INFINITY);
    __m256 sum = _mm256_setzero_ps();
    __m256 share;

    for (size_t i = 0; i < n; i += TSWS_AVX2_LANES) {
        __m256i mask = tsws_avx2_first(n - i);
        __m256 some = _mm256_maskload_ps(x + i, mask);

        largest = _mm256_max_ps(largest, _mm256_blendv_ps(largest, some, _mm256_castsi256_ps(mask)));
    }
    largest = _mm256_set1_ps(tsws_avx2_largest(largest));
    for (size_t i = 0; i < n; i += TSWS_AVX2_LANES) {
        __m256i mask = tsws_avx2_first(n - i);
        __m256 below = _mm256_sub_ps(_mm256_maskload_ps(x + i, mask), largest);
        __m256 weight = _mm256_and_ps(_mm256_castsi256_ps(mask), tsws_avx2_exp2(_mm256_mul_ps(below, factor)));

        sum = _mm256_add_ps(sum, weight);
        _mm256_maskstore_ps(x + i, mask, weight);
    }
    share = _mm256_set1_ps(1.0f / tsws_avx2_sum(sum));
    for (size_t i = 0; i < n; i += TSWS_AVX2_LANES) {
        __m256i mask = tsws_avx2_first(n - i);

        _mm256_maskstore_ps(x + i, mask, _mm256_mul_ps(share, _mm256_maskload_ps(x + i, mask)));
    }
}

static const tsws_kernels avx2_table = {
    .name = "avx2",
    .panel_rows = TSWS_AVX2_ROWS,
    .packed_bytes = avx2_packed_bytes,
    .pack = avx2_pack,
    .matmul_scratch = avx2_matmul_scratch,
    .matmul = avx2_matmul,
    .rmsnorm = avx2_rmsnorm,
    .rope = avx2_rope,
    .cache_floats = tsws_avx2_cache_floats,
    .remember = tsws_avx2_remember,
    .attend_scratch = tsws_avx2_attend_scratch,
    .attend = tsws_avx2_attend,
    .swiglu = avx2_swiglu,
    .accumulate = avx2_accumulate,
    .softmax = avx2_softmax,
};

const tsws_kernels *tsws_kernels_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2_table : NULL;
}

#endif
