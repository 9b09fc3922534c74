/* SPDX-License-Identifier: MIT */
/* Tells which connection each task waits on, and how sure that is. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "harness/explain/waits.h"
#include "parts.h"

int live_index(const struct live *live, uint32_t number)
{
	for (size_t i = 0; i < live->n_numbers; i++)
		if (live->numbers[i] == number)
			return (int)i;
	return -1;
}

int live_task_index(const struct live *live, pid_t tid)
{
	for (size_t i = 0; i < live->n_tasks; i++)
		if (live->tasks[i].task.tid == tid)
			return (int)i;
	return -1;
}

static bool waits_for_others(const struct live_task *lt)
{
	return lt->wait == WAIT_MEMBERS || lt->wait == WAIT_THREADS ||
	       lt->wait == WAIT_VFORK;
}

static bool in_fault(const struct snap_task *task)
{
	char frame[SNAP_NAME];

	for (unsigned int i = 0; i < task->n_frames; i++) {
		frame_normalise(task->frames[i].name, frame, sizeof(frame));
		if (!strcmp(frame, "filemap_fault") ||
		    !strcmp(frame, "handle_mm_fault") ||
		    !strcmp(frame, "exc_page_fault") || !strcmp(frame, "do_page_fault") ||
		    !strcmp(frame, "__mm_populate"))
			return true;
	}
	return false;
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
			.fault = in_fault(task),
		};
		memcpy(query[n].worker, live->tasks[i].worker, sizeof(query[n].worker));
		memcpy(query[n++].args, task->args, sizeof(task->args));
	}
	if (!ret)
		ret = evidence_collect(query, n, live->numbers, live->n_numbers,
				       &live->stacked, ev);
	n = 0;
	for (size_t i = 0; !ret && i < live->n_tasks; i++)
		if (!waits_for_others(&live->tasks[i]))
			live->tasks[i].ev = ev[n++];
	free(query);
	free(ev);
	return ret;
}

/* fuse_get_req(), fuse_simple_request(). */
bool live_is_counted(const struct live_task *lt)
{
	return !lt->in_exec && !lt->bystander && lt->fuse_frame &&
	       (lt->wait == WAIT_REPLY || lt->wait == WAIT_INIT_REPLY);
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

		if (!evidence_is_exact(&lt->ev) || lt->ev.other)
			continue;
		at = live_index(live, lt->ev.conns[0]);
		/* Without a request under way nothing there can be waited for. */
		if (at < 0 || live->waiting_max[at] <= 0 ||
		    (live->waiting_min[at] <= 0 && live_is_counted(lt)))
			continue;
		set(lt, lt->ev.conns[0], SURE_YES);
		lt->bystander |=
			lt->ev.below && !lt->fuse_frame && lt->ev.kind != EVIDENCE_WORK;
	}
}

/* Every request of the connection belongs to a task that is surely on it. */
static bool is_full(const struct live *live, size_t at)
{
	int sure = 0;

	if (live->proved_full[at])
		return true;
	for (size_t i = 0; i < live->n_tasks; i++)
		sure += live_is_counted(&live->tasks[i]) &&
			live->tasks[i].sure == SURE_YES &&
			live->tasks[i].conn == live->numbers[at];
	return sure >= live->waiting_max[at];
}

static bool has_hope(const struct live *live, uint32_t number)
{
	for (size_t i = 0; i < live->n_servers; i++)
		if (live->servers[i].conn == number && !live->servers[i].dying)
			return true;
	return false;
}

struct pick {
	uint32_t only, hopeless;
	unsigned int n, n_hopeless;
};

static void consider(const struct live *live, struct pick *pick, uint32_t number)
{
	int at = live_index(live, number);

	if (at < 0 || live->waiting_min[at] <= 0 || is_full(live, (size_t)at))
		return;
	pick->only = number;
	pick->n++;
	if (!has_hope(live, number)) {
		pick->hopeless = number;
		pick->n_hopeless++;
	}
}

static uint32_t picked(const struct pick *pick)
{
	if (pick->n == 1)
		return pick->only;
	return pick->n_hopeless == 1 ? pick->hopeless : 0;
}

/*
 * Of those with a request that is nobody's: the only one that the task has to do with, or the only one of them that
 * has no living server; else, for it may be unmounted, the only one of all. A presumption: good for a sentence, and
 * never for an abort.
 */
