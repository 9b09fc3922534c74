/* SPDX-License-Identifier: MIT */
/* Samples the tasks of a run that still exist. */

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "oracle.h"
#include "priority.h"
#include "server.h"

struct walk {
	struct run *run;
	enum scope scope;
	struct survivors *left;
};

/* As the init of its pid namespace the executor inherits every orphan of a run. False: nobody is left. */
static bool reap(void)
{
	pid_t pid;

	do {
		pid = waitpid(-1, NULL, WNOHANG | __WALL);
	} while (pid > 0);
	return pid == 0;
}

/* The executor's only child is the daemon, and the daemon has none: cheaper than reading all of /proc. */
static bool only_daemon_left(const struct run *run)
{
	char buf[64];
	ssize_t n;

	if (run->daemon_acts || run->ex->children_fd < 0)
		return false;
	n = pread(run->ex->children_fd, buf, sizeof(buf) - 1, 0);
	if (n <= 0)
		return n == 0;
	buf[n] = '\0';
	return !strchr(buf, ' ')[1] && atoi(buf) == run->arena->daemon.pid;
}

static bool dead(const struct task_sample *task)
{
	return task->state == 'X' || (task->state == 'Z' && task->n_threads <= 1);
}

static bool has_live_thread(const struct survivors *left, pid_t pid)
{
	for (unsigned int i = 0; i < left->n; i++)
		if (left->task[i].pid == pid && left->task[i].state != 'Z')
			return true;
	return false;
}

/*
 * A process all of whose threads are zombies is nobody's hang: what is left of it waits for a tracer or a parent
 * that does not reap (wait_task_zombie(), delay_group_leader()).
 */
static void drop_zombies(struct survivors *left)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < left->n; i++)
		if (has_live_thread(left, left->task[i].pid))
			left->task[kept++] = left->task[i];
	left->n = kept;
}

static int look_at(void *ctx, pid_t pid, pid_t tid)
{
	struct walk *walk = ctx;
	struct survivors *left = walk->left;
	struct task_sample *task = &left->task[left->n];

	if (pid == 1 || pid == walk->run->ignore)
		return 0;
	if (walk->scope == SCOPE_TREE &&
	    (pid == walk->run->arena->daemon.pid || server_owns(walk->run, pid)))
		return 0;
	if (left->n == MAX_SURVIVORS) {
		left->more = true;
		return 1;
	}
	if (procfs_sample(&walk->run->ex->procfs, pid, tid, task) < 0 || dead(task))
		return 0;
	left->n++;
	return 0;
}

void survivors_look(struct run *run, enum scope scope, struct survivors *ret)
{
	struct walk walk = {run, scope, ret};

	ret->n = 0;
	ret->more = false;
	run->ex->beat++;
	priority_settle(run);
	priority_work(run);
	if (!reap() || (scope == SCOPE_TREE && only_daemon_left(run)))
		return;
	procfs_each_thread(&run->ex->procfs, look_at, &walk);
	drop_zombies(ret);
}

bool survivors_same(const struct survivors *a, const struct survivors *b)
{
	if (a->n != b->n)
		return false;
	for (unsigned int i = 0; i < a->n; i++)
		if (a->task[i].tid != b->task[i].tid ||
		    !task_sample_same(&a->task[i], &b->task[i]))
			return false;
	return true;
}

void survivors_wait(const struct survivors *left, int ms)
{
	struct pollfd fds[16];
	nfds_t n = 0;

	for (unsigned int i = 0; i < left->n && n < 16; i++) {
		int fd;

		if (left->task[i].tid != left->task[i].pid)
			continue;
		fd = (int)syscall(SYS_pidfd_open, left->task[i].pid, 0);
		if (fd >= 0)
			fds[n++] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
	poll(fds, n, ms);
	while (n)
		close(fds[--n].fd);
}

bool survivor_is_init(const struct run *run, pid_t pid)
{
	if (run->scn->config.placement == PLACE_INIT && pid == run->arena->daemon.pid)
		return true;
	for (unsigned int i = 0; i < run->scn->n_tasks; i++) {
		const struct scn_task *task = &run->scn->tasks[i];

		if (task->kind == TASK_PIDNS && run->arena->mailbox[task->id].pid == pid)
			return true;
	}
	return false;
}

bool daemon_lives(struct run *run)
{
	const struct survivors *all = &run->some;
	pid_t pid = run->arena->daemon.pid;

	survivors_look(run, SCOPE_ALL, &run->some);
	for (unsigned int i = 0; i < all->n; i++)
		if (all->task[i].pid == pid && !all->task[i].exiting &&
		    all->task[i].state != 'Z' && !all->task[i].sigkill_pending)
			return true;
	return false;
}
