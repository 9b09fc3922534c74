/* SPDX-License-Identifier: MIT */
/* What the parts of outlook.c share: a walk through a scenario. */
#ifndef SF_OUTLOOK_WALK_H
#define SF_OUTLOOK_WALK_H

#include "outlook.h"

#define WALK_REQUESTS 4 /* of a step, at most */

struct walk {
	const struct scenario *scn;
	struct model model;
	struct outlook *out;
	uint8_t hits[SCN_MAX_FAULTS];
	uint8_t locks[MODEL_ACTORS];
	bool executed[MODEL_ACTORS];
	bool stolen;	      /* a task has the device too */
	unsigned int servers; /* serving threads left */
	unsigned int at;      /* number of the present step, from 1 */
	unsigned int known;   /* paths that were looked up, by bit */
};

/* Of outlook_sends.c. Files of the mount that the actor has open, by bit. */
unsigned int walk_files(const struct walk *w, unsigned int actor);
/* Does the configuration let the kernel send it at all? op: of the step, where it matters. */
bool walk_config_sends(const struct scn_config *config, unsigned int opcode,
		       unsigned int op);
/* The requests that the step sends where all are answered, in order; how many. */
unsigned int walk_requests(const struct walk *w, const struct scn_step *step,
			   uint8_t ret_opcode[WALK_REQUESTS]);

/* Of outlook_fate.c. What becomes of a request. */
enum fate { FATE_ANSWERED, FATE_FAILED, FATE_WITHHELD };
/* One request of a task; its rule is noted in step, its effects on the daemon in the walk. */
enum fate walk_request(struct walk *w, unsigned int opcode, unsigned int actor,
		       struct outlook_step *step);
/* A thread that served does so no more; after the last one nobody reads. */
void walk_lose_server(struct walk *w);

/* Of outlook.c. */
void walk_add_wait(struct walk *w, enum outlook_role role, enum outlook_phase phase,
		   unsigned int opcode, unsigned int op);

#endif
