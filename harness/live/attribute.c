/* SPDX-License-Identifier: MIT */
/* Tells which connection each task waits on, and how sure that is. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "parts.h"

int live_index(const struct live *live, uint32_t number)
{
	for (size_t i = 0; i < live->n_numbers; i++)
		if (live->numbers[i] == number)
			return (int)i;
	return -1;
}

static bool waits_for_others(const struct live_task *lt)
{
	return lt->wait == WAIT_MEMBERS || lt->wait == WAIT_THREADS;
}

static int collect(struct live *live)
{
	struct evidence_query *query = calloc(live->n_tasks + 1, sizeof(*query));
	struct evidence *ev = calloc(live->n_tasks + 1, sizeof(*ev));
	size_t n = 0;
	int ret = query && ev ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < live->n_tasks; i++) {
		const struct snap_task *task = &live->tasks[i].task;

		if (waits_for_others(&live->tasks[i]))
			continue;
		query[n] = (struct evidence_query){
			.pid = task->pid,
			.tid = task->tid,
			.syscall = task->syscall,
			.in_exec = live->tasks[i].in_exec,
			.exiting = exit_phase(task)[0] != '\0',
		};
		memcpy(query[n++].args, task->args, sizeof(task->args));
	}
	if (!ret)
		ret = evidence_collect(query, n, live->numbers, live->n_numbers, ev);
	n = 0;
	for (size_t i = 0; !ret && i < live->n_tasks; i++)
		if (!waits_for_others(&live->tasks[i]))
			live->tasks[i].ev = ev[n++];
	free(query);
	free(ev);
	return ret;
}

/* One request each is counted in `waiting` for these: fuse_get_req(), fuse_simple_request(). */
static bool is_counted(const struct live_task *lt)
{
	return !lt->in_exec && (lt->wait == WAIT_REPLY || lt->wait == WAIT_INIT_REPLY);
}

static void set(struct live_task *lt, uint32_t number, enum live_sure sure)
{
	lt->conn = number;
	lt->sure = sure;
}

static void from_evidence(struct live *live)
{
	for (size_t i = 0; i < live->n_tasks; i++) {
		struct live_task *lt = &live->tasks[i];
		int at;

		if ((lt->ev.kind != EVIDENCE_FD && lt->ev.kind != EVIDENCE_PATH) ||
		    lt->ev.other)
			continue;
		at = live_index(live, lt->ev.conns[0]);
		/* Without a request under way it cannot be this one: e.g. a fault on the buffer of a read(2). */
		if (at >= 0 && (live->waiting_min[at] > 0 || !is_counted(lt)))
			set(lt, lt->ev.conns[0], SURE_YES);
	}
}

/* Every request of the connection belongs to a task that is surely on it. */
static bool is_full(const struct live *live, size_t at)
{
	int sure = 0;

	if (live->proved_full[at])
		return true;

	for (size_t i = 0; i < live->n_tasks; i++)
		sure += is_counted(&live->tasks[i]) && live->tasks[i].sure == SURE_YES &&
			live->tasks[i].conn == live->numbers[at];
	return sure >= live->waiting_max[at];
}

/*
 * Who waits for a reply has a request in some connection whose `waiting` was never 0 meanwhile. If all such connections but
 * one are filled by others, it is that one: a proof, not a guess.
 */
static bool eliminate(struct live *live)
{
	int only = -1;

	for (size_t i = 0; i < live->n_numbers; i++) {
		if (live->waiting_min[i] <= 0 || is_full(live, i))
			continue;
		if (only >= 0)
			return false;
		only = (int)i;
	}
	if (only < 0)
		return false;
	for (size_t i = 0; i < live->n_tasks; i++) {
		struct live_task *lt = &live->tasks[i];

		/* Of a task in execve() it is not even seen that it waits for FUSE. */
		if (lt->sure != SURE_YES && live_is_request(lt))
			set(lt, live->numbers[only], lt->in_exec ? SURE_MAYBE : SURE_YES);
	}
	return true;
}

static bool is_served(const struct live *live, uint32_t number)
{
	for (size_t i = 0; i < live->n_servers; i++)
		if (live->servers[i].conn == number && !live->servers[i].dying &&
		    !live->servers[i].stopped && !live->servers[i].blocked)
			return true;
	return false;
}

/*
 * Of those that have a request waiting, the only one that the task has to do with; or else the only one of them
 * that has no living server.
 */
static uint32_t presumed(const struct live *live, const struct live_task *lt)
{
	uint32_t only = 0, unserved = 0;
	unsigned int n = 0, n_unserved = 0;

	for (uint8_t i = 0; i < lt->ev.n; i++) {
		int at = live_index(live, lt->ev.conns[i]);

		if (at < 0 || live->waiting_min[at] <= 0 || is_full(live, (size_t)at))
			continue;
		only = lt->ev.conns[i];
		n++;
		if (!is_served(live, only)) {
			unserved = only;
			n_unserved++;
		}
	}
	if (n == 1)
		return only;
	return n_unserved == 1 ? unserved : 0;
}

static void guess(struct live *live)
{
	for (size_t i = 0; i < live->n_tasks; i++) {
		struct live_task *lt = &live->tasks[i];
		uint32_t number;

		/* A folio without a frame of FUSE may be of any file system: it takes an open file. */
		if (lt->sure != SURE_NO ||
		    (!live_is_request(lt) &&
		     !(lt->wait == WAIT_FOLIO_LOCK && lt->ev.kind == EVIDENCE_HELD)) ||
		    lt->ev.kind == EVIDENCE_FD || lt->ev.kind == EVIDENCE_PATH)
			continue;
		number = presumed(live, lt);
		if (number)
			set(lt, number, SURE_MAYBE);
	}
}

/* Folio locks belong to the only connection in question; mmap_lock to that of the same process. */
static void join_locks(struct live *live)
{
	for (size_t i = 0; i < live->n_tasks; i++) {
		struct live_task *lt = &live->tasks[i];

		if (lt->sure != SURE_NO || waits_for_others(lt) || live_is_request(lt))
			continue;
		for (size_t j = 0; j < live->n_tasks; j++) {
			const struct live_task *other = &live->tasks[j];

			if (!is_counted(other) || other->sure == SURE_NO)
				continue;
			if (other->task.pid == lt->task.pid ||
			    (lt->ev.kind == EVIDENCE_HELD && lt->ev.n == 1 &&
			     lt->ev.conns[0] == other->conn)) {
				set(lt, other->conn, SURE_MAYBE);
				break;
			}
		}
	}
}

static bool is_member(const struct snap_task *init, const struct snap_task *task)
{
	return task->ppid == init->pid || (init->pidns && task->pidns == init->pidns);
}

/* Zombie leaders go with their threads, inits with their members. */
static void join_waiters(struct live *live)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < live->n_tasks; i++) {
			struct live_task *lt = &live->tasks[i];

			if (lt->wait != (pass ? WAIT_MEMBERS : WAIT_THREADS))
				continue;
			for (size_t j = 0; j < live->n_tasks && !lt->conn; j++) {
				const struct live_task *other = &live->tasks[j];

				if (j != i && other->conn &&
				    (pass ? is_member(&lt->task, &other->task)
					  : other->task.pid == lt->task.pid))
					set(lt, other->conn, other->sure);
			}
		}
}

int live_attribute(struct live *live)
{
	int ret = collect(live);

	if (ret < 0)
		return ret;
	from_evidence(live);
	if (!eliminate(live)) {
		ret = live_prove_full(live);
		eliminate(live);
	}
	guess(live);
	join_locks(live);
	join_waiters(live);
	return ret;
}
