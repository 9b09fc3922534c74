/* SPDX-License-Identifier: MIT */
/* The one sentence: who waits for what, and why nobody will ever end that wait. */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "roots.h"

struct text {
	char *buf;
	size_t size, used;
};

static void __attribute__((format(printf, 2, 3)))
say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->used >= t->size)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->used, t->size - t->used, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->used += (size_t)n;
}

static void say_daemon(const struct view *view, struct text *t)
{
	pid_t pid = view->snap->conn.daemon_pid;

	if (pid)
		say(t, "the daemon (pid %d)", pid);
	else
		say(t, "the server");
}

/* Why a request that nobody has read stays unread. */
static void say_unread(const struct view *view, const struct task_view *tv,
		       struct text *t)
{
	pid_t pid = view->snap->conn.daemon_pid;
	bool own = view_serves(view, tv->task);

	switch (view->daemon) {
	case DAEMON_DYING:
		say(t, "; only process %d could answer, and it is dying", pid);
		break;
	case DAEMON_BUSY:
		say(t,
		    own ? "; only process %d could answer, and all its threads are stuck"
			: "; all threads of process %d, the only one that could answer, "
			  "are stuck",
		    pid);
		break;
	case DAEMON_STOPPED:
		say(t, "; process %d, the only one that could answer, is stopped", pid);
		break;
	case DAEMON_GONE:
		if (view->snap->conn.waiting > 0)
			say(t,
			    "; the daemon (pid %d) is gone, but something that cannot "
			    "die "
			    "still holds its /dev/fuse",
			    pid);
		else
			say(t, "; the daemon (pid %d) is gone", pid);
		break;
	case DAEMON_ALIVE:
		if (view->snap->conn.ledger)
			say(t, ", which the living daemon (pid %d) has never read", pid);
		else if (pid)
			say(t, "; process %d serves this connection and has not answered",
			    pid);
		break;
	default:
		say(t, "; nobody is known who could answer");
	}
}

static void say_request_fate(const struct view *view, const struct task_view *tv,
			     struct text *t)
{
	const struct snap_task *server;

	if (!tv->req) {
		say_unread(view, tv, t);
		return;
	}
	say(t, ", which ");
	if (view->snap->conn.daemon_pid && tv->task->pid == view->snap->conn.daemon_pid)
		say(t, "thread %d of the same process", tv->req->server);
	else
		say_daemon(view, t);
	switch (tv->req->state) {
	case LEDGER_HELD:
		say(t, " read and withholds");
		break;
	case LEDGER_DROPPED:
		say(t, " read and dropped");
		break;
	default:
		server = snapshot_task(view->snap, tv->req->server);
		say(t, " read and has not answered");
		if (!server || (server->flags & 0x4))
			say(t, ": the thread that read it, %d, is %s", tv->req->server,
			    server ? "exiting" : "gone");
		break;
	}
	if (view->daemon == DAEMON_GONE)
		say(t, "; the daemon is gone, but something that cannot die still holds "
		       "its /dev/fuse");
	else if (view->daemon == DAEMON_DYING)
		say(t, view_serves(view, tv->task) ? "; the process is dying"
						   : "; it is dying itself");
	else if (view->daemon == DAEMON_STOPPED)
		say(t, "; it is stopped");
}

static const char *verb_of(const struct task_view *tv)
{
	if (view_exiting(tv))
		return "is exiting and waits for";
	if (!strcmp(tv->phase, "exec"))
		return "is in execve and waits for";
	return "waits for";
}

/* Waits for a page: the request is the kernel's own. */
static void say_page(const struct view *view, const struct task_view *tv, struct text *t)
{
	char request[64];

	say(t, "%s (%s)", wait_noun(tv->wait), tv->frame);
	if (!tv->req) {
		if (tv->wait == WAIT_WRITEBACK && view->snap->conn.ledger)
			say(t, "; the kernel's own WRITE was not read");
		else if (tv->wait == WAIT_WRITEBACK)
			say(t, ", that is for the reply to a WRITE of the kernel");
		else if (tv->wait == WAIT_FOLIO_LOCK && wait_to_write(tv->task))
			say(t, " that it is to write");
		else if (tv->wait == WAIT_FOLIO_LOCK && !view->snap->conn.ledger &&
			 !wait_for_migration(tv->task))
			say(t, ", that is for the reply to a READ under way");
		if (view->daemon != DAEMON_ALIVE)
			say_unread(view, tv, t);
		return;
	}
	view_request_name(tv, request, sizeof(request));
	say(t, "; it depends on %s%s", tv->req->pid == tv->task->tid ? "its own " : "",
	    request);
	say_request_fate(view, tv, t);
}

