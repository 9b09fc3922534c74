/* SPDX-License-Identifier: MIT */
/*
 * Proves of busy connections that all their requests belong to tasks that are known, so that a task that hangs is on
 * another one.
 *
 * `waiting` of a healthy connection with a busy client is 1 nearly always: the moments between two requests are too
 * short to be met. But if its client waits in a call on that connection, and still does after `waiting` was read as 1,
 * then that one request is the client's.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "parts.h"

#define TRIES	 25
#define PAUSE_MS 8

struct moment {
	struct snap_task *task;
	struct evidence_query *query;
	struct evidence *ev;
};

/* Reads all movers; how many of them wait in a call now. */
static size_t read_movers(const struct live *live, struct moment *m)
{
	size_t n = 0;

	for (size_t i = 0; i < live->n_movers; i++) {
		struct snap_task *task = &m->task[n];
		enum wait_kind kind;

		memset(task, 0, sizeof(*task));
		if (procfs_read_task(&live->pf, live->movers[i].pid, live->movers[i].tid,
				     task) < 0)
			continue;
		kind = wait_of_task(task);
		if (kind != WAIT_REPLY && kind != WAIT_FOLIO_LOCK)
			continue;
		m->query[n] = (struct evidence_query){
			.pid = task->pid,
			.tid = task->tid,
			.syscall = task->syscall,
			.exiting = exit_phase(task)[0] != '\0',
		};
		memcpy(m->query[n].args, task->args, sizeof(task->args));
		n++;
	}
	return n;
}

/* Requests of this connection that the movers account for: one each, one together for those behind a folio. */
static int count_requests(const struct live *live, const struct moment *m, size_t n,
			  uint32_t number)
{
	int requests = 0, folio = 0;

	for (size_t i = 0; i < n; i++) {
		const struct evidence *ev = &m->ev[i];
		struct task_sample now;

		if (!evidence_is_exact(ev) || ev->other || ev->conns[0] != number)
			continue;
		if (procfs_sample(&live->pf, m->task[i].pid, m->task[i].tid, &now) < 0 ||
		    now.switches != m->task[i].switches || now.running)
			continue;
		if (wait_of_task(&m->task[i]) == WAIT_REPLY)
			requests++;
		else
			folio = 1;
	}
	return requests + folio;
}

/* One try. Those that wait without moving on the same connection count too. */
static int prove_once(struct live *live, struct moment *m)
{
	size_t n = read_movers(live, m);
	int ret;

	if (!n)
		return 0;
	ret = evidence_collect(m->query, n, live->numbers, live->n_numbers,
			       &live->stacked, m->ev);
	for (size_t i = 0; i < live->n_numbers && !ret; i++) {
		int waiting, known = 0;

		if (live->waiting_min[i] <= 0 || live->proved_full[i])
			continue;
		waiting = fusectl_waiting(&live->ctl, live->numbers[i]);
		for (size_t j = 0; j < live->n_tasks; j++)
			known += live->tasks[j].wait == WAIT_REPLY &&
				 live->tasks[j].sure == SURE_YES &&
				 live->tasks[j].conn == live->numbers[i];
		known += count_requests(live, m, n, live->numbers[i]);
		live->proved_full[i] = waiting > 0 && known >= waiting;
	}
	return ret;
}

static bool is_needed(const struct live *live)
{
	unsigned int open = 0;

	for (size_t i = 0; i < live->n_numbers; i++)
		open += live->waiting_min[i] > 0 && !live->proved_full[i];
	return open > 1 && live->n_movers;
}

int live_prove_full(struct live *live)
{
	struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000};
	struct moment m = {
		.task = calloc(LIVE_MAX_MOVERS, sizeof(*m.task)),
		.query = calloc(LIVE_MAX_MOVERS, sizeof(*m.query)),
		.ev = calloc(LIVE_MAX_MOVERS, sizeof(*m.ev)),
	};
	int ret = m.task && m.query && m.ev ? 0 : -ENOMEM;

	for (int i = 0; i < TRIES && !ret && is_needed(live); i++) {
		if (i)
			nanosleep(&pause, NULL);
		ret = prove_once(live, &m);
	}
	free(m.task);
	free(m.query);
	free(m.ev);
	return ret;
}
