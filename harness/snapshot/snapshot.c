/* SPDX-License-Identifier: MIT */
/* Owns the memory of a snapshot. */
#include "snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *const role_names[ROLE_COUNT] = {
	[ROLE_OTHER] = "other",	  [ROLE_WORKER] = "worker", [ROLE_INIT] = "init",
	[ROLE_DAEMON] = "daemon", [ROLE_SERVER] = "server", [ROLE_HEIR] = "heir",
};

void snapshot_init(struct snapshot *snap)
{
	memset(snap, 0, sizeof(*snap));
	snap->conn.waiting = -1;
}

void snapshot_release(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->n_kmsg; i++)
		free(snap->kmsg[i]);
	free(snap->kmsg);
	free(snap->tasks);
	free(snap->requests);
	snapshot_init(snap);
}

/* Room for one more; capacities are powers of two, so no field has to remember them. */
static void *grow(void *array, size_t n, size_t size)
{
	if (n & (n - 1))
		return array;
	return reallocarray(array, n ? 2 * n : 1, size);
}

struct snap_task *snapshot_add_task(struct snapshot *snap)
{
	struct snap_task *tasks = grow(snap->tasks, snap->n_tasks, sizeof(*tasks)), *task;

	if (!tasks)
		return NULL;
	snap->tasks = tasks;
	task = &tasks[snap->n_tasks++];
	memset(task, 0, sizeof(*task));
	task->dev_fd = -1;
	task->syscall = -2;
	return task;
}

struct snap_request *snapshot_add_request(struct snapshot *snap)
{
	struct snap_request *requests, *req;

	requests = grow(snap->requests, snap->n_requests, sizeof(*requests));
	if (!requests)
		return NULL;
	snap->requests = requests;
	req = &requests[snap->n_requests++];
	memset(req, 0, sizeof(*req));
	return req;
}

int snapshot_add_kmsg(struct snapshot *snap, const char *line)
{
	char **kmsg = grow(snap->kmsg, snap->n_kmsg, sizeof(*kmsg)), *copy;

	if (!kmsg)
		return -ENOMEM;
	snap->kmsg = kmsg;
	copy = strdup(line);
	if (!copy)
		return -ENOMEM;
	kmsg[snap->n_kmsg++] = copy;
	return 0;
}

const struct snap_task *snapshot_task(const struct snapshot *snap, pid_t tid)
{
	for (size_t i = 0; i < snap->n_tasks; i++)
		if (snap->tasks[i].tid == tid)
			return &snap->tasks[i];
	return NULL;
}

static bool has_open_request(const struct snapshot *snap, pid_t tid)
{
	for (size_t i = 0; i < snap->n_requests; i++)
		if (snap->requests[i].pid == tid &&
		    snap->requests[i].state != LEDGER_ANSWERED)
			return true;
	return false;
}

void snapshot_complete(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->n_tasks; i++) {
		struct snap_task *task = &snap->tasks[i];

		if (task->n_frames && !strcmp(task->frames[0].name, SNAP_IN_EXEC) &&
		    has_open_request(snap, task->tid))
			strcpy(task->frames[0].name, "request_wait_answer");
	}
}
