/* SPDX-License-Identifier: MIT */
/* Finds the processes that hold /dev/fuse, which connection each of them serves, and what their threads do. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "parts.h"

#define MAX_HOLDERS 4096
#define MAX_THREADS 1024 /* of one server; of one with more nothing is proved */

struct threads {
	struct live *live;
	size_t n;
	int err;
};

static enum thread_does does_what(const struct snap_task *task)
{
	bool killed = (task->sigpnd | task->shdpnd) & (1ull << 8);

	if (task->state == 'Z' || task->state == 'X' || (task->flags & PF_EXITING) ||
	    (killed && task->state != 'R'))
		return THREAD_DYING;
	switch (wait_of_task(task)) {
	case WAIT_STOPPED:
		return THREAD_STOPPED;
	case WAIT_DEV_READ:
		return THREAD_READS;
	default:
		return task->state == 'R' ? THREAD_MOVES : THREAD_OUTSIDE;
	}
}

/* futex(2) without a time, private to the process: only a sibling can end it, or a signal. */
static enum thread_does sleeps_how(const struct snap_task *task)
{
	const char *at = task->wchan;
	unsigned long op = task->args[1];

	if (!strncmp(at, "futex_", 6)) {
		bool untimed = ((op & 127) == 0 || (op & 127) == 9) && !task->args[3];

		return untimed && (op & 128) ? THREAD_SLEEPS
		       : untimed	     ? THREAD_OUTSIDE
					     : THREAD_TIMER;
	}
	if (!strcmp(at, "do_nanosleep") || !strcmp(at, "hrtimer_nanosleep") ||
	    !strncmp(at, "common_nsleep", 13) || !strcmp(at, "__do_sys_pause") ||
	    !strcmp(at, "sigsuspend") || !strcmp(at, "do_sigtimedwait"))
		return THREAD_TIMER;
	return THREAD_OUTSIDE;
}

static int add_thread(void *ctx, pid_t pid, pid_t tid)
{
	static struct snap_task task;
	struct threads *walk = ctx;
	struct live *live = walk->live;
	struct live_thread *th;

	memset(&task, 0, sizeof(task));
	if (procfs_read_task(&live->pf, pid, tid, &task) < 0)
		return 0;
	if (live->n_threads % 64 == 0) {
		th = realloc(live->threads, (live->n_threads + 64) * sizeof(*th));
		if (!th) {
			walk->err = -ENOMEM;
			return 1;
		}
		live->threads = th;
	}
	th = &live->threads[live->n_threads++];
	memset(th, 0, sizeof(*th));
	th->pid = pid;
	th->tid = tid;
	th->task = -1;
	th->age_s = -1;
	th->fd = task.syscall == SYS_read || task.syscall == SYS_readv ? (int)task.args[0]
								       : -1;
	th->switches = task.switches;
	th->wait = wait_of_task(&task);
	th->does = (uint8_t)does_what(&task);
	if (th->does == THREAD_OUTSIDE)
		th->does = (uint8_t)sleeps_how(&task);
	memcpy(th->wchan, task.wchan, sizeof(th->wchan));
	return ++walk->n >= MAX_THREADS;
}

static int see_mount(void *ctx, const struct conn_mount *mount)
{
	struct live_server *sv = ctx;

	if (sv->n_seen < EVIDENCE_CONNS)
		sv->seen[sv->n_seen++] = mount->number;
	return 0;
}

static int add_server(struct live *live, const struct dev_holder *holder)
{
	struct threads walk = {.live = live};
	struct task_sample sample;
	struct live_server *sv;

	if (procfs_sample_safe(&live->pf, holder->pid, holder->pid, &sample) < 0)
		return 0;
	sv = realloc(live->servers, (live->n_servers + 1) * sizeof(*sv));
	if (!sv)
		return -ENOMEM;
	live->servers = sv;
	sv = &live->servers[live->n_servers++];
	memset(sv, 0, sizeof(*sv));
	sv->pid = holder->pid;
	memcpy(sv->comm, sample.comm, sizeof(sv->comm));
	sv->conn = holder->conn;
	sv->sure = holder->conn ? SURE_YES : SURE_NO;
	sv->first_thread = live->n_threads;
	procfs_each_thread_of(&live->pf, holder->pid, add_thread, &walk);
	sv->n_threads = live->n_threads - sv->first_thread;
	sv->more_threads = sv->n_threads >= MAX_THREADS;
	if (!holder->conn)
		evidence_mounts(holder->pid, holder->pid, live->numbers, live->n_numbers,
				see_mount, sv);
	return walk.err;
}

/* fuse_dev_show_fdinfo() came with 6.18; where one holder tells its connection, it is there too. */
static bool kernel_tells(const struct live *live)
{
	unsigned int major_ = 0, minor_ = 0;

	return sscanf(live->release, "%u.%u", &major_, &minor_) == 2 &&
	       (major_ > 6 || (major_ == 6 && minor_ >= 18));
}

