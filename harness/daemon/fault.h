/* SPDX-License-Identifier: MIT */
/*
 * The fault engine: which rule of the plan a request meets, and what each action does.
 *
 * An action is a few hooks around the usual path of a request; an absent hook changes
 * nothing. To add one: a row in faults.def, and its "static const struct fault_hooks
 * act_SYMBOL" in fault.c.
 */
#ifndef SF_FAULT_H
#define SF_FAULT_H

#include "reply.h"
#include "server.h"

struct fault_hooks {
	/* By the leader, right after reading and in the order of reading; must not block.
	 * True: the request is dealt with (held, dropped, replied to). */
	bool (*take)(struct request *req);
	/* The rest happens after the lead was passed on, and may block. */
	void (*before)(struct request *req);
	void (*serve)(struct request *req); /* instead of libfuse */
	reply_send_fn *send;		    /* how libfuse's reply is written */
	void (*after)(struct request *req);
};

/* fault_match.c. Sets req->requester: whose thread this pid is; of an INTERRUPT its target's. */
void fault_find_requester(struct request *req, int32_t pid);
/* Counts the request in the rules, sets req->rule, hooks and value. By the leader only. */
void fault_match(struct request *req);
/* Rung 2: no rule matches from now on. */
void fault_clear(void);
const struct fault_hooks *fault_no_hooks(void);

/* By wire id, FAULT_COUNT of them. */
extern const struct fault_hooks *const fault_actions[];

#endif
