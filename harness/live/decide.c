/* SPDX-License-Identifier: MIT */
/* Stuck, or only waiting for a slow server: decided for each connection. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

/* Living processes that may serve this connection, for all that is known. */
static unsigned int possible_servers(const struct live *live, uint32_t number,
				     bool blocked)
{
	unsigned int n = 0;

	for (size_t i = 0; i < live->n_servers; i++) {
		const struct live_server *sv = &live->servers[i];

		if (sv->dying || (sv->sure == SURE_YES && sv->conn != number))
			continue;
		n += !blocked || (sv->blocked && sv->conn == number);
	}
	return n;
}

static bool is_stuck(const struct live *live, const struct live_options *opt,
		     const struct live_task *lt, struct live_conn *conn)
{
	unsigned int possible = possible_servers(live, conn->number, false);
	const char *signal =
		lt->task.flags & PF_EXITING ? "is exiting" : "was sent SIGKILL";

	/* A server may be handed over, or hide its device: even "nobody" gets its time, where time is known. */
	bool long_enough = lt->age_s < 0 || lt->age_s >= opt->killed_s;

	if (live->whole_machine && !possible && long_enough)
		snprintf(conn->why, sizeof(conn->why),
			 "no living process holds /dev/fuse for this connection: nobody "
			 "can answer");
	else if (live->whole_machine && long_enough &&
		 possible == possible_servers(live, conn->number, true))
		snprintf(conn->why, sizeof(conn->why),
			 "every thread of its server waits for FUSE itself: nobody can "
			 "answer");
	else if (lt->dying && lt->age_s >= opt->killed_s)
		snprintf(conn->why, sizeof(conn->why),
			 "process %d %s and has not moved for %.1f s", lt->task.pid,
			 signal, lt->age_s);
	else if (lt->age_s >= opt->age_s)
		snprintf(conn->why, sizeof(conn->why),
			 "process %d has not moved for %.1f s", lt->task.pid, lt->age_s);
	else
		return false;
	return true;
}

static void why_not(const struct live_options *opt, struct live_conn *conn)
{
	if (conn->oldest_s >= 0)
		snprintf(conn->why, sizeof(conn->why),
			 "waiting for %.1f s, which a slow server may take; stuck from "
			 "%.0f s on (--age)",
			 conn->oldest_s, opt->age_s);
	else
		snprintf(conn->why, sizeof(conn->why),
			 "this kernel does not tell for how long (no /proc/PID/sched): "
			 "look again later, or --watch");
}

static int by_state(const void *a, const void *b)
{
	const struct live_conn *x = a, *y = b;

	if (x->state != y->state)
		return (int)y->state - (int)x->state;
	return x->number < y->number ? -1 : x->number > y->number;
}

/* The worst state that a task attributed this surely gives (at most this surely: SURE_MAYBE and SURE_NO). */
static enum live_state decide_by(const struct live *live, const struct live_options *opt,
				 struct live_conn *conn, enum live_sure sure)
{
	enum live_state state = LIVE_QUIET;

	for (size_t i = 0; i < live->n_tasks; i++) {
		const struct live_task *lt = &live->tasks[i];

		if (lt->conn != conn->number || !live_is_request(lt) ||
		    (lt->sure == SURE_YES) != (sure == SURE_YES))
			continue;
		if (is_stuck(live, opt, lt, conn))
			return LIVE_STUCK;
		state = LIVE_WAITING;
	}
	return state;
}

void live_decide(struct live *live, const struct live_options *opt)
{
	for (size_t i = 0; i < live->n_conns; i++) {
		struct live_conn *conn = &live->conns[i];

		conn->state = decide_by(live, opt, conn, SURE_YES);
		conn->sure = conn->state != LIVE_QUIET;
		/* What is only presumed here must not make certain what is. */
		if (conn->state != LIVE_STUCK) {
			enum live_state state = decide_by(live, opt, conn, SURE_MAYBE);

			if (state > conn->state) {
				conn->state = state;
				conn->sure = false;
			}
		}
		if (conn->state == LIVE_WAITING)
			why_not(opt, conn);
	}
	qsort(live->conns, live->n_conns, sizeof(*live->conns), by_state);
}
