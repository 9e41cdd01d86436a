/*
 * Matrices of floats times vectors, with AVX-512.
 *
 * A sum has four parts, of the columns 0, 4, 8 ..., 1, 5, 9 ... and so on, which are added as (0 + 1) + (2 + 3): so that
 * one vector alone keeps eight chains of fused multiply-adds going, enough to hide their latency. Several
 * vectors share what is loaded of the matrix; they form two parts, then the other two, for want of registers.
 */
#if defined(__x86_64__)

#include "kernels_avx512.h"
#include "size.h"

#include <string.h>

enum {
    AVX512_PARTS = 4,
    AVX512_HALVES = 2,                          /* of a panel's rows: one vector register each */
    AVX512_SUMS = AVX512_PARTS * AVX512_HALVES, /* of one vector */
    AVX512_TILE = 4,                            /* vectors that make the best of the registers */
    AVX512_AHEAD = 32,                          /* columns that are fetched before their turn */
    AVX512_CHUNK = 256,                         /* columns of a panel that stay in the first cache for all vectors */
    AVX512_MOST_WHOLE = 384                     /* columns that are not worth to be cut into chunks */
};

/* sums[v][part - first_part][half] += one column, that of the part */
TSWS_AVX512_INLINE void avx512_add_column(__m512 *sums, const float *weights, const float *x, size_t x_stride,
                                          size_t n_vectors, size_t n_parts) {
    __m512 low = _mm512_load_ps(weights);
    __m512 high = _mm512_load_ps(weights + TSWS_AVX512_LANES);

    if (n_vectors > 1) {
        TSWS_AVX512_KEEP(low);
        TSWS_AVX512_KEEP(high);
    }
    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        __m512 *sum = sums + v * n_parts * AVX512_HALVES;
        __m512 factor = _mm512_set1_ps(x[v * x_stride]);

        sum[0] = _mm512_fmadd_ps(low, factor, sum[0]);
        sum[1] = _mm512_fmadd_ps(high, factor, sum[1]);
    }
}

/* What is fetched before its turn: with every four columns some lines, and where the next ones lie then. */
struct avx512_fetch {
    const float *lines;
    size_t n_lines;
    size_t step;  /* floats */
    bool is_near; /* into the first cache, else the second */
};

/* Of two parts, or all, the columns a little ahead. */
TSWS_AVX512_INLINE struct avx512_fetch avx512_fetch_parts(const float *panel, size_t first_part, size_t n_parts) {
    return (struct avx512_fetch){.lines = panel + (AVX512_AHEAD + first_part) * TSWS_AVX512_ROWS,
                                 .n_lines = n_parts * AVX512_HALVES,
                                 .step = AVX512_PARTS * TSWS_AVX512_ROWS,
                                 .is_near = true};
}

/*
 * sums[v][part - first_part][half] += the columns of n_parts parts, of all columns. The counts are constants: everything
 * is unrolled.
 */
TSWS_AVX512_INLINE void avx512_add_columns(__m512 *sums, const float *panel, const float *x, size_t x_stride,
                                           size_t columns, size_t n_vectors, size_t first_part, size_t n_parts,
                                           struct avx512_fetch fetch) {
    size_t column = 0;

    for (; column + AVX512_PARTS <= columns; column += AVX512_PARTS) {
        const float *weights = panel + column * TSWS_AVX512_ROWS;

        TSWS_UNROLL
        for (size_t i = 0; i < fetch.n_lines; i++) {
            if (fetch.is_near) {
                _mm_prefetch((const char *)(fetch.lines + i * TSWS_AVX512_LANES), _MM_HINT_T0);
            } else {
                _mm_prefetch((const char *)(fetch.lines + i * TSWS_AVX512_LANES), _MM_HINT_T1);
            }
        }
        fetch.lines += fetch.step;
        TSWS_UNROLL
        for (size_t part = 0; part < n_parts; part++) {
            avx512_add_column(sums + part * AVX512_HALVES, weights + (first_part + part) * TSWS_AVX512_ROWS,
                              x + column + first_part + part, x_stride, n_vectors, n_parts);
        }
    }
    TSWS_UNROLL
    for (size_t part = 0; part < n_parts; part++) {
        size_t last = column + first_part + part;

        if (last < columns) {
            avx512_add_column(sums + part * AVX512_HALVES, panel + last * TSWS_AVX512_ROWS, x + last, x_stride,
                              n_vectors, n_parts);
        }
    }
}

/* One row of a vector's sums, from its parts. */
TSWS_AVX512_INLINE __m512 avx512_sum_parts(__m512 first, __m512 second, __m512 third, __m512 fourth) {
    return _mm512_add_ps(_mm512_add_ps(first, second), _mm512_add_ps(third, fourth));
}

