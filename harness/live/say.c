/* SPDX-License-Identifier: MIT */
/* Sentences about connections: what explain_snapshot() cannot know, for it sees one connection only. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/explain/waits.h"
#include "parts.h"

static void __attribute__((format(printf, 3, 4)))
append(char *out, size_t size, const char *fmt, ...)
{
	size_t used = strlen(out);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + used, size - used, fmt, ap);
	va_end(ap);
}

/* The thread by which the server of conn waits for other. */
static const struct live_thread *blocked_on(const struct live *live,
					    const struct live_server *sv, uint32_t other)
{
	for (size_t i = 0; i < sv->n_threads; i++) {
		const struct live_thread *th = &live->threads[sv->first_thread + i];

		if (th->does == THREAD_BLOCKED && live->tasks[th->task].conn == other)
			return th;
	}
	return NULL;
}

/* "server process 12 (bindfs) waits for connection 41 (fuse_file_open)" */
static void say_link(const struct live *live, const struct live_conn *conn, char *out,
		     size_t size)
{
	const struct live_server *sv = live_server_of(live, conn->number);
	const struct live_thread *th = sv ? blocked_on(live, sv, conn->behind) : NULL;
	char frame[SNAP_NAME];

	if (!th)
		return;
	wait_frame(&live->tasks[th->task].task, frame, sizeof(frame));
	append(out, size, "server process %d (%s) waits", sv->pid, sv->comm);
	if (th->via)
		append(out, size, " for process %d (%s), which waits", th->via,
		       live->tasks[th->task].task.comm);
	append(out, size, " for connection %u (%s)", conn->behind, frame);
}

static void say_cycle(const struct live *live, struct live_conn *conn)
{
	const struct live_conn *at = conn;

	append(conn->reason, sizeof(conn->reason), "a cycle over several connections: ");
	do {
		if (at != conn)
			append(conn->reason, sizeof(conn->reason), ", ");
		append(conn->reason, sizeof(conn->reason), "of connection %u, ",
		       at->number);
		say_link(live, at, conn->reason, sizeof(conn->reason));
		at = live_conn_find(live, at->behind);
	} while (at && at != conn && strlen(conn->reason) < sizeof(conn->reason) - 90);
}

/* The server waits for its own mount. */
static void say_self(const struct live *live, struct live_conn *conn)
{
	const struct live_server *sv = live_server_of(live, conn->number);
	const struct live_thread *th = sv ? blocked_on(live, sv, conn->number) : NULL;
	const struct live_task *lt = th ? &live->tasks[th->task] : NULL;
	char frame[SNAP_NAME];

	if (!lt)
		return;
	wait_frame(&lt->task, frame, sizeof(frame));
	append(conn->reason, sizeof(conn->reason),
	       "server process %d (%s) waits for its own mount: ", sv->pid, sv->comm);
	if (th->via)
		append(conn->reason, sizeof(conn->reason),
		       "%s (pid %d), its child or the other end of its pipe,",
		       lt->task.comm, th->via);
	else
		append(conn->reason, sizeof(conn->reason), "thread %d", th->tid);
	append(conn->reason, sizeof(conn->reason), " waits for %s (%s)",
	       lt->wait == WAIT_REPLY ? "the reply to its own request"
				      : wait_noun(lt->wait),
	       frame);
	append(conn->reason, sizeof(conn->reason),
	       ": a cycle, only process %d could answer", sv->pid);
}

static void say_unknown(const struct live *live, struct live_conn *conn)
{
	const struct snap_task *task = &conn->snap.tasks[0];
	char frame[SNAP_NAME];
	const char *phase = exit_phase(task);
	unsigned int n = 0;

	wait_frame(task, frame, sizeof(frame));
	append(conn->reason, sizeof(conn->reason),
	       "%s%s (pid %d)%s waits for FUSE (%s), on which connection cannot be told",
	       task->flags & PF_KTHREAD ? "kernel thread " : "", task->comm, task->pid,
	       !strncmp(phase, "exit", 4) ? " is exiting and" : "", frame);
	for (size_t i = 0; i < live->n_conns; i++)
		if (live->conns[i].unseen > 0)
			append(conn->reason, sizeof(conn->reason), "%s%u",
			       n++ ? ", " : "; requests that are nobody else's: on ",
			       live->conns[i].number);
}

static void say_reason(const struct live *live, struct live_conn *conn)
{
	const struct live_server *sv = live_server_of(live, conn->number);

	if (!conn->number) {
		say_unknown(live, conn);
	} else if (conn->in_cycle) {
		say_cycle(live, conn);
	} else if (conn->behind && conn->behind != conn->number) {
		say_link(live, conn, conn->reason, sizeof(conn->reason));
		append(conn->reason, sizeof(conn->reason), ": the cause is there");
	} else if (conn->behind && !(sv && sv->does[THREAD_READS]) &&
		   conn->ex.reason[0] && !strstr(conn->ex.reason, "a cycle") &&
		   !strstr(conn->ex.reason, "dying")) {
		say_self(live, conn);
	} else if (!conn->n_tasks) {
		append(conn->reason, sizeof(conn->reason),
		       "%d requests that no task waits for: the kernel's own (read "
		       "ahead, "
		       "write back), or of tasks that were killed",
		       conn->unseen);
		if (sv && sv->stopped)
			append(conn->reason, sizeof(conn->reason),
			       "; its server, process %d (%s), is stopped", sv->pid,
			       sv->comm);
	} else {
		append(conn->reason, sizeof(conn->reason), "%s", conn->ex.reason);
	}
}

