/* SPDX-License-Identifier: MIT */
/* Evidence of a rung that did not help, taken before the next rung destroys it: run->snap, run->why. */
#ifndef SF_EVIDENCE_H
#define SF_EVIDENCE_H

#include "run.h"

/*
 * Takes a new snapshot: all threads that still exist, connection, ledger, kernel log; and explains it. It counts once
 * the rung is known to have failed: evidence_keep(). Where the rung helps after all, the evidence of the rung before is
 * that of the run: evidence_forget(). User stacks only once a run, after the first rung that failed: they cost
 * milliseconds.
 */
void evidence_take(struct run *run, enum rung rung);
void evidence_keep(struct run *run);
void evidence_forget(struct run *run);

/* As above for a run that ended well, when its details are wanted: no tasks, all requests. */
void evidence_of_clean_run(struct run *run);

/*
 * Only inits are left, and they wait for no task that can be seen: their namespaces' last threads have left
 * /proc but not yet freed their pids (zap_pid_ns_processes() itself, not kernel_wait4() below it).
 */
bool evidence_in_transit(const struct run *run);

/*
 * Every wait is known, and an unanswered request accounts for them. Else a kernel thread may be at work: RCU,
 * exit_aio(), ...
 */
bool evidence_certain(const struct run *run);

/* The ledger has a request that was read and not answered. */
bool evidence_open_request(const struct run *run);

/* SIGKILL neither pends at a task nor is the task exiting: it never arrived, which is our own trouble. */
bool evidence_signal_lost(const struct run *run);

#endif
