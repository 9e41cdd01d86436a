/* Attention, with every table that this processor can run, against sums in double precision. */
#include "check.h"
#include "tables.h"

#include <stdlib.h>

enum { LARGEST_HEAD = 130, LONGEST = 300, MOST_QUERIES = 9 };

static float keys[LONGEST * LARGEST_HEAD];
static float values[LONGEST * LARGEST_HEAD];
static float queries[MOST_QUERIES * LARGEST_HEAD];
static float out[MOST_QUERIES * LARGEST_HEAD + 1];

struct head {
    const tsws_kernels *kernels;
    size_t head_size;
    size_t max_positions;
    float *cache;
};

static struct head remember_all(const tsws_kernels *kernels, size_t head_size, size_t max_positions) {
    struct head head = {.kernels = kernels, .head_size = head_size, .max_positions = max_positions};

    head.cache = aligned_alloc(64, kernels->cache_floats(max_positions, head_size) * sizeof(float));
    CHECK(head.cache != NULL);
    for (size_t i = 0; i < kernels->cache_floats(max_positions, head_size); i++) {
        head.cache[i] = NAN; /* what is not remembered must not be used */
    }
    return head;
}

static void remember(const struct head *head, size_t position) {
    head->kernels->remember(head->cache, head->max_positions, position, keys + position * head->head_size,
                            values + position * head->head_size, head->head_size);
}

static void check_head(const float *got, const float *query, size_t n_positions, size_t head_size) {
    double weights[LONGEST], sum = 0, largest = -1e300;

    for (size_t position = 0; position < n_positions; position++) {
        weights[position] = 0;
        for (size_t i = 0; i < head_size; i++) {
            weights[position] += (double)query[i] * (double)keys[position * head_size + i];
        }
        weights[position] /= sqrt((double)head_size);
        largest = fmax(largest, weights[position]);
    }
    for (size_t position = 0; position < n_positions; position++) {
        weights[position] = exp(weights[position] - largest);
        sum += weights[position];
    }
    for (size_t i = 0; i < head_size; i++) {
        double expected = 0;

        for (size_t position = 0; position < n_positions; position++) {
            expected += weights[position] / sum * (double)values[position * head_size + i];
        }
        CHECK_NEAR(got[i], expected, 3e-6);
    }
}

static void check_length(const struct head *head, size_t n_queries, size_t n_positions) {
    const tsws_kernels *kernels = head->kernels;
    size_t floats = kernels->attend_scratch(head->max_positions, head->head_size, n_queries);
    float *scratch = floats == 0 ? NULL : aligned_alloc(64, floats * sizeof(float));

    out[n_queries * head->head_size] = 99.0f;
    kernels->attend(out, queries, n_queries, head->cache, head->max_positions, n_positions, head->head_size, scratch);
    for (size_t q = 0; q < n_queries; q++) {
        check_head(out + q * head->head_size, queries + q * head->head_size, n_positions, head->head_size);
    }
    CHECK_NEAR(out[n_queries * head->head_size], 99, 0);
    free(scratch);
}

static void every_length_is_right(const tsws_kernels *kernels) {
    const size_t head_sizes[] = {2, 8, 16, 48, 64, 130};

    for (size_t i = 0; i < sizeof head_sizes / sizeof head_sizes[0]; i++) {
        struct head head = remember_all(kernels, head_sizes[i], LONGEST);

        for (size_t n = 1; n <= LONGEST; n++) {
            remember(&head, n - 1);
            if (n <= 70 || n % 8 == i || n == LONGEST) {
                check_length(&head, 1 + n % 2, n);
            }
        }
        free(head.cache);
    }
}

static void every_head_size_is_right(const tsws_kernels *kernels) {
    const size_t lengths[] = {1, 7, 16, 33, 65};

    for (size_t head_size = 2; head_size <= LARGEST_HEAD; head_size += 2) {
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            struct head head = remember_all(kernels, head_size, lengths[i]);

            for (size_t position = 0; position < lengths[i]; position++) {
                remember(&head, position);
            }
            check_length(&head, 1 + (i + head_size / 2) % MOST_QUERIES, lengths[i]);
            free(head.cache);
        }
    }
}

/* One key that fits far better than the others takes all the weight, and nothing overflows on the way. */
static void large_scores_do_not_overflow(const tsws_kernels *kernels) {
    enum { HEAD = 16, POSITIONS = 40 };
    struct head head = remember_all(kernels, HEAD, POSITIONS);
    float key[HEAD] = {0.0f}, value[HEAD] = {0.0f}, query[HEAD] = {0.0f}, got[HEAD];
    float *scratch = aligned_alloc(64, kernels->attend_scratch(POSITIONS, HEAD, 1) * sizeof(float));

    query[0] = 1e4f;
    for (size_t position = 0; position < POSITIONS; position++) {
        key[0] = position == 21 ? 1e4f : -1e4f;
        value[3] = (float)position;
        kernels->remember(head.cache, POSITIONS, position, key, value, HEAD);
    }
    kernels->attend(got, query, 1, head.cache, POSITIONS, POSITIONS, HEAD, scratch);
    CHECK_NEAR(got[3], 21, 0);
    CHECK_NEAR(got[0], 0, 0);
    query[0] = NAN;
    kernels->attend(got, query, 1, head.cache, POSITIONS, POSITIONS, HEAD, scratch); /* nothing breaks */
    free(scratch);
    free(head.cache);
}

int main(void) {
    const tsws_kernels *tables[MOST_TABLES];
    size_t count = list_tables(tables);

    for (size_t i = 0; i < LONGEST * LARGEST_HEAD; i++) {
        keys[i] = noise(i, 1);
        values[i] = noise(i, 2);
    }
    for (size_t i = 0; i < MOST_QUERIES * LARGEST_HEAD; i++) {
        queries[i] = 4.0f * noise(i, 3);
    }
    for (size_t i = 0; i < count; i++) {
        every_length_is_right(tables[i]);
        every_head_size_is_right(tables[i]);
        large_scores_do_not_overflow(tables[i]);
    }
    return check_result();
}
