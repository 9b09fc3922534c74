/* SPDX-License-Identifier: MIT */
/* Finds who is stuck, who holds whom up, and which tasks are the roots. */

#include <errno.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/scenario/tables.h"
#include "view.h"

#define EXITING 0x4 /* PF_EXITING, include/linux/sched.h */

bool view_serves(const struct view *view, const struct snap_task *task)
{
	return task->role == ROLE_DAEMON || task->role == ROLE_SERVER ||
	       (view->snap->conn.daemon_pid && task->pid == view->snap->conn.daemon_pid);
}

bool view_exiting(const struct task_view *tv)
{
	return (tv->task->flags & EXITING) || !strncmp(tv->phase, "exit", 4);
}

static bool unanswered(const struct snap_request *req)
{
	return req->state == LEDGER_READ || req->state == LEDGER_HELD ||
	       req->state == LEDGER_DROPPED;
}

/* The newest unanswered request of this task that its frame could have sent. */
static const struct snap_request *own_request(const struct snapshot *snap,
					      const struct task_view *tv)
{
	const struct snap_request *found = NULL;

	for (size_t i = 0; i < snap->n_requests; i++) {
		const struct snap_request *req = &snap->requests[i];

		if (unanswered(req) && req->pid == tv->task->tid &&
		    wait_frame_sends(tv->frame, req->opcode) &&
		    (!found || req->unique > found->unique))
			found = req;
	}
	return found;
}

/* An unanswered request of the kernel itself, or of a task that does not wait for it. */
static const struct snap_request *kernel_request(const struct snapshot *snap,
						 uint32_t opcode)
{
	for (size_t i = 0; i < snap->n_requests; i++)
		if (unanswered(&snap->requests[i]) && snap->requests[i].opcode == opcode)
			return &snap->requests[i];
	return NULL;
}

/* A stack that was cut short names no request, the ledger does. */
static void name_frame(struct task_view *tv)
{
	const char *frame;

	if (tv->wait != WAIT_REPLY || !tv->req || !strncmp(tv->frame, "fuse_", 5) ||
	    !strncmp(tv->frame, "__fuse_", 7) || !strcmp(tv->frame, "exit_aio"))
		return;
	frame = wait_opcode_frame(tv->req->opcode);
	if (frame)
		snprintf(tv->frame, sizeof(tv->frame), "%s", frame);
}

static const struct snap_request *find_request(const struct snapshot *snap,
					       const struct task_view *tv)
{
	switch (tv->wait) {
	case WAIT_REPLY:
		return own_request(snap, tv);
	case WAIT_INIT_REPLY:
		return kernel_request(snap, FUSE_INIT);
	case WAIT_WRITEBACK:
		return kernel_request(snap, FUSE_WRITE);
	case WAIT_FOLIO_LOCK:
		/* With ASYNC_READ the reader itself waits on the folio: fuse_send_readpages(). */
		return own_request(snap, tv);
	default:
		return NULL;
	}
}

/* Not stuck: without work, waiting for a child or a signal, or ready to be reaped. */
static bool is_stuck(const struct task_view *tv)
{
	switch (tv->wait) {
	case WAIT_NONE:
	case WAIT_DEV_READ:
	case WAIT_STOPPED:
	case WAIT_CHILD:
	case WAIT_VFORK:
		return false;
	default:
		return true;
	}
}

static enum daemon_state find_daemon(const struct view *view)
{
	const struct snap_conn *conn = &view->snap->conn;
	unsigned int threads = 0, stopped = 0, dying = 0, stuck = 0;