/* Up to three vectors: all parts fit into the registers. */
TSWS_AVX512_INLINE void avx512_float_few(float *out, size_t out_stride, const float *panel, const float *x,
                                         size_t x_stride, size_t columns, size_t n_vectors, size_t n_rows) {
    __m512 sums[3 * AVX512_SUMS];

    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * AVX512_SUMS; i++) {
        sums[i] = _mm512_setzero_ps();
    }
    avx512_add_columns(sums, panel, x, x_stride, columns, n_vectors, 0, AVX512_PARTS,
                       avx512_fetch_parts(panel, 0, AVX512_PARTS));
    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        const __m512 *s = sums + v * AVX512_SUMS;

        tsws_avx512_store_rows(out + v * out_stride, avx512_sum_parts(s[0], s[2], s[4], s[6]),
                               avx512_sum_parts(s[1], s[3], s[5], s[7]), n_rows);
    }
}

/* Four to six vectors, two parts at a time. */
TSWS_AVX512_INLINE void avx512_float_many(float *out, size_t out_stride, const float *panel, const float *x,
                                          size_t x_stride, size_t columns, size_t n_vectors, size_t n_rows) {
    __m512 sums[6 * AVX512_SUMS / 2];
    __m512 firsts[6 * AVX512_HALVES];

    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * AVX512_SUMS / 2; i++) {
        sums[i] = _mm512_setzero_ps();
    }
    avx512_add_columns(sums, panel, x, x_stride, columns, n_vectors, 0, 2, avx512_fetch_parts(panel, 0, 2));
    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        __m512 *s = sums + v * AVX512_SUMS / 2;

        firsts[2 * v] = _mm512_add_ps(s[0], s[2]);
        firsts[2 * v + 1] = _mm512_add_ps(s[1], s[3]);
        s[0] = s[1] = s[2] = s[3] = _mm512_setzero_ps();
    }
    avx512_add_columns(sums, panel, x, x_stride, columns, n_vectors, 2, 2, avx512_fetch_parts(panel, 2, 2));
    TSWS_UNROLL
    for (size_t v = 0; v < n_vectors; v++) {
        const __m512 *s = sums + v * AVX512_SUMS / 2;

        tsws_avx512_store_rows(out + v * out_stride, _mm512_add_ps(firsts[2 * v], _mm512_add_ps(s[0], s[2])),
                               _mm512_add_ps(firsts[2 * v + 1], _mm512_add_ps(s[1], s[3])), n_rows);
    }
}

TSWS_AVX512 static void avx512_float_panel(float *out, size_t out_stride, const float *panel, const float *x,
                                           size_t x_stride, size_t n_vectors, size_t columns, size_t n_rows) {
    for (; n_vectors >= 7; n_vectors -= AVX512_TILE) {
        avx512_float_many(out, out_stride, panel, x, x_stride, columns, AVX512_TILE, n_rows);
        out += AVX512_TILE * out_stride;
        x += AVX512_TILE * x_stride;
    }
    switch (n_vectors) {
    case 6: avx512_float_many(out, out_stride, panel, x, x_stride, columns, 6, n_rows); break;
    case 5: avx512_float_many(out, out_stride, panel, x, x_stride, columns, 5, n_rows); break;
    case 4: avx512_float_many(out, out_stride, panel, x, x_stride, columns, 4, n_rows); break;
    case 3: avx512_float_few(out, out_stride, panel, x, x_stride, columns, 3, n_rows); break;
    case 2: avx512_float_few(out, out_stride, panel, x, x_stride, columns, 2, n_rows); break;
    case 1: avx512_float_few(out, out_stride, panel, x, x_stride, columns, 1, n_rows); break;
    default: break;
    }
}

/* sums (n_vectors, AVX512_SUMS, 16) += two parts of a chunk of the columns */
TSWS_AVX512_INLINE void avx512_add_chunk(float *sums, const float *panel, const float *x, size_t x_stride,
                                         size_t columns, size_t n_vectors, size_t first_part,
                                         struct avx512_fetch fetch) {
    const size_t per_vector = AVX512_SUMS / 2;
    float *first = sums + first_part * AVX512_HALVES * TSWS_AVX512_LANES;
    __m512 s[AVX512_TILE * AVX512_SUMS / 2];

    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * per_vector; i++) {
        s[i] = _mm512_load_ps(first + (i / per_vector * AVX512_SUMS + i % per_vector) * TSWS_AVX512_LANES);
    }
    avx512_add_columns(s, panel, x, x_stride, columns, n_vectors, first_part, 2, fetch);
    TSWS_UNROLL
    for (size_t i = 0; i < n_vectors * per_vector; i++) {
        _mm512_store_ps(first + (i / per_vector * AVX512_SUMS + i % per_vector) * TSWS_AVX512_LANES, s[i]);
    }
}

