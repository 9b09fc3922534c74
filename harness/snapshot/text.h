/* SPDX-License-Identifier: MIT */
/* A snapshot for people: read top-down, from the verdict to the evidence. */
#ifndef SF_SNAPSHOT_TEXT_H
#define SF_SNAPSHOT_TEXT_H

#include <stdio.h>
#include <sys/types.h>

#include "harness/snapshot/procfs.h"
#include "harness/snapshot/snapshot.h"

/* What others know of it; any string may be NULL and is left out then. Nothing is owned. */
struct snapshot_head {
	const char *verdict, *severity, *rung; /* names */
	const char *reason;		       /* one sentence */
	const char *chain;		       /* lines of explanation.chain */
	const char *signature;		       /* as printed */
	const char *scenario;		       /* its text form */
	const pid_t *roots;		       /* tids that are shown first */
	size_t n_roots;
	const struct dev_holder
		*holders; /* of /dev/fuse, beyond the dev_fd of the tasks themselves */
	size_t n_holders;
};

/* Sections: verdict, reason, why (chain), tasks, requests, connection, holders, kernel log, scenario; empty ones
 * are left out. head may be NULL. 0, or -errno of the stream. */
int snapshot_text(const struct snapshot *snap, const struct snapshot_head *head,
		  FILE *out);

#endif
