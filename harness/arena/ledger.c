/* SPDX-License-Identifier: MIT */
/* Writes the ledger of requests. */
#include "ledger.h"

#include <stddef.h>
#include <time.h>

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Takes the record of an answered request, the oldest first. NULL: there is none. */
static struct ledger_record *make_room(struct ledger *ledger, uint32_t n)
{
	for (uint32_t i = 0; i < LEDGER_SIZE; i++) {
		struct ledger_record *record = &ledger->record[(n + i) % LEDGER_SIZE];
		uint32_t answered = LEDGER_ANSWERED;

		if (atomic_compare_exchange_strong(&record->state, &answered,
						   LEDGER_FREE))
			return record;
	}
	return NULL;
}

struct ledger_record *ledger_add(struct ledger *ledger,
				 const struct ledger_record *record)
{
	uint32_t n = atomic_fetch_add(&ledger->head, 1);
	struct ledger_record *to;

	to = n < LEDGER_SIZE ? &ledger->record[n] : make_room(ledger, n);
	if (!to) {
		atomic_fetch_add(&ledger->n_lost, 1);
		return NULL;
	}
	to->opcode = record->opcode;
	to->unique = record->unique;
	to->nodeid = record->nodeid;
	to->pid = record->pid;
	to->server = record->server;
	to->rule = record->rule;
	to->action = record->action;
	to->error = 0;
	to->read_ns = now_ns();
	to->done_ns = 0;
	atomic_store(&to->state, LEDGER_READ);
	return to;
}

struct ledger_record *ledger_find(struct ledger *ledger, uint64_t unique)
{
	uint32_t n = atomic_load(&ledger->head);

	for (n = n < LEDGER_SIZE ? n : LEDGER_SIZE; n; n--) {
		struct ledger_record *record = &ledger->record[n - 1];

		if (record->unique == unique &&
		    atomic_load(&record->state) != LEDGER_FREE)
			return record;
	}
	return NULL;
}

void ledger_settle(struct ledger *ledger, struct ledger_record *record,
		   enum ledger_state state, int error)
{
	if (state == LEDGER_DROPPED)
		atomic_fetch_add(&ledger->n_dropped, 1);
	/* What is settled stays so: its record may be another request's by now. */
	if (!record || atomic_load(&record->state) == LEDGER_ANSWERED)
		return;
	record->error = (int16_t)error;
	record->done_ns = now_ns();
	atomic_store(&record->state, state);
}
