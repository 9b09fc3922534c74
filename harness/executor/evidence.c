/* SPDX-License-Identifier: MIT */
/* Takes the snapshot of a rung that did not help. */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "evidence.h"
#include "harness/scenario/tables.h"
#include "harness/snapshot/ustack.h"
#include "oracle.h"
#include "server.h"

#define USTACK_MS    100
#define SERVER_ACTOR "server" /* under test */

static const struct scn_task *task_of_thread(const struct run *run, pid_t tid)
{
	for (unsigned int i = 0; i < run->scn->n_tasks; i++)
		if (run->arena->mailbox[run->scn->tasks[i].id].tid == tid)
			return &run->scn->tasks[i];
	return NULL;
}

static bool is_heir(const struct run *run, const struct scn_task *task)
{
	while (task && task->parent < SCN_MAX_TASKS)
		task = scenario_task(run->scn, task->parent);
	return task && task->parent == ACTOR_DAEMON;
}

static void name_task(const struct run *run, struct snap_task *task)
{
	const struct daemon_shared *daemon = &run->arena->daemon;
	const struct scn_task *actor = task_of_thread(run, task->tid);

	task->role = ROLE_OTHER;
	if (actor) {
		snprintf(task->actor, sizeof(task->actor), "t%u", actor->id);
		task->role = is_heir(run, actor)	 ? ROLE_HEIR
			     : actor->kind == TASK_PIDNS ? ROLE_INIT
							 : ROLE_WORKER;
	} else if (task->pid == daemon->pid) {
		strcpy(task->actor, "daemon");
		task->role = task->tid == daemon->pid ? ROLE_DAEMON : ROLE_SERVER;
	} else if (server_owns(run, task->pid)) {
		strcpy(task->actor, SERVER_ACTOR);
	}
}

struct walk {
	struct run *run;
	struct snapshot *snap;
};

static int take_task(void *ctx, pid_t pid, pid_t tid)
{
	struct walk *walk = ctx;
	struct snap_task *task;

	if (pid == 1 || pid == walk->run->ignore)
		return 0;
	task = snapshot_add_task(walk->snap);
	if (!task)
		return 1;
	if (procfs_read_task(&walk->run->ex->procfs, pid, tid, task) < 0) {
		walk->snap->n_tasks--;
		return 0;
	}
	name_task(walk->run, task);
	return 0;
}

static void take_request(struct run *run, struct snapshot *snap,
			 const struct ledger_record *rec)
{
	struct snap_request *req = snapshot_add_request(snap);

	if (!req)
		return;
	*req = (struct snap_request){
		.unique = rec->unique,
		.nodeid = rec->nodeid,
		.opcode = rec->opcode,
		.pid = rec->pid,
		.server = rec->server,
		.state = (uint8_t)rec->state,
		.rule = rec->rule,
		.action = rec->action,
		.error = rec->error,
		.read_us = (int64_t)(rec->read_ns / 1000) - run->start_us,
		.done_us = rec->done_ns ? (int64_t)(rec->done_ns / 1000) - run->start_us
					: -1,
	};
}

static void take_requests(struct run *run, struct snapshot *snap)
{
	const struct ledger *ledger = &run->arena->ledger;
	uint32_t n = ledger->head < LEDGER_SIZE ? ledger->head : LEDGER_SIZE;

	for (int answered = 0; answered < 2; answered++)
		for (uint32_t i = 0; i < n; i++) {
			const struct ledger_record *rec = &ledger->record[i];

			if (rec->state != LEDGER_FREE &&
			    (rec->state == LEDGER_ANSWERED) == answered)
				take_request(run, snap, rec);
		}
}

static void take_surroundings(struct run *run, struct snapshot *snap)
{
	struct utsname uts;

	uname(&uts);
	snprintf(snap->release, sizeof(snap->release), "%s", uts.release);
	snap->conn.number = run->conn;
	snap->conn.waiting = run_waiting(run);
	snap->conn.exists = snap->conn.waiting >= 0;
	snap->conn.daemon_pid = run->arena->daemon.pid;
	snap->conn.ledger = true;
	take_requests(run, snap);
}

static void note_daemon(struct snapshot *snap)
{
	for (size_t i = 0; i < snap->n_tasks; i++) {
		const struct snap_task *task = &snap->tasks[i];

		if (task->pid == snap->conn.daemon_pid && task->state != 'Z' &&
		    !(task->flags & PF_EXITING) &&
		    !((task->sigpnd | task->shdpnd) & 1ull << (SIGKILL - 1)))
			snap->conn.daemon_alive = true;
	}
}

/* User stacks of an earlier look stay true: a thread that has not moved since has the same. */
static void keep_user_stacks(const struct snapshot *from, struct snapshot *to)
{
	for (size_t i = 0; i < to->n_tasks; i++) {
		struct snap_task *task = &to->tasks[i];
		const struct snap_task *old = snapshot_task(from, task->tid);

		if (!old || task->n_uframes || (task->flags & PF_EXITING))
			continue;
		memcpy(task->uframes, old->uframes, sizeof(task->uframes));
		task->n_uframes = old->n_uframes;
		memcpy(task->unote, old->unote, sizeof(task->unote));
	}
}

