/* SPDX-License-Identifier: MIT */
/*
 * The fuzzing part of a qualification: a campaign on every kernel, baselines first. Each starts with the corpus and
 * with what the campaigns before it queued; what it finds becomes rows, which the matrix then runs on all kernels.
 */
#ifndef SF_FUZZING_H
#define SF_FUZZING_H

#include "matrix.h"

#define FOUND_MAX 40 /* rows taken of one campaign, bugs first */

struct fuzzing {
	struct matrix *matrix;
	const char *dir;	   /* of the qualification */
	const char *program_dir;   /* of shortfuse-afl */
	const char *const *corpus; /* files and folders, ends with NULL */
	/* Where a signal handler writes to end the campaign (eventfd), -1 between them. */
	volatile int *stop_fd;
};

/* 0, also where a kernel cannot be fuzzed (its column's error says why); -errno: the results cannot be written. */
int fuzzing_run(struct fuzzing *fuzzing);

#endif
