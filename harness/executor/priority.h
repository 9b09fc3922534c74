/* SPDX-License-Identifier: MIT */
/*
 * Who gets the one CPU of a run.
 *
 *   4 FIFO  the warden
 *   3 FIFO  the executor, while it does something
 *   2 RR    every task of the run
 *   1 FIFO  the executor, from priority_settle(), which lets them run, to priority_work()
 *
 * Above the load of the machine, so that what the executor sees is settled also beside it. The executor steps below the
 * tasks only where it holds nothing of the kernel's: a dying task that drops its /proc entries spins until every holder
 * of them has let go (release_task() > d_invalidate() > shrink_dcache_parent()), and an executor that was preempted
 * in the middle of a walk of /proc would never get the CPU again to do so. Round robin for the same reason: two dying
 * tasks can wait for each other like that, and each needs its turn.
 */
#ifndef SF_PRIORITY_H
#define SF_PRIORITY_H

#include "executor.h"

/* Pins to ex->cpu; takes real-time priority where that is allowed and does what it says (ex->realtime). */
void priority_init(struct executor *ex);

/* At the start of a run: as after priority_init(), whatever the run before has left. */
void priority_restore(struct executor *ex);

/*
 * Lets the run's tasks have the CPU until none of them can run. True: none of them could, when this returned. False:
 * priority tells nothing here (not allowed, given up, or the run may use other CPUs). The executor stays below them:
 * whoever it wakes from now on runs at once.
 */
bool priority_settle(struct run *run);

/* Above them again: before a fork(2), whose child would wait its turn otherwise, and before a look at /proc. */
void priority_work(struct run *run);

/*
 * From another thread: the executor and all tasks of the run become ordinary ones until priority_restore(). Everybody
 * gets a share then, even beside a real-time task that nobody can name any more (the kernel leaves 5 % to them:
 * sched_rt_runtime_us of sched(7), the fair server since 6.12).
 */
void priority_give_up(struct executor *ex);

/* Of the warden's thread. */
#define PRIORITY_WARDEN 4

#endif
