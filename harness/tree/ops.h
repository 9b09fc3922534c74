/* SPDX-License-Identifier: MIT */
/*
 * Worker operations: what a task of the tree, or the daemon's main thread, does in one
 * step.
 *
 * Each row of ops.def with WHO_TASK or WHO_DAEMON has an implementation op_SYMBOL() in
 * harness/tree/ops_*.c. An operation is one system call where it can be, runs in the
 * actor itself, allocates nothing, uses no stdio, and may block for ever or never return.
 * It returns the system call's result, >= 0, or -errno; -EBADF for an empty fd slot,
 * -ESRCH for a task that is not there.
 */
#ifndef SF_OPS_H
#define SF_OPS_H

#include <stdint.h>

#include "harness/arena/arena.h"

struct op_ctx {
	struct arena *arena;
	unsigned int actor;  /* own mailbox */
	const char *mnt;     /* absolute mount point of the run */
	const char *outside; /* absolute directory outside the mount: PATH_OUT, and the
				image "pause" in it */
	/* Creates the task (an id of the scenario) as a child of the caller by its kind;
	 * pid or -errno. */
	int (*spawn)(void *spawn_ctx, unsigned int task);
	void *spawn_ctx;
};

#define OP(id, sym, name, who, a, b, c, v, flags, help)                                  \
	int64_t op_##sym(const struct op_ctx *ctx, const struct scn_step *step);
#define W 1
#define C 2
#define D 4
#include "harness/scenario/ops.def"
#undef OP
#undef W
#undef C
#undef D

/* Runs the step by its table. -ENOSYS for an operation that only the controller has. */
int64_t op_run(const struct op_ctx *ctx, const struct scn_step *step);

/* Absolute path of a path argument. size >= 128. */
void op_path(const struct op_ctx *ctx, unsigned int path, char *buf, size_t size);

/*
 * The actor's process (or, if thread, its thread) id as the caller's pid namespace
 * numbers it, 0 if it is not visible there: NSpid of /proc/PID/status on the executor's
 * procfs, at the caller's depth (mailbox.depth).
 */
pid_t op_pid_of(const struct op_ctx *ctx, unsigned int actor, int thread);

#endif
