/* SPDX-License-Identifier: MIT */
/*
 * Who is still there? A thread counts as long as it exists and is not a single-threaded zombie
 * (reapable), whatever its state: a task that waits inside do_exit() may sit in S with no signal pending.
 */
#ifndef SF_ORACLE_H
#define SF_ORACLE_H

#include "run.h"

/* Reaps what can be reaped, then samples what is left. */
void survivors_look(struct run *run, enum scope scope, struct survivors *ret);
/* The same threads, and none of them moved. */
bool survivors_same(const struct survivors *a, const struct survivors *b);
/* Waits until one of them exits, at most ms; poll(2) on pidfds. */
void survivors_wait(const struct survivors *left, int ms);

bool survivor_is_init(const struct run *run, pid_t pid);
/* A thread of the daemon's process exists that is neither a zombie nor exiting. */
bool daemon_lives(struct run *run);

#endif
