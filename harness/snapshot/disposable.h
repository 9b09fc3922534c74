/* SPDX-License-Identifier: MIT */
/*
 * A child for work that may block for ever in the kernel: it has a deadline, and is left
 * behind if not even SIGKILL ends it.
 *
 * Made by clone3(2) with exit signal 0: no SIGCHLD, and invisible to waitpid(-1) without
 * __WALL, so that a caller's own reaper does not meet it. fork handlers do not run: the
 * child may use malloc() only if the caller has one thread.
 */
#ifndef SF_DISPOSABLE_H
#define SF_DISPOSABLE_H

#include <sys/types.h>

struct disposable {
	pid_t pid;
	int pidfd;
};

int disposable_fork(struct disposable *ret); /* 1 in the parent, 0 in the child, -errno */
/* Waits until it ended by itself and reaps it. 0, or -ETIMEDOUT: it still runs. */
int disposable_wait(struct disposable *child, int timeout_ms);
/* SIGKILL, then as above; closes the pidfd in any case. -ETIMEDOUT: left behind. */
int disposable_kill(struct disposable *child, int timeout_ms);

#endif
