/* SPDX-License-Identifier: MIT */
/* Finds the processes that hold /dev/fuse, and which connection each of them serves. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "parts.h"

#define MAX_HOLDERS 1024

static bool is_waiting_task(const struct live *live, pid_t tid)
{
	for (size_t i = 0; i < live->n_tasks; i++)
		if (live->tasks[i].task.tid == tid)
			return live->tasks[i].wait != WAIT_THREADS;
	return false;
}

struct threads {
	const struct live *live;
	unsigned int n, waiting;
};

static int count_thread(void *ctx, pid_t pid, pid_t tid)
{
	struct threads *threads = ctx;

	(void)pid;
	threads->n++;
	threads->waiting += is_waiting_task(threads->live, tid);
	return threads->n >= 256;
}

static int add_server(struct live *live, const struct dev_holder *holder)
{
	static struct snap_task task;
	struct threads threads = {.live = live};
	struct conn_mount mounts[32];
	struct live_server *sv;
	int n;

	memset(&task, 0, sizeof(task));
	if (procfs_read_task(&live->pf, holder->pid, holder->pid, &task) < 0)
		return 0;
	sv = realloc(live->servers, (live->n_servers + 1) * sizeof(*sv));
	if (!sv)
		return -ENOMEM;
	live->servers = sv;
	sv = &live->servers[live->n_servers++];
	memset(sv, 0, sizeof(*sv));
	sv->pid = holder->pid;
	memcpy(sv->comm, task.comm, sizeof(sv->comm));
	sv->conn = holder->conn;
	sv->sure = holder->conn ? SURE_YES : SURE_NO;
	/* A holder whose leader is gone but which has other threads lives on. */
	sv->dying = (task.flags & PF_EXITING) && task.n_threads <= 1;
	sv->dying |= ((task.sigpnd | task.shdpnd) & (1ull << 8)) != 0;
	sv->stopped = task.state == 'T' || task.state == 't';
	procfs_each_thread_of(&live->pf, holder->pid, count_thread, &threads);
	sv->blocked = threads.n && threads.waiting == threads.n;
	n = evidence_mounts(holder->pid, holder->pid, live->numbers, live->n_numbers,
			    mounts, 32);
	for (int i = 0; i < n && sv->n_seen < EVIDENCE_CONNS; i++)
		sv->seen[sv->n_seen++] = mounts[i].number;
	return 0;
}

int live_find_servers(struct live *live)
{
	struct dev_holder *holders = calloc(MAX_HOLDERS, sizeof(*holders));
	int n, ret = 0;

	if (!holders)
		return -ENOMEM;
	n = procfs_dev_holders(&live->pf, holders, MAX_HOLDERS);
	for (int i = 0; i < n && !ret; i++) {
		bool known = false;

		for (size_t j = 0; j < live->n_servers; j++)
			known |= live->servers[j].pid == holders[i].pid &&
				 live->servers[j].conn == holders[i].conn;
		if (!known && holders[i].pid != getpid())
			ret = add_server(live, &holders[i]);
	}
	free(holders);
	return n < 0 ? n : ret;
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
 * Until 6.18 the kernel does not tell which connection a descriptor of /dev/fuse belongs to. A server mostly sees its
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
	if (live->whole_machine && live->n_numbers == 1 && live->n_servers == 1) {
		live->servers[0].conn = live->numbers[0];
		live->servers[0].sure = SURE_YES;
	}
}
