/* The training step against differences of its own loss, for sizes that fit no vector. */
#include "check.h"
#include "llama.h"
#include "polar.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SEQ 7
#define ROWS 3
#define TARGETS (SEQ * ROWS - 2)

static const tsws_train_shape shape = {
    .dim = 12, .hidden_dim = 19, .n_layers = 2, .n_heads = 3, .n_kv_heads = 1, .vocab_size = 11, .max_seq_len = 9,
    .shared_classifier = 0, .bfloat16 = 0, .norm_eps = 1e-5f};

/* Numbers within +-1 that look random and are always the same. */
static float noise(uint32_t *state) {
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) / 8388608.0f - 1.0f;
}

struct fixture {
    size_t count;
    float *weights;
    float *gradients;
    float cosines[9 * 2], sines[9 * 2];
    int64_t tokens[ROWS * SEQ], targets[ROWS * SEQ];
    tsws_trainer *trainer;
    tsws_worker *worker;
};

static void set_up(struct fixture *f, const tsws_train_shape *of) {
    uint32_t state = 7;

    f->count = tsws_train_parameters(of);
    f->weights = malloc(f->count * sizeof(float));
    f->gradients = calloc(f->count, sizeof(float));
    for (size_t i = 0; i < f->count; i++) {
        f->weights[i] = 0.5f * noise(&state);
    }
    for (size_t i = 0; i < 9 * 2; i++) {
        f->cosines[i] = cosf((float)i);
        f->sines[i] = sinf((float)i);
    }
    for (size_t i = 0; i < ROWS * SEQ; i++) {
        f->tokens[i] = (int64_t)(i * 5 % 11);
        f->targets[i] = (int64_t)(i * 7 % 11);
    }
    f->targets[3] = f->targets[9] = -1;
    f->trainer = tsws_trainer_create(of, f->cosines, f->sines);
    f->worker = tsws_worker_create(f->trainer);
    tsws_trainer_load(f->trainer, f->weights, 0, 2);
    tsws_trainer_load(f->trainer, f->weights, 1, 2);
}

static void tear_down(struct fixture *f) {
    tsws_worker_destroy(f->worker);
    tsws_trainer_destroy(f->trainer);
    free(f->weights);
    free(f->gradients);
}

static double loss(struct fixture *f) {
    tsws_trainer_load(f->trainer, f->weights, 0, 1);
    return tsws_worker_rows(f->worker, f->tokens, f->targets, ROWS, SEQ, 0.0f, NULL);
}

static void gradients_are_those_of_the_loss(void) {
    struct fixture f;
    double there;

    set_up(&f, &shape);
    there = tsws_worker_rows(f.worker, f.tokens, f.targets, ROWS, SEQ, 1.0f, f.gradients);
    CHECK_NEAR(there, loss(&f), 1e-6);
    CHECK(there > TARGETS * 1.0 && there < TARGETS * 6.0);
    for (size_t i = 0; i < f.count; i += 13) {
        const float width = 1e-2f;
        float kept = f.weights[i];
        double up, down;

        f.weights[i] = kept + width;
        up = loss(&f);
        f.weights[i] = kept - width;
        down = loss(&f);
        f.weights[i] = kept;
        CHECK_NEAR(f.gradients[i], (up - down) / (2.0 * (double)width), 2e-2);
    }
    tear_down(&f);
}

static void gradients_are_added_and_scaled(void) {
    struct fixture f;
    float *once;

    set_up(&f, &shape);
    once = calloc(f.count, sizeof(float));
    (void)tsws_worker_rows(f.worker, f.tokens, f.targets, ROWS, SEQ, 1.0f, once);
    (void)tsws_worker_rows(f.worker, f.tokens, f.targets, ROWS, SEQ, 0.25f, f.gradients);
    (void)tsws_worker_rows(f.worker, f.tokens, f.targets, ROWS, SEQ, 0.75f, f.gradients);
    for (size_t i = 0; i < f.count; i++) {
        CHECK_NEAR(f.gradients[i], once[i], 1e-4);
    }
    free(once);
    tear_down(&f);
}

static void sums_are_reduced_in_order(void) {
    float first[3] = {1.0f, 2.0f, 3.0f}, second[3] = {10.0f, 20.0f, 30.0f}, third[3] = {100.0f, 200.0f, 300.0f};
    float *const sums[3] = {first, second, third};

    tsws_train_reduce(sums, 3, 1, 3);
    CHECK_NEAR(first[0], 1, 0);
    CHECK_NEAR(first[1], 222, 0);
    CHECK_NEAR(first[2], 333, 0);
}

static void impossible_shapes_are_refused(void) {
    tsws_train_shape odd = shape;
    const float angle[18] = {0};

    odd.n_heads = 5;
    CHECK(tsws_trainer_create(&odd, angle, angle) == NULL);
    odd = shape;
    odd.vocab_size = 0;
    CHECK(tsws_trainer_create(&odd, angle, angle) == NULL);
}

static void bfloat16_is_near(void) {
    tsws_train_shape rounded = shape;
    struct fixture exact, near;
    double difference;

    rounded.bfloat16 = 1;
    set_up(&exact, &shape);
    set_up(&near, &rounded);
    difference = loss(&exact) - loss(&near);
    CHECK(difference != 0.0 && fabs(difference) < 0.02 * TARGETS);
    tear_down(&exact);
    tear_down(&near);
}

/* Both halves of "orthogonal": x x^T is nearly the identity, and a matrix that is orthogonal already only changes in length. */
static void polar_factors_are_orthogonal(int32_t rows, int32_t columns) {
    size_t count = (size_t)rows * (size_t)columns;
    size_t m = (size_t)(rows < columns ? rows : columns);
    size_t n = (size_t)(rows < columns ? columns : rows);
    float *matrix = malloc(count * sizeof(float));
    float *scratch = malloc(tsws_train_polar_floats(rows, columns) * sizeof(float));
    uint32_t state = 3;

    for (size_t i = 0; i < count; i++) {
        matrix[i] = noise(&state);
    }
    tsws_train_polar(matrix, rows, columns, scratch);
    for (size_t i = 0; i < m; i++) {
        for (size_t j = 0; j < m; j++) {
            double sum = 0.0;

            for (size_t k = 0; k < n; k++) {
                sum += rows < columns ? (double)matrix[i * n + k] * (double)matrix[j * n + k]
                                      : (double)matrix[k * m + i] * (double)matrix[k * m + j];
            }
            CHECK_NEAR(sum, i == j ? 1.0 : 0.0, 0.6); /* singular values of 0.7 to 1.2 */
        }
    }
    free(matrix);
    free(scratch);
}

static void zeros_stay_zeros(void) {
    float matrix[6] = {0};
    float scratch[128];

    CHECK(tsws_train_polar_floats(2, 3) <= 128);
    tsws_train_polar(matrix, 2, 3, scratch);
    for (int i = 0; i < 6; i++) {
        CHECK_NEAR(matrix[i], 0, 0);
    }
}

int main(void) {
    polar_factors_are_orthogonal(5, 17);
    polar_factors_are_orthogonal(21, 9);
    polar_factors_are_orthogonal(1, 3);
    zeros_stay_zeros();
    gradients_are_those_of_the_loss();
    gradients_are_added_and_scaled();
    sums_are_reduced_in_order();
    impossible_shapes_are_refused();
    bfloat16_is_near();
    return check_result();
}