	for (size_t i = 0; i < view->n; i++) {
		const struct task_view *tv = &view->t[i];

		if (conn->daemon_pid ? tv->task->pid != conn->daemon_pid
				     : !view_serves(view, tv->task))
			continue;
		threads++;
		dying += view_exiting(tv) || tv->task->state == 'Z' ||
			 tv->task->state == 'X';
		stopped += tv->wait == WAIT_STOPPED;
		stuck += tv->stuck;
	}
	if (!threads) {
		if (conn->daemon_alive)
			return DAEMON_ALIVE;
		return conn->daemon_pid ? DAEMON_GONE : DAEMON_UNKNOWN;
	}
	/* One thread may exit while its siblings go on serving. */
	if (dying &&
	    (dying == threads || dying + stuck >= threads || !conn->daemon_alive))
		return DAEMON_DYING;
	if (stopped)
		return DAEMON_STOPPED;
	return stuck + dying >= threads ? DAEMON_BUSY : DAEMON_ALIVE;
}

static int task_index(const struct view *view, pid_t tid)
{
	for (size_t i = 0; i < view->n; i++)
		if (view->t[i].task->tid == tid)
			return (int)i;
	return -1;
}

/* A thread of the daemon that is stuck, if it can in its own request: nobody can serve what is unread. */
static int stuck_server(const struct view *view, size_t but)
{
	int found = -1;

	for (size_t i = 0; i < view->n; i++) {
		const struct task_view *tv = &view->t[i];

		if (i == but || !tv->stuck || !view_serves(view, tv->task))
			continue;
		if (tv->wait == WAIT_REPLY)
			return (int)i;
		if (found < 0 && wait_needs(tv->wait))
			found = (int)i;
	}
	return found;
}

/* The server thread that holds up a waiter for a reply, or -1: it is a root. */
static int reply_holder(const struct view *view, size_t at)
{
	const struct task_view *tv = &view->t[at];
	int server;

	if (view_serves(view, tv->task))
		return -1;
	if (tv->req && tv->req->state == LEDGER_READ) {
		server = task_index(view, tv->req->server);
		return server >= 0 && view->t[server].stuck ? server : -1;
	}
	if (tv->req || view->daemon == DAEMON_ALIVE || view->daemon == DAEMON_STOPPED)
		return -1;
	return stuck_server(view, at);
}

static void find_reply_roots(struct view *view)
{
	for (size_t i = 0; i < view->n; i++) {
		struct task_view *tv = &view->t[i];

		if (!tv->stuck)
			continue;
		if (tv->wait == WAIT_REPLY)
			tv->holder = reply_holder(view, i);
		else if (!tv->req || tv->wait == WAIT_INIT_REPLY)
			continue; /* after all others: they may hold it up */
		tv->root = tv->holder < 0;
	}
}

static bool same_process(const struct view *view, size_t a, size_t b)
{
	return view->t[a].task->pid == view->t[b].task->pid;
}

/* Who owns the lock that this task waits for: a task that waits for a reply with it in its stack. */
static int lock_holder(const struct view *view, size_t at, const unsigned int *holds)
{
	unsigned int needs = wait_needs(view->t[at].wait);
	int any = -1;

	for (size_t i = 0; i < view->n; i++) {
		const struct task_view *tv = &view->t[i];

		if (i == at || !tv->stuck || !(tv->root || tv->wait == WAIT_REPLY))
			continue;
		if ((holds[i] & needs) &&
		    (needs != HOLDS_MMAP || same_process(view, i, at)))
			return (int)i;
		if (any < 0)
			any = (int)i;
	}
	return any;
}

/* The member of a cycle that is its root: the server, whose access to its own mount closed it. */
static size_t cycle_root(const struct view *view, size_t at)
{
	size_t best = at, i = at;

	do {
		if (view_serves(view, view->t[i].task))
			return i;
		if (view->t[i].wait == WAIT_REPLY && view->t[best].wait != WAIT_REPLY)
			best = i;
		i = (size_t)view->t[i].holder;
	} while (i != at);
	return best;
}

/* A client waits for the server, which waits for a lock that the client holds. */
static void break_cycles(struct view *view)
{
	for (size_t i = 0; i < view->n; i++) {
		int at = (int)i;

		for (int depth = 0; depth < 64; depth++) {
			if (view->t[at].root || view->t[at].holder < 0)
				break;
			at = view->t[at].holder;
			if (at == (int)i) {
				view->t[cycle_root(view, i)].root = true;
				break;
			}
		}
	}
}

