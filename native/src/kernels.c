#include "kernels.h"

#include <string.h>

/* A table, or NULL where the processor can not run it. Declared here: nobody else should ask past tsws_kernels_choose. */
const tsws_kernels *tsws_kernels_avx512(void);
const tsws_kernels *tsws_kernels_avx2(void);
const tsws_kernels *tsws_kernels_neon(void);

/* All tables that this processor can run, the best first. */
enum { MOST_KERNELS = 4 };

static size_t list_kernels(const tsws_kernels *tables[MOST_KERNELS]) {
    size_t count = 0;

#if defined(__x86_64__)
    if ((tables[count] = tsws_kernels_avx512()) != NULL) {
        count++;
    }
    if ((tables[count] = tsws_kernels_avx2()) != NULL) {
        count++;
    }
#endif
#if defined(__aarch64__)
    tables[count++] = tsws_kernels_neon();
#endif
    tables[count++] = &tsws_kernels_portable;
    return count;
}

const tsws_kernels *tsws_kernels_choose(bool exact) {
    const tsws_kernels *tables[MOST_KERNELS];

    (void)list_kernels(tables);
    return exact ? &tsws_kernels_portable : tables[0];
}

const tsws_kernels *tsws_kernels_named(const char *name) {
    const tsws_kernels *tables[MOST_KERNELS];
    size_t count = list_kernels(tables);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(tables[i]->name, name) == 0) {
            return tables[i];
        }
    }
    return NULL;
}
