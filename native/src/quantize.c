#include "quantize.h"

#include <string.h>

#define LARGEST_CODE 127.0f
/* Floats as large as this have no bits left for fractions: adding it, with signs, rounds to the nearest even. */
#define ROUNDER 0x1.8p23f

static const uint32_t sign_bit = UINT32_C(0x80000000);
static const uint32_t infinity_bits = UINT32_C(0x7f800000);

/* Magnitudes are compared as integers, which compilers can do side by side; what is no number is the largest then. */
static float largest_magnitude(const float *weights, size_t n) {
    uint32_t largest = 0;
    float magnitude;

    for (size_t i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, &weights[i], sizeof bits);
        bits &= ~sign_bit;
        largest = bits > largest ? bits : largest;
    }
    if (largest >= infinity_bits) {
        return 0.0f;
    }
    memcpy(&magnitude, &largest, sizeof magnitude);
    return magnitude;
}

static int8_t code_of(float ratio) {
    /* Only where the scale has lost bits to an underflow does a ratio lie beyond. */
    ratio = ratio > LARGEST_CODE ? LARGEST_CODE : ratio;
    ratio = ratio < -LARGEST_CODE ? -LARGEST_CODE : ratio;
    return (int8_t)((ratio + ROUNDER) - ROUNDER);
}

void tsws_quantize(int8_t *codes, float *scales, const float *weights, size_t count, size_t group) {
    for (size_t start = 0; start < count; start += group) {
        float scale = largest_magnitude(weights + start, group) / LARGEST_CODE;

        scales[start / group] = scale;
        if (scale > 0.0f) {
            for (size_t i = start; i < start + group; i++) {
                codes[i] = code_of(weights[i] / scale);
            }
        } else {
            memset(codes + start, 0, group);
        }
    }
}

void tsws_dequantize(float *weights, const int8_t *codes, const float *scales, size_t count, size_t group) {
    for (size_t start = 0; start < count; start += group) {
        float scale = scales[start / group];

        for (size_t i = start; i < start + group; i++) {
            weights[i] = (float)codes[i] * scale;
        }
    }
}
