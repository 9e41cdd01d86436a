/* Included first by every source: -std=c11 hides what POSIX adds (mmap, clock_gettime, getline) unless asked. */
#ifndef TSWS_POSIX_H
#define TSWS_POSIX_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#endif
