/* Included first by every source of the program: -std=c11 hides what POSIX adds unless asked. */
#ifndef RUN_PLATFORM_H
#define RUN_PLATFORM_H

#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif

#endif