static void drop(struct snapshot *snap, struct explanation *why, bool *explained)
{
	if (*explained)
		explanation_release(why);
	*explained = false;
	snapshot_release(snap);
	snapshot_init(snap);
}

/* The evidence of the rung before steps aside for a newer one. */
static void stash(struct run *run)
{
	if (run->stashed) {
		drop(&run->snap, &run->why, &run->explained);
		return;
	}
	run->old_snap = run->snap;
	run->old_why = run->why;
	run->old_explained = run->explained;
	run->stashed = true;
	run->explained = false;
}

void evidence_keep(struct run *run)
{
	if (run->stashed)
		drop(&run->old_snap, &run->old_why, &run->old_explained);
	run->stashed = false;
}

void evidence_forget(struct run *run)
{
	if (!run->stashed)
		return;
	drop(&run->snap, &run->why, &run->explained);
	run->snap = run->old_snap;
	run->why = run->old_why;
	run->explained = run->old_explained;
	run->stashed = false;
}

void evidence_take(struct run *run, enum rung rung)
{
	struct snapshot snap;
	struct walk walk = {run, &snap};

	snapshot_init(&snap);
	snap.rung = (uint8_t)rung;
	procfs_each_thread(&run->ex->procfs, take_task, &walk);
	take_surroundings(run, &snap);
	snapshot_complete(&snap);
	note_daemon(&snap);
	if (rung == RUNG_SIGKILL)
		ustack_collect("/proc", &snap, USTACK_MS, &run->ignore);
	else
		keep_user_stacks(&run->snap, &snap);
	stash(run);
	run->snap = snap;
	run->explained = !explain_snapshot(&run->snap, &run->why);
	if (!run->explained)
		memset(&run->why, 0, sizeof(run->why));
}

void evidence_of_clean_run(struct run *run)
{
	snapshot_release(&run->snap);
	snapshot_init(&run->snap);
	take_surroundings(run, &run->snap);
}

bool evidence_in_transit(const struct run *run)
{
	for (size_t i = 0; i < run->snap.n_tasks; i++) {
		const struct snap_task *task = &run->snap.tasks[i];
		char top[SNAP_NAME] = "";

		if (task->state == 'Z')
			continue;
		for (unsigned int k = 0; k < task->n_frames; k++) {
			frame_normalise(task->frames[k].name, top, sizeof(top));
			if (!frame_is_generic(top))
				break;
		}
		if (strcmp(top, "zap_pid_ns_processes"))
			return false;
	}
	return run->snap.n_tasks > 0;
}

bool evidence_open_request(const struct run *run)
{
	for (size_t i = 0; i < run->snap.n_requests; i++)
		if (run->snap.requests[i].state != LEDGER_ANSWERED)
			return true;
	return false;
}

/* exit_aio() and io_destroy() wait for RCU even when every request was answered. */
static bool waits_for_aio(const struct snap_task *task)
{
	for (unsigned int i = 0; i < task->n_frames; i++)
		if (strstr(task->frames[i].name, "exit_aio") ||
		    strstr(task->frames[i].name, "io_destroy"))
			return true;
	return false;
}

bool evidence_certain(const struct run *run)
{
	const struct explanation *why = &run->why;

	for (size_t i = 0; i < run->snap.n_tasks; i++) {
		const struct snap_task *task = &run->snap.tasks[i];

		enum wait_kind kind = wait_of_task(task);

		if (task->state != 'Z' && (kind == WAIT_UNKNOWN ||
					   wait_is_indirect(kind) || waits_for_aio(task)))
			return false;
	}
	return why->root_unread || why->root_own || why->root_held || why->root_dropped ||
	       why->root_served || evidence_open_request(run);
}

/* do_exit() waits for io_uring before it sets PF_EXITING. */
static bool in_do_exit(const struct snap_task *task)
{
	for (unsigned int i = 0; i < task->n_frames; i++)
		if (strstr(task->frames[i].name, "do_exit"))
			return true;
	return false;
}

static bool told_to_die(const struct snap_task *task)
{
	return in_do_exit(task) || (task->flags & PF_EXITING) ||
	       ((task->sigpnd | task->shdpnd) & 1ull << (SIGKILL - 1));
}

static bool of_server(const struct snap_task *task)
{
	return !strcmp(task->actor, SERVER_ACTOR);
}

bool evidence_signal_lost(const struct run *run)
{
	for (size_t i = 0; i < run->snap.n_tasks; i++) {
		const struct snap_task *task = &run->snap.tasks[i];

		if (run->snap.rung < RUNG_DAEMON &&
		    (task->pid == run->snap.conn.daemon_pid || of_server(task)))
			continue; /* not told to die yet */
		if (task->state != 'Z' && !told_to_die(task))
			return true;
	}
	return false;
}
