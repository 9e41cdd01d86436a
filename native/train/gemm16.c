#include "gemm16.h"

#include "gemm.h"

#if defined(__AVX512BF16__)
#define HAS_PAIRS
#endif

typedef int64_t lvec __attribute__((vector_size(LANES * 4)));
typedef int32_t hvec __attribute__((vector_size(LANES * 2)));
typedef int32_t loose_ivec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

/* sums + the product of the pairs' first numbers + that of the second ones */
static inline vec add_pairs(vec sums, ivec left, ivec right) {
#ifdef HAS_PAIRS
    return (vec)_mm512_dpbf16_ps((__m512)sums, (__m512bh)left, (__m512bh)right);
#else
    const ivec high = (ivec){0} - 65536; /* ones in the upper half */

    return sums + (vec)(left << 16) * (vec)(right << 16) + (vec)(left & high) * (vec)(right & high);
#endif
}

#define NUMBER uint32_t
#define WIDE ivec
#define SPREAD(x) ((int32_t)(x) - (ivec){0})
#define FETCH(p) ((ivec) * (const loose_ivec *)(p))
#define MULTIPLY_ADD(sums, left, right) add_pairs(sums, left, right)
#define NAMED(x) x##16
#include "tile.inc"

bool tsws_is_bfloat16_quick(void) {
#ifdef HAS_PAIRS
    return true;
#else
    return false;
#endif
}

/* To the nearest bfloat16, ties to even: its bits in the lower half of each lane, zeros above. */
static inline ivec rounded(vec v) {
#ifdef HAS_PAIRS
    return (ivec)_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)v));
#else
    ivec bits = (ivec)v;
    ivec near = ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) & 0xffff;

    return (ivec)choose((ivec)(v == v), (vec)near, (vec)((ivec){0} + 0x7fc0)); /* no number stays none */
#endif
}

void tsws_round_rows(uint32_t *rows, const float *a, size_t stride, size_t m, size_t k) {
    for (size_t row = 0; row < m; row++) {
        uint32_t *to = rows + row * tsws_pairs(k);

        for (size_t i = 0; i < k; i += LANES) {
            size_t count = k - i < LANES ? k - i : LANES;
            lvec apart = (lvec)rounded(load_some(a + row * stride + i, count, 0.0f));
            hvec words = __builtin_convertvector(apart | (apart >> 16), hvec);

            if (count == LANES) {
                memcpy(to + i / 2, &words, sizeof words);
            } else {
                memcpy(to + i / 2, &words, tsws_pairs(count) * sizeof *to);
            }
        }
    }
}

/* Rounds columns of the rows `row` and `row` + 1, which may be outside, to words. */
static inline void round_two_rows(uint32_t *to, const float *b, size_t stride, size_t row, size_t k, size_t columns) {
    const float *first = b + row * stride;

    for (size_t column = 0; column < columns; column += LANES) {
        size_t count = columns - column < LANES ? columns - column : LANES;
        ivec words = rounded(load_some(first + column, count, 0.0f));

        if (row + 1 < k) {
            words |= rounded(load_some(first + stride + column, count, 0.0f)) << 16;
        }
        if (count == LANES) {
            memcpy(to + column, &words, sizeof words);
        } else {
            memcpy(to + column, &words, count * sizeof *to);
        }
    }
}

void tsws_round_columns(uint32_t *columns, const float *a, size_t stride, size_t k, size_t m) {
    for (size_t row = 0; row < k; row += 2) {
        round_two_rows(columns + row / 2 * m, a, stride, row, k, m);
    }
}

size_t tsws_panel16_words(size_t k, size_t n) {
    return tsws_padded(n) * tsws_pairs(k);
}

void tsws_pack16(uint32_t *panels, const float *b, size_t stride, size_t k, size_t n) {
    for (size_t first = 0; first < n; first += WIDTH) {
        size_t columns = n - first < WIDTH ? n - first : WIDTH;
        size_t width = tsws_padded(columns);

        for (size_t row = 0; row < k; row += 2) {
            uint32_t *to = panels + first * tsws_pairs(k) + row / 2 * width;

            memset(to + columns, 0, (width - columns) * sizeof *to);
            round_two_rows(to, b + first, stride, row, k, columns);
        }
    }
}

void tsws_pack16_transposed(uint32_t *panels, const float *b, size_t stride, size_t k, size_t n) {
    enum { BLOCK = 64 }; /* of k: what is read and written stays in the nearest cache */

    for (size_t first = 0; first < n; first += WIDTH) {
        size_t columns = n - first < WIDTH ? n - first : WIDTH;
        size_t width = tsws_padded(columns);
        uint32_t *to = panels + first * tsws_pairs(k);

        for (size_t begin = 0; begin < k; begin += BLOCK, to += BLOCK / 2 * width) {
            size_t count = k - begin < BLOCK ? k - begin : BLOCK;

            for (size_t column = 0; column < width; column++) {
                uint32_t words[BLOCK / 2] = {0};

                if (column < columns) {
                    tsws_round_rows(words, b + (first + column) * stride + begin, stride, 1, count);
                }
                for (size_t pair = 0; pair < tsws_pairs(count); pair++) {
                    to[pair * width + column] = words[pair];
                }
            }
        }
    }
}

void tsws_gemm16(float *c, size_t c_stride, bool add, const uint32_t *rows, const uint32_t *panels, size_t m, size_t n,
                 size_t k) {
    multiply16(c, c_stride, add, rows, tsws_pairs(k), ROWS, panels, m, n, tsws_pairs(k));
}

void tsws_gemm16_transposed(float *c, size_t c_stride, bool add, const uint32_t *columns, const uint32_t *panels,
                            size_t m, size_t n, size_t k) {
    multiply16(c, c_stride, add, columns, m, COLUMNS, panels, m, n, tsws_pairs(k));
}
