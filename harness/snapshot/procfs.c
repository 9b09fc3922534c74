/* SPDX-License-Identifier: MIT */
/* Reads one thread, and walks all of them, through a proc mount without ever blocking. */
#include "procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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
	pf->blind = false;
	return 0;
}

void procfs_calibrate(struct procfs *pf)
{
	char state = 0, name[32], buf[512];
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	if (pid < 0)
		return;
	snprintf(name, sizeof(name), "%d/wchan", pid);
	for (int i = 0; i < 100 && state != 'S'; i++) {
		struct task_sample sample;

		/* Twice as long each time: a loaded machine may not run the child for a while. */
		usleep(100 << (i < 5 ? i : 5));
		if (!procfs_sample_safe(pf, pid, pid, &sample))
			state = sample.state;
	}
	/* It may show S on its way to sleep, when "0" is right: once more, later. */
	for (int i = 0; i < 3; i++) {
		pf->blind = state == 'S' &&
			    procfs_read_at(pf->fd, name, buf, sizeof(buf)) > 0 &&
			    !strcmp(buf, "0");
		if (!pf->blind)
			break;
		usleep(1000);
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
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

int procfs_in_exec(int dir)
{
	char buf[128];
	ssize_t n = procfs_read_at(dir, "statm", buf, sizeof(buf));

	return n < 0 ? (int)n : parse_in_exec(buf);
}

/* All that may take exec_update_lock; the last ones do so on every kernel. */
static int read_locked(int dir, struct snap_task *task)
{
	struct stat_fields stat;
	char buf[8192];
	ssize_t n;

	if (procfs_read_at(dir, "wchan", buf, 256) >= 0)
		snprintf(task->wchan, sizeof(task->wchan), "%.*s", SNAP_NAME - 1, buf);
	n = procfs_read_at(dir, "stat", buf, 1024);
	if (n >= 0)
		n = parse_stat(buf, &stat);
	if (n < 0)
		return (int)n;
	task->state = stat.state;
	task->flags = stat.flags;
	memcpy(task->comm, stat.comm, sizeof(task->comm));
	task->pidns = read_pidns(dir);
	n = procfs_read_at(dir, "syscall", buf, 512);
	if (n >= 0)
		parse_syscall(buf, task);
	/* User-mode Linux has no such file: whether the task is gone, the next one tells. */
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

/* A user-mode kernel finds no better than its own switching: __get_wchan() of arch/um/kernel/process.c. */
static bool wchan_tells(const char *wchan)
{
	return wchan[0] && strcmp(wchan, "0") && strcmp(wchan, "um_set_signals");
}

static int read_in_exec(int dir, struct snap_task *task)
{
	struct disposable child;
	struct snap_task *copy;
	int ret;

	copy = mmap(NULL, sizeof(*copy), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (copy == MAP_FAILED)
		return -errno;
	*copy = *task;
	ret = disposable_fork(&child);
	if (ret == 0)
		_exit(-read_locked(dir, copy));
	if (ret > 0) {
		ret = disposable_wait(&child, IN_EXEC_MS);
		disposable_kill(&child, 1000); /* a killable wait: it goes */
		*task = *copy;
	}
	munmap(copy, sizeof(*copy));
	if (ret != -ETIMEDOUT)
		return ret < 0 ? ret : 0;
	/* the lock is held: what remains is known without a stack */
	task->n_frames = 0;
	if (wchan_tells(task->wchan))
		strcpy(task->frames[task->n_frames++].name, task->wchan);
	else
		strcpy(task->frames[task->n_frames++].name, SNAP_IN_EXEC);
	strcpy(task->frames[task->n_frames++].name, "begin_new_exec");
	strcpy(task->unote, "unreadable: hangs in execve() with exec_update_lock");
	return 0;
}

int procfs_read_task(const struct procfs *pf, pid_t pid, pid_t tid,
		     struct snap_task *task)
{
	struct dev_holder holder;
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
		n = procfs_read_at(dir, "status", buf, sizeof(buf));
	if (n >= 0) {
		parse_status(buf, task);
		n = procfs_in_exec(dir);
		if (n > 0)
			n = read_in_exec(dir, task);
		else if (!n)
			n = read_locked(dir, task);
	}
	if (procfs_dev_fds(pf, pid, tid, &holder, 1) > 0)
		task->dev_fd = holder.fd;
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
