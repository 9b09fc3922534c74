/* SPDX-License-Identifier: MIT */
/* Reads the clock that nobody sets. */

#include <time.h>

#include "clock.h"

int64_t clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

long clock_seconds(void)
{
	return (long)(clock_ms() / 1000);
}
