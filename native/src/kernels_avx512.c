/* The table for processors with AVX-512 and its VNNI, and the arithmetic of vectors; the rest has files of its own. */
#if defined(__x86_64__)

#include "kernels_avx512.h"
#include "pack.h"

#include <math.h>

static size_t avx512_packed_bytes(size_t rows, size_t columns, size_t group) {
    return tsws_pack_bytes(TSWS_AVX512_ROWS, rows, columns, group);
}

static void avx512_pack(void *data, const tsws_matrix *matrix, size_t group) {
    tsws_pack_panels(data, matrix, group, TSWS_AVX512_ROWS, 0x80);
}

static size_t avx512_matmul_scratch(size_t columns, size_t group, size_t n_vectors) {
    return group == 0 ? tsws_avx512_float_scratch(columns, n_vectors)
                      : tsws_avx512_code_scratch(columns, group, n_vectors);
}

static void avx512_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x, size_t x_stride,
                          size_t n_vectors, size_t first_panel, size_t last_panel, void *scratch) {
    if (matrix->group == 0) {
        tsws_avx512_float_matmul(out, out_stride, matrix, x, x_stride, n_vectors, first_panel, last_panel, scratch);
    } else {
        tsws_avx512_code_matmul(out, out_stride, matrix, x, x_stride, n_vectors, first_panel, last_panel, scratch);
    }
}

TSWS_AVX512 static void avx512_rmsnorm(float *out, const float *x, const float *weight, size_t n) {
    __m512 squares[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    __m512 scale;
    size_t i = 0;

    for (; i + 64 <= n; i += 64) {
        TSWS_UNROLL
        for (size_t j = 0; j < 4; j++) {
            __m512 some = _mm512_loadu_ps(x + i + j * TSWS_AVX512_LANES);

            squares[j] = _mm512_fmadd_ps(some, some, squares[j]);
        }
    }
    for (; i < n; i += TSWS_AVX512_LANES) {
        __m512 some = _mm512_maskz_loadu_ps(tsws_avx512_first(n - i), x + i);

        squares[0] = _mm512_fmadd_ps(some, some, squares[0]);
    }
    squares[0] = _mm512_add_ps(_mm512_add_ps(squares[0], squares[1]), _mm512_add_ps(squares[2], squares[3]));
    scale = _mm512_set1_ps(1.0f / sqrtf(_mm512_reduce_add_ps(squares[0]) / (float)n + 1e-5f));
    for (i = 0; i + TSWS_AVX512_LANES <= n; i += TSWS_AVX512_LANES) {
        _mm512_storeu_ps(out + i,
                         _mm512_mul_ps(_mm512_loadu_ps(weight + i), _mm512_mul_ps(scale, _mm512_loadu_ps(x + i))));
    }
    if (i < n) {
        __mmask16 rest = tsws_avx512_first(n - i);
        __m512 some = _mm512_mul_ps(scale, _mm512_maskz_loadu_ps(rest, x + i));

        _mm512_mask_storeu_ps(out + i, rest, _mm512_mul_ps(_mm512_maskz_loadu_ps(rest, weight + i), some));
    }
}

/* Eight pairs: real and imaginary parts alternate, each cosine and sine serves two lanes. */
TSWS_AVX512_INLINE __m512 avx512_turn(__m512 pairs, __m512 cosines, __m512 sines) {
    __m512 swapped = _mm512_permute_ps(pairs, 0xB1);

    return _mm512_fmaddsub_ps(pairs, cosines, _mm512_mul_ps(swapped, sines));
}

TSWS_AVX512 static void avx512_rope(float *x, size_t n_heads, size_t head_size, const float *cosines,
                                    const float *sines) {
    const __m512i twice = _mm512_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);

    for (size_t i = 0; i < head_size; i += TSWS_AVX512_LANES) {
        __mmask16 mask = tsws_avx512_first(head_size - i);
        __mmask16 half = tsws_avx512_first((head_size - i) / 2 < 8 ? (head_size - i) / 2 : 8);
        __m512 cosine = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(half, cosines + i / 2));
        __m512 sine = _mm512_permutexvar_ps(twice, _mm512_maskz_loadu_ps(half, sines + i / 2));

        for (size_t head = 0; head < n_heads; head++) {
            float *pairs = x + head * head_size + i;

            if (mask == 0xFFFF) {
                _mm512_storeu_ps(pairs, avx512_turn(_mm512_loadu_ps(pairs), cosine, sine));
            } else {
                _mm512_mask_storeu_ps(pairs, mask, avx512_turn(_mm512_maskz_loadu_ps(mask, pairs), cosine, sine));
            }
        }
    }
}

