#include "layers.h"
#include "vector.h"

#include <math.h>

/* Runs a statement over n floats a vector at a time: i is where, count how many; LANES but for the last. */
#define FOR_VECTORS(n, whole, part)                                                                                    \
    do {                                                                                                               \
        size_t i = 0;                                                                                                  \
        for (; i + LANES <= (n); i += LANES) {                                                                         \
            whole                                                                                                      \
        }                                                                                                              \
        if (i < (n)) {                                                                                                 \
            size_t count = (n)-i;                                                                                      \
            part                                                                                                       \
        }                                                                                                              \
    } while (0)

void tsws_norm_forward(float *out, float *inverse_rms, const float *x, const float *weight, size_t rows, size_t n,
                       float epsilon) {
    for (size_t row = 0; row < rows; row++) {
        const float *from = x + row * n;
        float *to = out + row * n;
        vec squares = {0};
        float inverse;

        FOR_VECTORS(n, { vec v = load(from + i); squares += v * v; },
                    { vec v = load_some(from + i, count, 0.0f); squares += v * v; });
        inverse = 1.0f / sqrtf(sum_lanes(squares) / (float)n + epsilon);
        if (inverse_rms != NULL) {
            inverse_rms[row] = inverse;
        }
        FOR_VECTORS(n, { store(to + i, load(from + i) * inverse * load(weight + i)); }, {
            store_some(to + i, load_some(from + i, count, 0.0f) * inverse * load_some(weight + i, count, 0.0f), count);
        });
    }
}

void tsws_norm_backward(float *d_x, float *d_weight, const float *d_out, const float *x, const float *inverse_rms,
                        const float *weight, size_t rows, size_t n) {
    for (size_t row = 0; row < rows; row++) {
        const float *from = x + row * n;
        const float *change = d_out + row * n;
        float *to = d_x + row * n;
        float inverse = inverse_rms[row];
        vec inner = {0};
        float pull;

        FOR_VECTORS(n, { inner += load(change + i) * load(weight + i) * load(from + i); }, {
            inner += load_some(change + i, count, 0.0f) * load_some(weight + i, count, 0.0f) *
                     load_some(from + i, count, 0.0f);
        });
        pull = sum_lanes(inner) * inverse * inverse * inverse / (float)n;
        FOR_VECTORS(n,
                    {
                        vec value = load(from + i);
                        vec up = load(change + i);

                        store(to + i, load(to + i) + up * load(weight + i) * inverse - value * pull);
                        store(d_weight + i, load(d_weight + i) + up * value * inverse);
                    },
                    {
                        vec value = load_some(from + i, count, 0.0f);
                        vec up = load_some(change + i, count, 0.0f);

                        store_some(to + i,
                                   load_some(to + i, count, 0.0f) + up * load_some(weight + i, count, 0.0f) * inverse -
                                       value * pull,
                                   count);
                        store_some(d_weight + i, load_some(d_weight + i, count, 0.0f) + up * value * inverse, count);
                    });
    }
}

void tsws_rope(float *x, size_t stride, size_t rows, size_t n_heads, size_t head_size, const float *cosines,
               const float *sines, float direction) {
    size_t half = head_size / 2;

    for (size_t row = 0; row < rows; row++) {
        const float *cosine = cosines + row * half;
        const float *sine = sines + row * half;

        for (size_t head = 0; head < n_heads; head++) {
            float *pairs = x + row * stride + head * head_size;

            for (size_t i = 0; i < half; i++) {
                float real = pairs[2 * i];
                float imaginary = pairs[2 * i + 1];
                float turn = direction * sine[i];

                pairs[2 * i] = real * cosine[i] - imaginary * turn;
                pairs[2 * i + 1] = real * turn + imaginary * cosine[i];
            }
        }
    }
}

static inline vec sigmoid(vec x) {
    return 1.0f / (1.0f + vec_exp(-x));
}

void tsws_swiglu_forward(float *out, const float *gate_up, size_t rows, size_t n) {
    for (size_t row = 0; row < rows; row++) {
        const float *gate = gate_up + row * 2 * n;
        const float *up = gate + n;
        float *to = out + row * n;

        FOR_VECTORS(n, { vec g = load(gate + i); store(to + i, g * sigmoid(g) * load(up + i)); }, {
            vec g = load_some(gate + i, count, 0.0f);

            store_some(to + i, g * sigmoid(g) * load_some(up + i, count, 0.0f), count);
        });
    }
}

void tsws_swiglu_backward(float *d_gate_up, float *out, const float *d_out, const float *gate_up, size_t rows,
                          size_t n) {
    for (size_t row = 0; row < rows; row++) {
        const float *gate = gate_up + row * 2 * n;
        const float *up = gate + n;
        const float *change = d_out + row * n;
        float *d_gate = d_gate_up + row * 2 * n;
        float *d_up = d_gate + n;
        float *to = out + row * n;

        FOR_VECTORS(n,
                    {
                        vec g = load(gate + i);
                        vec u = load(up + i);
                        vec d = load(change + i);
                        vec s = sigmoid(g);
                        vec silu = g * s;

                        store(to + i, silu * u);
                        store(d_up + i, d * silu);
                        store(d_gate + i, d * u * (s + silu * (1.0f - s)));
                    },
                    {
                        vec g = load_some(gate + i, count, 0.0f);
                        vec u = load_some(up + i, count, 0.0f);
                        vec d = load_some(change + i, count, 0.0f);
                        vec s = sigmoid(g);
                        vec silu = g * s;

                        store_some(to + i, silu * u, count);
                        store_some(d_up + i, d * silu, count);
                        store_some(d_gate + i, d * u * (s + silu * (1.0f - s)), count);
                    });
    }
}

double tsws_cross_entropy(float *logits, const int64_t *targets, size_t rows, size_t n, float scale) {
    double loss = 0.0;

    for (size_t row = 0; row < rows; row++) {
        float *scores = logits + row * n;
        int64_t target = targets[row];
        float target_score = target >= 0 ? scores[target] : 0.0f;
        float factor = target >= 0 ? scale : 0.0f;
        float top = -INFINITY;
        vec sums = {0};
        float sum;

        for (size_t i = 0; i < n; i++) {
            top = scores[i] > top ? scores[i] : top;
        }
        FOR_VECTORS(n, { vec e = vec_exp(load(scores + i) - top); sums += e; store(scores + i, e); }, {
            vec e = vec_exp(load_some(scores + i, count, -INFINITY) - top);

            for (size_t lane = count; lane < LANES; lane++) {
                e[lane] = 0.0f;
            }
            sums += e;
            store_some(scores + i, e, count);
        });
        sum = sum_lanes(sums);
        if (target >= 0) {
            loss += (double)(logf(sum) + top - target_score);
        }
        if (scale != 0.0f) {
            factor /= sum;
            for (size_t i = 0; i < n; i++) {
                scores[i] *= factor;
            }
            if (target >= 0) {
                scores[target] -= scale;
            }
        }
    }
    return loss;
}
