/* SPDX-License-Identifier: MIT */
/*
 * What a flagged run shows, cause by cause: its verdict with each of its roots is a signature.
 *
 * Runs with several independent hangs combine few causes to many sets; what counts is whether one of them is new.
 */
#ifndef SF_CAUSES_H
#define SF_CAUSES_H

#include <stddef.h>
#include <stdint.h>

#include "harness/protocol/result.h"

#define CAUSES_MAX 16 /* of one run; the rest of a larger set is left out */
#define CAUSE_TEXT 160

struct cause {
	uint64_t signature; /* of the verdict with this cause alone */
	char text
		[CAUSE_TEXT]; /* "worker fuse_flush exit_files"; "" where nothing explains the run */
};

struct causes {
	unsigned int n; /* 0 for a run that is not flagged, else at least 1 */
	struct cause list[CAUSES_MAX];
};

/* From the details of the result; without any the run's own signature is its only cause. */
void causes_of(const struct result *res, struct causes *ret);
/* A run with one cause gets the signature of that: the same as it had, or one that tells what hangs with it. */
void causes_sign(struct result *res, const struct causes *causes);
/* "one; two"; what does not fit is left out whole. */
void causes_format(const struct causes *causes, char *buf, size_t size);
/* Its index, or -1. */
int causes_find(const struct causes *causes, const char *text);

#endif
