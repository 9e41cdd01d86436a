#include "file.h"

#if defined(_WIN32)
#error "tsws needs a POSIX system: on Windows, build it in WSL (Windows Subsystem for Linux)"
#endif

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Behind a file's end its last page goes on with zeros. AddressSanitizer, where it is, is told that nobody may read them. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IS_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED
#endif
#if defined(IS_SANITIZED)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

static size_t rest_of_page(size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (page - size % page) % page;
}

static tsws_status map_descriptor(int descriptor, const char *path, tsws_file *file, tsws_error *error) {
    struct stat facts;
    void *bytes;

    if (fstat(descriptor, &facts) != 0) {
        return tsws_fail(error, TSWS_ERROR_IO, "%s: can not be read: %s", path, strerror(errno));
    }
    if (!S_ISREG(facts.st_mode)) {
        return tsws_fail(error, TSWS_ERROR_IO, "%s: is not a regular file", path);
    }
    if (facts.st_size <= 0) {
        return tsws_fail(error, TSWS_ERROR_FORMAT, "%s: the file is empty", path);
    }
    if ((uintmax_t)facts.st_size >= SIZE_MAX) {
        return tsws_fail(error, TSWS_ERROR_IO, "%s: the file is too large for this machine", path);
    }
    bytes = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED) {
        return tsws_fail(error, TSWS_ERROR_IO, "%s: can not be mapped: %s", path, strerror(errno));
    }
    file->bytes = bytes;
    file->size = (size_t)facts.st_size;
    ASAN_POISON_MEMORY_REGION(file->bytes + file->size, rest_of_page(file->size));
    return TSWS_OK;
}

tsws_status tsws_file_open(const char *path, tsws_file *file, tsws_error *error) {
    tsws_status status;
    /* O_NONBLOCK: a pipe under this name is refused below, not waited for. */
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (descriptor < 0) {
        return tsws_fail(error, TSWS_ERROR_IO, "%s: can not be opened: %s", path, strerror(errno));
    }
    status = map_descriptor(descriptor, path, file, error);
    (void)close(descriptor); /* the mapping stays */
    return status;
}

void tsws_file_close(tsws_file *file) {
    if (file->bytes != NULL) {
        ASAN_UNPOISON_MEMORY_REGION(file->bytes + file->size, rest_of_page(file->size));
        (void)munmap((void *)(uintptr_t)file->bytes, file->size);
    }
    file->bytes = NULL;
    file->size = 0;
}
