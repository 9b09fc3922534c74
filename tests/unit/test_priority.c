/* SPDX-License-Identifier: MIT */
/* Does a settled run stand still? Without real-time priority these tests are skipped. */

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/executor/priority.h"
#include "harness/executor/run.h"
#include "harness/arena/arena.h"

#define COMPUTE_US 30000

struct board {
	_Atomic uint32_t go, there, finished, turns[2];
};

static struct board *board;

/* The tests take real-time priority and pin: each in a process of its own, whose exit status tells. */
static void in_child(int (*body)(struct executor *ex, struct run *run))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		static struct actor_env actors;
		static struct executor ex = {.actors = &actors};
		static struct run run;
		static struct scenario scn;

		scn.config.cpus = 1;
		run.ex = &ex;
		run.scn = &scn;
		ex.cpu = -1;
		priority_init(&ex);
		_exit(ex.realtime ? body(&ex, &run) : 77);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void become_task(const struct executor *ex)
{
	const struct sched_param param = {.sched_priority = ex->actors->priority};

	if (sched_setscheduler(0, SCHED_RR, &param) < 0)
		_exit(1);
}

static void compute(int64_t us)
{
	for (int64_t end = now_us() + us; now_us() < end;)
		;
}

static pid_t worker(const struct executor *ex)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	become_task(ex);
	board->there = 1;
	while (!board->go)
		arena_wait(&board->go, 0, 1000 * 1000);
	compute(COMPUTE_US);
	board->finished = 1;
	_exit(0);
}

static int settle_waits_for_work(struct executor *ex, struct run *run)
{
	pid_t pid = worker(ex);
	bool early, settled;

	priority_settle(run);
	priority_work(run);
	arena_bump(&board->go);
	/* We are above it: it has not run yet. */
	early = board->finished;
	settled = priority_settle(run) && board->finished;
	waitpid(pid, NULL, 0);
	return !board->there || early || !settled;
}

static void test_settle_waits_for_work(void **state)
{
	(void)state;
	in_child(settle_waits_for_work);
}

static int woken_runs_at_once_below(struct executor *ex, struct run *run)
{
	pid_t pid = worker(ex);
	bool settled = priority_settle(run), at_once;

	arena_bump(&board->go);
	at_once = board->finished;
	waitpid(pid, NULL, 0);
	return !settled || !at_once;
}

static void test_woken_runs_at_once_below(void **state)
{
	(void)state;
	in_child(woken_runs_at_once_below);
}

/* Each spins until the other has had the CPU: with first in, first out neither would ever end. */
static pid_t spinner(const struct executor *ex, int me)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	alarm(20);
	become_task(ex);
	board->turns[me] = 1;
	while (!board->turns[!me])
		;
	_exit(0);
}

static int tasks_share(struct executor *ex, struct run *run)
{
	pid_t a, b;
	int status[2];

	a = spinner(ex, 0);
	b = spinner(ex, 1);
	if (!priority_settle(run))
		return 1;
	waitpid(a, &status[0], 0);
	waitpid(b, &status[1], 0);
	return status[0] || status[1];
}

static void test_tasks_share(void **state)
{
	(void)state;
	in_child(tasks_share);
}

static int nothing_is_promised_after_giving_up(struct executor *ex, struct run *run)
{
	if (procfs_open(&ex->procfs, "/proc") < 0)
		return 1;
	ex->realtime = false; /* so that no other process of this machine is touched */
	priority_give_up(ex);
	ex->realtime = true;
	if (priority_settle(run) || sched_getscheduler(0) != SCHED_FIFO)
		return 1;
	priority_restore(ex);
	return !priority_settle(run);
}

static void test_nothing_is_promised_after_giving_up(void **state)
{
	(void)state;
	in_child(nothing_is_promised_after_giving_up);
}

static int setup(void **state)
{
	(void)state;
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return board == MAP_FAILED;
}

static int teardown(void **state)
{
	(void)state;
	return munmap(board, sizeof(*board));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_settle_waits_for_work, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_woken_runs_at_once_below, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_tasks_share, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_is_promised_after_giving_up,
						setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
