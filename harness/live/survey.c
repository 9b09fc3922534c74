/* SPDX-License-Identifier: MIT */
/* Finds the tasks that may hang on FUSE, looks at them twice, and reads the connections' counters meanwhile. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "harness/snapshot/procfs_parse.h"
#include "parts.h"

#define WAITING_STEP_MS 6
#define CLOSE_LOOK_MS	200

struct walk {
	struct live *live;
	struct snap_task temp;
	size_t room;
};

/*
 * With ASYNC_READ a reader waits for its own READ on a folio, and fuse_file_read_iter() has left no frame: only its
 * connection tells that the folio belongs to FUSE.
 */
bool live_is_request(const struct live_task *lt)
{
	switch (lt->wait) {
	case WAIT_REPLY:
	case WAIT_INIT_REPLY:
		return true;
	case WAIT_WRITEBACK:
	case WAIT_FOLIO_LOCK:
		return lt->fuse_frame || lt->conn;
	default:
		return false;
	}
}

enum worth { WORTH_NOTHING, WORTH_READING, IN_EXEC };

/*
 * By wchan alone, so that a machine of 100,000 threads needs 10 us each. A task that hangs in execve() with
 * exec_update_lock is never read from: that would wait as long as it does (procfs.h).
 */
static enum worth worth_reading(const struct procfs *pf, pid_t pid, pid_t tid,
				struct snap_task *temp)
{
	int dir = procfs_task_dir(pf, pid, tid), in_exec;
	ssize_t n = -1;

	memset(temp, 0, sizeof(*temp));
	temp->state = 'S';
	temp->dev_fd = -1;
	if (dir < 0)
		return WORTH_NOTHING;
	in_exec = procfs_in_exec(dir);
	if (!in_exec)
		n = procfs_read_at(dir, "wchan", temp->wchan, sizeof(temp->wchan));
	close(dir);
	if (in_exec > 0)
		return IN_EXEC;
	if (n < 0)
		return WORTH_NOTHING;
	if (!strcmp(temp->wchan, "0"))
		return tid == pid || pf->blind
			       ? WORTH_READING /* a zombie leader, perhaps */
			       : WORTH_NOTHING;
	switch (wait_of_task(temp)) {
	case WAIT_NONE:
	case WAIT_DEV_READ:
	case WAIT_STOPPED:
		return WORTH_NOTHING;
	default:
		return WORTH_READING; /* WAIT_CHILD too: zap_pid_ns_processes() calls do_wait() */
	}
}

/* What can be known of a task in execve(), with the frames that procfs_read_task() gives it. */
static int read_in_exec(const struct procfs *pf, pid_t pid, pid_t tid,
			struct snap_task *task)
{
	struct task_sample sample;
	int ret = procfs_sample_safe(pf, pid, tid, &sample);

	if (ret < 0)
		return ret;
	memset(task, 0, sizeof(*task));
	task->pid = pid;
	task->tid = tid;
	task->ppid = sample.ppid;
	task->state = sample.state;
	task->switches = sample.switches;
	task->n_threads = sample.n_threads;
	task->syscall = -2;
	task->dev_fd = -1;
	task->sigpnd = sample.sigkill_pending ? 1ull << 8 : 0;
	memcpy(task->comm, sample.comm, sizeof(task->comm));
	task->n_frames = 2;
	strcpy(task->frames[0].name, "exec_update_lock_held");
	strcpy(task->frames[1].name, "begin_new_exec");
	strcpy(task->unote, "unreadable: hangs in execve() with exec_update_lock");
	return 0;
}

static int read_any(const struct procfs *pf, pid_t pid, pid_t tid, bool in_exec,
		    struct snap_task *task)
{
	if (in_exec)
		return read_in_exec(pf, pid, tid, task);
	memset(task, 0, sizeof(*task));
	return procfs_read_task(pf, pid, tid, task);
}

