/* SPDX-License-Identifier: MIT */
/* Finds the rule of the fault plan that a request meets. */
#include "fault.h"

#include <linux/fuse.h>

#include "harness/scenario/tables.h"

static uint32_t seen[SCN_MAX_FAULTS];
static bool cleared;

const struct fault_hooks *fault_no_hooks(void)
{
	return fault_actions[FAULT_none];
}

void fault_clear(void)
{
	cleared = true;
}

static bool is_daemon(const struct daemon_shared *shared, int32_t pid)
{
	for (unsigned int i = 0; i < daemon_self.n_servers; i++)
		if (daemon_self.servers[i].tid == pid)
			return true;
	return atomic_load(&shared->pid) == pid || atomic_load(&shared->helper) == pid;
}

void fault_find_requester(struct request *req, int32_t pid)
{
	struct mailbox *mailbox = daemon_self.arena->mailbox;

	req->requester = ACTOR_ANY;
	if (!pid) {
		req->requester = ACTOR_KERNEL;
		return;
	}
	for (unsigned int i = 0; i < SCN_MAX_TASKS; i++) {
		if (atomic_load(&mailbox[i].tid) == pid) {
			req->requester = (uint8_t)i;
			return;
		}
	}
	if (is_daemon(&daemon_self.arena->daemon, pid)) {
		req->requester = ACTOR_DAEMON;
		return;
	}
	for (unsigned int i = 0; i < SCN_MAX_TASKS; i++)
		if (atomic_load(&mailbox[i].pid) == pid)
			req->requester = (uint8_t)i;
}

static bool rule_names(const struct scn_fault *rule, const struct request *req)
{
	uint32_t opcode = req->in->opcode;

	if (rule->opcode ? rule->opcode != opcode : !request_wants_reply(req))
		return false;
	return rule->requester == ACTOR_ANY || rule->requester == req->requester;
}

void fault_match(struct request *req)
{
	const struct scenario *scn = &daemon_self.arena->scn;

	req->rule = 0;
	req->value = 0;
	req->hooks = fault_actions[FAULT_none];
	for (unsigned int i = 0; !cleared && i < scn->n_faults; i++) {
		const struct scn_fault *rule = &scn->faults[i];

		if (!rule_names(rule, req))
			continue;
		seen[i]++;
		if (req->rule || (rule->nth && seen[i] != rule->nth))
			continue;
		req->rule = (uint8_t)(i + 1);
		req->value = rule->value;
		req->hooks = fault_actions[rule->action];
	}
}
