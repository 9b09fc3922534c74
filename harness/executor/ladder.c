/* SPDX-License-Identifier: MIT */
/*
 * The recovery ladder: each rung waits until every task is reaped, or until it is certain that the rung has not
 * helped; the rung that emptied the tree, and the ledger, give the verdict.
 *
 * Certain means: the same threads with the same context-switch counts and kernel stacks, off the
 * run queue, for grace_ms; for less where the same roots were confirmed with full patience before, together or each
 * for itself. A namespace's init that is alone in zap_pid_ns_processes() is in transit: a last thread has left /proc
 * before its pid is free.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "evidence.h"
#include "harness/scenario/tables.h"
#include "oracle.h"
#include "priority.h"
#include "run.h"

#define KNOWN_MS                                                                         \
	4 /* three equal looks suffice for a set of roots that was confirmed before */
#define ROOTS_MS     7	  /* a new set of old roots */
#define TRANSIT_MS   1000 /* init alone */
#define LAST_MS	     1500 /* before a kernel is called poisoned */
#define UNSETTLED_MS 5000 /* tasks that keep changing have not gone either */

/* One slot of what was confirmed with full patience: looked up, or stored. */
static bool known(const struct run *run, uint64_t hash, enum rung rung, bool store)
{
	uint64_t key = (hash ^ (rung + 1)) * 0x9e3779b97f4a7c15ull | 1;
	uint64_t *slot = &run->ex->known[(key >> 32) % KNOWN_ROOTS];
	bool found = *slot == key;

	if (store)
		*slot = key;
	return found;
}

static bool known_set(const struct run *run, enum rung rung, bool store)
{
	return known(run, run->why.root_hash, rung, store);
}

/* Each root for itself: that others hang beside it frees none. */
static bool known_roots(const struct run *run, enum rung rung, bool store)
{
	bool all = run->why.n_roots > 0;

	for (size_t i = 0; i < run->why.n_roots; i++)
		all &= run->why.kinds[i] && known(run, run->why.kinds[i], rung, store);
	return all;
}

static void learn(const struct run *run, enum rung rung, int64_t still_us)
{
	if (still_us < (int64_t)run->ex->grace_ms * 1000)
		return;
	known_set(run, rung, true);
	if (evidence_certain(run))
		known_roots(run, rung, true);
}

static unsigned int patience_ms(const struct run *run, enum rung rung)
{
	if (rung >= RUNG_ABORT)
		return LAST_MS * run->ex->grace_ms / 50;
	if (evidence_certain(run) && known_roots(run, rung, false))
		return ROOTS_MS * run->ex->grace_ms / 50;
	/* What outlived the long wait once with these roots need not do so each time. */
	if (evidence_in_transit(run) ||
	    (!evidence_certain(run) && !known_set(run, rung, false)))
		return TRANSIT_MS * run->ex->grace_ms / 50;
	return run->ex->grace_ms;
}

/* Born since the signals were sent: by a task that was in fork(2), or by a thread of the daemon that goes on now. */
static void kill_newborn(const struct survivors *left)
{
	for (unsigned int i = 0; i < left->n; i++)
		if (!left->task[i].sigkill_pending && !left->task[i].exiting)
			kill(left->task[i].pid, SIGKILL);
}

/* What is out of scope, the daemon's threads, may have moved since: out of a wait that no request explains, say for RCU. */
static void take_again(struct run *run, enum rung rung, int64_t still_us, bool *again)
{
	int64_t grace_us = (int64_t)run->ex->grace_ms * 1000;

	if (*again || still_us < grace_us ||
	    (int64_t)patience_ms(run, rung) * 1000 <= grace_us)
		return;
	evidence_take(run, rung);
	*again = true;
}

/*
 * Until the next look, whoever ends first. Switch counts tell at any later look whether a task has moved: after those
 * that known roots need, a look every 8 ms does, and looks are most of what a flagged run costs.
 */
static int pause_ms(unsigned int looks)
{
	return looks <= KNOWN_MS ? 1 : looks == KNOWN_MS + 1 ? ROOTS_MS - KNOWN_MS : 8;
}

/* True: nothing in scope is left. False: the rung has not helped; evidence was taken. */
static bool watch(struct run *run, enum rung rung, enum scope scope)
{
	struct survivors *was = &run->was, *now = &run->now;
	int64_t begin = now_us(), still_since = 0, t;
	unsigned int looks = 0;
	bool taken = false, again = false;

	was->n = 0;
	for (;; *was = *now) {
		survivors_look(run, scope, now);
		t = now_us();
		if (!now->n)
			return true;
		if (!survivors_same(was, now)) {
			kill_newborn(now);
			still_since = t;
			looks = 0;
			taken = again = false;
		}
		looks++;
		if (looks >= 3 && t - still_since >= KNOWN_MS * 1000 && !taken) {
			evidence_take(run, rung);
			taken = true;
			if (evidence_certain(run) && known_set(run, rung, false))
				return false;
		}
		if (taken)
			take_again(run, rung, t - still_since, &again);
		if (taken && t - still_since >= (int64_t)patience_ms(run, rung) * 1000) {
			learn(run, rung, t - still_since);
			return false;
		}
		if (t - begin > UNSETTLED_MS * 1000 * (int64_t)(run->ex->grace_ms / 50)) {
			evidence_take(run, rung);
			return false;
		}
		survivors_wait(now, pause_ms(looks));
	}
}

static bool settle(struct run *run, enum rung rung, enum scope scope)
{
	bool gone = watch(run, rung, scope);

	if (gone)
		evidence_forget(run);
	else
		evidence_keep(run);
	return gone;
}

