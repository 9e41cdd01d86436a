#include "kernels.h"

const tsws_kernels *tsws_kernels_choose(void) {
    return &tsws_kernels_portable;
}
