/* SPDX-License-Identifier: MIT */
/* One scenario from mount to verdict, and everything of it removed again. */

#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "evidence.h"
#include "harness/kmsg/kmsg_match.h"
#include "oracle.h"
#include "priority.h"
#include "run.h"
#include "server.h"

#define DEFAULT_BUDGET_MS 10000
#define LEAK_MS		  1000

int64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Only what the last run used: the ledger is larger than all the rest. */
static void reset_arena(struct arena *arena, const struct scenario *scn)
{
	uint32_t used =
		arena->ledger.head < LEDGER_SIZE ? arena->ledger.head : LEDGER_SIZE;

	memset(arena->ledger.record, 0, used * sizeof(arena->ledger.record[0]));
	arena->ledger.head = arena->ledger.n_held = arena->ledger.n_lost = 0;
	arena->ledger.n_dropped = arena->ledger.n_timed = 0;
	arena->ledger.timed_until_ns = 0;
	memset(&arena->daemon, 0, sizeof(arena->daemon));
	memset(arena->mailbox, 0, sizeof(arena->mailbox));
	memset(arena->fd_slots, -1, sizeof(arena->fd_slots));
	memset(arena->epoll_fd, -1, sizeof(arena->epoll_fd));
	memset(arena->map_slots, 0, sizeof(arena->map_slots));
	arena->scn = *scn;
}

static void set_infra(struct run *run, const char *reason)
{
	run->res->verdict = VERDICT_INFRA;
	snprintf(run->res->reason, sizeof(run->res->reason), "%s", reason);
}

/* Tasks that a failed start left behind: nothing of them is evidence. */
static void sweep(struct run *run)
{
	struct survivors *left = &run->some;
	int64_t deadline = now_us() + 2000 * 1000;

	for (;;) {
		survivors_look(run, SCOPE_ALL, left);
		for (unsigned int i = 0; i < left->n; i++)
			kill(left->task[i].pid, SIGKILL);
		if (!left->n || now_us() > deadline)
			return;
		run_abort(run);
		survivors_wait(left, 2);
	}
}

/* After the tree is gone nothing of the run may remain: neither mount nor connection. */
static void dismantle(struct run *run)
{
	int64_t deadline = now_us() + LEAK_MS * 1000;

	if (run->mounted && run_umount(run, false) < 0) {
		set_infra(run, "umount of the run's own mount failed");
		return;
	}
	while (run_waiting(run) >= 0 && run->res->verdict != VERDICT_UNREAPABLE) {
		if (now_us() > deadline) {
			if (run->res->verdict == VERDICT_CLEAN) {
				run->res->verdict = VERDICT_LEAK;
				snprintf(run->res->reason, sizeof(run->res->reason),
					 "all tasks are gone and the mount is removed, "
					 "yet "
					 "connection %u remains",
					 run->conn);
			}
			run_abort(run);
			return;
		}
		run->ex->beat++;
		usleep(1000);
	}
}

/*
 * khungtaskd reports tasks that have not moved for kernel.hung_task_timeout_secs (kernel/hung_task.c). As long as the
 * connection has not been aborted it is the ladder that lets them wait, to be certain: no fault of the kernel's. Nor is it where
 * the time began before the abort, or before the run.
 */
static bool waited_for_us(const struct run *run, const struct kmsg_hit *hit,
			  const char *line)
{
	int64_t then = kmsg_time_us(line);

	if (strcmp(hit->kind, "hung task") != 0)
		return false;
	if (then < 0)
		then = now_us();
	return !run->aborted ||
	       then - run->aborted_us < run->ex->hung_task_s * (int64_t)1000000;
}

static void judge_kernel_log(struct run *run)
{
	char line[512];

	while (kmsg_next(&run->ex->kmsg, line, sizeof(line)) > 0) {
		struct kmsg_hit hit;

		snapshot_add_kmsg(&run->snap, line);
		if (!kmsg_match(line, &hit) || hit.severity < KMSG_BUG ||
		    waited_for_us(run, &hit, line) || run->res->verdict == VERDICT_KERNEL)
			continue;
		run->res->verdict = VERDICT_KERNEL;
		snprintf(run->res->reason, sizeof(run->res->reason), "kernel log: %.300s",
			 hit.title);
	}
}

static void sign(struct run *run)
{
	struct result *res = run->res;

	if (res->verdict == VERDICT_CLEAN || res->verdict == VERDICT_INFRA)
		return;
	res->root_hash = run->why.root_hash;
	res->signature = explain_signature(res->verdict, &run->why);
	if (!res->reason[0])
		snprintf(res->reason, sizeof(res->reason), "%s",
			 run->why.reason[0] ? run->why.reason
					    : "no task of the run explains it");
}

static void do_run(struct run *run)
{
	char err[200] = "";
	int64_t t;

	if (server_start(run, err) < 0 || run_mount(run, err) < 0) {
		close(FD_SERVER);
		sweep(run);
		set_infra(run, err);
		return;
	}
	if (run_start(run, err) < 0) {
		close(FD_DEV);
		close(FD_SERVER);
		sweep(run);
		run_abort(run);
		set_infra(run, err);
		dismantle(run);
		return;
	}
	t = now_us();
	run->res->setup_us = (uint32_t)(t - run->start_us);
	run_steps(run);
	run->res->steps_us = (uint32_t)(run->steps_end_us - t);
	run_ladder(run);
	dismantle(run);
}

void executor_run(struct executor *ex, const struct scenario *scn,
		  const struct run_request *request, struct result *res)
{
	struct run *run = ex->run;
	bool clean;

	/* The looks are written before they are read. */
	memset(run, 0, offsetof(struct run, was));
	run->ex = ex;
	run->arena = ex->arena;
	run->res = res;
	run->probes_stale = true;
	run->budget_ms = request->budget_ms ? request->budget_ms : DEFAULT_BUDGET_MS;
	run->scn = &ex->arena->scn;
	snapshot_init(&run->snap);
	reset_arena(ex->arena, scn);
	kmsg_skip(&ex->kmsg);
	ex->runs++;
	priority_restore(ex);
	ex->rescued = false;
	ex->busy = true;
	run->start_us = run->steps_end_us = now_us();
	do_run(run);
	ex->busy = false;
	run_probes_release(run);
	if (ex->rescued)
		set_infra(run, "the executor hung on a task of the run; the connection "
			       "was aborted");
	clean = res->verdict == VERDICT_CLEAN;
	if (clean && (request->flags & RUN_DETAILS))
		evidence_of_clean_run(run);
	judge_kernel_log(run);
	sign(run);
	cells_verdict(run);
	cells_finish(res);
	res->total_us = (uint32_t)(now_us() - run->start_us);
	if (res->verdict != VERDICT_CLEAN || (request->flags & RUN_DETAILS))
		run_report(run);
	res->snapshot_us = (uint32_t)(now_us() - run->steps_end_us);
	if (run->explained)
		explanation_release(&run->why);
	snapshot_release(&run->snap);
}