static bool has_fuse_frame(const struct snap_task *task)
{
	char frame[SNAP_NAME];

	for (unsigned int i = 0; i < task->n_frames; i++) {
		frame_normalise(task->frames[i].name, frame, sizeof(frame));
		if (!strncmp(frame, "fuse_", 5) || !strncmp(frame, "__fuse_", 7) ||
		    !strcmp(frame, "request_wait_answer"))
			return true;
	}
	return false;
}

/* "kworker/u8:1+flush-0:53": workers tell what they are at, wq_worker_comm() of kernel/workqueue.c. */
static void read_worker(const struct procfs *pf, struct live_task *lt)
{
	int dir = procfs_task_dir(pf, lt->task.pid, lt->task.tid);
	char comm[80];
	const char *at;

	if (dir < 0)
		return;
	if (procfs_read_at(dir, "comm", comm, sizeof(comm)) > 0 &&
	    (at = strrchr(comm, '+'))) {
		snprintf(lt->worker, sizeof(lt->worker), "%s", at + 1);
		lt->worker[strcspn(lt->worker, "\n")] = '\0';
	}
	close(dir);
}

static bool in_sync(const struct snap_task *task)
{
	return task->syscall == SYS_sync;
}

static bool worth_keeping(const struct live *live, const struct snap_task *task,
			  enum wait_kind kind)
{
	/* What lies on FUSE, as a loop device, waits in frames of its own: its file tells. */
	if (task->state == 'D' && live->stacked.n)
		return true;
	if (in_sync(task))
		return true;
	switch (kind) {
	case WAIT_REPLY:
	case WAIT_INIT_REPLY:
	case WAIT_MEMBERS:
		return true;
	case WAIT_THREADS:
		return task->n_threads > 1;
	case WAIT_VFORK: /* if its child waits */
		return true;
	case WAIT_UNKNOWN:
		return has_fuse_frame(task);
	case WAIT_WRITEBACK:
	case WAIT_FOLIO_LOCK:
	case WAIT_INODE_LOCK:
	case WAIT_IN_LOOKUP:
	case WAIT_EP_MUTEX:
	case WAIT_MMAP_LOCK:
		return true; /* if their connection can be told */
	case WAIT_NONE:
	case WAIT_DEV_READ:
	case WAIT_CHILD:
	case WAIT_STOPPED:
		return false;
	default:
		return has_fuse_frame(task);
	}
}

static int see_thread(void *ctx, pid_t pid, pid_t tid)
{
	struct walk *walk = ctx;
	struct live *live = walk->live;
	enum worth worth = worth_reading(&live->pf, pid, tid, &walk->temp);
	enum wait_kind kind;
	struct live_task *lt;

	live->saw_exec |= worth == IN_EXEC;
	if (worth == WORTH_NOTHING ||
	    read_any(&live->pf, pid, tid, worth == IN_EXEC, &walk->temp) < 0)
		return 0;
	kind = wait_of_task(&walk->temp);
	if (!worth_keeping(live, &walk->temp, kind))
		return 0;
	if (live->n_tasks == LIVE_MAX_TASKS) {
		live->n_left_out++;
		return 0;
	}
	if (live->n_tasks == walk->room) {
		walk->room = walk->room ? walk->room * 2 : 64;
		lt = realloc(live->tasks, walk->room * sizeof(*lt));
		if (!lt)
			return -ENOMEM;
		live->tasks = lt;
	}
	lt = &live->tasks[live->n_tasks++];
	memset(lt, 0, sizeof(*lt));
	lt->task = walk->temp;
	lt->wait = kind;
	lt->in_exec = worth == IN_EXEC;
	lt->fuse_frame = has_fuse_frame(&lt->task);
	lt->age_s = -1;
	lt->kthread = lt->task.flags & PF_KTHREAD;
	if (lt->kthread)
		read_worker(&live->pf, lt);
	lt->bystander = in_sync(&lt->task) || kind == WAIT_VFORK;
	lt->dying = (lt->task.flags & PF_EXITING) ||
		    ((lt->task.sigpnd | lt->task.shdpnd) & (1ull << 8));
	return 0;
}

