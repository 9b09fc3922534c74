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
	bool json, dot, unwedge, watch, anyway;
	double interval_s;
	const char *from, *textfile, *snapshot;
};

/* Whether the options ask for this connection: for itself, or as the cause of one that they ask for. */
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

/* Stalled or wedged: status 1. */
bool diagnose_flags(const struct live_conn *conn);
/* The whole wait-for graph, over all connections that are wanted. 0 or -errno of the stream. */
int diagnose_dot(const struct live *live, const struct diagnose_options *opt, FILE *out);
/* For the text file collector of node_exporter: replaces opt->textfile at once. 0, or -errno with a line on stderr. */
int diagnose_textfile(const struct live *live, const struct diagnose_options *opt,
		      double look_s);
/* The JSON without paths, mount points and addresses to opt->snapshot. As above. */
int diagnose_snapshot(struct live *live, const struct diagnose_options *opt);

/* Aborts the wanted and wedged connections, causes only, each looked at again just before; or the one of --anyway. An
 * exit status. */
int diagnose_unwedge(struct live *live, const struct diagnose_options *opt);
int diagnose_watch(struct live *live,
		   const struct diagnose_options *opt); /* an exit status */
int diagnose_from(const struct diagnose_options *opt);	/* an exit status */

#endif
