/* SPDX-License-Identifier: MIT */
/*
 * Makes the runs of a qualification: every cell its first k, then more where a row is not decided. A column's kernel
 * is booted for its turn and ended after it; jobs of it run rows side by side, a row's runs are made by one job.
 */
#ifndef SF_MATRIX_H
#define SF_MATRIX_H

#include <signal.h>

#include "judge.h"

struct matrix {
	struct qualification *q;
	const struct judge *judge;
	int dir_fd; /* qualify.json, columns/SLUG/findings/ */
	unsigned int jobs;
	bool verbose;
	const volatile sig_atomic_t *stop;
	/* A line for a person now and then; NULL: none. */
	void (*tell)(const char *line);
};

/*
 * 0 when every row is decided, or the runs are spent, or it was stopped; -errno: the results cannot be written.
 * A kernel that cannot be used is told in its column's error.
 */
int matrix_run(struct matrix *matrix);

/* The folder of a column, made if it has to be. >= 0 or -errno. */
int matrix_column_dir(const struct matrix *matrix, unsigned int column);

#endif
