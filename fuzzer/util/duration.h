/* SPDX-License-Identifier: MIT */
/* Lengths of time as a user types them: 90, 90s, 10m, 8h, 2d. */
#ifndef SF_DURATION_H
#define SF_DURATION_H

/* Seconds, >= 0, or -EINVAL. */
long duration_parse(const char *text);
/* "0:01:30", "26:00:00". */
void duration_format(long seconds, char out[32]);

#endif
