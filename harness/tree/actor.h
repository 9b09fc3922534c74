/* SPDX-License-Identifier: MIT */
/*
 * Actors: tasks that wait in a mailbox, run one operation and report.
 *
 * An actor publishes its tid and becomes MAILBOX_IDLE as its first action; the creator does not wait for that,
 * the executor does. Actors hold no descriptor of the harness.
 */
#ifndef SF_ACTOR_H
#define SF_ACTOR_H

#include <sched.h>
#include <sys/resource.h>

#include "harness/arena/arena.h"
#include "ops.h"

/* Descriptors of the executor by number: a child drops all it must not have with one close_range(2). */
enum {
	FD_RUN = 50,	/* first one of a run: kept by the daemon only */
	FD_DEV = 50,	/* the mount's /dev/fuse */
	FD_KICK = 51,	/* the daemon's eventfd */
	FD_SERVER = 52, /* the daemon's socket to a server under test */
	/* First one of the executor itself: kept by nobody else. Below 64, the table that is a part of the kernel's
	 * files_struct suffices, see dup_fd(). */
	FD_HARNESS = 53,
};

struct actor_env {
	struct arena *arena;
	const char *mnt, *outside;
	cpu_set_t cpus; /* where a run may go that asks for two CPUs */
	int priority;	/* SCHED_RR, of the run's tasks; 0: SCHED_OTHER */
	/* Of real-time tasks, us: one that computes for so long without a sleep is killed, as nobody else gets the CPU. */
	struct rlimit runaway;
	/* Body of the daemon process, for the namespace's init when the daemon is placed inside. */
	void (*daemon_body)(const struct actor_env *env);
};

/*
 * Creates task id of the scenario as a child of the caller (an actor, the daemon's main thread or the
 * executor): fork(2), clone(2) or pthread_create(3) by its kind. parent: the caller's mailbox, ACTOR_CTL
 * for the executor. Returns the pid as the caller sees it (0 for a thread), or -errno.
 */
int actor_spawn(const struct actor_env *env, unsigned int parent, unsigned int id);

/* One step from the mailbox of the daemon's main thread: daemon_env.run_step. ctx: struct actor_env. */
void actor_run_step(void *ctx, unsigned int actor);

/* clone(2) without a stack of its own, as fork(2). -1 with errno. */
pid_t actor_clone(unsigned long flags);

/* Called by a new process before anything else: drops descriptors from first on, sets the scheduler. */
void actor_enter(const struct actor_env *env, unsigned int first_fd);

#endif
