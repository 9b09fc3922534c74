/* SPDX-License-Identifier: MIT */
/* Wedged, stalled or slow: decided for all connections at once, for their servers may wait for each other. */

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "harness/explain/waits.h"
#include "parts.h"

#define LATELY_S 2 /* a server that ran within this time is at work */

const char *const live_state_names[] = {"quiet", "slow", "stalled", "wedged"};

/* The lock that lt waits for has an owner who waits for a reply on the same connection. */
static bool lock_is_explained(const struct live *live, const struct live_task *lt)
{
	unsigned int needs = wait_needs(lt->wait);

	for (size_t i = 0; i < live->n_tasks; i++) {
		const struct live_task *other = &live->tasks[i];

		if (other != lt && other->conn == lt->conn && live_is_counted(other) &&
		    other->sure == SURE_YES && (wait_holds(&other->task) & needs))
			return true;
	}
	return false;
}

static bool is_wedged_too(const struct live *live, const bool *wedged, uint32_t number)
{
	int at = live_index(live, number);

	return at >= 0 && wedged[at];
}

/* A helper that ticks while nothing else moves; one long sleep may be the handler of a slow request. */
static bool ticks(const struct live_thread *th, double oldest_s, double patience_s)
{
	return oldest_s >= patience_s && th->age_s >= 0 && th->age_s < oldest_s / 2;
}

/* It will not answer, ever, as long as `wedged` is right. */
static bool is_hopeless(const struct live *live, const struct live_options *opt,
			const bool *wedged, const struct live_server *sv,
			const struct live_thread *th, double oldest_s)
{
	const struct live_task *lt;

	switch (th->does) {
	case THREAD_DYING:
		return true;
	case THREAD_SLEEPS:
		return sv->does[THREAD_BLOCKED] > 0;
	case THREAD_TIMER:
		return sv->does[THREAD_BLOCKED] > 0 &&
		       ticks(th, oldest_s, opt->patience_s);
	case THREAD_BLOCKED:
		lt = &live->tasks[th->task];
		return lt->sure == SURE_YES && !lt->bystander &&
		       is_wedged_too(live, wedged, lt->conn) &&
		       (live_is_request(lt) || lock_is_explained(live, lt));
	default:
		return false;
	}
}

static bool nobody_can_answer(const struct live *live, const struct live_options *opt,
			      const bool *wedged, const struct live_conn *conn)
{
	for (size_t i = 0; i < live->n_servers; i++) {
		const struct live_server *sv = &live->servers[i];

		if (sv->conn != conn->number &&
		    (sv->sure == SURE_YES || live->holders_known))
			continue;
		if (sv->more_threads)
			return false;
		for (size_t j = 0; j < sv->n_threads; j++)
			if (!is_hopeless(live, opt, wedged, sv,
					 &live->threads[sv->first_thread + j],
					 conn->oldest_s))
				return false;
	}
	return true;
}

static bool has_living_holder(const struct live *live, uint32_t number)
{
	for (size_t i = 0; i < live->n_servers; i++)
		if (live->servers[i].conn == number && !live->servers[i].dying)
			return true;
	return false;
}

/* Its server is no process of this machine: nobody holds /dev/fuse, and all is well. */
static bool is_served_by_host(const struct live_conn *conn)
{
	glob_t found;
	bool any;

	if (conn->mount[0])
		return !strncmp(conn->mount, "virtiofs", 8);
	any = !glob("/sys/bus/virtio/drivers/virtiofs/virtio*", 0, NULL, &found);
	globfree(&found);
	return any;
}

/*
 * The largest set of connections of which each has only threads that wait within the set: starts with all that have an old
 * request, and takes out, again and again, what somebody can answer.
 */
static void find_wedged(const struct live *live, const struct live_options *opt,
			bool *wedged)
{
	int hidden = -1;
	bool changed;

	for (size_t i = 0; i < live->n_conns; i++) {
		const struct live_conn *conn = &live->conns[i];
		int at = live_index(live, conn->number);

		if (at < 0 || !live->whole_machine || !live->holders_known ||
		    conn->waiting_min <= 0 || conn->waiting_min != conn->waiting_max ||
		    !conn->n_tasks ||
		    (conn->oldest_s >= 0 && conn->oldest_s < opt->settle_s))
			continue;
		if (!has_living_holder(live, conn->number)) {
			if (hidden < 0)
				hidden = live->saw_exec || live_in_transit(live);
			if (hidden || is_served_by_host(conn))
				continue;
		}
		wedged[at] = true;
	}
	do {
		changed = false;
		for (size_t i = 0; i < live->n_conns; i++) {
			const struct live_conn *conn = &live->conns[i];
			int at = live_index(live, conn->number);

			if (at < 0 || !wedged[at] ||
			    nobody_can_answer(live, opt, wedged, conn))
				continue;
			wedged[at] = false;
			changed = true;
		}
	} while (changed);
}