TSWS_AVX512_INLINE __m512 avx512_gate(__m512 gate, __m512 up) {
    __m512 e = tsws_avx512_exp(_mm512_sub_ps(_mm512_setzero_ps(), gate));

    return _mm512_mul_ps(_mm512_div_ps(gate, _mm512_add_ps(_mm512_set1_ps(1.0f), e)), up);
}

TSWS_AVX512 static void avx512_swiglu(float *out, const float *gate, const float *up, size_t n) {
    size_t i = 0;

    for (; i + TSWS_AVX512_LANES <= n; i += TSWS_AVX512_LANES) {
        _mm512_storeu_ps(out + i, avx512_gate(_mm512_loadu_ps(gate + i), _mm512_loadu_ps(up + i)));
    }
    if (i < n) {
        __mmask16 rest = tsws_avx512_first(n - i);

        _mm512_mask_storeu_ps(out + i, rest,
                              avx512_gate(_mm512_maskz_loadu_ps(rest, gate + i), _mm512_maskz_loadu_ps(rest, up + i)));
    }
}

TSWS_AVX512 static void avx512_accumulate(float *x, const float *y, size_t n) {
    size_t i = 0;

    for (; i + TSWS_AVX512_LANES <= n; i += TSWS_AVX512_LANES) {
        _mm512_storeu_ps(x + i, _mm512_add_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i)));
    }
    for (; i < n; i++) {
        x[i] += y[i];
    }
}

TSWS_AVX512 static void avx512_softmax(float *x, size_t n, float temperature) {
    __m512 factor = _mm512_set1_ps(1.44269504f / temperature);
    __m512 lowest = _mm512_set1_ps(-INFINITY);
    __m512 largest = lowest;
    __m512 sum = _mm512_setzero_ps();
    __m512 share;

    for (size_t i = 0; i < n; i += TSWS_AVX512_LANES) {
        largest = _mm512_max_ps(largest, _mm512_mask_loadu_ps(lowest, tsws_avx512_first(n - i), x + i));
    }
    largest = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
    for (size_t i = 0; i < n; i += TSWS_AVX512_LANES) {
        __mmask16 mask = tsws_avx512_first(n - i);
        __m512 below = _mm512_sub_ps(_mm512_maskz_loadu_ps(mask, x + i), largest);
        __m512 weight = _mm512_maskz_mov_ps(mask, tsws_avx512_exp2(_mm512_mul_ps(below, factor)));

        sum = _mm512_add_ps(sum, weight);
        _mm512_mask_storeu_ps(x + i, mask, weight);
    }
    share = _mm512_set1_ps(1.0f / _mm512_reduce_add_ps(sum));
    for (size_t i = 0; i < n; i += TSWS_AVX512_LANES) {
        __mmask16 mask = tsws_avx512_first(n - i);

        _mm512_mask_storeu_ps(x + i, mask, _mm512_mul_ps(share, _mm512_maskz_loadu_ps(mask, x + i)));
    }
}

static const tsws_kernels avx512_table = {
    .name = "avx512",
    .panel_rows = TSWS_AVX512_ROWS,
    .packed_bytes = avx512_packed_bytes,
    .pack = avx512_pack,
    .matmul_scratch = avx512_matmul_scratch,
    .matmul = avx512_matmul,
    .rmsnorm = avx512_rmsnorm,
    .rope = avx512_rope,
    .cache_floats = tsws_avx512_cache_floats,
    .remember = tsws_avx512_remember,
    .attend_scratch = tsws_avx512_attend_scratch,
    .attend = tsws_avx512_attend,
    .swiglu = avx512_swiglu,
    .accumulate = avx512_accumulate,
    .softmax = avx512_softmax,
};

const tsws_kernels *tsws_kernels_avx512(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                   __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("fma")
               ? &avx512_table
               : NULL;
}

#endif
