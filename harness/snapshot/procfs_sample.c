/* SPDX-License-Identifier: MIT */
/* The oracle's samples of a thread: by name, and through kept descriptors. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/snapshot/procfs_parse.h"

/* What status tells: all of a limited sample. */
static int sample_status(int dir, struct task_sample *out)
{
	struct snap_task status = {0};
	char buf[8192];
	ssize_t n = procfs_read_at(dir, "status", buf, sizeof(buf));

	if (n < 0)
		return (int)n;
	parse_status(buf, &status);
	out->ppid = status.ppid;
	out->state = status.state;
	out->n_threads = status.n_threads;
	out->switches = status.switches;
	out->sigkill_pending = (status.sigpnd | status.shdpnd) & (1ull << (SIGKILL - 1));
	out->exiting = status.state == 'Z' || status.state == 'X';
	memcpy(out->comm, status.comm, sizeof(out->comm));
	out->limited = true;
	return 0;
}

static const char *run_file(const struct procfs *pf)
{
	return pf->blind ? "syscall" : "wchan";
}

/* Of what run_file() holds. An empty text: the task has just gone. */
static bool tells_running(const char *text)
{
	return !text[0] || !strcmp(text, "0") || !strncmp(text, "running", 7);
}

static int sample_rest(const struct procfs *pf, int dir, struct task_sample *out)
{
	struct stat_fields stat;
	char buf[8192];
	ssize_t n = procfs_read_at(dir, "stat", buf, 1024);

	if (n >= 0)
		n = parse_stat(buf, &stat);
	if (n < 0)
		return (int)n;
	out->state = stat.state;
	out->flags = stat.flags;
	out->exiting = stat.flags & PF_EXITING;
	memcpy(out->comm, stat.comm, sizeof(out->comm));
	n = procfs_read_at(dir, run_file(pf), buf, 256);
	if (n < 0)
		return (int)n;
	out->running = tells_running(buf);
	if (out->state != 'Z' && out->state != 'X') {
		n = procfs_read_at(dir, "stack", buf, sizeof(buf));
		if (n == -ESRCH)
			return -ESRCH;
		out->stack_hash = n > 0 ? hash_text(buf) : 0;
	}
	out->limited = false;
	return 0;
}

static int sample(const struct procfs *pf, struct task_sample *out, bool safe)
{
	int dir = procfs_task_dir(pf, out->pid, out->tid), err;

	if (dir < 0)
		return dir;
	err = sample_status(dir, out);
	/* right before what may block, and status takes long */
	if (!err)
		err = procfs_in_exec(dir);
	if (err > 0)
		out->in_exec = true;
	if (!err && !safe)
		err = sample_rest(pf, dir, out);
	close(dir);
	return err < 0 ? err : 0;
}

int procfs_sample(const struct procfs *pf, pid_t pid, pid_t tid, struct task_sample *ret)
{
	struct task_sample out = {.pid = pid, .tid = tid};
	int err = sample(pf, &out, false);

	if (!err)
		*ret = out;
	return err;
}

int procfs_sample_safe(const struct procfs *pf, pid_t pid, pid_t tid,
		       struct task_sample *ret)
{
	struct task_sample out = {.pid = pid, .tid = tid};
	int err = sample(pf, &out, true);

	if (!err)
		*ret = out;
	return err;
}

bool task_sample_same(const struct task_sample *a, const struct task_sample *b)
{
	return a->tid == b->tid && a->pid == b->pid && a->state == b->state &&
	       (a->state == 'Z' || (!a->running && !b->running)) &&
	       a->switches == b->switches && a->stack_hash == b->stack_hash &&
	       a->exiting == b->exiting && a->n_threads == b->n_threads &&
	       a->in_exec == b->in_exec && a->limited == b->limited;
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
	out.statm = openat(dir, "statm", O_RDONLY | O_CLOEXEC);
	out.status = openat(dir, "status", O_RDONLY | O_CLOEXEC);
	out.wchan = openat(dir, run_file(pf), O_RDONLY | O_CLOEXEC);
	out.stat = openat(dir, "stat", O_RDONLY | O_CLOEXEC);
	out.stack = openat(dir, "stack", O_RDONLY | O_CLOEXEC);
	/* without root there is no stack, and the rest is of use */
	if (out.schedstat < 0 || out.statm < 0 || out.status < 0 || out.wchan < 0 ||
	    out.stat < 0 || (out.stack < 0 && errno != EACCES))
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
	close_fd(&probe->statm);
	close_fd(&probe->status);
	close_fd(&probe->wchan);
	close_fd(&probe->stat);
	close_fd(&probe->stack);
}

static int probe_in_exec(const struct procfs_probe *probe)
{
	char buf[128];
	ssize_t n = procfs_read_fd(probe->statm, buf, sizeof(buf));

	return n < 0 ? (int)n : parse_in_exec(buf);
}

static int probe_status(const struct procfs_probe *probe, char *ret_state)
{
	struct snap_task status = {0};
	char buf[8192];
	ssize_t n = procfs_read_fd(probe->status, buf, sizeof(buf));

	if (n < 0)
		return (int)n;
	parse_status(buf, &status);
	*ret_state = status.state;
	return 0;
}

int procfs_probe_read(const struct procfs_probe *probe, struct probe_sample *ret)
{
	struct probe_sample out = {0};
	char buf[256], *p, state;
	ssize_t n = procfs_read_fd(probe->schedstat, buf, sizeof(buf));
	int err;

	if (n < 0)
		return (int)n;
	p = strrchr(buf, ' ');
	if (!p)
		return -EINVAL;
	out.runs = strtoull(p, NULL, 10);
	err = probe_in_exec(probe);
	if (err < 0)
		return err;
	if (err) {
		out.in_exec = true;
		err = probe_status(probe, &state);
		if (err)
			return err;
		out.asleep = state != 'R';
	} else {
		n = procfs_read_fd(probe->wchan, buf, sizeof(buf));
		if (n < 0)
			return (int)n;
		out.asleep = !tells_running(buf);
	}
	*ret = out;
	return 0;
}

int procfs_probe_state(const struct procfs_probe *probe)
{
	char state;
	int err = probe_status(probe, &state);

	return err ? err : state;
}

int procfs_probe_stack(const struct procfs_probe *probe, uint64_t *ret_hash)
{
	char buf[8192];
	ssize_t n = probe_in_exec(probe);

	if (n > 0)
		return -EAGAIN;
	if (!n && probe->stack < 0)
		return -EACCES;
	if (!n)
		n = procfs_read_fd(probe->stack, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	*ret_hash = hash_text(buf);
	return 0;
}