int live_find_servers(struct live *live)
{
	struct dev_holder *holders = calloc(MAX_HOLDERS, sizeof(*holders));
	bool tells = kernel_tells(live), untold = false;
	int n, ret = 0;

	if (!holders)
		return -ENOMEM;
	n = procfs_dev_holders(&live->pf, holders, MAX_HOLDERS);
	live->holders_known = n >= 0 && n < MAX_HOLDERS;
	for (int i = 0; i < n && !ret; i++) {
		bool known = false;

		for (size_t j = 0; j < live->n_servers; j++)
			known |= live->servers[j].pid == holders[i].pid &&
				 live->servers[j].conn == holders[i].conn;
		if (!known && holders[i].pid != getpid())
			ret = add_server(live, &holders[i]);
		tells |= holders[i].conn != 0;
		untold |= !holders[i].conn && holders[i].pid != getpid();
	}
	/* A device that is not mounted tells nothing on any kernel, and serves nothing. */
	live->holders_known &= tells || !untold;
	free(holders);
	return n < 0 ? n : ret;
}

void live_servers_again(struct live *live)
{
	static struct snap_task now;

	for (size_t i = 0; i < live->n_threads; i++) {
		struct live_thread *th = &live->threads[i];

		memset(&now, 0, sizeof(now));
		if (procfs_read_task(&live->pf, th->pid, th->tid, &now) < 0)
			th->does = THREAD_DYING;
		else if (now.switches != th->switches || now.state == 'R' ||
			 strcmp(now.wchan, th->wchan))
			th->does = th->does == THREAD_TIMER && now.state != 'R'
					   ? THREAD_TIMER
					   : THREAD_MOVES;
	}
}

static bool sees(const struct live_server *sv, uint32_t number)
{
	for (uint8_t i = 0; i < sv->n_seen; i++)
		if (sv->seen[i] == number)
			return true;
	return false;
}

/* Seconds since the epoch at which the process began; 0: unknown. */
static int64_t started_at(const struct live *live, pid_t pid)
{
	char name[32], buf[1024], *p;
	struct timespec boot, now;
	FILE *in;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	in = live->pf.fd >= 0 ? fopen(name, "re") : NULL;
	if (!in)
		return 0;
	p = fgets(buf, sizeof(buf), in) ? strrchr(buf, ')') : NULL;
	fclose(in);
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return 0;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec - boot.tv_sec + strtoll(p + 1, NULL, 10) / sysconf(_SC_CLK_TCK);
}

/*
 * Before 6.18 the kernel does not tell which connection a descriptor of /dev/fuse belongs to. A server mostly sees its
 * mount, and mounts soon after it began: the last one to begin before the connection was made.
 */
static struct live_server *likely_server(struct live *live, uint32_t number)
{
	int64_t born = fusectl_born(&live->ctl, number);
	struct live_server *best = NULL;
	int64_t best_age = INT64_MAX;

	for (size_t i = 0; i < live->n_servers; i++) {
		struct live_server *sv = &live->servers[i];
		int64_t age;

		if (sv->sure == SURE_YES || !sees(sv, number))
			continue;
		age = born - started_at(live, sv->pid);
		if (age >= -1 && age < best_age) {
			best = sv;
			best_age = age;
		}
	}
	return best;
}

void live_name_servers(struct live *live)
{
	if (live->holders_known)
		return;
	/* There is only one that any of them could serve. */
	if (live->n_numbers == 1 && live->whole_machine) {
		for (size_t i = 0; i < live->n_servers; i++) {
			live->servers[i].conn = live->numbers[0];
			live->servers[i].sure = SURE_YES;
		}
		live->holders_known = true;
		return;
	}
	for (size_t i = 0; i < live->n_numbers; i++) {
		struct live_server *sv;
		bool known = false;

		for (size_t j = 0; j < live->n_servers; j++)
			known |= live->servers[j].conn == live->numbers[i];
		sv = known ? NULL : likely_server(live, live->numbers[i]);
		/* Two connections may have the same best one: then it is no answer for the second. */
		if (sv && !sv->conn) {
			sv->conn = live->numbers[i];
			sv->sure = SURE_MAYBE;
		}
	}
}

/* The higher, the more it looks like the one that answers. */
static int rank(const struct live_server *sv)
{
	if (sv->does[THREAD_READS])
		return 6;
	if (sv->does[THREAD_BLOCKED])
		return 5;
	if (sv->stopped)
		return 4;
	if (sv->does[THREAD_MOVES])
		return 3;
	return sv->dying ? 2 : 1;
}

const struct live_server *live_server_of(const struct live *live, uint32_t number)
{
	const struct live_server *best = NULL;

	for (size_t i = 0; number && i < live->n_servers; i++) {
		const struct live_server *sv = &live->servers[i];

		if (sv->conn == number &&
		    (!best || sv->sure > best->sure ||
		     (sv->sure == best->sure && rank(sv) > rank(best))))
			best = sv;
	}
	return best;
}
