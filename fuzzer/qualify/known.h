/* SPDX-License-Identifier: MIT */
/*
 * Known issues: differences that somebody has accepted, why, and until when. A file of lines
 *
 *	# what             until       why
 *	hangs/exit-flush   2027-01-31  vendor ticket 4711: fixed in the next update
 *	pinned-0c20f42*    2027-06-30  the incident; the reaper aborts the connection
 *
 * The first word is a pattern (fnmatch(3)) of a scenario's name or of a signature.
 */
#ifndef SF_KNOWN_H
#define SF_KNOWN_H

#include <stdbool.h>
#include <stddef.h>

#define KNOWN_MAX 256

struct known_issue {
	char pattern[160], until[12], reason[300];
};

struct known {
	unsigned int n;
	struct known_issue issues[KNOWN_MAX];
};

/* 0; -EINVAL or -E2BIG with "line N: ..." in err[300]. */
int known_parse(const char *text, size_t len, struct known *ret_known, char *err);

/* The same from a file; NULL is an empty one. 0 or -errno with err[300]. */
int known_load(const char *path, struct known *ret_known, char *err);

/*
 * The issue that covers this scenario or signature today ("YYYY-MM-DD"; the last day counts), or NULL. One that
 * would, but is over, goes to *ret_expired, which may be NULL.
 */
const struct known_issue *known_find(const struct known *known, const char *name,
				     const char *signature, const char *today,
				     const struct known_issue **ret_expired);

#endif
