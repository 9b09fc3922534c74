/* SPDX-License-Identifier: MIT */
/*
 * The warden: a thread of the executor above all tasks of the run.
 *
 * The run's tasks have priority over a waiting executor, so one that spins (in the kernel, where RLIMIT_RTTIME does not
 * reach: it is checked on the way back to user space) would have the CPU for ever. The warden wakes a few times a
 * second; when the executor has not moved since, nobody has priority any more: priority_give_up(). When
 * it has not moved for seconds, it waits in the kernel for a task of the run (a read of /proc that found a hang in
 * execve, exec_update_lock): the warden aborts the connection, and the run ends as infra.
 */
#ifndef SF_WARDEN_H
#define SF_WARDEN_H

#include "executor.h"

/* Starts it, once. 0 or -errno. */
int warden_start(struct executor *ex);

#endif
