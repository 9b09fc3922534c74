/* SPDX-License-Identifier: MIT */
/*
 * A snapshot as the explanation sees it: each task's wait, what it waits for, who holds it up.
 * Made once by view_init(), read by the graph, the reason and the signature.
 */
#ifndef SF_EXPLAIN_VIEW_H
#define SF_EXPLAIN_VIEW_H

#include "waits.h"

enum daemon_state {
	DAEMON_UNKNOWN, /* no pid is known */
	DAEMON_ALIVE,	/* some thread could serve */
	DAEMON_STOPPED,
	DAEMON_BUSY,  /* alive, but every thread of it is stuck */
	DAEMON_DYING, /* exiting or a zombie with threads left */
	DAEMON_GONE,
};

struct task_view {
	const struct snap_task *task;
	enum wait_kind wait;
	char frame[SNAP_NAME];
	const char *phase;
	const struct snap_request *req; /* that it waits for; NULL: none in the ledger */
	int holder; /* index of the task that holds it up, -1: none known */
	bool stuck, root;
};

struct view {
	const struct snapshot *snap;
	struct task_view *t;
	size_t n, n_stuck, n_roots;
	enum daemon_state daemon;
	int main_root; /* index of the root that the sentence is about, -1: none */
};

int view_init(struct view *view, const struct snapshot *snap); /* 0 or -ENOMEM */
void view_release(struct view *view);

/* "server thread 96", "t1 (pid 97)", "bash (pid 4711)". */
void view_task_name(const struct view *view, const struct snap_task *task, char *out,
		    size_t size);
/* "FLUSH #22", or by the frame "FLUSH", or "request". */
void view_request_name(const struct task_view *tv, char *out, size_t size);
/* A thread of the daemon process, or of what it created. */
bool view_serves(const struct view *view, const struct snap_task *task);
/*
 * "NOTIFY_INVAL_INODE", "NOTIFY_INVAL_ENTRY", ...: what a stuck thread of the server is telling the kernel while it waits
 * for a lock that a request holds (fuse_notify(), fs/fuse/dev.c): it cannot die, and keeps the connection. NULL: none.
 */
const char *view_notify(const struct view *view, const struct snap_task **ret_task);
/* It is on its way out and will not come back from do_exit(). */
bool view_exiting(const struct task_view *tv);

#endif
