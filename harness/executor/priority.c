/* SPDX-License-Identifier: MIT */
/* Real-time priorities of the executor and of the run's tasks. */

#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/arena/arena.h"
#include "priority.h"
#include "run.h"

#define PRIORITY_WORKING 3
#define PRIORITY_TASKS	 2
#define PRIORITY_WAITING 1

static bool set_priority(pid_t tid, int priority)
{
	const struct sched_param param = {.sched_priority = priority};

	return !sched_setscheduler(tid, priority ? SCHED_FIFO : SCHED_OTHER, &param);
}

static void pin(struct executor *ex)
{
	cpu_set_t one;

	sched_getaffinity(0, sizeof(ex->actors->cpus), &ex->actors->cpus);
	if (ex->cpu < 0)
		ex->cpu = sched_getcpu();
	CPU_ZERO(&one);
	CPU_SET((size_t)ex->cpu, &one);
	if (ex->cpu < 0 || sched_setaffinity(0, sizeof(one), &one) < 0)
		ex->cpu = -1;
}

struct trial {
	_Atomic uint32_t go, there, woken;
};

static void trial_child(struct trial *trial)
{
	const struct sched_param param = {.sched_priority = PRIORITY_TASKS};

	if (sched_setscheduler(0, SCHED_RR, &param) < 0)
		_exit(1);
	trial->there = 1;
	arena_wait(&trial->go, 0, 1000 * 1000 * 1000); /* ns; never, if it works */
	trial->woken = 1;
	_exit(0);
}

/* Does a woken task really run before we do, once we are below it? Not so in every sandbox that allows the call. */
static bool realtime_works(void)
{
	struct trial *trial = mmap(NULL, sizeof(*trial), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool works = false;
	pid_t pid;

	if (trial == MAP_FAILED)
		return false;
	pid = fork();
	if (!pid)
		trial_child(trial);
	if (pid > 0) {
		set_priority(0, PRIORITY_WAITING);
		works = trial->there;
		set_priority(0, PRIORITY_WORKING);
		arena_bump(&trial->go);
		works = works && !trial->woken;
		set_priority(0, PRIORITY_WAITING);
		works = works && trial->woken;
		waitpid(pid, NULL, 0);
	}
	munmap(trial, sizeof(*trial));
	return works;
}

void priority_init(struct executor *ex)
{
	pin(ex);
	prctl(PR_SET_TIMERSLACK, 1UL);
	ex->tid = (pid_t)syscall(SYS_gettid);
	/* Priority tells who runs on one CPU only. */
	ex->realtime =
		ex->cpu >= 0 && set_priority(0, PRIORITY_WORKING) && realtime_works();
	ex->actors->priority = ex->realtime ? PRIORITY_TASKS : 0;
	set_priority(0, ex->realtime ? PRIORITY_WORKING : 0);
}

void priority_restore(struct executor *ex)
{
	if (!ex->given_up && !ex->waiting)
		return;
	ex->given_up = ex->waiting = false;
	if (ex->realtime)
		set_priority(0, PRIORITY_WORKING);
}

/* The warden may have come in between; then it has the last word. */
static bool overruled(const struct executor *ex)
{
	if (ex->given_up)
		set_priority(0, 0);
	return ex->given_up;
}

bool priority_settle(struct run *run)
{
	struct executor *ex = run->ex;

	if (!ex->realtime || ex->given_up || run->scn->config.cpus > 1)
		return false;
	/* Once it is below them, it runs only when none of them can. */
	if (!ex->waiting) {
		ex->waiting = true;
		set_priority(0, PRIORITY_WAITING);
	}
	return !overruled(ex);
}

void priority_work(struct run *run)
{
	struct executor *ex = run->ex;

	if (!ex->waiting)
		return;
	ex->waiting = false;
	set_priority(0, PRIORITY_WORKING);
	overruled(ex);
}

static int make_ordinary(void *ctx, pid_t pid, pid_t tid)
{
	(void)ctx;
	if (pid != 1)
		set_priority(tid, 0);
	return 0;
}

void priority_give_up(struct executor *ex)
{
	ex->given_up = true;
	if (!ex->realtime)
		return;
	set_priority(ex->tid, 0);
	procfs_each_thread(&ex->procfs, make_ordinary, NULL);
}
