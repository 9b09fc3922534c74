/* SPDX-License-Identifier: MIT */
/*
 * The executor: runs one scenario after another in the kernel it lives in.
 *
 * It is the init of a pid namespace (in a guest: of the machine), so every orphan of a run becomes its
 * child and /proc shows only tasks of the run. It never touches a file of the mount under
 * test, so it cannot hang with it. One CPU, one scenario at a time.
 */
#ifndef SF_EXECUTOR_H
#define SF_EXECUTOR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/protocol/proto.h"
#include "harness/protocol/result.h"
#include "harness/snapshot/kmsg.h"
#include "harness/snapshot/procfs.h"
#include "harness/tree/actor.h"

/* Private tmpfs of the executor's mount namespace. */
#define DIR_PRIVATE "/run"
#define DIR_MOUNT   DIR_PRIVATE "/mnt"
#define DIR_OUTSIDE DIR_PRIVATE "/out"
#define DIR_FUSECTL DIR_PRIVATE "/ctl"

#define KNOWN_ROOTS                                                                      \
	4096 /* hash slots: root causes that were confirmed with full patience */

struct run;

struct executor {
	int channel; /* exec protocol */
	const char *
		server; /* command of a server under test, see server.h; NULL: the daemon answers itself */
	int cpu;       /* pinned to it; -1: not pinned */
	pid_t tid;     /* of its main thread */
	bool realtime; /* the run's tasks have priority over a waiting executor: priority.h */
	uint32_t uid, gid; /* of the mounts: who owns the connection, see leftovers.h */
	struct arena *arena;
	struct run *run; /* the one in the making, see run.h */
	struct result res;
	struct actor_env *actors;
	struct procfs procfs;
	int children_fd; /* /proc/1/task/1/children: the executor's own; -1: this kernel has none */
	struct kmsg kmsg;
	unsigned int hung_task_s; /* kernel.hung_task_timeout_secs; 0: off or unknown */
	unsigned int unit_us;	  /* fork, exit, wait: what this machine takes */
	unsigned int grace_ms;	  /* how long a rung must have failed, see ladder.c */
	uint64_t known[KNOWN_ROOTS];
	uint64_t runs;
	bool poisoned;	   /* nothing is run any more: what was sent ahead would hang */
	bool waiting;	   /* it is below the tasks of the run: priority.h */
	_Atomic bool busy; /* a run is going on */
	_Atomic bool given_up; /* nobody has priority for the rest of the run */
	_Atomic bool rescued;  /* the executor hung, its run was aborted: warden.h */
	_Atomic uint32_t beat; /* counts the executor's waits */
};

/* In shared memory, never freed; NULL: there is none. */
struct executor *executor_new(void);

/* Set up once: mounts, scheduler, calibration. 0, or -errno with a line in err[200]. */
int executor_init(struct executor *ex, int channel, int cpu, char *err);
/* Before that: the command of a server under test, which stays the caller's. */
void executor_set_server(struct executor *ex, const char *command);

/* Serves RUN frames until STOP or end of file. 0 or -errno. */
int executor_serve(struct executor *ex);

/* Runs one scenario. Always fills *res (initialised by the caller); infra is a verdict too. */
void executor_run(struct executor *ex, const struct scenario *scn,
		  const struct run_request *request, struct result *res);

/* CLOCK_MONOTONIC in us. */
int64_t now_us(void);

#endif