static bool anyone_idle(const struct run *run)
{
	for (unsigned int i = 0; i < SCN_MAX_TASKS; i++)
		if (run->arena->mailbox[i].state == MAILBOX_IDLE)
			return true;
	return false;
}

/* Rung 0: only a tree whose tasks all ended or are ending by themselves can be empty without a signal. */
static bool ended_by_itself(struct run *run)
{
	if (!anyone_idle(run))
		run_barrier(run, 200);
	survivors_look(run, SCOPE_TREE, &run->now);
	return !run->now.n;
}

/* Also a leader that is a zombie already: the signal is for its threads. */
static void kill_each(struct run *run, const struct survivors *some, bool inits)
{
	for (unsigned int i = 0; i < some->n; i++)
		if (survivor_is_init(run, some->task[i].pid) == inits) {
			kill(some->task[i].pid, SIGKILL);
			priority_settle(run);
		}
}

/* Children first, then the inits of the namespaces, which take what is left with them. */
static void kill_tree(struct run *run)
{
	survivors_look(run, SCOPE_TREE, &run->some);
	kill_each(run, &run->some, false);
	run->arena->daemon.killed = ~0u;
	if (run->arena->ledger.n_held)
		run_kick(run);
	kill_each(run, &run->some, true);
}

static bool rung_reply(struct run *run)
{
	kill(run->arena->daemon.pid, SIGCONT);
	run->arena->daemon.healing = 1;
	run->arena->daemon.gate_closed = 0;
	arena_bump(&run->arena->daemon.unblocked);
	run_kick(run);
	return settle(run, RUNG_REPLY, SCOPE_TREE);
}

/*
 * A mount that nobody uses goes while the daemon dies: umount2(2) waits for RCU several times (namespace_unlock(),
 * bdi_unregister()), and the daemon has the CPU then. That frees no daemon that hangs: whoever waits for a file or a path
 * of the mount has it in use, and this fails (EBUSY). Only a notification waits without (fuse_notify()): a daemon with
 * steps of its own gets its time first.
 */
static void umount_early(struct run *run)
{
	if (run->mounted && !run->daemon_acts)
		run_umount_unused(run);
}

static bool rung_daemon(struct run *run, bool tree_is_gone)
{
	if (run->arena->daemon.pid > 1)
		kill(run->arena->daemon.pid, SIGKILL);
	if (tree_is_gone)
		umount_early(run);
	survivors_look(run, SCOPE_ALL, &run->some);
	kill_each(run, &run->some, false);
	kill_each(run, &run->some, true);
	return settle(run, RUNG_DAEMON, SCOPE_ALL);
}

static bool rung_abort(struct run *run)
{
	run->waiting_before_abort = run_waiting(run);
	run_abort(run);
	return settle(run, RUNG_ABORT, SCOPE_ALL);
}

static bool rung_umount(struct run *run)
{
	if (run->mounted)
		run_umount(run, true);
	return settle(run, RUNG_UMOUNT, SCOPE_ALL);
}

static enum rung climb(struct run *run)
{
	enum rung freed = RUNG_NONE;

	if (ended_by_itself(run)) {
		freed = RUNG_EXIT;
	} else {
		kill_tree(run);
		if (settle(run, RUNG_SIGKILL, SCOPE_TREE))
			freed = RUNG_SIGKILL;
		else if (daemon_lives(run) && rung_reply(run))
			freed = RUNG_REPLY;
	}
	/* The daemon goes in any case; a daemon that cannot die is a finding of its own. */
	if (rung_daemon(run, freed == RUNG_EXIT || freed == RUNG_SIGKILL))
		return freed == RUNG_NONE ? RUNG_DAEMON : freed;
	if (rung_abort(run))
		return RUNG_ABORT;
	return rung_umount(run) ? RUNG_UMOUNT : RUNG_NONE;
}

static enum verdict verdict_of(const struct run *run, enum rung rung)
{
	switch (rung) {
	case RUNG_EXIT:
	case RUNG_SIGKILL:
		return VERDICT_CLEAN;
	case RUNG_REPLY:
		/* Also a kernel's own WRITE that was never read: its waiters show no request. */
		return run->why.root_unread || !evidence_open_request(run) ? VERDICT_DEAF
									   : VERDICT_HELD;
	case RUNG_DAEMON:
		if (run->why.root_unread)
			return VERDICT_DEAF;
		/* A server that deadlocks on itself owes the answer, read or not. */
		return run->why.root_own || evidence_open_request(run) ? VERDICT_LOST
								       : VERDICT_STUCK;
	case RUNG_ABORT:
		return run->waiting_before_abort > 0 ? VERDICT_PINNED : VERDICT_STUCK;
	case RUNG_UMOUNT:
		return VERDICT_STUCK;
	default:
		return VERDICT_UNREAPABLE;
	}
}

void run_ladder(struct run *run)
{
	struct result *res = run->res;
	enum rung rung = climb(run);
	enum verdict verdict = verdict_of(run, rung);

	run_collect_late(run);
	res->rung = (uint8_t)rung;
	res->verdict = (uint8_t)verdict;
	res->poisoned = verdict == VERDICT_UNREAPABLE;
	if (verdict != VERDICT_CLEAN && run->arena->ledger.n_lost) {
		res->verdict = VERDICT_INFRA;
		snprintf(res->reason, sizeof(res->reason),
			 "more than %d requests are open at once: the ledger cannot tell "
			 "what was read",
			 LEDGER_SIZE);
		return;
	}
	if (verdict != VERDICT_CLEAN && evidence_signal_lost(run)) {
		res->verdict = VERDICT_INFRA;
		strcpy(res->reason, "SIGKILL never arrived at a task that stayed");
	}
	res->verdict_us = (uint32_t)(now_us() - run->steps_end_us);
}