/* A root that is held up all the same closes a cycle. */
static void say_cycle(const struct view *view, const struct task_view *tv, struct text *t)
{
	const struct task_view *owner = &view->t[tv->holder];
	char name[64], request[64];

	view_task_name(view, owner->task, name, sizeof(name));
	say(t, "%s (%s) behind %s", wait_noun(tv->wait), tv->frame, name);
	if (owner->wait == WAIT_REPLY) {
		view_request_name(owner, request, sizeof(request));
		say(t, ", which waits for the reply to its own %s", request);
	}
	say(t, ": a cycle, only process %d could answer", tv->task->pid);
}

static void say_root(const struct view *view, const struct task_view *tv, struct text *t)
{
	const struct snap_task *notifier;
	char name[64], request[64];

	view_task_name(view, tv->task, name, sizeof(name));
	if (view_notify(view, &notifier) && notifier == tv->task)
		say(t, "%s is stuck in its own %s and waits for ", name,
		    view_notify(view, NULL));
	else
		say(t, "%s %s ", name, verb_of(tv));
	if (tv->holder >= 0) {
		say_cycle(view, tv, t);
		return;
	}
	switch (tv->wait) {
	case WAIT_REPLY:
		view_request_name(tv, request, sizeof(request));
		say(t, "the reply to its own %s", request);
		say_request_fate(view, tv, t);
		break;
	case WAIT_INIT_REPLY:
		say(t, "permission to send a request (%s)", tv->frame);
		if (tv->req) {
			view_request_name(tv, request, sizeof(request));
			say(t, " until %s is answered", request);
			say_request_fate(view, tv, t);
		} else {
			say(t, ": INIT is not answered, or too many background requests "
			       "are under way");
		}
		break;
	case WAIT_MEMBERS:
		say(t,
		    "every member of its pid namespace, though none is visible any more");
		break;
	case WAIT_UNKNOWN:
		say(t, "something unknown in %s",
		    tv->frame[0] ? tv->frame : "an unreadable stack");
		break;
	default:
		if (wait_needs(tv->wait) || tv->wait == WAIT_WRITEBACK)
			say_page(view, tv, t);
		else
			say(t, "%s (%s)", wait_noun(tv->wait), tv->frame);
		if (!tv->req && wait_needs(tv->wait) &&
		    (tv->wait != WAIT_FOLIO_LOCK || view->snap->conn.ledger ||
		     wait_to_write(tv->task) || wait_for_migration(tv->task)))
			say(t, "; no task of the run is known to hold it");
	}
}

/* A server that waits for what its own client's request holds: the client alone would look like the cause. */
static void say_notify(const struct view *view, struct text *t)
{
	const struct snap_task *server;
	const char *notify = view_notify(view, &server);

	if (!notify || server == view->t[view->main_root].task)
		return;
	say(t,
	    "; server thread %d is stuck in its own %s behind that, cannot die, and "
	    "keeps /dev/fuse open",
	    server->tid, notify);
}

void reason_write(const struct view *view, char *out, size_t size)
{
	struct text t = {out, size, 0};
	const struct snap_conn *conn = &view->snap->conn;

	out[0] = '\0';
	if (view->main_root >= 0) {
		say_root(view, &view->t[view->main_root], &t);
		say_notify(view, &t);
		return;
	}
	if (view->n_stuck) {
		say(&t, "%zu tasks wait for each other, and none of them for a request",
		    view->n_stuck);
	} else if (view->n) {
		say(&t,
		    "no task is stuck: %zu of them run, sleep by their own will or are "
		    "zombies",
		    view->n);
	} else if (conn->exists) {
		say(&t,
		    "no task is left, but connection %u is still there (%d requests "
		    "waiting)",
		    conn->number, conn->waiting);
	} else {
		say(&t, "no task is left");
	}
}