static uint32_t presumed(const struct live *live, const struct live_task *lt)
{
	struct pick near = {0}, far = {0};

	for (uint8_t i = 0; i < lt->ev.n; i++)
		consider(live, &near, lt->ev.conns[i]);
	if (near.n)
		return picked(&near);
	for (size_t i = 0; i < live->n_numbers; i++)
		consider(live, &far, live->numbers[i]);
	return far.n == 1 ? far.only : 0;
}

static void guess(struct live *live)
{
	for (size_t i = 0; i < live->n_tasks; i++) {
		struct live_task *lt = &live->tasks[i];
		uint32_t number;

		/* A folio without a frame of FUSE may be of any file system: it takes an open file. sync(2) waits for all. */
		if (lt->sure != SURE_NO || evidence_is_exact(&lt->ev))
			continue;
		if (lt->bystander
			    ? lt->task.syscall != SYS_sync || lt->task.state != 'D'
			    : !live_is_request(lt) && !(lt->wait == WAIT_FOLIO_LOCK &&
							lt->ev.kind == EVIDENCE_HELD))
			continue;
		number = presumed(live, lt);
		if (number)
			set(lt, number, SURE_MAYBE);
	}
}

/* Waits behind a lock that `other` may hold. */
static bool fits_lock(const struct live_task *lt, const struct live_task *other)
{
	if (!live_is_counted(other) || other->sure == SURE_NO)
		return false;
	if (other->task.pid == lt->task.pid)
		return true;
	if (lt->wait == WAIT_EP_MUTEX && (wait_holds(&other->task) & HOLDS_EP) &&
	    (other->task.ppid == lt->task.pid || other->task.pid == lt->task.ppid ||
	     other->task.ppid == lt->task.ppid))
		return true;
	return lt->ev.kind == EVIDENCE_HELD && lt->ev.n == 1 &&
	       lt->ev.conns[0] == other->conn;
}

/* Folio locks belong to the only connection in question; mmap_lock and ep->mtx to those who share them. */
static void join_locks(struct live *live)
{
	for (size_t i = 0; i < live->n_tasks; i++) {
		struct live_task *lt = &live->tasks[i];

		if (lt->sure != SURE_NO || lt->bystander || waits_for_others(lt) ||
		    live_is_request(lt))
			continue;
		for (size_t j = 0; j < live->n_tasks; j++)
			if (fits_lock(lt, &live->tasks[j])) {
				set(lt, live->tasks[j].conn, SURE_MAYBE);
				break;
			}
	}
}

static bool is_member(const struct snap_task *init, const struct snap_task *task)
{
	return task->ppid == init->pid || (init->pidns && task->pidns == init->pidns);
}

static bool waits_for(const struct live_task *lt, const struct live_task *other)
{
	switch (lt->wait) {
	case WAIT_THREADS:
		return other->task.pid == lt->task.pid;
	case WAIT_VFORK:
		return other->task.ppid == lt->task.pid;
	default:
		return is_member(&lt->task, &other->task);
	}
}

/* Zombie leaders go with their threads, parents with their vfork children, then inits with their members. */
static void join_waiters(struct live *live)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < live->n_tasks; i++) {
			struct live_task *lt = &live->tasks[i];

			if (!waits_for_others(lt) || (lt->wait == WAIT_MEMBERS) != pass)
				continue;
			for (size_t j = 0; j < live->n_tasks && !lt->conn; j++) {
				const struct live_task *other = &live->tasks[j];

				if (j != i && other->conn && waits_for(lt, other))
					set(lt, other->conn, other->sure);
			}
		}
}

int live_attribute(struct live *live)
{
	int ret = collect(live);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < live->n_servers; i++) {
		struct live_server *sv = &live->servers[i];

		memset(sv->does, 0, sizeof(sv->does));
		for (size_t j = 0; j < sv->n_threads; j++)
			sv->does[live->threads[sv->first_thread + j].does]++;
		sv->dying = sv->does[THREAD_DYING] == sv->n_threads;
	}
	from_evidence(live);
	ret = live_prove_full(live);
	guess(live);
	join_locks(live);
	join_waiters(live);
	return ret;
}
