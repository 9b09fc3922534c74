/* SPDX-License-Identifier: MIT */
/*
 * One run in the making: what the executor's parts (mount, schedule, ladder, report) share. Lives in shared memory like
 * the arena, though no task of the run looks at it: private pages would be copied after each fork.
 */
#ifndef SF_RUN_H
#define SF_RUN_H

#include "executor.h"
#include "harness/explain/explain.h"
#include "harness/snapshot/snapshot.h"

#define RUN_MAX_PROBES 64

#define MAX_SURVIVORS 192

struct survivors {
	unsigned int n;
	bool more; /* there were more than MAX_SURVIVORS */
	struct task_sample task[MAX_SURVIVORS];
};

enum scope {
	SCOPE_TREE, /* all tasks of the run but the daemon's process */
	SCOPE_ALL,  /* with the daemon */
};

struct run {
	struct executor *ex;
	struct arena *arena;
	const struct scenario *scn; /* in the arena */
	struct result *res;
	int64_t start_us, steps_end_us;
	unsigned int budget_ms;

	/* mount.c */
	bool mounted, aborted;
	unsigned int conn;  /* number under /sys/fs/fuse/connections */
	int64_t aborted_us; /* when it was, first */

	/* schedule.c, quiescence.c */
	struct procfs_probe probes[RUN_MAX_PROBES];
	size_t n_probes;
	bool probes_stale; /* tasks may have come or gone: look again before the next sample */
	uint32_t step_seq[SCN_MAX_STEPS]; /* mailbox seq of the step, 0: not issued */

	/* server.c */
	_Atomic uint32_t server_apart; /* it has its namespace and its capabilities */

	/* oracle.c */
	bool daemon_acts; /* the daemon has heirs, or steps of its own, which may fork or wait: look for more than itself */

	/* ladder.c */
	pid_t ignore;	      /* a left-behind reader of user stacks: not of the run */
	struct snapshot snap; /* of the last rung that did not help */
	struct explanation why;
	bool explained;
	struct snapshot
		old_snap; /* the same of the rung before, while this one is not decided */
	struct explanation old_why;
	bool old_explained, stashed;
	int waiting_before_abort;
	struct survivors was, now, some; /* looks: the last one, this one, whom to kill */
};

/* mount.c: opens /dev/fuse as FD_DEV, mounts, records the connection. 0 or -errno with err[200]. */
int run_mount(struct run *run, char *err);
/* fusectl abort of this connection. */
void run_abort(struct run *run);
/* "waiting" of fusectl, -1: the connection is gone. */
int run_waiting(const struct run *run);
/* umount2(2), plain: 0, or -errno, -EBUSY where somebody uses it. */
int run_umount_unused(struct run *run);
/* umount2(2): plain, or MNT_FORCE; detached where that does not work. 0 or -errno. */
int run_umount(struct run *run, bool force);

/* start.c: starts daemon and tree. 0 or -errno with err[200]. */
int run_start(struct run *run, char *err);

/* schedule.c */
/* Issues every step of the scenario in turn. */
void run_steps(struct run *run);
/* Puts one step into its actor's mailbox. Its seq, or 0: the actor is not idle. */
uint32_t run_post(struct run *run, const struct scn_step *step);
/* Stops or kills the daemon where it asked for it (fault actions stop_*, kill_*). */
void run_serve_daemon_wants(struct run *run);
/* Lets the daemon look at its orders; waits until it obeyed, or cannot. */
void run_kick(struct run *run);
/* Files late results of steps that were blocked. */
void run_collect_late(struct run *run);

/* quiescence.c */
/* Waits until the run is quiescent, at most ms. True if it is. */
bool run_barrier(struct run *run, unsigned int ms);
/* Is every task of the run asleep, and was it in two looks? Does not sleep itself. */
bool run_quiescent(struct run *run);
/* The daemon holds a request for a time (hold_ms) that is not over. */
bool run_timed(const struct run *run);
/* State letter of /proc/PID/task/TID/stat, X when there is none. */
char run_task_state(pid_t pid, pid_t tid);
void run_probes_release(struct run *run);

/* ladder.c: climbs the ladder, sets verdict and rung, keeps the evidence in run->snap and run->why. */
void run_ladder(struct run *run);

/* ctl_ops.c: a step of the controller; its result. */
int64_t ctl_run(struct run *run, const struct scn_step *step);

/* cells.c: coverage from "wait" feedback. */
void cells_step(struct run *run, unsigned int step); /* after the step was decided */
void cells_verdict(struct run *run);
void cells_finish(struct result *res); /* sorts, drops doubles */

/* report.c: details as JSON text into run->res. */
void run_report(struct run *run);

#endif
