/* How many processors this process may use. */
#ifndef TSWS_PROCESSORS_H
#define TSWS_PROCESSORS_H

#include "posix.h"

#include <stddef.h>

/* At least 1: what the system has, less where it keeps the process to some of them or to a share of their time. */
size_t tsws_processors(void);

#endif
