/* Large blocks of memory. */
#ifndef TSWS_MEMORY_H
#define TSWS_MEMORY_H

#include "posix.h"

#include <stddef.h>

enum { TSWS_ALIGNMENT = 64 }; /* a cache line, and the widest vector */

/*
 * `size` bytes, aligned to TSWS_ALIGNMENT, on huge pages as far as whole ones fit in and the system has them; to be
 * freed with free(). NULL when there is not so much.
 */
void *tsws_memory_allocate(size_t size);

/*
 * Says that what lies within `bytes`, a part of a read-only mapped file, will not be needed soon: memory
 * for it is given back, and it is read again when it is used after all.
 */
void tsws_memory_drop(const void *bytes, size_t size);

#endif
