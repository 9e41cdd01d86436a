/* How fast memory can be read: bandwidth BYTES THREADS SECONDS prints bytes a second.
 *
 * Every thread reads its own part of a buffer of so many bytes, again and again, with nothing to do but to add.
 * What a program that has to read so many bytes for each token can not exceed. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MOST_THREADS = 64, STREAMS = 8 };

typedef uint64_t wide __attribute__((vector_size(64)));

struct part {
    const wide *start;
    size_t count; /* a multiple of STREAMS */
    double seconds;
    pthread_barrier_t *gate;
    double passes_a_second;
    wide sum; /* kept, or a compiler would leave the reading out */
};

static double now(void) {
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static wide add_up(const wide *start, size_t count) {
    wide sums[STREAMS] = {{0}};

    for (size_t i = 0; i < count; i += STREAMS) {
        for (size_t lane = 0; lane < STREAMS; lane++) {
            sums[lane] += start[i + lane];
        }
    }
    for (size_t lane = 1; lane < STREAMS; lane++) {
        sums[0] += sums[lane];
    }
    return sums[0];
}

static void *work(void *argument) {
    struct part *part = argument;
    double begin, elapsed;
    size_t passes = 0;

    part->sum += add_up(part->start, part->count); /* into the caches */
    (void)pthread_barrier_wait(part->gate);
    begin = now();
    do {
        part->sum += add_up(part->start, part->count);
        __asm__ volatile("" ::: "memory"); /* every pass reads anew */
        passes++;
        elapsed = now() - begin;
    } while (elapsed < part->seconds);
    part->passes_a_second = (double)passes / elapsed;
    return NULL;
}

int main(int argc, char **argv) {
    size_t bytes = argc == 4 ? strtoull(argv[1], NULL, 10) : 0;
    size_t threads = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
    struct part parts[MOST_THREADS];
    pthread_t ids[MOST_THREADS];
    pthread_barrier_t gate;
    size_t count;
    wide *buffer;
    double total = 0.0;

    if (threads == 0 || threads > MOST_THREADS || bytes < threads * STREAMS * sizeof(wide)) {
        (void)fprintf(stderr, "usage: bandwidth BYTES THREADS SECONDS\n");
        return EXIT_FAILURE;
    }
    count = bytes / threads / sizeof(wide) / STREAMS * STREAMS;
    buffer = aligned_alloc(4096, (threads * count * sizeof(wide) + 4095) / 4096 * 4096);
    if (buffer == NULL || pthread_barrier_init(&gate, NULL, (unsigned)threads) != 0) {
        (void)fprintf(stderr, "bandwidth: memory is short\n");
        return EXIT_FAILURE;
    }
    memset(buffer, 1, threads * count * sizeof(wide));
    for (size_t i = 0; i < threads; i++) {
        parts[i] = (struct part){buffer + i * count, count, strtod(argv[3], NULL), &gate, 0.0, {0}};
        if (pthread_create(&ids[i], NULL, work, &parts[i]) != 0) {
            (void)fprintf(stderr, "bandwidth: a thread can not be started\n");
            return EXIT_FAILURE;
        }
    }
    for (size_t i = 0; i < threads; i++) {
        (void)pthread_join(ids[i], NULL);
        total += parts[i].passes_a_second * (double)(count * sizeof(wide));
        buffer[0] += parts[i].sum;
    }
    (void)fprintf(stderr, "%llu\n", (unsigned long long)buffer[0][0]);
    (void)printf("%.0f\n", total);
    free(buffer);
    return EXIT_SUCCESS;
}
