/*
 * How fast the kernels are, by table and shape: gigabytes of weights a second for one vector, multiply-adds for several.
 *
 *     cc -O3 -ffp-contract=off -Iinclude -Isrc bench/kernels.c src/kernels*.c src/pack.c -o bench-kernels -lm
 *     ./bench-kernels [table ...]
 *
 * Each figure is the best of many rounds; everything runs on one thread. The matrices of a shape are all walked
 * through before one is used again, as in a model: so `total` says which level of the memory they come from.
 */
#include "kernels.h"
#include "posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double ROUND = 0.0005, SECONDS = 0.15;

static double now(void) {
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void *allocate(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);

    if (memory == NULL) {
        (void)fprintf(stderr, "memory is short\n");
        exit(1);
    }
    memset(memory, 0, bytes);
    return memory;
}

static float *fill(size_t n) {
    float *floats = allocate(n * sizeof *floats);
    uint32_t state = 1;

    for (size_t i = 0; i < n; i++) {
        state = state * UINT32_C(1664525) + UINT32_C(1013904223);
        floats[i] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
    return floats;
}

/* What is timed, once. */
struct work {
    const tsws_kernels *kernels;
    tsws_packed *matrices;
    size_t n_matrices;
    const float *x;
    float *out;
    void *scratch;
    size_t n_vectors;
    size_t head_size;
    size_t n_queries;
    size_t n_positions;
    float *caches;
};

static void multiply(const struct work *work) {
    for (size_t i = 0; i < work->n_matrices; i++) {
        const tsws_packed *matrix = &work->matrices[i];

        work->kernels->matmul(work->out, matrix->rows, matrix, work->x, matrix->columns, work->n_vectors, 0,
                              matrix->panels, work->scratch);
    }
}

static void attend(const struct work *work) {
    size_t stride = work->kernels->cache_floats(256, work->head_size);

    for (size_t i = 0; i < work->n_matrices; i++) {
        work->kernels->attend(work->out, work->x, work->n_queries, work->caches + i * stride, 256, work->n_positions,
                              work->head_size, work->scratch);
    }
}

static void normalize(const struct work *work) {
    work->kernels->rmsnorm(work->out, work->x, work->x, work->n_positions);
}

static void gate(const struct work *work) {
    work->kernels->swiglu(work->out, work->x, work->x, work->n_positions);
}

static void soften(const struct work *work) {
    memcpy(work->out, work->x, work->n_positions * sizeof(float));
    work->kernels->softmax(work->out, work->n_positions, 1.0f);
}

/* Seconds that one call takes: the best of many short rounds, for that one had the processor to itself. */
static double measure(void (*run)(const struct work *work), const struct work *work) {
    double best = 1e9;
    double total = 0;
    size_t repeats = 1;

    while (total < SECONDS) {
        double start = now();
        double passed;

        for (size_t i = 0; i < repeats; i++) {
            run(work);
        }
        passed = now() - start;
        total += passed;
        best = passed / (double)repeats < best ? passed / (double)repeats : best;
        repeats = passed < ROUND ? 2 * repeats : repeats;
    }
    return best;
}

static void bench_matmul(const tsws_kernels *kernels, size_t rows, size_t columns, size_t group, size_t total,
                         size_t n_vectors) {
    size_t bytes = kernels->packed_bytes(rows, columns, group);
    size_t n_matrices = total / bytes == 0 ? 1 : total / bytes;
    float *weights = fill(rows * columns);
    float *x = fill(columns * n_vectors);
    tsws_matrix matrix = {.rows = rows, .columns = columns, .floats = weights};
    struct work work = {.kernels = kernels, .n_matrices = n_matrices, .n_vectors = n_vectors, .x = x};
    unsigned char *data = allocate(n_matrices * bytes);
    double seconds;

    work.matrices = allocate(n_matrices * sizeof *work.matrices);
    for (size_t i = 0; i < n_matrices; i++) {
        kernels->pack(data + i * bytes, &matrix, group);
        work.matrices[i] = (tsws_packed){.rows = rows,
                                         .columns = columns,
                                         .group = group,
                                         .panels = (rows + kernels->panel_rows - 1) / kernels->panel_rows,
                                         .data = data + i * bytes};
    }
    work.out = allocate(rows * n_vectors * sizeof(float));
    work.scratch = allocate(kernels->matmul_scratch(columns, group, n_vectors));
    seconds = measure(multiply, &work) / (double)n_matrices;
    (void)printf("%-9s %5zu x %-5zu group %-4zu %6.1f MB %4zu vectors %8.1f GB/s %8.1f GFLOP/s %9.3f us\n",
                 kernels->name, rows, columns, group, (double)(n_matrices * bytes) / 1e6, n_vectors,
                 (double)bytes / seconds / 1e9, 2 * (double)(rows * columns * n_vectors) / seconds / 1e9,
                 seconds * 1e6);
    free(work.matrices);
    free(work.out);
    free(work.scratch);
    free(weights);
    free(x);
    free(data);
}

static void bench_attend(const tsws_kernels *kernels, size_t head_size, size_t n_queries, size_t n_positions,
                         size_t n_heads) {
    size_t stride = kernels->cache_floats(256, head_size);
    struct work work = {.kernels = kernels,
                        .n_matrices = n_heads,
                        .head_size = head_size,
                        .n_queries = n_queries,
                        .n_positions = n_positions};
    float *x = fill(256 * head_size);
    double seconds;

    work.x = x;
    work.out = allocate(n_queries * head_size * sizeof(float));
    work.caches = allocate(n_heads * stride * sizeof(float));
    work.scratch = allocate(kernels->attend_scratch(256, head_size, n_queries) * sizeof(float));
    for (size_t i = 0; i < n_heads; i++) {
        for (size_t position = 0; position < n_positions; position++) {
            kernels->remember(work.caches + i * stride, 256, position, x + position * head_size,
                              x + position * head_size, head_size);
        }
    }
    seconds = measure(attend, &work) / (double)n_heads;
    (void)printf("%-9s attend %3zu positions, %zu queries of %-3zu, %3zu heads' caches %8.1f GFLOP/s %9.3f us\n",
                 kernels->name, n_positions, n_queries, head_size, n_heads,
                 4 * (double)(n_positions * n_queries * head_size) / seconds / 1e9, seconds * 1e6);
    free(x);
    free(work.out);
    free(work.caches);
    free(work.scratch);
}

static void bench_vectors(const tsws_kernels *kernels, size_t n) {
    float *x = fill(n);
    float *out = allocate(n * sizeof *out);
    struct work work = {.kernels = kernels, .x = x, .out = out, .n_positions = n};

    (void)printf("%-9s %zu numbers: rmsnorm %.3f us, swiglu %.3f us, softmax %.3f us\n", kernels->name, n,
                 measure(normalize, &work) * 1e6, measure(gate, &work) * 1e6, measure(soften, &work) * 1e6);
    free(x);
    free(out);
}

static void bench_table(const tsws_kernels *kernels) {
    const struct {
        size_t rows, columns, total;
    } shapes[] = {{704, 128, 300000}, {128, 352, 500000}, {704, 128, 4000000}, {768, 768, 200000000}};
    const size_t vectors[] = {1, 2, 4, 8, 32};

    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (size_t j = 0; j < sizeof vectors / sizeof vectors[0]; j++) {
            const size_t groups[] = {0, 32, shapes[i].columns};

            for (size_t k = 0; k < 3; k++) {
                bench_matmul(kernels, shapes[i].rows, shapes[i].columns, groups[k], shapes[i].total, vectors[j]);
            }
        }
    }
    bench_attend(kernels, 16, 2, 128, 10);
    bench_attend(kernels, 16, 2, 256, 10);
    bench_attend(kernels, 8, 2, 128, 10);
    bench_attend(kernels, 48, 1, 128, 10);
    bench_attend(kernels, 64, 1, 128, 10);
    bench_vectors(kernels, 128);
    bench_vectors(kernels, 32000);
}

int main(int argc, char **argv) {
    if (argc == 1) {
        bench_table(tsws_kernels_choose(false));
    }
    for (int i = 1; i < argc; i++) {
        const tsws_kernels *kernels = tsws_kernels_named(argv[i]);

        if (kernels == NULL) {
            (void)fprintf(stderr, "%s: there is no such table, or not for this processor\n", argv[i]);
            return 1;
        }
        bench_table(kernels);
    }
    return 0;
}
