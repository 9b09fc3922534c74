/* SPDX-License-Identifier: MIT */
/* What becomes of a request: the rule that it meets, and what that does to the daemon. */

#include <linux/fuse.h>

#include "outlook_walk.h"

/* As fault_match() of the daemon: every rule counts what it names, the first one that is due acts. */
static int find_rule(struct walk *w, unsigned int opcode, unsigned int requester)
{
	int found = -1;

	for (unsigned int i = 0; i < w->scn->n_faults; i++) {
		const struct scn_fault *f = &w->scn->faults[i];

		if (f->opcode && f->opcode != opcode)
			continue;
		if (f->requester != ACTOR_ANY && f->requester != requester)
			continue;
		if (w->hits[i] < 255)
			w->hits[i]++;
		if (found < 0 && (!f->nth || f->nth == w->hits[i]))
			found = (int)i;
	}
	return found;
}

void walk_lose_server(struct walk *w)
{
	if (w->servers && --w->servers == 0)
		w->out->deaf = true;
}

/* Is the reply an error, or none that the kernel takes (fuse_dev_do_write())? */
static bool fails(const struct scn_fault *fault)
{
	switch (fault->action) {
	case FAULT_error:
		return fault->value;
	case FAULT_truncated:
	case FAULT_oversized:
	case FAULT_exit_before:
	case FAULT_kill_before:
		return true;
	default:
		return false;
	}
}

static bool asks_itself(unsigned int action)
{
	return action == FAULT_self_open || action == FAULT_self_read ||
	       action == FAULT_self_stat;
}

/* The thread answers once it has its own answer: never, where it is alone, or where the next one asks likewise. */
static bool asks_for_ever(const struct walk *w, const struct scn_fault *fault)
{
	return asks_itself(fault->action) &&
	       (w->servers < 2 || (!fault->nth && fault->requester == ACTOR_ANY &&
				   (!fault->opcode || fault->opcode == FUSE_LOOKUP)));
}

/* The rule's side effects on the daemon. */
static void daemon_suffers(struct walk *w, const struct scn_fault *fault)
{
	switch (fault->action) {
	case FAULT_noread:
	case FAULT_stop_before:
	case FAULT_stop_after:
		w->out->deaf = true;
		break;
	case FAULT_thread_exit:
		walk_lose_server(w);
		break;
	case FAULT_exit_before:
	case FAULT_exit_after:
	case FAULT_kill_before:
	case FAULT_kill_after:
		w->out->daemon_gone = true;
		break;
	case FAULT_self_open:
		w->model.fds[ACTOR_DAEMON] |= 1u << (SCN_FD_SLOTS - 1);
		/* fall through */
	case FAULT_self_read:
	case FAULT_self_stat:
		/* Its own request waits for another thread, or for ever. */
		if (asks_for_ever(w, fault)) {
			walk_add_wait(w, OUT_DAEMON, OUT_RUNNING, FUSE_LOOKUP, 0);
			w->servers = 0;
			w->out->deaf = true;
		}
		break;
	}
}

enum fate walk_request(struct walk *w, unsigned int opcode, unsigned int actor,
		       struct outlook_step *step)
{
	const struct scn_fault *fault;
	bool held;
	int rule;

	if (w->out->daemon_gone)
		return FATE_FAILED; /* ENOTCONN */
	/* A thread of the daemon that serves cannot wait for itself. */
	if (w->out->deaf || (actor == ACTOR_DAEMON && w->servers < 2))
		return FATE_WITHHELD;
	rule = find_rule(w, opcode, actor);
	if (rule < 0)
		return FATE_ANSWERED;
	fault = &w->scn->faults[rule];
	held = fault_withholds(fault->action) || asks_for_ever(w, fault);
	if (!step->rule || held) {
		step->rule = rule + 1;
		step->opcode = opcode;
	}
	daemon_suffers(w, fault);
	return held ? FATE_WITHHELD : fails(fault) ? FATE_FAILED : FATE_ANSWERED;
}
