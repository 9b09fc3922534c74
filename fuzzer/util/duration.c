/* SPDX-License-Identifier: MIT */
/* Parses and prints lengths of time. */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duration.h"

long duration_parse(const char *text)
{
	static const char units[] = "smhd";
	static const long seconds[] = {1, 60, 3600, 86400};
	const char *unit;
	char *end;
	long n;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || n > 100000000)
		return -EINVAL;
	if (!*end)
		return n;
	unit = strchr(units, *end);
	if (!unit || end[1])
		return -EINVAL;
	return n * seconds[unit - units];
}

void duration_format(long seconds, char out[32])
{
	snprintf(out, 32, "%ld:%02ld:%02ld", seconds / 3600, seconds / 60 % 60,
		 seconds % 60);
}
