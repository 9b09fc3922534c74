/* SPDX-License-Identifier: MIT */
/*
 * Is anything of the run still running?
 *
 * Where the run's tasks have priority over a waiting executor and share its one CPU (priority.h), the answer is in the
 * question: the executor would not run. Elsewhere every task, daemon threads included, must be
 * off the run queue (by wchan, or syscall: procfs_calibrate()) in two looks with the same count of times scheduled in. A task's
 * state alone does not tell: one that was preempted on its way to sleep shows S or D already.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "priority.h"
#include "run.h"

/* A daemon that has not answered so long after the time is stuck or stopped itself. */
#define OVERDUE_MS 100

static bool has_probe(const struct run *run, pid_t tid)
{
	for (size_t i = 0; i < run->n_probes; i++)
		if (run->probes[i].tid == tid)
			return true;
	return false;
}

static int add_probe(void *ctx, pid_t pid, pid_t tid)
{
	struct run *run = ctx;

	if (pid == 1 || pid == run->ignore || has_probe(run, tid))
		return 0;
	if (run->n_probes == RUN_MAX_PROBES)
		return 1;
	if (!procfs_probe_open(&run->ex->procfs, pid, tid, &run->probes[run->n_probes]))
		run->n_probes++;
	return 0;
}

static void drop_probe(struct run *run, size_t i)
{
	procfs_probe_close(&run->probes[i]);
	run->probes[i] = run->probes[--run->n_probes];
}

/* Of status: reading stat can block for ever on a task that hangs in execve(), see procfs.h. */
char run_task_state(pid_t pid, pid_t tid)
{
	char path[64], buf[512], *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)pid, (int)tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 'X';
	n = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	if (n <= 0)
		return 'X';
	buf[n] = '\0';
	state = strstr(buf, "\nState:\t");
	return state ? state[8] : 'X';
}

void run_probes_release(struct run *run)
{
	while (run->n_probes)
		drop_probe(run, 0);
}

/* One look at every task. False as soon as one runs. runs[]: what to compare the next look with. */
static bool look(struct run *run, uint64_t *ret_sum)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < run->n_probes;) {
		struct probe_sample sample;

		if (procfs_probe_read(&run->probes[i], &sample) < 0) {
			drop_probe(run, i);
			continue;
		}
		if (!sample.asleep) {
			int state = procfs_probe_state(&run->probes[i]);

			if (state != 'Z' && state != 'X' && state >= 0)
				return false;
		}
		sum = (sum + sample.runs) * 0x9e3779b97f4a7c15ull +
		      (uint64_t)run->probes[i].tid;
		i++;
	}
	*ret_sum = sum;
	return true;
}

bool run_timed(const struct run *run)
{
	const struct ledger *ledger = &run->arena->ledger;
	int64_t overdue_us = OVERDUE_MS * 1000 * (int64_t)run->ex->grace_ms / 50;

	return ledger->n_timed &&
	       now_us() < (int64_t)(ledger->timed_until_ns / 1000) + overdue_us;
}

bool run_quiescent(struct run *run)
{
	uint64_t first, second;

	run->ex->beat++;
	if (run->arena->daemon.wants || run_timed(run))
		return false;
	if (priority_settle(run))
		return !run->arena->daemon.wants && !run_timed(run);
	if (run->probes_stale) {
		run->probes_stale = false;
		procfs_each_thread(&run->ex->procfs, add_probe, run);
	}
	if (!look(run, &first))
		return false;
	return look(run, &second) && first == second && !run->arena->daemon.wants;
}

bool run_barrier(struct run *run, unsigned int ms)
{
	int64_t deadline = now_us() + (int64_t)ms * 1000;
	unsigned int pause = 20;

	for (;;) {
		uint32_t seen = run->arena->event;

		run_serve_daemon_wants(run);
		if (run_quiescent(run))
			return true;
		if (now_us() > deadline)
			return false;
		arena_listen(run->arena, seen, (int64_t)pause * 1000);
		pause = pause < 1000 ? pause * 2 : 1000;
	}
}
