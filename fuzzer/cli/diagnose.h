/* SPDX-License-Identifier: MIT */
/* What "shortfuse diagnose" prints; private to fuzzer/cli/cmd_diagnose.c and fuzzer/cli/diagnose_*.c. */
#ifndef SF_DIAGNOSE_H
#define SF_DIAGNOSE_H

#include <jansson.h>
#include <stdio.h>

#include "harness/live/live.h"

struct diagnose_options {
	struct live_options live;
	pid_t pid;	     /* 0: all */
	uint32_t connection; /* 0: all */
	bool json, dot, unwedge, watch;
	double interval_s;
	const char *from;
};

/* Whether the options ask for this connection. */
bool diagnose_wants(const struct live *live, const struct diagnose_options *opt,
		    const struct live_conn *conn);

/* live_look(), with an end: SIGALRM kills us after a minute. Nothing should block; a wait for a task's
 * exec_update_lock, lost in a race, would be killable. */
int diagnose_look(struct live *live, const struct diagnose_options *opt);

void diagnose_text(const struct live *live, const struct diagnose_options *opt,
		   FILE *out);
/* A new reference, NULL: out of memory. */
json_t *diagnose_json(const struct live *live, const struct diagnose_options *opt);
/* One task of a snapshot, a line. */
void diagnose_task_line(const struct snap_task *task, FILE *out);

/* Aborts the wanted, stuck and certain connections. An exit status. */
int diagnose_unwedge(struct live *live, const struct diagnose_options *opt);
int diagnose_watch(struct live *live,
		   const struct diagnose_options *opt); /* an exit status */
int diagnose_from(const struct diagnose_options *opt);	/* an exit status */

#endif
