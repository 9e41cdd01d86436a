/*
 * Vectors of floats as wide as the processor that this is compiled for has them, in the compilers' own vector
 * extension (gcc, clang), so that one source serves AVX-512, AVX2, NEON and everything else.
 */
#ifndef TSWS_TRAIN_VECTOR_H
#define TSWS_TRAIN_VECTOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__AVX__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#define TILE_VECTORS 4 /* of a tile's width; 32 registers hold 6 x 4 sums */
#elif defined(__AVX__)
#define LANES 8
#define TILE_VECTORS 2 /* 16 registers hold 6 x 2 */
#else
#define LANES 4
#define TILE_VECTORS 4
#endif

#define WIDTH ((size_t)LANES * TILE_VECTORS) /* columns of a panel */

typedef float vec __attribute__((vector_size(LANES * 4)));
typedef int32_t ivec __attribute__((vector_size(LANES * 4)));
typedef float loose_vec __attribute__((vector_size(LANES * 4), aligned(4), may_alias));

static inline vec load(const float *p) {
    return (vec) * (const loose_vec *)p;
}

static inline void store(float *p, vec v) {
    *(loose_vec *)p = (loose_vec)v;
}

static inline vec all(float x) {
    return x - (vec){0};
}

/* The first `count` floats at p, all when there are so many; the other lanes are `filler`. */
static inline vec load_some(const float *p, size_t count, float filler) {
    vec v = all(filler);

    if (count >= LANES) {
        return load(p);
    }
    memcpy(&v, p, count * sizeof *p);
    return v;
}

static inline void store_some(float *p, vec v, size_t count) {
    if (count >= LANES) {
        store(p, v);
    } else {
        memcpy(p, &v, count * sizeof *p);
    }
}

/* Chooses a lane of a where mask is all ones, else of b. */
static inline vec choose(ivec mask, vec a, vec b) {
    return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}

/* The larger of two in each lane: b where one is no number. */
static inline vec larger(vec a, vec b) {
#if defined(__AVX512F__)
    return (vec)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
    return (vec)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return choose((ivec)(a > b), a, b);
#endif
}

/* The smaller of two in each lane: b where one is no number. */
static inline vec smaller(vec a, vec b) {
#if defined(__AVX512F__)
    return (vec)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX__)
    return (vec)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return choose((ivec)(a < b), a, b);
#endif
}

static inline float sum_lanes(vec v) {
    float lanes[LANES];
    float sum = 0.0f;

    memcpy(lanes, &v, sizeof v);
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int i = 0; i < width; i++) {
            lanes[i] += lanes[i + width];
        }
    }
    sum = lanes[0];
    return sum;
}

/*
 * e to the x, to about 1 unit in the last place within the range of normal numbers; 0 below, and the largest power of
 * two times something above: no infinities. The power of two is split off, the rest goes through a polynomial of degree 6
 * (Taylor's; the remainder is below 1.2e-7 on +-ln(2)/2).
 */
static inline vec vec_exp(vec x) {
    const vec low = all(-87.33f);
    const vec high = all(88.37f);
    const float shifter = 12582912.0f; /* 1.5 * 2^23: adding it rounds to a whole number in the low bits */
    vec power, rest, result;

    x = smaller(high, larger(low, x));
    power = x * 1.44269504f + shifter;
    rest = power - shifter;
    x = x - rest * 0.693145752f;   /* ln 2 in two parts: the first is exact in products with small numbers */
    x = x - rest * 1.42860677e-6f;
    result = all(1.0f / 720.0f);
    result = result * x + 1.0f / 120.0f;
    result = result * x + 1.0f / 24.0f;
    result = result * x + 1.0f / 6.0f;
    result = result * x + 0.5f;
    result = result * x + 1.0f;
    result = result * x + 1.0f;
    return (vec)((ivec)result + (((ivec)power) << 23));
}

#endif