static bool is_descendant(const struct view *view, const struct snap_task *task,
			  pid_t ancestor)
{
	for (unsigned int depth = 0; depth < 32 && task; depth++) {
		if (task->ppid == ancestor)
			return true;
		task = snapshot_task(view->snap, task->ppid);
	}
	return false;
}

/* Of namespace inits, zombie leaders and parents: a stuck task that they wait for, roots first. */
static int member_holder(const struct view *view, size_t at)
{
	const struct snap_task *self = view->t[at].task, *other;
	int found = -1;
	bool fits;

	for (size_t i = 0; i < view->n; i++) {
		other = view->t[i].task;
		if (i == at || !view->t[i].stuck)
			continue;
		if (view->t[at].wait == WAIT_MEMBERS)
			fits = (self->pidns && self->pidns == other->pidns) ||
			       (!other->pidns && other->pid != self->pid &&
				view->t[i].wait != WAIT_MEMBERS) ||
			       is_descendant(view, other, self->pid);
		else if (view->t[at].wait == WAIT_THREADS)
			fits = other->pid == self->pid;
		else
			fits = other->ppid == self->pid;
		if (fits && view->t[i].root)
			return (int)i;
		if (fits && found < 0 && view->t[i].holder != (int)at)
			found = (int)i;
	}
	return found;
}

static bool waits_for_tasks(enum wait_kind kind)
{
	return kind == WAIT_MEMBERS || kind == WAIT_THREADS || kind == WAIT_CHILD ||
	       kind == WAIT_VFORK;
}

static int first_root(const struct view *view)
{
	for (size_t i = 0; i < view->n; i++)
		if (view->t[i].root)
			return (int)i;
	return -1;
}

/* Waits that need the roots of find_reply_roots(): locks first, then what waits for tasks. */
static void find_holders(struct view *view, const unsigned int *holds)
{
	for (size_t i = 0; i < view->n; i++) {
		struct task_view *tv = &view->t[i];

		if (!tv->stuck || tv->root || tv->holder >= 0 ||
		    waits_for_tasks(tv->wait) || tv->wait == WAIT_UNKNOWN ||
		    wait_is_indirect(tv->wait))
			continue;
		if (wait_needs(tv->wait))
			tv->holder = lock_holder(view, i, holds);
		else if (tv->wait == WAIT_INIT_REPLY && !tv->req)
			tv->holder = first_root(view);
		else if (tv->wait == WAIT_WRITEBACK)
			tv->holder = lock_holder(view, i, holds);
		if (tv->holder < 0 && tv->wait == WAIT_FOLIO_LOCK &&
		    !wait_to_write(tv->task))
			tv->req = kernel_request(view->snap, FUSE_READ);
		if (tv->holder < 0 && tv->wait == WAIT_FOLIO_LOCK && !tv->req)
			tv->req = kernel_request(view->snap, FUSE_WRITE);
		tv->root = tv->holder < 0;
	}
	break_cycles(view);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < view->n; i++) {
			struct task_view *tv = &view->t[i];

			if (!waits_for_tasks(tv->wait) || tv->holder >= 0)
				continue;
			/* Inits last: their members may be zombie leaders. */
			if ((tv->wait == WAIT_MEMBERS) == (pass == 1))
				tv->holder = member_holder(view, i);
		}
}

/* What is left: unknown waits, and inits that wait for nobody visible. */
static void find_dead_ends(struct view *view)
{
	int root = first_root(view);

	for (size_t i = 0; i < view->n; i++) {
		struct task_view *tv = &view->t[i];

		if (!tv->stuck || tv->root || tv->holder >= 0)
			continue;
		/* A leader that has exited beside threads that live on, to serve, waits for nothing that is stuck. */
		if (tv->wait == WAIT_THREADS && root >= 0)
			tv->stuck = false;
		else if ((tv->wait == WAIT_UNKNOWN || wait_is_indirect(tv->wait)) &&
			 root >= 0)
			tv->holder = root;
		else
			tv->root = true;
	}
}

