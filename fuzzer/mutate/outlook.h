/* SPDX-License-Identifier: MIT */
/*
 * What a scenario is likely to come to, guessed without a kernel: which rule each step meets, who ends
 * how and holding what, and who is left waiting for which reply. Costs a few microseconds.
 *
 * Where the model (model.h) says which steps have an actor, this says what is worth a run. A wait here
 * corresponds to a root of the wait-for graph: role, request, and whether its task is on its way out.
 */
#ifndef SF_OUTLOOK_H
#define SF_OUTLOOK_H

#include "model.h"

#define OUTLOOK_WAITS 24

/* As the roles of a snapshot, from what the scenario says alone. */
enum outlook_role { OUT_WORKER, OUT_INIT, OUT_DAEMON, OUT_SERVER, OUT_HEIR, OUT_OTHER };

/* Where the requester is in its life while it waits. */
enum outlook_phase { OUT_RUNNING, OUT_EXIT, OUT_EXEC };

struct outlook_wait {
	uint8_t role, phase;
	uint8_t opcode;
	uint8_t op;    /* of the step where the frames depend on it, else 0 */
	uint8_t again; /* LOOKUP of a name that was looked up before */
	uint8_t unread; /* nobody reads the device any more; last, as it is no other root */
};

/* How an actor ended: bits of outlook_step.ends and .holds. */
enum { OUT_BY_EXIT = 1, OUT_BY_GROUP, OUT_BY_EXEC, OUT_BY_KILL };
enum {
	OUT_HOLDS_FILE = 1,
	OUT_HOLDS_MAP = 2,
	OUT_HOLDS_LOCK = 4,
	OUT_OWN_TABLE = 8, /* a file table that it unshared, or shares with nobody */
};

struct outlook_step {
	uint8_t runs; /* its actor can take it */
	uint8_t role; /* of the actor; of the victim where somebody is killed */
	uint8_t opcode,
		rule;  /* request that met a rule; index of the rule + 1, 0: none */
	uint8_t waits; /* it does not return, as far as that can be known */
	uint8_t fails; /* a request of it is answered with an error */
	uint8_t ends;  /* OUT_BY_*, 0: nobody ends */
	uint8_t holds; /* OUT_HOLDS_* of the one that ends */
};

struct outlook {
	struct outlook_step step[SCN_MAX_STEPS];
	struct outlook_wait wait[OUTLOOK_WAITS]; /* sorted, each once */
	unsigned int n_waits, n_runs;
	bool deaf;	  /* the daemon lives and reads no more */
	bool daemon_gone; /* it ended, or is killed with the namespace it lives in */
};

void outlook_init(struct outlook *outlook, const struct scenario *scn);

enum outlook_role outlook_role(const struct scenario *scn, unsigned int actor);

#endif
