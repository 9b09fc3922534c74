/* SPDX-License-Identifier: MIT */
/*
 * Runs a program that may leave tasks which nothing kills, and leaves nobody behind.
 *
 * The FUSE connections of the program are known by their owner (harness/executor/leftovers.h): the caller sees to it
 * that its mounts carry try_owner(). When the program ends, runs out of time, or SIGINT, SIGTERM or SIGHUP
 * comes, it and whoever it started is killed and waited for, and just these connections are aborted if that takes them.
 * A shortfuse that is killed meanwhile leaves them to the next start, which finds them by their dead owner.
 */
#ifndef SF_TRY_RUN_H
#define SF_TRY_RUN_H

#include <stddef.h>
#include <stdio.h>

#include "harness/executor/leftovers.h"

#define TRY_EXIT_MARK "REPRO-EXIT "

struct try_run {
	const char *const *argv; /* argv[0] is a path */
	const int *fds;		 /* become 3, 4, ... in the program */
	size_t n_fds;
	int limit_ms;
	FILE *out; /* for what the program writes; NULL: standard output */
	/* Called when the program runs, or cannot: its file is not needed any more. May be NULL. */
	void (*started)(void *ctx);
	void *ctx;
	int mark; /* out: what stood behind TRY_EXIT_MARK at the start of a line; or as it was */
};

/* What user_id and group_id are to be. 0 or -errno. */
int try_owner(struct owner *ret);

/* Aborts what killed runs have left. Needs root; otherwise nothing happens. */
void try_clean(void);

/*
 * Lines of the program go to out, but the mark. Its exit status; -ETIMEDOUT; -EINTR: a signal came;
 * -ECHILD: it was killed; -EBUSY: tasks of it are left that nothing ends; another -errno: it could not be started.
 */
int try_run(struct try_run *run);

#endif