static void say_wedged(const struct live *live, struct live_conn *conn)
{
	const struct live_server *sv = live_server_of(live, conn->number);

	if (!sv)
		append(conn->why, sizeof(conn->why),
		       "no living process holds /dev/fuse for this connection: nobody "
		       "can "
		       "answer");
	else if (sv->dying)
		append(conn->why, sizeof(conn->why),
		       "process %d, the last that holds its /dev/fuse, is dying: nobody "
		       "can "
		       "answer",
		       sv->pid);
	else if (!conn->behind || conn->behind == conn->number)
		append(conn->why, sizeof(conn->why),
		       "every thread of its server waits for this connection itself, or "
		       "for "
		       "a thread that does: nobody can answer");
	else
		append(conn->why, sizeof(conn->why),
		       "every thread of its server waits for wedged connections (%u), or "
		       "for a thread that does: nobody can answer",
		       conn->behind);
}

static const char *seconds(double s, char *buf)
{
	if (s < 0)
		return "some time";
	snprintf(buf, 24, "%.1f s", s);
	return buf;
}

/* Another process that holds the device, lives, and does not read from it: it is why nothing is proved. */
static const struct live_server *bystander_of(const struct live *live,
					      const struct live_conn *conn,
					      const struct live_server *server)
{
	for (size_t i = 0; i < live->n_servers; i++) {
		const struct live_server *sv = &live->servers[i];

		if (sv != server && sv->conn == conn->number && !sv->dying &&
		    !sv->does[THREAD_BLOCKED] && !sv->does[THREAD_READS])
			return sv;
	}
	return NULL;
}

/* Why it may not be called wedged. */
static void say_doubt(const struct live *live, const struct live_options *opt,
		      struct live_conn *conn)
{
	const struct live_server *sv = live_server_of(live, conn->number);
	const struct live_server *other = bystander_of(live, conn, sv);
	char *out = conn->why;
	size_t size = sizeof(conn->why);

	if (!conn->number)
		return;
	if (sv && sv->stopped)
		append(out, size, ": its server, process %d, is stopped: continue it",
		       sv->pid);
	else if (sv && sv->does[THREAD_READS])
		append(out, size,
		       ": its server, process %d, lives and has threads without work",
		       sv->pid);
	else if (sv && sv->does[THREAD_BLOCKED] && other)
		append(out, size,
		       ": its server, process %d, waits for FUSE; process %d (%s), which "
		       "holds its /dev/fuse too, might answer",
		       sv->pid, other->pid, other->comm);
	else if (sv && sv->does[THREAD_BLOCKED] && sv->does[THREAD_TIMER])
		append(out, size,
		       ": threads of its server, process %d, tick on timers: wedged from "
		       "%.0f "
		       "s on (--patience)",
		       sv->pid, opt->patience_s);
	else if (sv)
		append(out, size, ": its server, process %d, lives", sv->pid);
	else if (!live->whole_machine)
		append(out, size, ": its server may be outside of this pid namespace");
	else if (!live->holders_known)
		append(out, size,
		       ": this kernel does not tell who serves it; look at its server");
	else
		append(out, size,
		       ": nobody is seen to hold its /dev/fuse, but it may be in "
		       "flight between processes");
}

static void say_why(const struct live *live, const struct live_options *opt,
		    struct live_conn *conn)
{
	char buf[24];

	if (conn->state == LIVE_WEDGED) {
		say_wedged(live, conn);
	} else if (conn->state == LIVE_STALLED) {
		append(conn->why, sizeof(conn->why), "no answer for %s",
		       seconds(conn->oldest_s, buf));
		say_doubt(live, opt, conn);
	} else if (conn->only_locks) {
		append(conn->why, sizeof(conn->why),
		       "waiting for a file lock for %s: as long as its owner likes",
		       seconds(conn->oldest_s, buf));
	} else if (conn->moves) {
		append(conn->why, sizeof(conn->why),
		       "waiting for %s, but it moves: requests come and go, or its "
		       "server "
		       "works",
		       seconds(conn->oldest_s, buf));
	} else if (conn->oldest_s >= 0) {
		append(conn->why, sizeof(conn->why),
		       "waiting for %s, which a slow server may take; stalled from %.0f "
		       "s on "
		       "(--age)",
		       seconds(conn->oldest_s, buf), opt->age_s);
	} else {
		append(conn->why, sizeof(conn->why),
		       "for how long is not known: look again later, or --watch");
	}
}

void live_say(struct live *live, const struct live_options *opt)
{
	for (size_t i = 0; i < live->n_conns; i++) {
		struct live_conn *conn = &live->conns[i];

		say_reason(live, conn);
		say_why(live, opt, conn);
		if (conn->state == LIVE_WEDGED && !conn->named) {
			const char *by =
				live_server_of(live, conn->number)
					? "its holders, by their fdinfo"
					: "it has requests, and no holder is left";

			snprintf(conn->sure_by, sizeof(conn->sure_by), "%s", by);
		}
	}
}
