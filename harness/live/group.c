/* SPDX-License-Identifier: MIT */
/* One snapshot for each connection that tasks wait on, and for each process whose connection is not known. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parts.h"

#define SERVER_THREADS 64 /* of one server: kept in the snapshot */

struct live_conn *live_conn_find(const struct live *live, uint32_t number)
{
	for (size_t i = 0; number && i < live->n_conns; i++)
		if (live->conns[i].number == number)
			return &live->conns[i];
	return NULL;
}

static struct live_conn *conn_of(struct live *live, uint32_t number, pid_t owner)
{
	struct live_conn *conn;
	int at = live_index(live, number);

	for (size_t i = 0; i < live->n_conns; i++)
		if (live->conns[i].number == number &&
		    (number || live->conns[i].owner == owner))
			return &live->conns[i];
	conn = realloc(live->conns, (live->n_conns + 1) * sizeof(*conn));
	if (!conn)
		return NULL;
	live->conns = conn;
	conn = &live->conns[live->n_conns++];
	memset(conn, 0, sizeof(*conn));
	snapshot_init(&conn->snap);
	conn->number = number;
	conn->owner = number ? 0 : owner;
	conn->oldest_s = -1;
	conn->waiting_min = at < 0 ? -1 : live->waiting_min[at];
	conn->waiting_max = at < 0 ? -1 : live->waiting_max[at];
	conn->snap.conn.number = number;
	conn->snap.conn.exists = number != 0;
	conn->snap.conn.waiting = conn->waiting_max;
	snprintf(conn->snap.release, sizeof(conn->snap.release), "%s", live->release);
	return conn;
}

/* By the best evidence of all its tasks. */
static void how_sure(struct live_conn *conn, const struct live_task *lt)
{
	static const char *const what[] = {
		[EVIDENCE_FD] = "the open file",  [EVIDENCE_PATH] = "the path",
		[EVIDENCE_DEVICE] = "the device", [EVIDENCE_MAP] = "the mapping",
		[EVIDENCE_WORK] = "the work",
	};

	if (!conn->number || lt->bystander || conn->named)
		return;
	conn->named = lt->sure == SURE_YES && evidence_is_exact(&lt->ev);
	if (conn->named)
		snprintf(conn->sure_by, sizeof(conn->sure_by), "%s of process %d (%.99s)",
			 what[lt->ev.kind], lt->task.pid, lt->ev.where);
	else if (live_is_request(lt))
		snprintf(
			conn->sure_by, sizeof(conn->sure_by),
			"presumably: process %d waits for FUSE, %s, and this is the only "
			"connection in question",
			lt->task.pid,
			lt->in_exec ? "in execve(), where nothing can be read"
				    : "nothing of it tells where");
}

static int add_task(struct live *live, const struct live_task *lt)
{
	struct live_conn *conn = conn_of(live, lt->conn, lt->task.pid);
	struct snap_task *task;

	task = conn ? snapshot_add_task(&conn->snap) : NULL;
	if (!task)
		return -ENOMEM;
	*task = lt->task;
	task->role = lt->wait == WAIT_MEMBERS ? ROLE_INIT : ROLE_OTHER;
	conn->n_tasks++;
	if (lt->age_s > conn->oldest_s && live_is_request(lt))
		conn->oldest_s = lt->age_s;
	how_sure(conn, lt);
	return 0;
}

struct server_walk {
	struct live *live;
	struct live_conn *conn;
	unsigned int n;
	int err;
};

static int add_server_thread(void *ctx, pid_t pid, pid_t tid)
{
	struct server_walk *walk = ctx;
	enum snap_role role = pid == tid ? ROLE_DAEMON : ROLE_SERVER;
	struct snap_task *task = NULL;

	for (size_t i = 0; i < walk->conn->snap.n_tasks && !task; i++)
		if (walk->conn->snap.tasks[i].tid == tid)
			task = &walk->conn->snap.tasks[i];
	if (!task) {
		task = snapshot_add_task(&walk->conn->snap);
		if (!task) {
			walk->err = -ENOMEM;
			return 1;
		}
		procfs_read_task(&walk->live->pf, pid, tid, task);
	}
	task->role = role;
	return ++walk->n >= SERVER_THREADS;
}

