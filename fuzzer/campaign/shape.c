/* SPDX-License-Identifier: MIT */
/* Recognises the exact shape of the incident in a run. */

#include "fuzzer/mutate/model.h"
#include "shape.h"

static bool happened(const struct result *res, unsigned int i)
{
	const struct step_result *step = &res->steps[i];

	return step->status == STEP_ENDED || step->status == STEP_BLOCKED ||
	       (step->status == STEP_DONE && step->ret >= 0);
}

static bool is_daemon_thread(const struct scenario *scn, unsigned int actor)
{
	const struct scn_task *task;

	while ((task = scenario_task(scn, actor)) && task->kind == TASK_THREAD)
		actor = task->parent;
	return actor == ACTOR_DAEMON && task == NULL;
}

/* Files of the mount that this thread holds in a file table of its own when it exits in step "end". */
static bool exits_holding(const struct scenario *scn, const struct result *res,
			  unsigned int end)
{
	unsigned int actor = scn->steps[end].actor, held = 0;
	bool own_table = false;

	for (unsigned int i = 0; i < end; i++) {
		const struct scn_step *step = &scn->steps[i];

		/* The table was the daemon's: a file that another of its threads opened counts too. */
		if (!happened(res, i) || (step->actor != actor && own_table) ||
		    (step->actor != actor && step->actor != ACTOR_DAEMON &&
		     !is_daemon_thread(scn, step->actor)))
			continue;
		if ((step->op == OP_open || step->op == OP_creat) && step->b != PATH_OUT)
			held |= 1u << step->a;
		else if (step->op == OP_close)
			held &= ~(1u << step->a);
		else if (step->op == OP_unshare && step->actor == actor)
			own_table |= step->a & UNSHARE_FILES;
	}
	return own_table && (held || scn->config.daemon & DAEMON_SELF_FILE);
}

bool shape_is_incident(const struct scenario *scn, const struct result *res)
{
	unsigned int init = scenario_namespace(scn, ACTOR_DAEMON);
	bool thread_gone = false;

	if (res->verdict != VERDICT_PINNED || scn->config.placement != PLACE_INSIDE)
		return false;
	for (unsigned int i = 0; i < scn->n_steps; i++) {
		const struct scn_step *step = &scn->steps[i];

		if (!happened(res, i))
			continue;
		if (step->op == OP_exit && step->actor < SCN_MAX_TASKS &&
		    is_daemon_thread(scn, step->actor) && exits_holding(scn, res, i))
			thread_gone = true;
		if (thread_gone && step->actor == init &&
		    (step->op == OP_exit || step->op == OP_exit_group))
			return true;
	}
	return false;
}
