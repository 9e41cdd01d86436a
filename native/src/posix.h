/*
 * Included first by every source: -std=c11 hides what POSIX adds (mmap, clock_gettime, getline) and what systems add to
 * that (madvise, sched_getaffinity) unless asked.
 */
#ifndef TSWS_POSIX_H
#define TSWS_POSIX_H

#if defined(_WIN32) && !defined(__CYGWIN__)
#error "tsws needs POSIX (mmap, pthreads), which Windows has not: build it inside WSL"
#endif

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#if defined(__APPLE__) && !defined(_DARWIN_C_SOURCE)
#define _DARWIN_C_SOURCE
#endif

#endif
