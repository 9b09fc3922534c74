/* SPDX-License-Identifier: MIT */
/* Collects user stacks through disposable children, each with a deadline. */
#include "ustack.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#include "harness/snapshot/disposable.h"
#include "harness/snapshot/procfs.h"
#include "harness/snapshot/unwind.h"

#define POLL_MS 5  /* between looks at the child's progress */
#define KILL_MS 50 /* SIGKILL takes 8 - 21 ms under load */

struct shared {
	size_t at;   /* task under work */
	size_t done; /* tasks before this one are finished */
	struct unwind_result result[];
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Why there is nothing to unwind, or NULL. */
static const char *hopeless(const struct snap_task *task)
{
	if (task->vanished)
		return "vanished";
	if (task->state == 'Z' || task->state == 'X')
		return "zombie";
	if (task->flags & PF_KTHREAD)
		return "kernel thread";
	if (task->flags & PF_EXITING)
		return "no mm (exiting)";
	if (task->syscall == -2)
		return "runs, or registers unreadable";
	if (!task->sp || !task->pc)
		return "no user registers";
	return NULL;
}

/* libunwind-ptrace reads /proc/TID/maps, whatever the caller's proc is mounted on. */
static void use_proc(const char *root)
{
	char path[512], here[32] = "", there[32] = "";
	ssize_t n;

	/* the same number for ourselves: the same pid namespace */
	snprintf(path, sizeof(path), "%s/self", root);
	n = readlink(path, there, sizeof(there) - 1);
	if (n <= 0 ||
	    (readlink("/proc/self", here, sizeof(here) - 1) == n && !strcmp(here, there)))
		return;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return;
	mount(root, "/proc", NULL, MS_BIND, NULL);
}

static _Noreturn void child_main(const char *proc_root, const struct snapshot *snap,
				 struct shared *shared, size_t from)
{
	use_proc(proc_root);
	for (size_t i = from; i < snap->n_tasks; i++) {
		const struct snap_task *task = &snap->tasks[i];

		__atomic_store_n(&shared->at, i, __ATOMIC_RELEASE);
		if (!hopeless(task) && !task->n_uframes)
			unwind_task(task, snap->conn.number, &shared->result[i]);
		__atomic_store_n(&shared->done, i + 1, __ATOMIC_RELEASE);
	}
	_exit(0);
}

/* Until the child ends, or has worked on one task for longer than task_ms, or all time is up. */
static void watch(struct disposable *child, const struct shared *shared, int64_t end,
		  int task_ms)
{
	size_t at = 0;
	int64_t since = now_ms();

	while (disposable_wait(child, POLL_MS) == -ETIMEDOUT) {
		size_t seen = __atomic_load_n(&shared->at, __ATOMIC_ACQUIRE);
		int64_t now = now_ms();

		if (seen != at) {
			at = seen;
			since = now;
		}
		if (now >= end || now - since >= task_ms)
			return;
	}
}

static int copy_out(struct snapshot *snap, const struct shared *shared)
{
	int n = 0;

	for (size_t i = 0; i < snap->n_tasks; i++) {
		struct snap_task *task = &snap->tasks[i];
		const struct unwind_result *res = &shared->result[i];
		const char *why = hopeless(task);

		if (task->n_uframes)
			continue;
		task->n_uframes = __atomic_load_n(&res->n, __ATOMIC_ACQUIRE);
		memcpy(task->uframes, res->frames, sizeof(task->uframes));
		n += task->n_uframes > 0;
		if (!why && i >= shared->done)
			why = "not read: no time left";
		if (!why && res->note[0])
			why = res->note;
		/* what procfs_read_task() had to say comes first */
		if (why && !task->unote[0])
			snprintf(task->unote, sizeof(task->unote), "%s", why);
	}
	return n;
}

int ustack_collect(const char *proc_root, struct snapshot *snap, int deadline_ms,
		   pid_t *ret_left_behind)
{
	size_t size =
		sizeof(struct shared) + snap->n_tasks * sizeof(struct unwind_result);
	int64_t end = now_ms() + deadline_ms;
	int task_ms = deadline_ms / 3, ret = 0;
	pid_t left_behind = 0;
	struct shared *shared;

	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return -errno;
	while (shared->done < snap->n_tasks && now_ms() < end && !left_behind) {
		struct disposable child;
		size_t from = shared->done;

		ret = disposable_fork(&child);
		if (ret < 0)
			break;
		if (ret == 0)
			child_main(proc_root, snap, shared, from);
		watch(&child, shared, end, task_ms);
		if (disposable_kill(&child, KILL_MS))
			left_behind = child.pid;
		if (shared->done < snap->n_tasks) {
			/* it crashed, or hangs in this one: say so, go on behind it */
			size_t at = shared->at < from ? from : shared->at;

			snprintf(shared->result[at].note, SNAP_NAME, "given up: %s",
				 left_behind ? "reading it hangs"
					     : "took too long, or crashed");
			shared->done = at + 1;
		}
	}
	if (ret >= 0)
		ret = copy_out(snap, shared);
	/* a child that was left behind still writes there: its own mapping */
	munmap(shared, size);
	if (ret >= 0)
		*ret_left_behind = left_behind;
	return ret;
}
