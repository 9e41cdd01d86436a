#ifndef RUN_CLOCK_H
#define RUN_CLOCK_H

#include "platform.h"

/* Seconds since some moment in the past; they never run backwards. */
double run_seconds(void);

#endif
