/* SPDX-License-Identifier: MIT */
/*
 * Starts the process behind a target: an executor, a user-mode kernel, QEMU. It dies with
 * the thread that started it (PR_SET_PDEATHSIG), so that a shortfuse that is killed
 * leaves nothing behind: open a target in a thread that lives as long as the target.
 */
#ifndef SF_SPAWN_H
#define SF_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum spawn_mode {
	SPAWN_PLAIN,
	SPAWN_INIT, /* the program is the init of a new pid namespace, in a new mount
		       namespace */
	/*
	 * The program is a child of such an init, which ends when it ends: with the init
	 * everything in the namespace dies. It has a procfs of its own, and a private
	 * tmpfs on /dev/shm. Without root it gets a user namespace as well.
	 */
	SPAWN_CAGED,
};

struct spawn {
	const char *const *argv; /* argv[0] is the path; ends with NULL */
	const int *fds;		 /* become 3, 4, ... in the program */
	size_t n_fds;
	int out, err; /* its standard output and error, -1: /dev/null */
	int cpu;      /* pinned to it, -1: not */
	enum spawn_mode mode;
	bool hide_xstate; /* see xstate.h */
};

struct process {
	pid_t pid;  /* 0: none */
	int pidfd;  /* -1: none */
	int status; /* of waitpid(2), once it has ended */
};

/* 0 once the program runs, or -errno of what failed: clone3(2), mount(2), execve(2). */
int spawn_process(const struct spawn *sp, struct process *ret);

/* True if it has ended; reaps it then. Waits at most ms. */
bool process_ended(struct process *proc, int ms);

/* SIGKILL, reap, close the pidfd. -ETIMEDOUT: it does not die; it is left behind then. */
int process_kill(struct process *proc, int ms);

#endif
