/* SPDX-License-Identifier: MIT */
/* Reads one thread, and walks all of them, through a proc mount without ever blocking. */
#include "procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/snapshot/disposable.h"
#include "harness/snapshot/procfs_parse.h"

#define IN_EXEC_MS 20 /* a free lock is taken in microseconds */

int procfs_open(struct procfs *pf, const char *root)
{
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	pf->fd = fd;
	return 0;
}

void procfs_close(struct procfs *pf)
{
	if (pf->fd >= 0)
		close(pf->fd);
	pf->fd = -1;
}

int procfs_task_dir(const struct procfs *pf, pid_t pid, pid_t tid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%d/task/%d", pid, tid);
	fd = openat(pf->fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	return fd;
}

ssize_t procfs_read_fd(int fd, char *buf, size_t size)
{
	ssize_t n;

	/* One read gives it all: every file of ours is a single seq_file record. */
	do
		n = pread(fd, buf, size - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	return n;
}

ssize_t procfs_read_at(int dir, const char *name, char *buf, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	n = procfs_read_fd(fd, buf, size);
	close(fd);
	return n;
}

/* "pid:[4026531836]"; an exiting task has left its namespaces: 0. */
static uint64_t read_pidns(int dir)
{
	char link[64];
	ssize_t n = readlinkat(dir, "ns/pid", link, sizeof(link) - 1);

	if (n < 0)
		return 0;
	link[n] = '\0';
	return strncmp(link, "pid:[", 5) ? 0 : strtoull(link + 5, NULL, 10);
}

static int read_locked(int dir, struct snap_task *task)
{
	char buf[8192];
	ssize_t n;

	n = procfs_read_at(dir, "syscall", buf, 512);
	if (n >= 0)
		parse_syscall(buf, task);
	if (n == -ESRCH)
		return -ESRCH;
	n = procfs_read_at(dir, "stack", buf, sizeof(buf));
	if (n >= 0)
		parse_stack(buf, task);
	else if (n == -ESRCH)
		return -ESRCH;
	else
		snprintf(task->unote, sizeof(task->unote), "kernel stack: %s",
			 strerror((int)-n));
	return 0;
}

/* For a task in execve(): the two files that take exec_update_lock, read by a child. */
static void read_in_exec(int dir, struct snap_task *task)
{
	struct disposable child;
	struct pollfd pfd;
	size_t have = 0;
	int pipefd[2], ret;

	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return;
	ret = disposable_fork(&child);
	if (ret == 0) {
		struct snap_task copy = *task;

		read_locked(dir, &copy);
		/* sizeof(copy) < PIPE_BUF does not hold, but the pipe takes 64 KiB */
		_exit(write(pipefd[1], &copy, sizeof(copy)) != sizeof(copy));
	}
	close(pipefd[1]);
	pfd = (struct pollfd){.fd = pipefd[0], .events = POLLIN};
	if (ret > 0) {
		struct snap_task copy;

		if (poll(&pfd, 1, IN_EXEC_MS) > 0)
			while (have < sizeof(copy)) {
				ssize_t n = read(pipefd[0], (char *)&copy + have,
						 sizeof(copy) - have);

				if (n <= 0)
					break;
				have += (size_t)n;
			}
		disposable_kill(&child, 1000);
		if (have == sizeof(copy))
			*task = copy;
	}
	close(pipefd[0]);
	if (task->n_frames)
		return;
	if (task->wchan[0] && strcmp(task->wchan, "0"))
		snprintf(task->frames[task->n_frames++].name, SNAP_NAME, "%s",
			 task->wchan);
	snprintf(task->unote, sizeof(task->unote),
		 "stacks: hangs in execve(), exec_update_lock is held");
}

int procfs_read_task(const struct procfs *pf, pid_t pid, pid_t tid,
		     struct snap_task *task)
{
	struct dev_holder holder;
	struct stat_fields stat;
	char buf[8192];
	ssize_t n;
	int dir;

	task->pid = pid;
	task->tid = tid;
	task->dev_fd = -1;
	task->syscall = -2;
	dir = procfs_task_dir(pf, pid, tid);
	n = dir;
	if (n >= 0)
		n = procfs_read_at(dir, "stat", buf, 1024);
	if (n >= 0)
		n = parse_stat(buf, &stat);
	if (n < 0)
		goto out;
	task->state = stat.state;
	task->ppid = stat.ppid;
	task->flags = stat.flags;
	task->n_threads = stat.n_threads;
	memcpy(task->comm, stat.comm, sizeof(task->comm));

	n = procfs_read_at(dir, "status", buf, sizeof(buf));
	if (n < 0)
		goto out;
	parse_status(buf, task);
	if (procfs_read_at(dir, "wchan", buf, 256) >= 0)
		snprintf(task->wchan, sizeof(task->wchan), "%.*s", SNAP_NAME - 1, buf);
	task->pidns = read_pidns(dir);
	if (stat.in_exec)
		read_in_exec(dir, task);
	else
		n = read_locked(dir, task);
	if (procfs_dev_fds(pf, pid, tid, &holder, 1) > 0)
		task->dev_fd = holder.fd;
out:
	if (dir >= 0)
		close(dir);
	if (n >= 0)
		return 0;
	task->vanished = n == -ESRCH;
	return (int)n;
}

int procfs_each_number(int dir, const char *name, int (*fn)(void *ctx, pid_t number),
		       void *ctx)
{
	char buf[8192] __attribute__((aligned(8)));
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!ret) {
		ssize_t n = syscall(SYS_getdents64, fd, buf, sizeof(buf));

		if (n < 0)
			ret = errno == ENOENT ? -ESRCH : -errno;
		if (n <= 0)
			break;
		for (ssize_t at = 0; at < n && !ret;) {
			const struct dirent64 *d = (const struct dirent64 *)(buf + at);
			char *end;
			long number = strtol(d->d_name, &end, 10);

			at += d->d_reclen;
			if (end != d->d_name && !*end)
				ret = fn(ctx, (pid_t)number);
		}
	}
	close(fd);
	return ret;
}

struct walk {
	const struct procfs *pf;
	procfs_thread_fn *fn;
	void *ctx;
	pid_t pid;
};

static int walk_thread(void *ctx, pid_t tid)
{
	const struct walk *walk = ctx;

	return walk->fn(walk->ctx, walk->pid, tid);
}

int procfs_each_thread_of(const struct procfs *pf, pid_t pid, procfs_thread_fn *fn,
			  void *ctx)
{
	struct walk walk = {.pf = pf, .fn = fn, .ctx = ctx, .pid = pid};
	char name[32];

	snprintf(name, sizeof(name), "%d/task", pid);
	return procfs_each_number(pf->fd, name, walk_thread, &walk);
}

static int walk_process(void *ctx, pid_t pid)
{
	const struct walk *walk = ctx;
	int ret = procfs_each_thread_of(walk->pf, pid, walk->fn, walk->ctx);

	return ret == -ESRCH ? 0 : ret;
}

int procfs_each_thread(const struct procfs *pf, procfs_thread_fn *fn, void *ctx)
{
	struct walk walk = {.pf = pf, .fn = fn, .ctx = ctx};

	return procfs_each_number(pf->fd, ".", walk_process, &walk);
}
