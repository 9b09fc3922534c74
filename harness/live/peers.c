/* SPDX-License-Identifier: MIT */
/* What the threads of servers do, and for whom they wait: inside FUSE themselves, or for a child or a pipe's other end that does. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/snapshot/procfs_parse.h"
#include "parts.h"

/* A process of one thread that waits inside FUSE: its index in tasks[], or -1. */
static int blocked_process(const struct live *live, pid_t pid)
{
	int at = live_task_index(live, pid);

	if (at < 0 || live->tasks[at].task.n_threads != 1 || live->tasks[at].bystander ||
	    !live->tasks[at].conn)
		return -1;
	return at;
}

/* All of its children wait inside FUSE: one of them, else -1. */
static int blocked_child(const struct live *live, const struct live_thread *th)
{
	char name[64], buf[1024], *save = NULL;
	int dir = procfs_task_dir(&live->pf, th->pid, th->tid), found = -1;
	ssize_t n;

	if (dir < 0)
		return -1;
	snprintf(name, sizeof(name), "children");
	n = procfs_read_at(dir, name, buf, sizeof(buf));
	close(dir);
	if (n <= 0 || n >= (ssize_t)sizeof(buf) - 1)
		return -1;
	for (char *p = strtok_r(buf, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		found = blocked_process(live, atoi(p));
		if (found < 0)
			return -1;
	}
	return found;
}

struct pipe_walk {
	const struct live *live;
	const char *link;
	pid_t self, pid;
	int dir, found;
	bool free; /* somebody holds it who does not wait inside FUSE */
};

static int look_at_fd(void *ctx, pid_t fd)
{
	struct pipe_walk *walk = ctx;
	char name[32], link[64];
	ssize_t n;
	int at;

	snprintf(name, sizeof(name), "fd/%d", fd);
	n = readlinkat(walk->dir, name, link, sizeof(link) - 1);
	if (n <= 0)
		return 0;
	link[n] = '\0';
	if (strcmp(link, walk->link))
		return 0;
	at = blocked_process(walk->live, walk->pid);
	walk->free |= at < 0;
	walk->found = at;
	return 1;
}

static int look_at_process(void *ctx, pid_t pid)
{
	struct pipe_walk *walk = ctx;

	walk->pid = pid;
	if (pid == walk->self)
		return 0;
	walk->dir = procfs_task_dir(&walk->live->pf, pid, pid);
	if (walk->dir < 0)
		return 0;
	if (procfs_in_exec(walk->dir) > 0)
		walk->free = true; /* cannot be looked at */
	else
		procfs_each_number(walk->dir, "fd", look_at_fd, walk);
	close(walk->dir);
	return walk->free;
}

/* It reads a pipe, and all others that hold it wait inside FUSE: one of them, else -1. */
static int blocked_writer(const struct live *live, const struct live_thread *th)
{
	struct pipe_walk walk = {.live = live, .self = th->pid, .found = -1};
	char name[64], link[64];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/%d/task/%d/fd/%d", th->pid, th->tid, th->fd);
	n = readlink(name, link, sizeof(link) - 1);
	if (n <= 0)
		return -1;
	link[n] = '\0';
	if (strncmp(link, "pipe:", 5))
		return -1;
	walk.link = link;
	procfs_each_number(live->pf.fd, ".", look_at_process, &walk);
	return walk.free ? -1 : walk.found;
}

static void judge(struct live *live, struct live_thread *th)
{
	int at = live_task_index(live, th->tid), other = -1;

	if (th->does == THREAD_DYING || th->does == THREAD_STOPPED ||
	    th->does == THREAD_READS || th->does == THREAD_MOVES)
		return;
	if (at >= 0 && live->tasks[at].wait != WAIT_THREADS &&
	    live->tasks[at].wait != WAIT_VFORK) {
		th->does = THREAD_BLOCKED;
		th->task = at;
		return;
	}
	if (th->wait == WAIT_CHILD || th->wait == WAIT_VFORK)
		other = blocked_child(live, th);
	else if (th->fd >= 0 && strstr(th->wchan, "pipe_read"))
		other = blocked_writer(live, th);
	if (other >= 0) {
		th->does = THREAD_BLOCKED;
		th->task = other;
		th->via = live->tasks[other].task.pid;
	}
}

void live_judge_threads(struct live *live)
{
	for (size_t i = 0; i < live->n_servers; i++) {
		struct live_server *sv = &live->servers[i];

		memset(sv->does, 0, sizeof(sv->does));
		for (size_t j = 0; j < sv->n_threads; j++) {
			struct live_thread *th = &live->threads[sv->first_thread + j];

			judge(live, th);
			sv->does[th->does]++;
		}
		sv->dying = sv->does[THREAD_DYING] == sv->n_threads;
		sv->stopped = sv->does[THREAD_STOPPED] > 0;
	}
}

/* "scm_fds: N" of a socket (unix_show_fdinfo()), "UserFiles: N" of an io_uring. */
static int look_for_hidden(void *ctx, pid_t fd)
{
	struct pipe_walk *walk = ctx;
	char name[32], buf[4096];
	const char *p;
	ssize_t n;

	snprintf(name, sizeof(name), "fd/%d", fd);
	n = readlinkat(walk->dir, name, buf, 64);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	if (strncmp(buf, "socket:", 7) && !strstr(buf, "[io_uring]"))
		return 0;
	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	if (procfs_read_at(walk->dir, name, buf, sizeof(buf)) <= 0)
		return 0;
	p = strstr(buf, "scm_fds:");
	p = p ? p + 8 : strstr(buf, "UserFiles:");
	p = p && *p == 'U' ? p + 10 : p;
	walk->free |= p && strtoul(p, NULL, 10) > 0;
	return walk->free;
}

static int look_into(void *ctx, pid_t pid)
{
	struct pipe_walk *walk = ctx;

	walk->dir = procfs_task_dir(&walk->live->pf, pid, pid);
	if (walk->dir < 0)
		return 0;
	if (procfs_in_exec(walk->dir) <= 0)
		procfs_each_number(walk->dir, "fd", look_for_hidden, walk);
	close(walk->dir);
	return walk->free;
}

bool live_in_transit(const struct live *live)
{
	struct pipe_walk walk = {.live = live};

	if (live->pf.fd >= 0)
		procfs_each_number(live->pf.fd, ".", look_into, &walk);
	return walk.free;
}