/* The server that is known, or the one dying process that can only be it: somebody pins the device. */
static int add_server(struct live *live, struct live_conn *conn)
{
	struct server_walk walk = {.live = live, .conn = conn};
	const struct live_server *sv = live_server_of(live, conn->number);
	pid_t dying = 0;

	for (size_t i = 0; !sv && conn->number && i < conn->snap.n_tasks; i++) {
		const struct snap_task *task = &conn->snap.tasks[i];

		if (!(task->flags & PF_EXITING) || task->role == ROLE_INIT ||
		    task->state == 'Z')
			continue;
		if (dying && dying != task->pid)
			return 0;
		dying = task->pid;
	}
	if (!sv && !dying)
		return 0;
	conn->snap.conn.daemon_pid = sv ? sv->pid : dying;
	conn->snap.conn.daemon_alive = sv && !sv->dying;
	procfs_each_thread_of(&live->pf, conn->snap.conn.daemon_pid, add_server_thread,
			      &walk);
	return walk.err;
}

static int take_mount(void *ctx, const struct conn_mount *mount)
{
	struct live_conn *conn = ctx;

	if (mount->number != conn->number)
		return 0;
	snprintf(conn->mount, sizeof(conn->mount), "%s on %s", mount->type, mount->point);
	return 1;
}

/* "fuse.sshfs on /mnt/x": from the mount namespace of a task, of the server, or our own. */
static void find_mount(const struct live *live, struct live_conn *conn)
{
	size_t tries = conn->snap.n_tasks < 4 ? conn->snap.n_tasks : 4;

	for (size_t i = 0; i < tries + 2 && !conn->mount[0] && conn->number; i++) {
		const struct snap_task *task = i < tries ? &conn->snap.tasks[i] : NULL;
		pid_t pid = task	 ? task->pid
			    : i == tries ? conn->snap.conn.daemon_pid
					 : getpid();

		evidence_mounts(pid, task ? task->tid : pid, &conn->number, 1, take_mount,
				conn);
	}
	(void)live;
}

/* Requests that no task accounts for. What waits for a page waits for a request of the kernel's own. */
static void count_unseen(const struct live *live, struct live_conn *conn)
{
	int seen = 0, pages = 0;

	for (size_t i = 0; i < live->n_tasks; i++) {
		const struct live_task *lt = &live->tasks[i];

		if (lt->conn != conn->number)
			continue;
		seen += live_is_counted(lt) || lt->in_exec;
		pages |= !live_is_counted(lt) && live_is_request(lt);
	}
	seen += pages;
	conn->unseen = conn->waiting_min > seen ? conn->waiting_min - seen : 0;
}

int live_group(struct live *live)
{
	int ret = 0;

	for (size_t i = 0; i < live->n_tasks && !ret; i++) {
		const struct live_task *lt = &live->tasks[i];

		/* Locks and namespaces that nothing ties to a connection are not ours to explain. */
		if (lt->conn || (live_is_request(lt) && !lt->bystander &&
				 !(evidence_is_exact(&lt->ev) && lt->ev.other)))
			ret = add_task(live, lt);
	}
	for (size_t i = 0; i < live->n_numbers && !ret; i++)
		if (live->waiting_min[i] > 0 && !conn_of(live, live->numbers[i], 0))
			ret = -ENOMEM;
	for (size_t i = 0; i < live->n_conns && !ret; i++) {
		struct live_conn *conn = &live->conns[i];

		count_unseen(live, conn);
		ret = add_server(live, conn);
		find_mount(live, conn);
		if (!ret)
			ret = explain_snapshot(&conn->snap, &conn->ex);
	}
	return ret;
}
