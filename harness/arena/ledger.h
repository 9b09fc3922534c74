/* SPDX-License-Identifier: MIT */
/*
 * The ledger: what the daemon did with each request, in shared memory, readable after its
 * death.
 *
 * Written by the daemon's threads only, read by the executor at any time. A record is
 * reserved by an atomic add on head and becomes visible when its state leaves
 * LEDGER_FREE. It is filled before the request is acted on, so that a daemon killed in
 * the middle still shows what it had read.
 */
#ifndef SF_LEDGER_H
#define SF_LEDGER_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

/* Records kept. Once all are used, one of an answered request makes room: an open one never does. */
#define LEDGER_SIZE 1024

enum ledger_state {
	LEDGER_FREE,
	LEDGER_READ,	/* being handled */
	LEDGER_HELD,	/* read, its answer is withheld */
	LEDGER_DROPPED, /* read, never to be answered (drop, unknown_unique, a thread that
			   exited) */
	LEDGER_ANSWERED, /* write(2) of the reply returned, or the opcode has no reply */
};

struct ledger_record {
	_Atomic uint32_t state; /* enum ledger_state */
	uint32_t opcode;
	uint64_t unique, nodeid;
	/* Requester: tid in the executor's pid namespace; 0: the kernel itself. Of an
	 * INTERRUPT: the requester of what it interrupts (whose unique is one less). */
	int32_t pid;
	int32_t server;		   /* tid of the serving thread, same namespace */
	uint8_t rule;		   /* 0: no rule matched, else 1 + index of the fault */
	uint8_t action;		   /* enum fault_action */
	int16_t error;		   /* of the reply: 0 or -errno */
	uint64_t read_ns, done_ns; /* CLOCK_MONOTONIC; done: held, dropped or answered */
};

struct ledger {
	_Atomic uint32_t head; /* requests read so far */
	_Atomic uint32_t
		n_lost; /* not recorded: all others were open. The run is infra then */
	_Atomic uint32_t n_held, n_dropped; /* right now; in the whole run */
	_Atomic uint32_t n_timed; /* held with hold_ms: they vote against quiescence */
	_Atomic uint64_t
		timed_until_ns; /* CLOCK_MONOTONIC: when the last of them is due */
	struct ledger_record record[LEDGER_SIZE];
};

/* Copies *record (all but its state) into the ledger as LEDGER_READ, now. NULL, and n_lost counts it, if every
 * record is of an open request. */
struct ledger_record *ledger_add(struct ledger *ledger,
				 const struct ledger_record *record);
/* The newest record of a request, or NULL. */
struct ledger_record *ledger_find(struct ledger *ledger, uint64_t unique);
/* Held, dropped or answered, now. record may be NULL. error: 0 or -errno. Counts
 * n_dropped. */
void ledger_settle(struct ledger *ledger, struct ledger_record *record,
		   enum ledger_state state, int error);

#endif