/* A chunk times all vectors; on the way the next chunk is fetched, in as even a stream as can be. */
TSWS_AVX512 static void avx512_float_chunk(float *sums, const float *panel, const float *x, size_t x_stride,
                                           size_t n_vectors, size_t columns) {
    const struct avx512_fetch none = {.lines = panel};
    size_t passes = n_vectors / AVX512_TILE * 2;
    size_t n_lines = passes < AVX512_SUMS ? AVX512_SUMS / passes : 1;
    size_t left = AVX512_SUMS / n_lines; /* passes that fetch */
    struct avx512_fetch fetch = {
        .lines = panel + AVX512_CHUNK * TSWS_AVX512_ROWS, .n_lines = n_lines, .step = n_lines * TSWS_AVX512_LANES};
    size_t v = 0;

    for (; v + AVX512_TILE <= n_vectors; v += AVX512_TILE) {
        float *tile = sums + v * AVX512_SUMS * TSWS_AVX512_LANES;

        for (size_t part = 0; part < AVX512_PARTS; part += 2) {
            avx512_add_chunk(tile, panel, x + v * x_stride, x_stride, columns, AVX512_TILE, part,
                             left > 0 ? fetch : none);
            fetch.lines += columns / AVX512_PARTS * fetch.step;
            left -= left > 0;
        }
    }
    for (; v < n_vectors; v++) {
        float *one = sums + v * AVX512_SUMS * TSWS_AVX512_LANES;

        avx512_add_chunk(one, panel, x + v * x_stride, 0, columns, 1, 0, none);
        avx512_add_chunk(one, panel, x + v * x_stride, 0, columns, 1, 2, none);
    }
}

/* Many columns and vectors: a panel is larger than the first cache, so it is taken a chunk at a time. */
TSWS_AVX512 static void avx512_float_chunks(float *out, size_t out_stride, const float *panel, const float *x,
                                            size_t x_stride, size_t n_vectors, size_t columns, size_t n_rows,
                                            float *sums) {
    memset(sums, 0, n_vectors * AVX512_SUMS * TSWS_AVX512_LANES * sizeof *sums);
    for (size_t first = 0; first < columns; first += AVX512_CHUNK) {
        size_t some = columns - first < AVX512_CHUNK ? columns - first : AVX512_CHUNK;

        avx512_float_chunk(sums, panel + first * TSWS_AVX512_ROWS, x + first, x_stride, n_vectors, some);
    }
    for (size_t v = 0; v < n_vectors; v++) {
        const float *parts = sums + v * AVX512_SUMS * TSWS_AVX512_LANES;
        __m512 s[AVX512_SUMS];

        TSWS_UNROLL
        for (size_t i = 0; i < AVX512_SUMS; i++) {
            s[i] = _mm512_load_ps(parts + i * TSWS_AVX512_LANES);
        }
        tsws_avx512_store_rows(out + v * out_stride, avx512_sum_parts(s[0], s[2], s[4], s[6]),
                               avx512_sum_parts(s[1], s[3], s[5], s[7]), n_rows);
    }
}

static bool avx512_is_chunked(size_t columns, size_t n_vectors) {
    return columns > AVX512_MOST_WHOLE && n_vectors >= 2 * AVX512_TILE;
}

size_t tsws_avx512_float_scratch(size_t columns, size_t n_vectors) {
    return avx512_is_chunked(columns, n_vectors)
               ? tsws_size_mul(n_vectors, AVX512_SUMS * TSWS_AVX512_LANES * sizeof(float))
               : 0;
}

TSWS_AVX512 void tsws_avx512_float_matmul(float *out, size_t out_stride, const tsws_packed *matrix, const float *x,
                                          size_t x_stride, size_t n_vectors, size_t first_panel, size_t last_panel,
                                          void *scratch) {
    size_t columns = matrix->columns;

    for (size_t i = first_panel; i < last_panel; i++) {
        const float *panel = (const float *)matrix->data + i * TSWS_AVX512_ROWS * columns;
        float *rows = out + i * TSWS_AVX512_ROWS;
        size_t n_rows = matrix->rows - i * TSWS_AVX512_ROWS;

        if (avx512_is_chunked(columns, n_vectors)) {
            avx512_float_chunks(rows, out_stride, panel, x, x_stride, n_vectors, columns, n_rows, scratch);
        } else {
            avx512_float_panel(rows, out_stride, panel, x, x_stride, n_vectors, columns, n_rows);
        }
    }
}

#endif
