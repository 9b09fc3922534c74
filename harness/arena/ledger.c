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

struct ledger_record *ledger_add(struct ledger *ledger,
				 const struct ledger_record *record)
{
	uint32_t n = atomic_fetch_add(&ledger->head, 1);
	struct ledger_record *to;

	if (n >= LEDGER_SIZE)
		return NULL;
	to = &ledger->record[n];
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
	if (!record)
		return;
	record->error = (int16_t)error;
	record->done_ns = now_ns();
	atomic_store(&record->state, state);
}