/* The sentence is about a server's own request first: it is what nobody else can answer. */
static int weight(const struct view *view, const struct task_view *tv)
{
	int w = 0;

	if (tv->wait == WAIT_REPLY)
		w += 8;
	else if (tv->req)
		w += 6;
	else if (tv->wait == WAIT_UNKNOWN)
		w += 1;
	else
		w += 2;
	if ((tv->wait == WAIT_REPLY || tv->holder >= 0) && view_serves(view, tv->task))
		w += 16;
	if (tv->wait == WAIT_REPLY && tv->task->role == ROLE_HEIR)
		w += 4;
	if (tv->req && tv->req->state != LEDGER_READ)
		w += 2;
	if (view_exiting(tv))
		w += 1;
	return w;
}

static void choose_main_root(struct view *view)
{
	int best = -1;

	view->main_root = -1;
	for (size_t i = 0; i < view->n; i++) {
		if (view->t[i].stuck)
			view->n_stuck++;
		if (!view->t[i].root)
			continue;
		view->n_roots++;
		if (weight(view, &view->t[i]) > best) {
			best = weight(view, &view->t[i]);
			view->main_root = (int)i;
		}
	}
}

int view_init(struct view *view, const struct snapshot *snap)
{
	unsigned int *holds;

	memset(view, 0, sizeof(*view));
	view->snap = snap;
	view->n = snap->n_tasks;
	view->t = calloc(view->n + 1, sizeof(*view->t));
	holds = calloc(view->n + 1, sizeof(*holds));
	if (!view->t || !holds) {
		free(holds);
		view_release(view);
		return -ENOMEM;
	}
	for (size_t i = 0; i < view->n; i++) {
		struct task_view *tv = &view->t[i];

		tv->task = &snap->tasks[i];
		tv->wait = wait_of_task(tv->task);
		tv->phase = exit_phase(tv->task);
		wait_frame(tv->task, tv->frame, sizeof(tv->frame));
		tv->holder = -1;
		tv->stuck = is_stuck(tv);
		tv->req = find_request(snap, tv);
		name_frame(tv);
		holds[i] = wait_holds(tv->task);
	}
	view->daemon = find_daemon(view);
	find_reply_roots(view);
	find_holders(view, holds);
	find_dead_ends(view);
	choose_main_root(view);
	free(holds);
	return 0;
}

void view_release(struct view *view)
{
	free(view->t);
	view->t = NULL;
}

void view_task_name(const struct view *view, const struct snap_task *task, char *out,
		    size_t size)
{
	const char *what = task->actor[0] ? task->actor : task->comm;
	const char *id = task->tid == task->pid ? "pid" : "tid";

	if (task->role == ROLE_SERVER &&
	    (!task->actor[0] || !strncmp(task->actor, "server", 6)))
		snprintf(out, size, "server thread %d", task->tid);
	else if (task->role == ROLE_DAEMON && !task->actor[0] && task->comm[0])
		snprintf(out, size, "server process %d (%s)", task->tid, task->comm);
	else if (task->role == ROLE_DAEMON && !task->actor[0])
		snprintf(out, size, "the daemon (pid %d)", task->tid);
	else if (task->tid != task->pid && view_serves(view, task) && task->actor[0])
		snprintf(out, size, "server thread %d (%s)", task->tid, what);
	else
		snprintf(out, size, "%s (%s %d)", what[0] ? what : "task", id, task->tid);
}

void view_request_name(const struct task_view *tv, char *out, size_t size)
{
	uint32_t opcode = wait_frame_opcode(tv->frame);

	if (tv->req)
		snprintf(out, size, "%s #%llu", opcode_name(tv->req->opcode),
			 (unsigned long long)tv->req->unique);
	else if (opcode)
		snprintf(out, size, "%s", opcode_name(opcode));
	else
		snprintf(out, size, "request (%s)", tv->frame);
}