static bool is_moving(const struct live *live, const struct live_conn *conn)
{
	if (conn->waiting_min != conn->waiting_max)
		return true;
	for (size_t i = 0; i < live->n_servers; i++) {
		const struct live_server *sv = &live->servers[i];

		/* Others may hold the device too, and have a life of their own. */
		if (sv->conn != conn->number ||
		    (sv != live_server_of(live, conn->number) && !sv->does[THREAD_READS]))
			continue;
		for (size_t j = 0; j < sv->n_threads; j++) {
			const struct live_thread *th =
				&live->threads[sv->first_thread + j];

			if (th->does == THREAD_MOVES ||
			    ((th->does == THREAD_READS || th->does == THREAD_OUTSIDE) &&
			     th->age_s >= 0 && th->age_s < LATELY_S))
				return true;
		}
	}
	return false;
}

/* For how long its server has not run: how old a request that nobody waits for is at least, nearly. */
static double idle_s(const struct live *live, uint32_t number)
{
	const struct live_server *sv = live_server_of(live, number);
	double least = -1;

	for (size_t i = 0; sv && i < sv->n_threads; i++) {
		const struct live_thread *th = &live->threads[sv->first_thread + i];

		if (th->age_s >= 0 && (least < 0 || th->age_s < least))
			least = th->age_s;
	}
	return least;
}

/* All that wait here wait for a file lock, and the server is free to serve its owner. */
static bool only_locks(const struct live *live, const struct live_conn *conn)
{
	const struct live_server *sv = live_server_of(live, conn->number);
	char frame[SNAP_NAME];

	if (!sv || !sv->does[THREAD_READS] || !conn->n_tasks)
		return false;
	for (size_t i = 0; i < live->n_tasks; i++) {
		const struct live_task *lt = &live->tasks[i];

		if (lt->conn != conn->number || !live_is_request(lt))
			continue;
		wait_frame(&lt->task, frame, sizeof(frame));
		if (strcmp(frame, "fuse_setlk"))
			return false;
	}
	return true;
}

static enum live_state by_age(const struct live *live, const struct live_options *opt,
			      struct live_conn *conn)
{
	if (!conn->n_tasks && conn->waiting_min <= 0)
		return LIVE_QUIET;
	if (conn->oldest_s < 0 && conn->unseen > 0)
		conn->oldest_s = idle_s(live, conn->number);
	conn->only_locks = only_locks(live, conn);
	if (conn->only_locks || conn->moves)
		return LIVE_SLOW;
	return conn->oldest_s >= opt->age_s ? LIVE_STALLED : LIVE_SLOW;
}

/* The connection that its server waits for; of several, the worst. */
static void find_behind(const struct live *live, struct live_conn *conn)
{
	const struct live_server *sv = live_server_of(live, conn->number);
	const struct live_conn *best = NULL;

	for (size_t i = 0; sv && i < sv->n_threads; i++) {
		const struct live_thread *th = &live->threads[sv->first_thread + i];
		const struct live_conn *other;

		if (th->does != THREAD_BLOCKED || !live->tasks[th->task].conn)
			continue;
		other = live_conn_find(live, live->tasks[th->task].conn);
		if (other && (!best || other->state > best->state ||
			      (other->state == best->state && best == conn)))
			best = other;
	}
	conn->behind = best ? best->number : 0;
}

static void find_depth(const struct live *live, struct live_conn *conn)
{
	const struct live_conn *at = conn;

	for (unsigned int steps = 1; at && at->behind && steps < 64; steps++) {
		if (at->behind == at->number)
			break;
		at = live_conn_find(live, at->behind);
		if (at == conn) {
			conn->in_cycle = true;
			conn->depth = 0;
			return;
		}
		conn->depth = (uint8_t)steps;
	}
}

bool live_is_culprit(const struct live *live, const struct live_conn *conn)
{
	const struct live_conn *at = conn;

	if (conn->state != LIVE_WEDGED)
		return false;
	if (!conn->behind || conn->behind == conn->number)
		return true;
	if (!conn->in_cycle) {
		at = live_conn_find(live, conn->behind);
		return !at || at->state != LIVE_WEDGED;
	}
	for (unsigned int steps = 0; steps < 64; steps++) {
		at = live_conn_find(live, at->behind);
		if (!at || at == conn)
			break;
		if (at->number < conn->number)
			return false;
	}
	return true;
}

static int by_state(const void *a, const void *b)
{
	const struct live_conn *x = a, *y = b;

	if (x->state != y->state)
		return (int)y->state - (int)x->state;
	if (x->depth != y->depth)
		return (int)x->depth - (int)y->depth;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return x->owner < y->owner ? -1 : x->owner > y->owner;
}

void live_decide(struct live *live, const struct live_options *opt)
{
	bool wedged[LIVE_MAX_CONNS] = {false};

	find_wedged(live, opt, wedged);
	for (size_t i = 0; i < live->n_conns; i++) {
		struct live_conn *conn = &live->conns[i];
		int at = live_index(live, conn->number);

		conn->moves = conn->number && is_moving(live, conn);
		conn->state =
			at >= 0 && wedged[at] ? LIVE_WEDGED : by_age(live, opt, conn);
	}
	for (size_t i = 0; i < live->n_conns; i++)
		find_behind(live, &live->conns[i]);
	for (size_t i = 0; i < live->n_conns; i++)
		find_depth(live, &live->conns[i]);
	qsort(live->conns, live->n_conns, sizeof(*live->conns), by_state);
}
