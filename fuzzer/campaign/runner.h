/* SPDX-License-Identifier: MIT */
/* A target that is kept usable: opened late, reset after a poison or a death, opened
 * again when lost. */
#ifndef SF_RUNNER_H
#define SF_RUNNER_H

#include "targets/target.h"

struct runner {
	struct target_options options;
	struct target *target;	  /* NULL: not open */
	unsigned int failures;	  /* in a row */
	unsigned int unanswered;  /* runs in a row that gave infra */
	unsigned int reset_every; /* runs; 0: only when it has to be */
	unsigned int since_reset; /* runs since it was opened or reset */
	uint64_t runs, infra, resets;
	uint64_t busy_us; /* of this machine's time that runs took, resets not included */
	int stop_fd; /* readable: a target that cannot be had is not tried again; -1: none */
	char error[300]; /* why runner_run() failed */
};

void runner_init(struct runner *runner, const struct target_options *options);
void runner_release(struct runner *runner);
/* Opens the target now, so that what is missing is said before anything is started. 0 or
 * -errno. */
int runner_open(struct runner *runner);
/*
 * 0 with *ret_res filled (infra included); -errno: the target cannot be had any more,
 * error says why. After a poison *ret_res is the answer all the same.
 */
int runner_run(struct runner *runner, const struct scenario *scn, uint32_t flags,
	       struct result *ret_res);

#endif
