/* SPDX-License-Identifier: MIT */
/* The time that passes, whatever is done to the date: CLOCK_BOOTTIME of clock_gettime(2), sleep of the machine included. */
#ifndef SF_CLOCK_H
#define SF_CLOCK_H

#include <stdint.h>

/* Since this machine was booted. */
int64_t clock_ms(void);
long clock_seconds(void);

#endif
