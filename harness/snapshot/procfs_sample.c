/* SPDX-License-Identifier: MIT */
/* The oracle's samples of a thread: by name, and through kept descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/snapshot/procfs_parse.h"

static int sample_dir(int dir, struct task_sample *out)
{
	struct snap_task status = {0};
	struct stat_fields stat;
	char buf[8192];
	ssize_t n;

	n = procfs_read_at(dir, "stat", buf, 1024);
	if (n >= 0)
		n = parse_stat(buf, &stat);
	if (n < 0)
		return (int)n;
	out->ppid = stat.ppid;
	out->state = stat.state;
	out->flags = stat.flags;
	out->exiting = stat.flags & PF_EXITING;
	out->n_threads = stat.n_threads;
	out->in_exec = stat.in_exec;

	n = procfs_read_at(dir, "status", buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	parse_status(buf, &status);
	out->switches = status.switches;
	out->sigkill_pending = (status.sigpnd | status.shdpnd) & (1ull << (SIGKILL - 1));

	n = procfs_read_at(dir, "wchan", buf, 256);
	if (n < 0)
		return (int)n;
	out->wchan_running = !strcmp(buf, "0");
	if (out->in_exec)
		out->stack_hash = hash_text(buf);
	else if (out->state != 'Z' && out->state != 'X') {
		n = procfs_read_at(dir, "stack", buf, sizeof(buf));
		if (n == -ESRCH)
			return -ESRCH;
		out->stack_hash = n > 0 ? hash_text(buf) : 0;
	}
	return 0;
}

int procfs_sample(const struct procfs *pf, pid_t pid, pid_t tid, struct task_sample *ret)
{
	struct task_sample out = {.pid = pid, .tid = tid};
	int dir = procfs_task_dir(pf, pid, tid), err;

	if (dir < 0)
		return dir;
	err = sample_dir(dir, &out);
	close(dir);
	if (!err)
		*ret = out;
	return err;
}

bool task_sample_same(const struct task_sample *a, const struct task_sample *b)
{
	return a->tid == b->tid && a->pid == b->pid && a->state == b->state &&
	       (a->state == 'Z' || (!a->wchan_running && !b->wchan_running)) &&
	       a->switches == b->switches && a->stack_hash == b->stack_hash &&
	       a->exiting == b->exiting && a->n_threads == b->n_threads;
}

int procfs_probe_open(const struct procfs *pf, pid_t pid, pid_t tid,
		      struct procfs_probe *ret)
{
	struct procfs_probe out = PROCFS_PROBE_INIT;
	int dir = procfs_task_dir(pf, pid, tid), err = 0;

	if (dir < 0)
		return dir;
	out.pid = pid;
	out.tid = tid;
	out.schedstat = openat(dir, "schedstat", O_RDONLY | O_CLOEXEC);
	out.wchan = openat(dir, "wchan", O_RDONLY | O_CLOEXEC);
	out.stat = openat(dir, "stat", O_RDONLY | O_CLOEXEC);
	out.stack = openat(dir, "stack", O_RDONLY | O_CLOEXEC);
	if (out.schedstat < 0 || out.wchan < 0 || out.stat < 0 || out.stack < 0)
		err = errno == ENOENT ? -ESRCH : -errno;
	close(dir);
	if (err)
		procfs_probe_close(&out);
	else
		*ret = out;
	return err;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void procfs_probe_close(struct procfs_probe *probe)
{
	close_fd(&probe->schedstat);
	close_fd(&probe->wchan);
	close_fd(&probe->stat);
	close_fd(&probe->stack);
}

int procfs_probe_read(const struct procfs_probe *probe, struct probe_sample *ret)
{
	struct probe_sample out;
	char buf[256], *p;
	ssize_t n;

	/* One pread each: both texts are shorter than the buffer. */
	n = pread(probe->schedstat, buf, sizeof(buf) - 1, 0);
	if (n < 0)
		return -errno;
	buf[n] = '\0';
	p = strrchr(buf, ' ');
	if (!p)
		return -EINVAL;
	out.runs = strtoull(p, NULL, 10);
	n = pread(probe->wchan, buf, sizeof(buf) - 1, 0);
	if (n < 0)
		return -errno;
	out.asleep = n > 0 && buf[0] != '0';
	*ret = out;
	return 0;
}

int procfs_probe_state(const struct procfs_probe *probe)
{
	struct stat_fields stat;
	char buf[1024];
	ssize_t n = procfs_read_fd(probe->stat, buf, sizeof(buf));

	if (n >= 0)
		n = parse_stat(buf, &stat);
	return n < 0 ? (int)n : stat.state;
}

int procfs_probe_stack(const struct procfs_probe *probe, uint64_t *ret_hash)
{
	struct stat_fields stat;
	char buf[8192];
	ssize_t n = procfs_read_fd(probe->stat, buf, 1024);

	if (n >= 0)
		n = parse_stat(buf, &stat);
	if (n < 0)
		return (int)n;
	if (stat.in_exec)
		return -EAGAIN;
	n = procfs_read_fd(probe->stack, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	*ret_hash = hash_text(buf);
	return 0;
}
