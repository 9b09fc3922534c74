/* SPDX-License-Identifier: MIT */
/* Keeps requests whose answer is withheld, and answers them when it is time. */
#include "hold.h"

#include <errno.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fault.h"
#include "reply.h"

struct hold {
	struct hold *next, *prev;
	enum hold_until kind;
	uint64_t until;
	struct request req; /* req.in is message */
	_Alignas(8) unsigned char message[];
};

static struct hold *oldest, *newest;
static unsigned int n_timed;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void hold_add(const struct request *req, enum hold_until kind, uint64_t until)
{
	struct ledger *ledger = &daemon_self.arena->ledger;
	struct hold *hold = malloc(sizeof(*hold) + req->len);

	if (!hold) {
		ledger_settle(ledger, req->record, LEDGER_DROPPED, 0);
		arena_tell(daemon_self.arena);
		return;
	}
	*hold = (struct hold){.prev = newest, .kind = kind, .until = until, .req = *req};
	memcpy(hold->message, req->in, req->len);
	hold->req.in = (const void *)hold->message;
	if (newest)
		newest->next = hold;
	else
		oldest = hold;
	newest = hold;
	if (kind == HOLD_TIME) {
		n_timed++;
		if (until > atomic_load(&ledger->timed_until_ns))
			atomic_store(&ledger->timed_until_ns, until);
		atomic_fetch_add(&ledger->n_timed, 1);
	}
	atomic_fetch_add(&ledger->n_held, 1);
	ledger_settle(ledger, req->record, LEDGER_HELD, 0);
	arena_tell(daemon_self.arena);
}

static void take_out(struct hold *hold)
{
	struct ledger *ledger = &daemon_self.arena->ledger;

	*(hold->prev ? &hold->prev->next : &oldest) = hold->next;
	*(hold->next ? &hold->next->prev : &newest) = hold->prev;
	if (hold->kind == HOLD_TIME) {
		n_timed--;
		atomic_fetch_sub(&ledger->n_timed, 1);
	}
	atomic_fetch_sub(&ledger->n_held, 1);
}

static void answer(struct hold *hold)
{
	take_out(hold);
	hold->req.hooks = fault_no_hooks();
	reply_process(&hold->req);
	free(hold);
}

void hold_answer(uint32_t n)
{
	while (n-- && oldest)
		answer(oldest);
}

static bool is_due(const struct hold *hold)
{
	const struct daemon_shared *shared = &daemon_self.arena->daemon;

	switch (hold->kind) {
	case HOLD_STEP:
		return atomic_load(&shared->step) >= hold->until;
	case HOLD_MORE:
		return daemon_self.n_read >= hold->until;
	case HOLD_TIME:
		return now_ns() >= hold->until;
	case HOLD_KILLED:
		return atomic_load(&shared->killed) >> hold->until & 1;
	default:
		return false;
	}
}

void hold_answer_due(void)
{
	for (struct hold *hold = oldest, *next; hold; hold = next) {
		next = hold->next;
		if (is_due(hold))
			answer(hold);
	}
}

unsigned int hold_group_size(unsigned int rule)
{
	unsigned int n = 0;

	for (const struct hold *hold = oldest; hold; hold = hold->next)
		n += hold->kind == HOLD_GROUP && hold->req.rule == rule;
	return n;
}

void hold_answer_group(unsigned int rule)
{
	for (struct hold *hold = newest, *prev; hold; hold = prev) {
		prev = hold->prev;
		if (hold->kind == HOLD_GROUP && hold->req.rule == rule)
			answer(hold);
	}
}

bool hold_interrupt(uint64_t unique)
{
	for (struct hold *hold = oldest; hold; hold = hold->next) {
		if (hold->req.in->unique != unique)
			continue;
		take_out(hold);
		reply_error(&hold->req, EINTR);
		free(hold);
		return true;
	}
	return false;
}

int64_t hold_timeout(void)
{
	uint64_t now, first = UINT64_MAX;

	if (!n_timed)
		return -1;
	now = now_ns();
	for (const struct hold *hold = oldest; hold; hold = hold->next)
		if (hold->kind == HOLD_TIME && hold->until < first)
			first = hold->until;
	return first > now ? (int64_t)(first - now) : 0;
}
