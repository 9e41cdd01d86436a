#include "processors.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

/* Processors that the process may run on. */
static long usable_processors(void) {
#if defined(__linux__)
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        return CPU_COUNT(&set);
    }
#endif
    return sysconf(_SC_NPROCESSORS_ONLN);
}

/* Processors' worth of time that a container may use, rounded up; 0 where there is no limit. */
static long processor_quota(void) {
    long quota = 0, period = 0;
#if defined(__linux__)
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r"); /* "200000 100000", microseconds, or "max 100000" */

    if (file != NULL) {
        if (fscanf(file, "%ld %ld", &quota, &period) != 2 || quota <= 0 || period <= 0) {
            quota = 0;
        }
        (void)fclose(file);
    }
#endif
    return quota == 0 ? 0 : (quota + period - 1) / period;
}

size_t tsws_processors(void) {
    long usable = usable_processors();
    long quota = processor_quota();

    if (quota > 0 && quota < usable) {
        usable = quota;
    }
    return usable > 1 ? (size_t)usable : 1;
}
