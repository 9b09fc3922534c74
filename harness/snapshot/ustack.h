/* SPDX-License-Identifier: MIT */
/*
 * User stacks of blocked tasks, by libunwind.
 *
 * No task is stopped: ptrace never gets hold of a D task, and PTRACE_INTERRUPT would wake the others: a FUSE waiter
 * in its interruptible phase would send FUSE_INTERRUPT and go to the next phase (request_wait_answer()),
 * which is the evidence itself. So PC and SP come from /proc/PID/syscall (already in the snapshot), memory from
 * process_vm_readv(2). RBP is unknown at first; code built with frame pointers needs it, so it is
 * searched for on the stack, see unwind.h.
 */
#ifndef SF_USTACK_H
#define SF_USTACK_H

#include <sys/types.h>

#include "harness/snapshot/snapshot.h"

/*
 * Fills uframes and unote of all tasks of snap that have no uframes yet. Everything that may block (maps,
 * ELF files, memory behind a hung mount) is done by a disposable child with a deadline per task; a task
 * that costs too much is noted and the next child goes on behind it. Code mapped from the FUSE mount itself
 * (device 0:snap->conn.number) is not even opened.
 * proc_root: as for procfs_open(), of the caller's own pid namespace.
 * Returns how many tasks got frames, or -errno. *ret_left_behind: a child that not even SIGKILL ended (it waits
 * in the same hung mount and ends with it), or 0.
 * The caller should have one thread only (the child allocates memory).
 */
int ustack_collect(const char *proc_root, struct snapshot *snap, int deadline_ms,
		   pid_t *ret_left_behind);

#endif