static void read_waiting(struct live *live, bool first)
{
	for (size_t i = 0; i < live->n_numbers; i++) {
		int waiting = fusectl_waiting(&live->ctl, live->numbers[i]);

		if (waiting < 0)
			waiting = 0;
		if (first || waiting < live->waiting_min[i])
			live->waiting_min[i] = waiting;
		if (first || waiting > live->waiting_max[i])
			live->waiting_max[i] = waiting;
	}
}

static unsigned int count_busy(const struct live *live)
{
	unsigned int n = 0;

	for (size_t i = 0; i < live->n_numbers; i++)
		n += live->waiting_min[i] > 0;
	return n;
}

/*
 * Lets look_ms go by. A busy but healthy connection has moments without a request, too short to be met by chance:
 * while more than one connection seems to have a request all the time, look closely, a little longer.
 */
static void watch_waiting(struct live *live, int look_ms)
{
	struct timespec step = {.tv_nsec = WAITING_STEP_MS * 1000000}, now;
	int64_t begin = 0, ms = 0;

	while (ms < look_ms || (count_busy(live) > 1 && ms < CLOSE_LOOK_MS)) {
		if (count_busy(live) <= 1)
			nanosleep(&step, NULL);
		read_waiting(live, false);
		clock_gettime(CLOCK_MONOTONIC, &now);
		ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
		begin = begin ? begin : ms;
		ms -= begin;
	}
}

static bool same_task(const struct snap_task *a, const struct snap_task *b)
{
	if (b->vanished || a->switches != b->switches || a->n_frames != b->n_frames ||
	    strcmp(a->wchan, b->wchan) || a->comm[0] != b->comm[0])
		return false;
	for (unsigned int i = 0; i < a->n_frames; i++)
		if (strcmp(a->frames[i].name, b->frames[i].name))
			return false;
	return a->state == b->state;
}

static void second_look(struct live *live)
{
	static struct snap_task now;

	for (size_t i = 0; i < live->n_tasks; i++) {
		struct live_task *lt = &live->tasks[i];

		if (read_any(&live->pf, lt->task.pid, lt->task.tid, lt->in_exec, &now) <
			    0 ||
		    !same_task(&lt->task, &now))
			lt->moved = true;
	}
}

static void drop_moved(struct live *live)
{
	size_t kept = 0;

	for (size_t i = 0; i < live->n_tasks; i++) {
		struct live_task *lt = &live->tasks[i];

		if (!lt->moved) {
			if (kept != i)
				live->tasks[kept] = *lt;
			kept++;
		} else if (live->n_movers < LIVE_MAX_MOVERS && !lt->in_exec) {
			live->movers[live->n_movers++] =
				(struct live_mover){lt->task.pid, lt->task.tid};
		}
	}
	live->n_tasks = kept;
}

int live_survey(struct live *live, const struct live_options *opt)
{
	struct walk walk = {.live = live};
	bool any = false;
	int ret;

	ret = fusectl_list(&live->ctl, live->numbers, LIVE_MAX_CONNS);
	if (ret < 0)
		return ret;
	live->n_numbers = (size_t)ret;
	read_waiting(live, true);
	for (size_t i = 0; i < live->n_numbers; i++)
		live->born[i] = fusectl_born(&live->ctl, live->numbers[i]);
	for (size_t i = 0; i < live->n_numbers; i++)
		any |= live->waiting_min[i] > 0;
	/* Whoever waits inside FUSE is counted: without a request there is nobody to find. */
	if (!any)
		return 0;
	stacked_find(&live->stacked, live->numbers, live->n_numbers);
	ret = procfs_each_thread(&live->pf, see_thread, &walk);
	if (!ret)
		ret = live_find_servers(live);
	if (ret < 0)
		return ret;
	watch_waiting(live, opt->look_ms);
	second_look(live);
	live_servers_again(live);
	read_waiting(live, false);
	drop_moved(live);
	return 0;
}
