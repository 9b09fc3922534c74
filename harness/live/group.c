/* SPDX-License-Identifier: MIT */
/* One snapshot for each connection that tasks wait on. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "parts.h"

#define SERVER_THREADS 64 /* of one server: kept in the snapshot */

struct live_conn *live_conn_find(struct live *live, uint32_t number)
{
	for (size_t i = 0; i < live->n_conns; i++)
		if (live->conns[i].number == number)
			return &live->conns[i];
	return NULL;
}

static struct live_conn *conn_of(struct live *live, uint32_t number)
{
	struct live_conn *conn = live_conn_find(live, number);
	int at = live_index(live, number);

	if (conn)
		return conn;
	conn = realloc(live->conns, (live->n_conns + 1) * sizeof(*conn));
	if (!conn)
		return NULL;
	live->conns = conn;
	conn = &live->conns[live->n_conns++];
	memset(conn, 0, sizeof(*conn));
	snapshot_init(&conn->snap);
	conn->number = number;
	conn->oldest_s = -1;
	conn->waiting_min = at < 0 ? -1 : live->waiting_min[at];
	conn->waiting_max = at < 0 ? -1 : live->waiting_max[at];
	conn->snap.conn.number = number;
	conn->snap.conn.exists = number != 0;
	conn->snap.conn.waiting = conn->waiting_max;
	snprintf(conn->snap.release, sizeof(conn->snap.release), "%s", live->release);
	return conn;
}

/* The best evidence of all its tasks; live_decide() asks for that of the task that it decides by. */
static void how_sure(struct live_conn *conn, const struct live_task *lt)
{
	if (!live_is_request(lt) || conn->best >= lt->sure)
		return;
	conn->best = lt->sure;
	if (lt->in_exec)
		snprintf(conn->sure_by, sizeof(conn->sure_by),
			 "presumably: process %d hangs in execve(), where nothing can be "
			 "read; "
			 "this is the only connection in question",
			 lt->task.pid);
	else if (lt->sure == SURE_MAYBE)
		snprintf(conn->sure_by, sizeof(conn->sure_by),
			 "presumably: others have requests waiting too; of those in "
			 "reach of process "
			 "%d it is the only one, or the only one without a living server",
			 lt->task.pid);
	else if (lt->ev.kind == EVIDENCE_FD || lt->ev.kind == EVIDENCE_PATH)
		snprintf(conn->sure_by, sizeof(conn->sure_by), "%s of process %d (%.60s)",
			 lt->ev.kind == EVIDENCE_FD ? "the open file" : "the path",
			 lt->task.pid, lt->ev.where);
	else
		snprintf(conn->sure_by, sizeof(conn->sure_by),
			 "the only connection with a request waiting that is not another "
			 "task's");
}

static int add_task(struct live *live, const struct live_task *lt)
{
	struct live_conn *conn = conn_of(live, lt->conn);
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
	const struct live_server *sv = NULL;
	pid_t dying = 0;

	for (size_t i = 0; i < live->n_servers && !sv; i++)
		if (conn->number && live->servers[i].conn == conn->number)
			sv = &live->servers[i];
	for (size_t i = 0; !sv && i < conn->snap.n_tasks; i++) {
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

/* "fuse.sshfs on /mnt/x": from the mount namespace of a task, of the server, or our own. */
static void find_mount(const struct live *live, struct live_conn *conn)
{
	struct conn_mount mounts[16];
	size_t tries = conn->snap.n_tasks < 4 ? conn->snap.n_tasks : 4;

	for (size_t i = 0; i < tries + 2 && !conn->mount[0] && conn->number; i++) {
		const struct snap_task *task = &conn->snap.tasks[i < tries ? i : 0];
		pid_t pid = i < tries	 ? task->pid
			    : i == tries ? conn->snap.conn.daemon_pid
					 : getpid();
		int n = evidence_mounts(pid, i < tries ? task->tid : pid, live->numbers,
					live->n_numbers, mounts, 16);

		for (int j = 0; j < n; j++)
			if (mounts[j].number == conn->number) {
				snprintf(conn->mount, sizeof(conn->mount), "%s on %s",
					 mounts[j].type, mounts[j].point);
				break;
			}
	}
}

int live_group(struct live *live)
{
	int ret = 0;

	for (size_t i = 0; i < live->n_tasks && !ret; i++) {
		const struct live_task *lt = &live->tasks[i];

		/* Locks and namespaces that nothing ties to a connection are not ours to explain. */
		if (lt->conn || live_is_request(lt))
			ret = add_task(live, lt);
	}
	for (size_t i = 0; i < live->n_conns && !ret; i++) {
		ret = add_server(live, &live->conns[i]);
		find_mount(live, &live->conns[i]);
		if (!ret)
			ret = explain_snapshot(&live->conns[i].snap, &live->conns[i].ex);
	}
	return ret;
}
