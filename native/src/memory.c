#include "memory.h"

#include "size.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HUGE_PAGE = 2 << 20 };

void *tsws_memory_allocate(size_t size) {
    size_t alignment = size < HUGE_PAGE ? TSWS_ALIGNMENT : HUGE_PAGE;
    void *block = NULL;

    /* PTRDIFF_MAX: more than that, malloc must refuse, and some sanitizers and compilers complain first. */
    if (size > (size_t)PTRDIFF_MAX - HUGE_PAGE || posix_memalign(&block, alignment, size) != 0) {
        return NULL;
    }
#if defined(MADV_HUGEPAGE)
    if (size >= HUGE_PAGE) {
        /* Not the rest: a huge page that is used a little is memory wasted. */
        (void)madvise(block, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
    }
#endif
    return block;
}

void tsws_memory_drop(const void *bytes, size_t size) {
#if defined(MADV_DONTNEED)
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = (uintptr_t)bytes / page * page;

    /* Pages at the ends may hold neighbours, which lose nothing but time. */
    (void)madvise((void *)first, (uintptr_t)bytes + size - first, MADV_DONTNEED); /* NOLINT: the address is the map's */
#else
    (void)bytes;
    (void)size;
#endif
}
